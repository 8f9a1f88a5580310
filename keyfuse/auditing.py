"""An audit from request to exit code: scan, ask whose keys were found, respond where that was asked for, report.

Nothing here is loaded that a clean audit does not need: the registry is opened only when something was found.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from keyfuse import __version__
from keyfuse.exits import Exit
from keyfuse.order import AuditOrder
from keyfuse.progress import Progress
from responders.errors import StoreError
from responders.shapes import read_shapes
from rules import FOLDER
from scanner.errors import SourceError
from scanner.model import Confidence, Finding, Fingerprint, Scanned, Shape, Skipped, Suppressed, printable
from scanner.options import Limits, Options, Silencer
from scanner.pipeline import Scanner, build_scanner, scan
from scanner.record import Record, replace
from scanner.report import write
from scanner.report.model import Report, Reported, Stats
from scanner.sources.target import TargetOptions, is_git_url, open_target

if TYPE_CHECKING:
    from keyfuse.session import Session
    from scanner.sources.git.remembered import Memory

REGISTRY = "key registry"
RULES = "rules"
"""What stands for the origin of a rule that cannot be used."""


class AuditRequest(Record):
    """What was asked for. `output` None is stdout; `jobs` 0 is as many as there are cores."""

    targets: tuple[str, ...]
    part: TargetOptions
    options: Options
    rule_files: tuple[Path, ...] = ()
    form: str = "text"
    output: Path | None = None
    respond: bool = False
    verify: bool = False
    exit_zero: bool = False
    reveal: bool = False
    jobs: int = 0


class Catch:
    """What scanning brought in."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.suppressed: list[Suppressed] = []
        self.skipped: list[Skipped] = []
        self.blobs = 0
        self.bytes = 0

    def stats(self, seconds: float) -> Stats:
        """The sums, for the report."""
        return Stats(self.blobs, self.bytes, seconds)


def audit(order: AuditOrder, session: Session) -> int:
    """Does what a command line ordered, with the configuration's word on all that it left open."""
    settings = session.config
    sure = order.min_confidence
    request = AuditRequest(
        targets=order.targets or (".",),
        part=TargetOptions(
            staged=order.staged,
            since=order.since,
            range=order.commits,
            ref=order.ref,
            all_refs=order.all_refs,
            history=not order.no_history,
        ),
        options=Options(
            min_confidence=Confidence[sure.upper()] if sure else settings.scan.min_confidence,
            only_rules=frozenset(order.only_rule or settings.rules.only),
            disabled_rules=frozenset((*order.disable_rule, *settings.rules.disable)),
            foreign_marks=settings.scan.foreign_marks,
            baseline=_baseline(session, order.baseline) if order.baseline else None,
            archives=settings.scan.unpack,
            encodings=settings.scan.decode,
            limits=limits_of(session),
        ),
        rule_files=(*settings.rules.files, *order.rule_files),
        form=order.form,
        output=order.output,
        respond=order.respond,
        verify=order.verify,
        exit_zero=order.exit_zero,
        reveal=order.reveal,
        jobs=settings.scan.jobs if order.jobs is None else order.jobs,
    )
    return run_audit(request, session)


def _baseline(session: Session, path: Path) -> Silencer:
    from scanner.suppress import Baseline  # noqa: PLC0415  (only where one is given)

    return Baseline.load(path, session.clock().date())


def limits_of(session: Session) -> Limits:
    """`[scan]`, as the scanner takes it."""
    settings = session.config.scan
    return Limits(
        seconds_per_rule=settings.match_timeout.total_seconds(),
        depth=settings.unpack_depth,
        members=settings.unpack_members,
        total_bytes=settings.unpack_size,
        member_bytes=settings.unpack_member_size,
        ratio=settings.unpack_ratio,
        seconds_per_document=settings.document_timeout.total_seconds(),
    )


def run_audit(request: AuditRequest, session: Session) -> int:
    """Runs one audit and returns its exit code. Raises SourceError when the only target cannot be opened at all."""
    began = time.monotonic()
    caught, scanner = scan_targets(request, session)
    reported, unproven = _judge(request, session, caught)
    code = _verdict(request, reported, caught, unproven)
    report = Report(
        findings=reported,
        suppressed=caught.suppressed,
        skipped=caught.skipped,
        stats=caught.stats(time.monotonic() - began),
        version=__version__,
        rules=scanner.engine.rules_hash,
        finished=session.clock(),
        exit_code=code,
        reveal=request.reveal,
    )
    with _opened(request.output) as out:
        write(request.form, report, out, color=_color(out))
    return code


def scan_targets(request: AuditRequest, session: Session) -> tuple[Catch, Scanner]:
    """Scans every target, and says with which scanner. Of several, one that cannot be opened is listed as skipped.

    Raises SourceError when it is the only one.
    """
    caught = Catch()
    scanner = build_scanner(
        session.fingerprinter(),
        rule_files=(Path(FOLDER), *request.rule_files) if request.rule_files else None,
        shapes=_shapes(session, caught),
        options=request.options,
        cache_directory=session.config.cache_dir,
    )
    if request.rule_files:
        caught.skipped += (Skipped(RULES, printable(line)) for line in scanner.engine.book.unused)
    progress = Progress(sys.stderr)
    try:
        for text in request.targets:
            try:
                _scan_target(text, request, session, scanner, caught, progress)
            except SourceError as error:
                if len(request.targets) == 1:
                    raise
                caught.skipped.append(Skipped(printable(text), str(error)))
    finally:
        progress.close()
    return caught, scanner


def _shapes(session: Session, caught: Catch) -> tuple[Shape, ...]:
    try:
        if session.config.database.url.startswith("sqlite"):
            return read_shapes(session.config.data_dir)
        with session.records().read() as tx:
            return tx.keys.shapes()
    except StoreError as error:
        caught.skipped.append(Skipped(REGISTRY, f"registered keys are not looked for: {error}"))
        return ()


def _scan_target(
    text: str, request: AuditRequest, session: Session, scanner: Scanner, caught: Catch, progress: Progress
) -> None:
    with ExitStack() as stack:
        part = request.part
        if is_git_url(text):
            text, part = _mirrored(text, part, stack)
        elif request.options.baseline is None and not part.chosen:
            part = replace(part, memory=_memory(session, scanner))
        target = open_target(text, part, sys.stdin.buffer if text == "-" else None, scanner.scan)
        found: list[Finding] = []
        hidden: list[Suppressed] = []
        known, note = _asker(session, caught), target.note if part.memory else None
        for event in scan(target.units(), scanner, jobs=request.jobs or _cores(), known=known, note=note):
            match event:
                case Finding():
                    found.append(event)
                case Suppressed():
                    hidden.append(event)
                case Skipped():
                    caught.skipped.append(event)
                case Scanned(blobs, size):
                    caught.blobs += blobs
                    caught.bytes += size
                    progress.show(caught.blobs, caught.bytes, len(caught.findings) + len(found))
        caught.findings += target.finish(found) if found else []
        caught.suppressed += _finished(target.finish, hidden)
        target.remember()


def _memory(session: Session, scanner: Scanner) -> Memory:
    """What was found clean before by the same rules."""
    from scanner.sources.git.remembered import Memory  # noqa: PLC0415  (only where there may be a repository)

    return Memory(str(session.config.data_dir / "scan_cache"), f"{__version__} {scanner.stamp}")


def _finished(finish: Callable[[list[Finding]], list[Finding]], hidden: list[Suppressed]) -> Iterator[Suppressed]:
    """Suppressed findings with their commits and paths. Each keeps the reason of the first that silenced its secret."""
    why = {each.finding.fingerprint: each for each in reversed(hidden)}
    if hidden:
        for finding in finish([each.finding for each in hidden]):
            yield replace(why[finding.fingerprint], finding=finding)


def _mirrored(url: str, part: TargetOptions, stack: ExitStack) -> tuple[str, TargetOptions]:
    from tempfile import TemporaryDirectory  # noqa: PLC0415  (only for URLs)

    from keyfuse.mirrors import mirror, remote  # noqa: PLC0415  (GitPython takes 0.1 s to load)

    place = stack.enter_context(TemporaryDirectory(prefix="keyfuse-mirror-"))
    return str(mirror(url, Path(place))), replace(part, name=remote(url).name)


def _asker(session: Session, caught: Catch) -> Callable[[Collection[Fingerprint]], set[Fingerprint]]:
    """Which of these fingerprints are registered: asked for values that only a registered key's shape recognises."""

    def ask(fingerprints: Collection[Fingerprint]) -> set[Fingerprint]:
        if not fingerprints or not session.has_records():
            return set()
        try:
            with session.records().read() as tx:
                return set(tx.keys.lookup(fingerprints))
        except StoreError as error:
            unread = Skipped(REGISTRY, str(error))
            if unread not in caught.skipped:
                caught.skipped.append(unread)
            return set()

    return ask


def _judge(request: AuditRequest, session: Session, caught: Catch) -> tuple[list[Reported], bool]:
    """What is known of the keys that were found, and what was done. True beside it: a wanted action is not proven."""
    if not caught.findings and not caught.suppressed:
        return [], False
    if not (request.respond or request.verify or session.has_records()):
        return [Reported(finding) for finding in caught.findings], False
    from keyfuse.verdicts import Judge  # noqa: PLC0415  (SQLAlchemy and the responders take 0.3 s to load)

    try:
        judge = Judge(session, respond=request.respond, verify=request.verify)
        return judge.all(caught.findings, caught.suppressed), judge.unproven
    except StoreError as error:
        caught.skipped.append(Skipped(REGISTRY, str(error)))
        return [Reported(finding) for finding in caught.findings], request.respond


def _verdict(request: AuditRequest, reported: list[Reported], caught: Catch, unproven: bool) -> Exit:
    if unproven:
        return Exit.UNPROVEN
    if reported:
        return Exit.OK if request.exit_zero else Exit.LEAKS
    return Exit.INCOMPLETE if caught.skipped else Exit.OK


class _opened:  # noqa: N801  (a verb: `with _opened(path) as out`)
    """A file for the report, readable by its owner alone, or stdout."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> TextIO:
        if self._path is None:
            return sys.stdout
        self._file = open(self._path, "w", encoding="utf-8", newline="\n", opener=_private)
        return self._file

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _color(out: TextIO) -> bool:
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
