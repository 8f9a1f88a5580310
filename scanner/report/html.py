"""Findings as one HTML page that needs nothing else: no script, no network, every text escaped."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TextIO

from scanner.model import printable
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

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Leaked keys</title>
<style>
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
h2 { font-size: 1.05rem; margin: .5rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 1rem; }
dt { opacity: .7; } dd { margin: 0; }
.critical, .high { color: #d1242f; } .medium { color: #bf6a02; } .low, .info { opacity: .8; }
</style>
</head>
<body>
"""


def write_html(report: Report, out: TextIO) -> None:
    """Writes a summary, the findings by file, what was left out, and the next steps."""
    clean = cleaner(report)
    found = (
        f"{counted(len(report.findings), 'finding')}: {by_severity(report)}" if report.findings else "No leaks found"
    )
    out.write(HEAD)
    out.write(
        f"<h1>{escape(found)}</h1>\n<p>{escape(totals(report))} Finished {report.finished:%Y-%m-%d %H:%M:%S %Z}.</p>\n"
    )
    steps = "".join(f"<li>{escape(step)}</li>" for step in next_steps(report))
    out.write(f"<ul>{steps}</ul>\n" if steps else "")
    for path, items in groupby(sorted(report.findings, key=order), lambda item: path_of(item.finding.origin, clean)):
        out.write(f"<section>\n<h2><code>{escape(path)}</code></h2>\n")
        for item in items:
            out.write(_item(item, clean, reveal=report.reveal))
        out.write("</section>\n")
    _left_out(report, clean, out)
    out.write("</body>\n</html>\n")


def _item(item: Reported, clean: Cleaner, *, reveal: bool) -> str:
    finding = item.finding
    kind, span = finding.kind, finding.span
    rows = [
        ("what", f"{kind.name} ({kind.id}), {finding.confidence.label} confidence"),
        ("where", f"line {span.start_line}, column {span.start_column}"),
        ("masked", clean.clean(finding.masked)),
        ("met in", provenance(finding.origin, clean)),
        ("key", ownership(item.key, clean)),
        ("provider says", life(item, clean)),
        ("action", deed(item.action, clean) if item.action else ""),
        ("secret", printable(revealed(finding.secret)) if reveal else ""),
    ]
    severity = kind.severity.label
    body = "".join(f"<dt>{name}</dt><dd><code>{escape(text)}</code></dd>\n" for name, text in rows if text)
    return f'<dl>\n<dt>severity</dt><dd class="{severity}">{severity}</dd>\n{body}</dl>\n'


def _left_out(report: Report, clean: Cleaner, out: TextIO) -> None:
    if report.suppressed:
        out.write(f"<section>\n<h2>{counted(len(report.suppressed), 'finding')} suppressed</h2>\n<ul>\n")
        for item in report.suppressed:
            where = f"{path_of(item.finding.origin, clean)}:{item.finding.span.start_line}"
            said = f"{where} by {clean.clean(item.by)}: {clean.clean(item.reason)}"
            out.write(f"<li><code>{escape(said)}</code></li>\n")
        out.write("</ul>\n</section>\n")
    if report.skipped:
        out.write(f"<section>\n<h2>{counted(len(report.skipped), 'thing')} skipped</h2>\n<ul>\n")
        for skipped in report.skipped:
            said = f"{clean.clean(skipped.origin)}: {clean.clean(skipped.reason)}"
            out.write(f"<li><code>{escape(said)}</code></li>\n")
        out.write("</ul>\n</section>\n")
