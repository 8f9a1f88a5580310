"""Findings as SARIF 2.1.0 (OASIS), as code-scanning services read it. No snippet: it would hold the secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TextIO
from urllib.parse import quote

from scanner.model import Finding, Origin, Severity, Suppressed, TokenKind
from scanner.report.json_v1 import as_json, encoded
from scanner.report.model import Report, Reported
from scanner.report.redact import Cleaner, cleaner
from scanner.report.wording import deed, ownership, path_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
"""GitHub sorts by `security-severity`, a number like CVSS's: above 9 critical, 7 high, 4 medium."""

KEPT = ("provider", "confidence", "masked", "encoding", "commit", "author", "date", "ref", "blob", "place", "inside")
PROPERTIES = (*KEPT, "in_tip", "reachable", "liveness", "key", "action", "secret")


def write_sarif(report: Report, out: TextIO) -> None:
    """Writes one run, a result at a time."""
    clean = cleaner(report)
    kinds = _kinds(report)
    numbers = {kind.id: number for number, kind in enumerate(kinds)}
    out.write(f'{{"$schema": "{SCHEMA}",\n "version": "2.1.0",\n "runs": [{{"tool": ')
    out.write(encoded(_tool(report, kinds)))
    out.write(
        f',\n  "columnKind": "unicodeCodePoints",\n  "redactionTokens": {encoded([] if report.reveal else ["***"])}'
    )
    out.write(f',\n  "invocations": {encoded([_invocation(report, clean)])},\n  "results": [')
    separator = "\n   "
    for result in _results(report, numbers, clean):
        out.write(separator)
        out.write(encoded(result))
        separator = ",\n   "
    out.write("]}]}\n")


def _kinds(report: Report) -> list[TokenKind]:
    seen = {item.finding.kind.id: item.finding.kind for item in report.findings}
    seen |= {item.finding.kind.id: item.finding.kind for item in report.suppressed}
    return [seen[name] for name in sorted(seen)]


def _tool(report: Report, kinds: list[TokenKind]) -> dict[str, object]:
    driver = {
        "name": "keyfuse",
        "version": report.version,
        "properties": {"rulesHash": report.rules},
        "rules": [_rule(kind) for kind in kinds],
    }
    return {"driver": driver}


def _rule(kind: TokenKind) -> dict[str, object]:
    name, provider = kind.name, kind.provider
    advice = (
        f"Revoke the key where it was issued ({provider}), issue a new one, and keep that out of shared files. "
        "Taking it out of the file does not help: whoever has a copy or the history has the key."
    )
    return {
        "id": kind.id,
        "name": "".join(word.capitalize() for word in kind.id.replace("_", "-").split("-")),
        "shortDescription": {"text": f"Leaked key: {name}"},
        "fullDescription": {"text": f"{name} (provider: {provider}), where others can read it."},
        "help": {"text": advice, "markdown": advice},
        "defaultConfiguration": {"level": LEVELS.get(kind.severity, "none")},
        "properties": {"security-severity": SCORES.get(kind.severity, "0.0"), "tags": ["security", "secret"]},
    }


def _invocation(report: Report, clean: Cleaner) -> dict[str, object]:
    notes = [
        {"level": "warning", "message": {"text": f"Skipped {clean.clean(s.origin)}: {clean.clean(s.reason)}"}}
        for s in report.skipped
    ]
    return {
        "executionSuccessful": True,
        "exitCode": report.exit_code,
        "endTimeUtc": report.finished.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": notes,
    }


def _results(report: Report, numbers: dict[str, int], clean: Cleaner) -> Iterator[dict[str, object]]:
    """What was suppressed is a result too. Each has `suppressions`, as all must have it or none (3.27.23)."""
    for item in report.findings:
        yield {**_result(item, numbers, clean, reveal=report.reveal), "suppressions": []}
    for suppressed in report.suppressed:
        result = _result(Reported(suppressed.finding), numbers, clean, reveal=report.reveal)
        yield {**result, "suppressions": [_suppression(suppressed, clean)]}


def _suppression(suppressed: Suppressed, clean: Cleaner) -> dict[str, object]:
    kind = "inSource" if suppressed.by == "inline" else "external"
    return {"kind": kind, "status": "accepted", "justification": clean.clean(suppressed.reason)}


def _result(item: Reported, numbers: dict[str, int], clean: Cleaner, *, reveal: bool) -> dict[str, object]:
    finding = item.finding
    fields = as_json(item, clean, reveal=reveal)
    known = {name: fields[name] for name in PROPERTIES if fields.get(name) not in (None, [])}
    return {
        "ruleId": finding.kind.id,
        "ruleIndex": numbers[finding.kind.id],
        "level": LEVELS.get(finding.kind.severity, "none"),
        "message": {"text": _message(item, clean)},
        "locations": [_location(finding, clean)],
        "partialFingerprints": {"keyfuse/v1": finding.fingerprint},
        "properties": known,
    }


def _message(item: Reported, clean: Cleaner) -> str:
    finding = item.finding
    said = f"{finding.kind.name} {clean.clean(finding.masked)}. Key: {ownership(item.key, clean)}."
    return f"{said} Action: {deed(item.action, clean)}." if item.action else said


def _location(finding: Finding, clean: Cleaner) -> dict[str, object]:
    origin, span = finding.origin, finding.span
    location: dict[str, object] = {}
    if origin.path:
        region = {
            "startLine": span.start_line,
            "startColumn": span.start_column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
        location["physicalLocation"] = {"artifactLocation": {"uri": uri(origin, clean)}, "region": region}
    if origin.inside or not origin.path:
        location["logicalLocations"] = [{"fullyQualifiedName": _logical(origin, clean), "kind": origin.place.value}]
    return location


def _logical(origin: Origin, clean: Cleaner) -> str:
    within = f"{clean.clean(origin.commit)} " if origin.commit else ""
    return within + path_of(origin, clean)


def uri(origin: Origin, clean: Cleaner) -> str:
    """The path as a URI reference: relative stays relative, an absolute path becomes a file URI."""
    path = clean.redacted(origin.path)
    escaped = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{escaped}" if path.startswith("/") else escaped
