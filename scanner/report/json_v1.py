"""Findings as JSON, version 1: one document, or one finding a line. Field names and order are a promise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TextIO

from scanner.report.model import ActionNote, KeyNote, Report, Reported
from scanner.report.redact import Cleaner, cleaner, revealed

Json = Mapping[str, object]


def write_json(report: Report, out: TextIO) -> None:
    """Writes one JSON document, a finding at a time."""
    clean = cleaner(report)
    out.write('{"version": 1, "tool": ')
    out.write(encoded({"name": "keyfuse", "version": report.version, "rules": report.rules}))
    out.write(',\n "findings": [')
    _items(out, (as_json(item, clean, reveal=report.reveal) for item in report.findings))
    out.write('],\n "suppressed": [')
    _items(
        out,
        (
            {
                **as_json(Reported(item.finding), clean, reveal=report.reveal),
                "by": clean.clean(item.by),
                "reason": clean.clean(item.reason),
            }
            for item in report.suppressed
        ),
    )
    out.write('],\n "skipped": [')
    _items(out, ({"origin": clean.clean(s.origin), "reason": clean.clean(s.reason)} for s in report.skipped))
    out.write('],\n "stats": ')
    stats = report.stats
    out.write(encoded({"blobs": stats.blobs, "bytes": stats.bytes, "seconds": round(stats.seconds, 3)}))
    out.write("}\n")


def write_jsonl(report: Report, out: TextIO) -> None:
    """Writes one finding a line. What is suppressed, skipped and counted is in the other formats."""
    clean = cleaner(report)
    for item in report.findings:
        out.write(encoded(as_json(item, clean, reveal=report.reveal)))
        out.write("\n")


def as_json(item: Reported, clean: Cleaner, *, reveal: bool) -> dict[str, object]:
    """One finding in JSON's types."""
    finding, c = item.finding, clean.clean
    origin, span = finding.origin, finding.span
    fields: dict[str, object] = {
        "rule": c(finding.kind.id),
        "provider": c(finding.kind.provider),
        "name": c(finding.kind.name),
        "severity": finding.kind.severity.label,
        "confidence": finding.confidence.label,
        "fingerprint": finding.fingerprint,
        "masked": c(finding.masked),
        "path": c(origin.path),
        "start_line": span.start_line,
        "start_column": span.start_column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "inside": [c(member) for member in origin.inside],
        "encoding": [c(encoding) for encoding in finding.encoding],
        "commit": _maybe(origin.commit, clean),
        "author": _maybe(origin.author, clean),
        "date": _maybe(origin.date, clean),
        "ref": _maybe(origin.ref, clean),
        "blob": _maybe(origin.blob, clean),
        "place": origin.place.value,
        "liveness": item.liveness,
        "key": None if item.key is None else _key(item.key, clean),
        "action": None if item.action is None else _action(item.action, clean),
        "in_tip": origin.in_tip,
        "reachable": origin.reachable,
    }
    if reveal:
        fields["secret"] = revealed(finding.secret)
    return fields


def encoded(value: object) -> str:
    """JSON on one line, in ASCII."""
    return json.dumps(value, ensure_ascii=True)


def _maybe(text: str | None, clean: Cleaner) -> str | None:
    return None if text is None else clean.clean(text)


def _key(key: KeyNote, clean: Cleaner) -> Json:
    c = clean.clean
    return {
        "id": c(key.id),
        "name": c(key.name),
        "provider": c(key.provider),
        "action_when_leaked": key.action_when_leaked,
        "state": key.state,
    }


def _action(action: ActionNote, clean: Cleaner) -> Json:
    return {"kind": action.kind, "outcome": action.outcome, "reason": clean.clean(action.reason)}


def _items(out: TextIO, items: Iterable[Json]) -> None:
    separator = "\n  "
    for item in items:
        out.write(separator)
        out.write(encoded(item))
        separator = ",\n  "
