"""`keyfuse baseline`: what is known and accepted, by fingerprint, with a reason, an author and an end."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import click

from keyfuse.cli.tables import table
from keyfuse.exits import Exit
from keyfuse.session import Session
from responders.registry import KeyState
from scanner.errors import UsageError
from scanner.model import Finding, Fingerprint, printable
from scanner.suppress import Entry, read_entries, write_entries

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_TARGETS = click.argument("targets", nargs=-1, metavar="[TARGET]...")
_REASON = click.option("--reason", default="", metavar="TEXT", help="Why these are no leaks, or accepted ones.")
_EXPIRES = click.option("--expires", metavar="DATE", help="The last day it counts: 2027-01-31, or 90d from today.")
_HISTORY = click.option("--no-history", is_flag=True, help="Look at files and index only.")
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group(epilog='Example: keyfuse baseline create accepted.jsonl . --reason "samples in the docs" --expires 90d')
def command() -> None:
    """Keep what is known and accepted out of the results.

    A baseline is a file of fingerprints that an audit is given with --baseline. It is never looked for in what is
    scanned, it holds no secrets, and it counts on this installation only: fingerprints depend on its key file. A key
    that is registered and alive is never put into one.
    """


@command.command(
    epilog='Example: keyfuse baseline create accepted.jsonl . --reason "samples in the docs" --expires 90d'
)
@_FILE
@_TARGETS
@_REASON
@_EXPIRES
@_HISTORY
@_FORMAT
@click.pass_obj
def create(
    session: Session,
    file: Path,
    targets: tuple[str, ...],
    reason: str,
    expires: str | None,
    no_history: bool,
    form: str,
) -> int:
    """Write FILE with everything that an audit of the TARGETs (default: the current directory) finds now."""
    if file.exists():
        shown = printable(str(file))
        raise UsageError(f"{shown} is there already; add to it with: keyfuse baseline update {shown} --reason TEXT")
    return _update(session, file, [], targets, _terms(session, reason, expires), history=not no_history, form=form)


@command.command(epilog='Example: keyfuse baseline update accepted.jsonl . --reason "reviewed on 1 March"')
@_FILE
@_TARGETS
@_REASON
@_EXPIRES
@_HISTORY
@_FORMAT
@click.pass_obj
def update(
    session: Session,
    file: Path,
    targets: tuple[str, ...],
    reason: str,
    expires: str | None,
    no_history: bool,
    form: str,
) -> int:
    """Add what an audit of the TARGETs finds now, drop what it no longer finds, keep what is there as it is."""
    entries = read_entries(file)
    return _update(session, file, entries, targets, _terms(session, reason, expires), history=not no_history, form=form)


@command.command(epilog="Example: keyfuse baseline audit accepted.jsonl --format json")
@_FILE
@_FORMAT
@click.pass_obj
def audit(session: Session, file: Path, form: str) -> int:
    """List the entries of FILE: whether each still counts, and who accepted it and why. Exit code 2 for a bad file."""
    today = session.clock().date()
    entries = [(entry, _state(entry, today)) for entry in read_entries(file)]
    if form == "json":
        click.echo(
            json.dumps({"version": 1, "entries": [_as_json(entry, state) for entry, state in entries]}, indent=2)
        )
        return Exit.OK
    heads = ("STATE", "UNTIL", "RULE", "PATH", "AUTHOR", "REASON", "FINGERPRINT")
    if entries:
        click.echo(table(heads, [_row(entry, state) for entry, state in entries]))
    expired = sum(state == "expired" for _, state in entries)
    click.echo(f"{len(entries)} entries, {expired} of them expired", err=True)
    return Exit.OK


def _terms(session: Session, reason: str, expires: str | None) -> Entry:
    """What all new entries have in common."""
    if not reason.strip():
        raise UsageError('say why these are accepted: --reason "samples in the docs"')
    until = _day(expires, session.clock().date()) if expires else None
    return Entry(Fingerprint(""), reason=printable(reason.strip()), author=session.actor, expires=until)


def _day(text: str, today: date) -> date:
    days = re.fullmatch(r"([0-9]{1,5})d", text)
    try:
        day = today + timedelta(days=int(days[1])) if days else date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"--expires takes a day such as 2027-01-31, or a number of days such as 90d: {text}") from None
    if day < today:
        raise UsageError(f"--expires is in the past: {day.isoformat()}")
    return day


def _update(
    session: Session,
    file: Path,
    entries: list[Entry],
    targets: tuple[str, ...],
    terms: Entry,
    *,
    history: bool,
    form: str,
) -> int:
    found, skipped = _found(session, targets or (".",), history=history)
    living = _registered(session, [finding.fingerprint for finding, _ in found])
    wanted = {finding.fingerprint: (finding, path) for finding, path in found if finding.fingerprint not in living}
    kept = [entry for entry in entries if entry.fingerprint in wanted or (skipped and entry.fingerprint not in living)]
    known = {entry.fingerprint for entry in kept}
    added = [
        Entry(fingerprint, finding.kind.id, path, terms.reason, terms.author, terms.expires)
        for fingerprint, (finding, path) in wanted.items()
        if fingerprint not in known
    ]
    write_entries(file, [*kept, *added])
    counts = {"added": len(added), "kept": len(kept), "removed": len(entries) - len(kept), "registered": len(living)}
    if form == "json":
        click.echo(json.dumps({"version": 1, "file": str(file), **counts, "skipped": skipped}))
    else:
        click.echo(f"{printable(str(file))}: {len(added)} added, {len(kept)} kept, {counts['removed']} removed")
        if living:
            click.echo(
                f"{len(living)} registered keys were left out: they are leaks. Next: keyfuse audit --respond", err=True
            )
        if skipped:
            click.echo(f"{skipped} things could not be looked into, so no entry was dropped", err=True)
    return Exit.INCOMPLETE if skipped else Exit.OK


def _found(session: Session, targets: Sequence[str], *, history: bool) -> tuple[list[tuple[Finding, str]], int]:
    """Every finding with its path, fit to be stored, and how much could not be looked into."""
    from keyfuse.auditing import AuditRequest, limits_of, scan_targets  # noqa: PLC0415  (--help must not load the engine)
    from scanner.options import Options  # noqa: PLC0415
    from scanner.report.redact import cleaner_of  # noqa: PLC0415
    from scanner.sources.target import TargetOptions  # noqa: PLC0415

    settings = session.config
    options = Options(
        min_confidence=settings.scan.min_confidence,
        only_rules=frozenset(settings.rules.only),
        disabled_rules=frozenset(settings.rules.disable),
        foreign_marks=settings.scan.foreign_marks,
        archives=settings.scan.unpack,
        encodings=settings.scan.decode,
        limits=limits_of(session),
    )
    request = AuditRequest(
        targets=tuple(targets),
        part=TargetOptions(history=history),
        options=options,
        rule_files=settings.rules.files,
        jobs=settings.scan.jobs,
    )
    caught, _ = scan_targets(request, session)
    clean = cleaner_of(caught.findings)
    found = [
        (finding, clean.clean("!".join((finding.origin.path, *finding.origin.inside)))) for finding in caught.findings
    ]
    return found, len(caught.skipped)


def _registered(session: Session, fingerprints: Sequence[Fingerprint]) -> set[Fingerprint]:
    """Those that are keys of the registry and not dead: accepting them would silence an alarm that is right."""
    if not fingerprints or not session.has_records():
        return set()
    with session.records().read() as tx:
        known = tx.keys.lookup(set(fingerprints))
    now = session.clock()
    return {mark for mark, key in known.items() if key.effective_state(now) is KeyState.ACTIVE}


def _state(entry: Entry, today: date) -> str:
    return "expired" if entry.expires is not None and entry.expires < today else "counts"


def _row(entry: Entry, state: str) -> tuple[str, ...]:
    until = entry.expires.isoformat() if entry.expires else "–"
    return state, until, entry.rule, entry.path, entry.author, entry.reason, entry.fingerprint[:17] + "…"


def _as_json(entry: Entry, state: str) -> dict[str, object]:
    return {**json.loads(entry.line()), "state": state}
