"""Findings as a table for spreadsheets. A cell that a spreadsheet would take for a formula is made text."""

from __future__ import annotations

import csv
from typing import TextIO

from scanner.report.json_v1 import as_json
from scanner.report.model import Report
from scanner.report.redact import cleaner

FINDING = (
    "severity",
    "confidence",
    "rule",
    "name",
    "provider",
    "masked",
    "path",
    "inside",
    "start_line",
    "start_column",
    "place",
    "commit",
    "author",
    "date",
    "ref",
    "fingerprint",
    "liveness",
)
KEY = ("id", "name", "action_when_leaked", "state")
ACTION = ("kind", "outcome", "reason")
STANDING = ("in_tip", "reachable")


def write_csv(report: Report, out: TextIO) -> None:
    """Writes one row a finding, after a row of names."""
    clean = cleaner(report)
    last = (*STANDING, "secret") if report.reveal else STANDING
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow((*FINDING, *(f"key_{name}" for name in KEY), *(f"action_{name}" for name in ACTION), *last))
    for item in report.findings:
        fields = as_json(item, clean, reveal=report.reveal)
        fields["inside"] = "!".join(clean.clean(member) for member in item.finding.origin.inside)
        cells = [fields[name] for name in FINDING]
        for part, names in (("key", KEY), ("action", ACTION)):
            known = fields[part]
            cells += [known.get(name, "") if isinstance(known, dict) else "" for name in names]
        rows.writerow([_cell(cell) for cell in (*cells, *(fields[name] for name in last))])


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
