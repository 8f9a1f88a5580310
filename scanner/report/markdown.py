"""Findings as an incident report in Markdown. Scanned text stands in code spans, where nothing has a meaning."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TextIO

from scanner.model import printable
from scanner.report.model import Report, Reported
from scanner.report.redact import Cleaner, cleaner, revealed
from scanner.report.wording import by_severity, counted, deed, next_steps, order, ownership, path_of, provenance, totals


def write_markdown(report: Report, out: TextIO) -> None:
    """Writes a summary, the findings by file, what was left out, and the next steps."""
    clean = cleaner(report)
    out.write("# Leaked keys\n\n")
    found = (
        f"{counted(len(report.findings), 'finding')}: {by_severity(report)}" if report.findings else "No leaks found"
    )
    out.write(f"**{found}.** {totals(report)}\n\nFinished {report.finished:%Y-%m-%d %H:%M:%S %Z}.\n")
    for path, items in groupby(sorted(report.findings, key=order), lambda item: path_of(item.finding.origin, clean)):
        out.write(f"\n## {code(path)}\n\n")
        for item in items:
            out.write(_item(item, clean, reveal=report.reveal))
    if report.suppressed:
        out.write(f"\n## Suppressed\n\n{counted(len(report.suppressed), 'finding')}:\n\n")
        for suppressed in report.suppressed:
            where = f"{path_of(suppressed.finding.origin, clean)}:{suppressed.finding.span.start_line}"
            reason = f", {code(clean.clean(suppressed.reason))}" if suppressed.reason else ""
            out.write(f"- {code(where)} by {code(clean.clean(suppressed.by))}{reason}\n")
    if report.skipped:
        out.write(f"\n## Skipped\n\n{counted(len(report.skipped), 'thing')} could not be looked into:\n\n")
        for skipped in report.skipped:
            out.write(f"- {code(clean.clean(skipped.origin))}: {code(clean.clean(skipped.reason))}\n")
    steps = list(next_steps(report))
    if steps:
        out.write("\n## Next steps\n\n" + "".join(f"- {step}\n" for step in steps))


def _item(item: Reported, clean: Cleaner, *, reveal: bool) -> str:
    finding = item.finding
    kind, span = finding.kind, finding.span
    what = f"{code(kind.name)} ({code(kind.id)})"
    where = f"line {span.start_line}, column {span.start_column}: {code(clean.clean(finding.masked))}"
    lines = [f"- **{kind.severity.label.upper()}** {what}, {where}"]
    if met := provenance(finding.origin, clean):
        lines.append(f"  - met in: {code(met)}")
    lines.append(f"  - key: {code(ownership(item.key, clean))}")
    if item.liveness:
        reason = f" {code(clean.clean(item.liveness_reason))}" if item.liveness_reason else ""
        lines.append(f"  - the provider says: {item.liveness}{reason}")
    if item.action:
        lines.append(f"  - action: {code(deed(item.action, clean))}")
    if reveal:
        lines.append(f"  - secret: {code(printable(revealed(finding.secret)))}")
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """A code span: fenced by one backtick more than the text has in a row."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    inner = f" {text} " if text.startswith(("`", " ")) or text.endswith(("`", " ")) or not text else text
    return fence + inner + fence
