"""Findings as JUnit XML, so that a build server shows each as a failed test."""

from __future__ import annotations

from html import escape
from typing import TextIO

from scanner.model import printable
from scanner.report.model import Report, Reported
from scanner.report.redact import Cleaner, cleaner, revealed
from scanner.report.wording import deed, life, ownership, path_of, provenance


def write_junit(report: Report, out: TextIO) -> None:
    """Writes one test case a finding, one skipped case a skipped thing, and a passed one when nothing was found."""
    clean = cleaner(report)
    clear = not report.findings
    counts = f'tests="{len(report.findings) + len(report.skipped) + clear}" failures="{len(report.findings)}"'
    counts += f' errors="0" skipped="{len(report.skipped)}" time="{report.stats.seconds:.3f}"'
    out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>\n')
    out.write(f'<testsuite name="keyfuse" {counts} timestamp="{report.finished:%Y-%m-%dT%H:%M:%S}">\n')
    if clear:
        out.write('<testcase classname="keyfuse" name="no leaked keys"/>\n')
    for item in report.findings:
        out.write(_case(item, clean, reveal=report.reveal))
    for skipped in report.skipped:
        name, reason = escape(clean.clean(skipped.origin)), escape(clean.clean(skipped.reason))
        out.write(f'<testcase classname="skipped" name="{name}"><skipped message="{reason}"/></testcase>\n')
    out.write("</testsuite>\n</testsuites>\n")


def _case(item: Reported, clean: Cleaner, *, reveal: bool) -> str:
    finding = item.finding
    where = f"{path_of(finding.origin, clean)}:{finding.span.start_line}:{finding.span.start_column}"
    what = f"{finding.kind.name} {clean.clean(finding.masked)}"
    lines = [what, where, provenance(finding.origin, clean), f"key: {ownership(item.key, clean)}"]
    lines += [f"the provider says: {life(item, clean)}"] if item.liveness else []
    lines += [deed(item.action, clean)] if item.action else []
    lines += [f"secret: {printable(revealed(finding.secret))}"] if reveal else []
    body = escape("\n".join(filter(None, lines)))
    return (
        f'<testcase classname="{escape(finding.kind.id)}" name="{escape(where)}">'
        f'<failure type="{finding.kind.severity.label}" message="{escape(what)}">{body}</failure></testcase>\n'
    )
