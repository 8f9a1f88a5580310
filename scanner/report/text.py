"""Findings for people, on a terminal or in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import TextIO

from scanner.model import Severity, printable
from scanner.report.model import Report, Reported
from scanner.report.redact import Cleaner, cleaner, revealed
from scanner.report.wording import (
    by_severity,
    counted,
    deed,
    life,
    next_steps,
    order,
    ownership,
    path_of,
    provenance,
    totals,
)

SHOWN = 50
"""How many skipped or suppressed things are listed; the rest is counted, and in the JSON."""

_Paint = Callable[[str, str], str]

BOLD, DIM, RED, YELLOW, GREEN = "1", "2", "31", "33", "32"
COLORS = {Severity.CRITICAL: "1;31", Severity.HIGH: RED, Severity.MEDIUM: YELLOW, Severity.LOW: DIM}


def wants_color(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether a stream shows colours and its reader wants them (see no-color.org)."""
    return not env.get("NO_COLOR") and env.get("TERM") != "dumb" and stream.isatty()


def write_text(report: Report, out: TextIO, *, color: bool = False) -> None:
    """Writes findings grouped by file, less sure ones in a line each, what was left out, then totals and next steps."""
    paint = _painted if color else _plain
    clean = cleaner(report)
    findings = sorted(report.findings, key=order)
    listed = [item for item in findings if item.brief]
    whole = (item for item in findings if not item.brief)
    for path, items in groupby(whole, lambda item: path_of(item.finding.origin, clean)):
        out.write(paint(path, BOLD) + "\n")
        for item in items:
            for line in _block(item, path, clean, paint, reveal=report.reveal):
                out.write(f"  {line}\n")
        out.write("\n")
    for line in chain(_less_sure(listed, clean, reveal=report.reveal), _left_out(report, clean)):
        out.write(line + "\n")
    out.write(paint(_headline(report), RED if report.findings else YELLOW if report.skipped else GREEN) + "\n")
    out.write(totals(report) + "\n")
    for step in next_steps(report):
        out.write(f"  -> {step}\n")


def _plain(text: str, _code: str) -> str:
    return text


def _painted(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _block(item: Reported, path: str, clean: Cleaner, paint: _Paint, *, reveal: bool) -> Iterator[str]:
    finding = item.finding
    kind, span = finding.kind, finding.span
    severity = paint(f"{kind.severity.label.upper():<8}", COLORS.get(kind.severity, DIM))
    sure = f"{finding.confidence.label} confidence"
    yield f"{severity} {kind.name} ({kind.id}), {sure}"
    wrapped = (
        f"  in {' in '.join(clean.clean(each) for each in reversed(finding.encoding))}" if finding.encoding else ""
    )
    yield f"         {path}:{span.start_line}:{span.start_column}  {paint(clean.clean(finding.masked), BOLD)}{wrapped}"
    if met := provenance(finding.origin, clean):
        yield f"         {met}"
    yield f"         key: {ownership(item.key, clean)}"
    if item.liveness:
        yield f"         the provider says: {life(item, clean)}"
    if item.action:
        yield f"         {deed(item.action, clean)}"
    if reveal:
        yield f"         secret: {printable(revealed(finding.secret))}"


def _less_sure(items: Sequence[Reported], clean: Cleaner, *, reveal: bool) -> Iterator[str]:
    """Findings of low confidence, a line each: most are no secrets, and they must not bury those that are."""
    if items:
        yield f"Less sure ({counted(len(items), 'finding')} of low confidence; see them whole in --format json):"
        for item in items if reveal else items[:SHOWN]:
            finding, span = item.finding, item.finding.span
            where = f"{path_of(finding.origin, clean)}:{span.start_line}:{span.start_column}"
            value = printable(revealed(finding.secret)) if reveal else clean.clean(finding.masked)
            yield f"  {where}  {finding.kind.id}  {value}"
        yield from _more(0 if reveal else len(items))


def _left_out(report: Report, clean: Cleaner) -> Iterator[str]:
    if report.suppressed:
        yield f"Suppressed ({counted(len(report.suppressed), 'finding')}):"
        for item in report.suppressed[:SHOWN]:
            finding = item.finding
            where = f"{path_of(finding.origin, clean)}:{finding.span.start_line}"
            reason = f": {clean.clean(item.reason)}" if item.reason else ""
            yield f"  {where}  {finding.kind.id}  by {clean.clean(item.by)}{reason}"
        yield from _more(len(report.suppressed))
    if report.skipped:
        yield f"Skipped ({counted(len(report.skipped), 'thing')} could not be looked into):"
        for skipped in report.skipped[:SHOWN]:
            yield f"  {clean.clean(skipped.origin)}: {clean.clean(skipped.reason)}"
        yield from _more(len(report.skipped))


def _more(number: int) -> Iterator[str]:
    if number > SHOWN:
        yield f"  … and {number - SHOWN:,} more (all of them are in --format json)"
    yield ""


def _headline(report: Report) -> str:
    suppressed = f" {counted(len(report.suppressed), 'finding')} suppressed." if report.suppressed else ""
    skipped = f" {counted(len(report.skipped), 'thing')} skipped." if report.skipped else ""
    if not report.findings:
        return f"No leaks found.{suppressed}{skipped}"
    places = len({(item.finding.origin.path, item.finding.origin.inside) for item in report.findings})
    secrets = len({item.finding.fingerprint for item in report.findings})
    sightings = f"{counted(len(report.findings), 'finding')} of {counted(secrets, 'secret')}"
    return f"{sightings} in {counted(places, 'file')}: {by_severity(report)}.{suppressed}{skipped}"
