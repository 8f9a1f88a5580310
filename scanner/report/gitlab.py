"""Findings as GitLab's secret-detection report, schema 15.

Facts from GitLab's documentation of security report formats: a vulnerability needs id, identifiers and a location whose
commit has a sha; times are UTC without a zone.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, timedelta
from typing import TextIO

from scanner.model import Severity
from scanner.report.json_v1 import encoded
from scanner.report.model import Report, Reported
from scanner.report.redact import Cleaner, cleaner, revealed
from scanner.report.wording import deed, life, ownership, path_of

SCHEMA_VERSION = "15.0.7"
NO_COMMIT = "0000000"
"""What GitLab's own analyzer writes for a file that it met outside of the history."""


def write_gitlab(report: Report, out: TextIO) -> None:
    """Writes one vulnerability a finding."""
    clean = cleaner(report)
    out.write(f'{{"version": "{SCHEMA_VERSION}",\n "scan": {encoded(_scan(report))},\n "vulnerabilities": [')
    separator = "\n  "
    for item in report.findings:
        out.write(separator)
        out.write(encoded(_vulnerability(item, clean, reveal=report.reveal)))
        separator = ",\n  "
    out.write("]}\n")


def _scan(report: Report) -> dict[str, object]:
    tool = {"id": "keyfuse", "name": "keyfuse", "version": report.version, "vendor": {"name": "keyfuse"}}
    end = report.finished.astimezone(UTC)
    start = end - timedelta(seconds=report.stats.seconds)
    return {
        "analyzer": tool,
        "scanner": tool,
        "type": "secret_detection",
        "start_time": f"{start:%Y-%m-%dT%H:%M:%S}",
        "end_time": f"{end:%Y-%m-%dT%H:%M:%S}",
        "status": "success",
    }


def _vulnerability(item: Reported, clean: Cleaner, *, reveal: bool) -> dict[str, object]:
    finding, span, c = item.finding, item.finding.span, clean.clean
    path = path_of(finding.origin, clean)
    said = f"{c(finding.kind.name)} {c(finding.masked)}. Key: {ownership(item.key, clean)}."
    said += f" The provider says: {life(item, clean)}." if item.liveness else ""
    said += f" Action: {deed(item.action, clean)}." if item.action else ""
    place = f"{finding.fingerprint}:{path}:{finding.origin.commit}:{span.start_line}:{span.start_column}"
    vulnerability: dict[str, object] = {
        "id": hashlib.sha256(place.encode("utf-8", "backslashreplace")).hexdigest(),
        "category": "secret_detection",
        "name": c(finding.kind.name),
        "description": said,
        "severity": {Severity.INFO: "Info"}.get(finding.kind.severity, finding.kind.severity.label.capitalize()),
        "location": {
            "file": path,
            "start_line": span.start_line,
            "end_line": span.end_line,
            "commit": _commit(item, clean),
        },
        "identifiers": [
            {"type": "keyfuse_rule_id", "name": f"keyfuse rule {c(finding.kind.id)}", "value": c(finding.kind.id)}
        ],
    }
    if reveal:
        vulnerability["raw_source_code_extract"] = revealed(finding.secret)
    return vulnerability


def _commit(item: Reported, clean: Cleaner) -> dict[str, str]:
    origin = item.finding.origin
    commit = {"sha": clean.clean(origin.commit) if origin.commit else NO_COMMIT}
    if origin.author:
        commit["author"] = clean.clean(origin.author)
    if origin.date:
        commit["date"] = clean.clean(origin.date)
    return commit
