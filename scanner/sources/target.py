"""Targets: what a person names to be scanned, opened as the sources that fit it."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from scanner.errors import SourceError, UsageError
from scanner.model import Finding, Place, ScanEvent, Skipped, Unit, printable
from scanner.record import Record, replace
from scanner.sources.files import Frame, Nested, single_file, special, walk
from scanner.sources.git.repository import Repository, repository_around, repository_at
from scanner.sources.stdin import StdinSource

if TYPE_CHECKING:
    from scanner.sources.git.introductions import Look
    from scanner.sources.git.remembered import Memory
    from scanner.sources.git.source import WholeRepository

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://|:)|[^/\s:@]+@[^/\s:]+:(?!//)")


_PATHLESS = frozenset({Place.REF_NAME, Place.NOTE, Place.COMMIT_MESSAGE, Place.TAG_MESSAGE})
"""Places whose path is none of a file."""


class TargetOptions(Record):
    """Which part of a target is wanted. The first five exclude each other; without any of them, it is everything.

    staged     what the next commit adds; `index` is the index file a hook was given
    since      the commits HEAD has and this revision has not
    range      the commits of `A..B`
    ref        everything one ref leads to
    all_refs   everything any ref leads to, but nothing unreachable
    history    False: files and index only
    name       how the target is shown, if not as it was given
    known      ids of objects that need no second look
    memory     what was scanned before
    """

    staged: bool = False
    since: str | None = None
    range: str | None = None
    ref: str | None = None
    all_refs: bool = False
    history: bool = True
    index: str | None = None
    name: str | None = None
    known: Container[str] = ()
    memory: Memory | None = None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The options given of those that exclude each other, as the command line spells them."""
        given = {
            "--staged": self.staged,
            "--since": self.since is not None,
            "--range": self.range is not None,
            "--ref": self.ref is not None,
            "--all-refs": self.all_refs,
            "--no-history": not self.history,
        }
        return tuple(name for name, is_given in given.items() if is_given)


class Part(Protocol):
    """One source of a target; it may meet repositories that become parts of their own."""

    def units(self) -> Iterator[Unit | Skipped | Nested]:
        """The work there is."""
        ...

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """What can be said about findings once all of them are known."""
        ...


class Plain:
    """Part: files that belong to no repository."""

    def __init__(self, units: Iterator[Unit | Skipped | Nested]) -> None:
        self._units = units

    def units(self) -> Iterator[Unit | Skipped | Nested]:
        """What was given."""
        return self._units

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """Nothing more is known of plain files."""
        return list(findings)


class Target:
    """An opened target: first all of `units`, then `finish` with everything that was found in them."""

    def __init__(
        self, part: Part, options: TargetOptions, repository: Repository | None = None, name: str = ""
    ) -> None:
        self._waiting: list[Part] = [part]
        self._options = options
        self._parts = {name: part}
        self._inner: dict[str, str | None] = {}
        self._seen: dict[str, str] = {}
        if repository is not None:
            self._note(repository, name)

    def units(self) -> Iterator[Unit | Skipped]:
        """The work there is, that of repositories met on the way last. May be asked for once."""
        while self._waiting:
            for unit in self._waiting.pop().units():
                if isinstance(unit, Nested):
                    self._enter(unit)
                else:
                    yield unit

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """Findings with commits and paths, one for each leak, in a stable order."""
        groups: dict[str, list[Finding]] = {}
        for finding in findings:
            groups.setdefault(finding.origin.repository or "", []).append(finding)
        finished = {name: self._part(name).finish(group) for name, group in groups.items()}
        told = {_leak(each, name) for name, found in finished.items() for each in found if each.origin.commit}
        shown = [
            self._shown(each, name)
            for name, found in finished.items()
            for each in found
            if not ((owner := self._inner.get(name)) is not None and _leak(each, owner) in told)
        ]
        return sorted(shown, key=_order)

    def _shown(self, finding: Finding, name: str) -> Finding:
        """A finding of a repository within the target, with a path that says in which it is."""
        origin = finding.origin
        if name not in self._inner or not origin.path or origin.place in _PATHLESS:
            return finding
        path = os.path.join(name, origin.path)
        base = origin.base + len(path) - len(origin.path)
        return replace(finding, origin=replace(origin, path=path, base=base))

    def note(self, event: ScanEvent) -> None:
        """Takes notice of what came out of the scan, before anything is left out of it."""
        for part in self._remembering:
            part.note(event)

    def remember(self) -> None:
        """Keeps what was learnt for the next scan, after `finish`."""
        for part in self._remembering:
            part.remember()

    @property
    def _remembering(self) -> list[WholeRepository]:
        if self._options.memory is None:
            return []
        from scanner.sources.git.source import WholeRepository  # noqa: PLC0415 - see open_target

        return [part for part in self._parts.values() if isinstance(part, WholeRepository)]

    def _part(self, name: str) -> Part:
        return self._parts.get(name) or Plain(iter(()))

    def _enter(self, nested: Nested) -> None:
        from scanner.sources.git.source import Present, WholeRepository  # noqa: PLC0415 - see open_target

        repository = repository_at(nested.path)
        if repository is None or os.path.realpath(repository.git_dir) in self._seen:
            return
        owner = self._note(repository, nested.shown)
        history = self._options.history
        if owner is None and history:
            memory = self._options.memory
            remembered = memory.of(repository, nested.shown) if memory else None
            part: Part = WholeRepository(
                repository, nested.shown, self._options.all_refs, self._options.known, remembered
            )
        else:
            part = Present(repository, nested.shown, own=owner is None, objects_known=history)
        self._parts[nested.shown] = part
        self._inner[nested.shown] = owner
        self._waiting.append(part)

    def _note(self, repository: Repository, name: str) -> str | None:
        """Notes a repository; the name of the one that was noted before with the same objects, if there is one."""
        common = os.path.realpath(repository.common_dir)
        owner = self._seen.get(common)
        self._seen.setdefault(common, name)
        self._seen.setdefault(os.path.realpath(repository.git_dir), name)
        return owner


def open_target(
    text: str, options: TargetOptions | None = None, stdin: BinaryIO | None = None, look: Look | None = None
) -> Target:
    """Opens a path (file, directory, repository with or without a work tree, archive) or `-`, which is `stdin`.

    Raises UsageError where the options do not fit each other or the target, SourceError where there is nothing to read.
    A git URL (see `is_git_url`) has to be mirrored first, and the mirror opened under the URL as `name`. `look` scans a
    content: with it, what `since` and `range` report is new there.
    """
    options = options or TargetOptions()
    chosen = options.chosen
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} and {chosen[1]} exclude each other: give one of them")
    if text == "-":
        if chosen:
            raise UsageError(f"{chosen[0]} is for repositories, and this is standard input")
        return Target(StdinSource(stdin or sys.stdin.buffer), options)
    about = _stat(text)
    if chosen and chosen != ("--no-history",):
        return _repository(text, options, chosen[0], look)
    if stat.S_ISDIR(about.st_mode):
        return _directory(text, options)
    if stat.S_ISREG(about.st_mode):
        return Target(Plain(iter((single_file(text),))), options)
    reason = f"it is {special(about.st_mode)}, not a file; pipe its content into: keyfuse audit -"
    return Target(Plain(iter((Skipped(printable(text), reason),))), options)


def is_git_url(text: str) -> bool:
    """Whether a target has the form of a repository somewhere else: a URL, or `user@host:path`."""
    return _URL.match(text) is not None and not os.path.lexists(text)


def _stat(text: str) -> os.stat_result:
    try:
        return os.stat(text)
    except FileNotFoundError:
        if os.path.lexists(text):
            raise SourceError(f"{printable(text)} is a link to something that does not exist") from None
        raise SourceError(f"{printable(text)} does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise SourceError(f"{printable(text)} cannot be opened: {reason}") from None


def _directory(text: str, options: TargetOptions) -> Target:
    repository = repository_at(text)
    label = "" if text in (".", "./") else text
    if repository is None:
        return Target(Plain(walk(Frame(text, label))), options)
    return _open_repository(repository, options, options.name or text)


def _repository(text: str, options: TargetOptions, option: str, look: Look | None) -> Target:
    repository = repository_around(text)
    if repository is None:
        raise UsageError(f"{option} is for repositories, and there is none at or above {printable(text)}")
    return _open_repository(repository, options, options.name or text, look)


def _open_repository(repository: Repository, options: TargetOptions, name: str, look: Look | None = None) -> Target:
    # Only repositories need what starts git; a single file is scanned before that is imported.
    from scanner.sources.git import revisions, source  # noqa: PLC0415
    from scanner.sources.git.caution import require_sound  # noqa: PLC0415

    git = require_sound(repository)
    part: Part
    if options.staged:
        part = source.Staged(repository.work_tree or repository.git_dir, name, options.index)
    elif options.since is not None:
        part = source.Commits(repository, name, revisions.since(git, options.since), options.known, look)
    elif options.range is not None:
        part = source.Commits(repository, name, revisions.between(git, options.range), options.known, look)
    elif options.ref is not None:
        part = source.Commits(repository, name, revisions.reachable(git, options.ref), options.known)
    elif options.history:
        remembered = options.memory.of(repository, name) if options.memory and not options.all_refs else None
        part = source.WholeRepository(repository, name, options.all_refs, options.known, remembered)
    else:
        part = source.Present(repository, name)
    return Target(part, options, repository, name)


def _leak(finding: Finding, repository: str) -> tuple[object, ...]:
    """What is the same for a leak in all work trees of a repository."""
    origin = finding.origin
    return (repository, finding.kind.id, finding.fingerprint, finding.encoding, origin.path, origin.inside)


def _order(finding: Finding) -> tuple[object, ...]:
    origin, span = finding.origin, finding.span
    return (
        origin.repository or "",
        origin.path,
        origin.inside,
        origin.place,
        origin.blob or "",
        span.start,
        span.end,
        finding.kind.id,
    )
