"""Scan events as they travel between processes: the one place where a secret leaves its box to be sent.

A `Secret` refuses to be pickled; here it is turned into plain bytes on purpose, for a pipe that only a worker and its
parent hold.
"""

from __future__ import annotations

from typing import Any

from scanner.model import Finding, ScanEvent, Secret, Suppressed

Wired = tuple[Any, ...]


def packed(event: ScanEvent) -> Wired:
    """The event as values that can be pickled."""
    if isinstance(event, Finding):
        return ("finding", *_fields(event))
    if isinstance(event, Suppressed):
        return ("suppressed", event.by, event.reason, *_fields(event.finding))
    return ("plain", event)


def unpacked(wired: Wired) -> ScanEvent:
    """The event that was packed."""
    match wired:
        case ("finding", *values):
            return _finding(values)
        case ("suppressed", by, reason, *values):
            return Suppressed(_finding(values), by, reason)
        case _:
            event: ScanEvent = wired[1]
            return event


def _fields(finding: Finding) -> Wired:
    parts = {name: secret.reveal() for name, secret in finding.parts.items()}
    return (
        *(finding.kind, finding.secret.reveal(), finding.fingerprint, finding.span, finding.origin),
        *(finding.confidence, finding.masked, finding.encoding, parts),
    )


def _finding(values: list[Any]) -> Finding:
    kind, secret, fingerprint, span, origin, confidence, masked, encoding, parts = values
    return Finding(
        *(kind, Secret(secret), fingerprint, span, origin, confidence, masked, encoding),
        parts={name: Secret(value) for name, value in parts.items()},
    )
