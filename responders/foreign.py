"""Reports of other scanners, and keyfuse's own: leaks that somebody else found, as reports that can be answered.

What is needed of a finding is the value, or keyfuse's own fingerprint of it. A finding that gives neither (a redacted
one, one that shows only a hash) is listed as skipped. A report is as hostile as anything that is scanned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from responders.incident import Sighting
from responders.leakreport import LeakReport
from responders.provider import Leak
from scanner.errors import UsageError
from scanner.model import Fingerprint, Fingerprinter, Place, Secret, Severity, Skipped, TokenKind, printable

KEYFUSE = "keyfuse"
SHOW_THE_VALUE = frozenset({"gitleaks", "betterleaks"})
"""The scanners whose SARIF snippet is the value itself; everybody else's is the line around it."""
REDACTED = re.compile(r"REDACTED|\*{3}|\.{3}|…")
OWN_FINGERPRINT = re.compile(r"kfp1:[0-9a-f]{64}")
SHORTEST = 8
MOST_TEXT = 1000
"""How much is kept of a rule's name, a path or an author."""
UNKNOWN = "unknown"
"""The provider of what nobody registered: what a report does not say is not guessed."""


@dataclass(frozen=True, slots=True)
class ForeignReport:
    """What a report held: leaks, and findings that could not be used."""

    leaks: tuple[LeakReport, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """One finding of any scanner: the value, or keyfuse's fingerprint and mask of it."""

    rule: str
    where: str
    value: str = ""
    fingerprint: str = ""
    masked: str = ""
    line: int = 0
    commit: str = ""
    author: str = ""
    date: str = ""
    provider: str = UNKNOWN
    severity: str = ""


def read_report(content: bytes, fingerprinter: Fingerprinter, *, source: str, seen_at: datetime) -> ForeignReport:
    """Takes in SARIF, JSON of gitleaks, betterleaks, kingfisher, detect-secrets or keyfuse itself, JSON lines of these.

    Raises UsageError for anything else.
    """
    leaks: dict[Fingerprint, LeakReport] = {}
    skipped: list[Skipped] = []
    try:
        for found in _findings(_documents(content)):
            report = _leak(found, fingerprinter, source, seen_at)
            if isinstance(report, Skipped):
                skipped.append(report)
            elif report.fingerprint in leaks:
                before = leaks[report.fingerprint]
                leaks[report.fingerprint] = replace(before, sightings=before.sightings + report.sightings)
            else:
                leaks[report.fingerprint] = report
    except (AttributeError, TypeError, KeyError, IndexError):
        raise UsageError("the report is not in the form that its beginning promises; export it anew") from None
    return ForeignReport(tuple(leaks.values()), tuple(skipped))


def _documents(content: bytes) -> list[Any]:
    """The JSON document, or one for each line."""
    try:
        text = content.decode("utf-8-sig")
        try:
            return [json.loads(text)]
        except json.JSONDecodeError:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise UsageError("the report is neither JSON nor JSON lines; export it as SARIF or JSON") from None


def _findings(documents: Sequence[Any]) -> Iterator[_Found]:
    """Every finding, whichever scanner's form it has."""
    for document in documents:
        match document:
            case {"runs": [*runs]}:
                for run in runs:
                    yield from _sarif(run)
            case {"tool": {"name": "keyfuse"}, "findings": [*findings]}:
                yield from map(_own, findings)
            case {"fingerprint": str(), "masked": str(), "rule": str()}:
                yield _own(document)
            case {"SourceMetadata": {"Data": dict() as data}, "Raw": str(raw)}:
                yield _trufflehog(document, data, raw)
            case {"findings": [*findings]} if all("finding" in each for each in findings):
                yield from map(_kingfisher, findings)
            case {"rule": dict(), "finding": dict()}:
                yield _kingfisher(document)
            case {"access_map": _} | {"audit": _}:
                continue  # what kingfisher adds after its findings
            case {"results": dict() as results, "plugins_used": list()}:
                yield from _detect_secrets(results)
            case [*findings]:
                yield from map(_gitleaks, findings)
            case _:
                raise UsageError(
                    "the report is in no form that is known here: SARIF, gitleaks, betterleaks, trufflehog, "
                    "kingfisher, detect-secrets, keyfuse"
                )


def _own(finding: Mapping[str, Any]) -> _Found:
    return _Found(
        rule=finding["rule"],
        where="!".join([str(finding.get("path") or ""), *map(str, finding.get("inside") or ())]),
        value=finding.get("secret") or "",
        fingerprint=finding["fingerprint"],
        masked=finding["masked"],
        line=finding.get("start_line") or 0,
        commit=finding.get("commit") or "",
        author=finding.get("author") or "",
        date=finding.get("date") or "",
        provider=finding.get("provider") or UNKNOWN,
        severity=finding.get("severity") or "",
    )


def _gitleaks(finding: Mapping[str, Any]) -> _Found:
    return _Found(
        rule=finding["RuleID"],
        where=finding["File"],
        value=finding["Secret"],
        line=finding.get("StartLine") or 0,
        commit=finding.get("Commit") or "",
        author=finding.get("Author") or "",
        date=finding.get("Date") or "",
    )


def _trufflehog(finding: Mapping[str, Any], data: Mapping[str, Any], raw: str) -> _Found:
    place: Mapping[str, Any] = next((value for value in data.values() if isinstance(value, dict)), {})
    where = place.get("file") or place.get("link") or next(iter(data), "")
    return _Found(
        rule=finding.get("DetectorName") or "trufflehog",
        where=where,
        value=raw,
        line=place.get("line") or 0,
        commit=place.get("commit") or "",
        author=place.get("email") or "",
        date=place.get("timestamp") or "",
    )


def _kingfisher(record: Mapping[str, Any]) -> _Found:
    """One record of kingfisher's JSON (its `snippet` is the value itself, unless it was told to redact)."""
    finding = record["finding"]
    commit = (finding.get("git_metadata") or {}).get("commit") or {}
    author = commit.get("committer") or commit.get("author") or {}
    return _Found(
        rule=record["rule"].get("id") or "kingfisher",
        where=finding.get("path") or "",
        value=finding["snippet"],
        line=finding.get("line") or 0,
        commit=commit.get("id") or "",
        author=author.get("email") or "" if isinstance(author, dict) else str(author),
        date=commit.get("date") or "",
    )


def _detect_secrets(results: Mapping[str, Any]) -> Iterator[_Found]:
    """A baseline of detect-secrets. It holds a SHA-1 of each value and never the value, so each can only be named."""
    for path, findings in results.items():
        for finding in findings[:]:  # a list, or the report is not in its form
            yield _Found(rule=finding["type"], where=path, line=finding.get("line_number") or 0)


def _sarif(run: Mapping[str, Any]) -> Iterator[_Found]:
    tool = str(run["tool"]["driver"]["name"]).lower()
    for result in run.get("results") or ():
        location = ((result.get("locations") or [{}])[0]).get("physicalLocation") or {}
        region = location.get("region") or {}
        prints = result.get("partialFingerprints") or {}
        snippet = (region.get("snippet") or {}).get("text") or ""
        yield _Found(
            rule=result.get("ruleId") or tool,
            where=(location.get("artifactLocation") or {}).get("uri") or "",
            value=snippet if tool in SHOW_THE_VALUE else "",
            fingerprint=prints.get("keyfuse/v1") or "",
            line=region.get("startLine") or 0,
            commit=prints.get("commitSha") or "",
            author=prints.get("author") or "",
            date=prints.get("date") or "",
        )


def _leak(found: _Found, fingerprinter: Fingerprinter, source: str, seen_at: datetime) -> LeakReport | Skipped:
    where = _text(found.where)
    value = found.value if isinstance(found.value, str) else ""
    own = found.fingerprint if OWN_FINGERPRINT.fullmatch(found.fingerprint) else ""
    if not own and (len(value) < SHORTEST or REDACTED.search(value)):
        return Skipped(
            f"{where}:{found.line}", "the report does not hold the value; scan the place with keyfuse itself"
        )
    secret = Secret(value.encode("utf-8", "surrogatepass")) if value else None
    kind = TokenKind(_text(found.rule), _text(found.rule), _text(found.provider), _severity(found.severity))
    place = Sighting(
        where=where,
        place=Place.REPORT.value,
        commit=_text(found.commit),
        author=_text(found.author),
        date=_text(found.date),
        line=found.line if isinstance(found.line, int) else 0,
        seen_at=seen_at,
        source=source,
    )
    fingerprint = fingerprinter.of(secret) if secret is not None else Fingerprint(own)
    return LeakReport(Leak(kind, secret), fingerprint, _text(found.masked) or _mask(value), (place,), source)


def _severity(label: str) -> Severity:
    """A live key of a kind that nobody described is taken to be grave."""
    return next((severity for severity in Severity if severity.label == label), Severity.HIGH)


def _mask(value: str) -> str:
    """The last four characters, where enough of the value stays hidden."""
    return f"…{printable(value[-4:])}" if len(value) >= 16 else "***"


def _text(value: object) -> str:
    return printable(str(value))[:MOST_TEXT]
