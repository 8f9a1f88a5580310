"""One secret that somebody found: what it looks like, and every place it was seen in. What findings become here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from responders.incident import Sighting
from responders.provider import Leak
from scanner.model import Finding, Fingerprint, printable


@dataclass(frozen=True, slots=True)
class LeakReport:
    """One secret and where it was seen. `source` says who reports: `audit`, `hook`, `report`, a provider's name."""

    leak: Leak
    fingerprint: Fingerprint
    masked: str
    sightings: tuple[Sighting, ...]
    source: str = "audit"


def from_findings(findings: Iterable[Finding], *, source: str, seen_at: datetime) -> list[LeakReport]:
    """One report per secret, in the order of the first finding of each."""
    grouped: dict[Fingerprint, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.fingerprint, []).append(finding)
    return [
        LeakReport(
            leak=Leak(first.kind, first.secret, first.parts),
            fingerprint=fingerprint,
            masked=printable(first.masked),
            sightings=tuple(sighting(finding, source=source, seen_at=seen_at) for finding in found),
            source=source,
        )
        for fingerprint, found in grouped.items()
        for first in [max(found, key=lambda finding: (bool(finding.parts), finding.confidence))]
    ]


def sighting(finding: Finding, *, source: str, seen_at: datetime) -> Sighting:
    """One place, as text that is safe to show and to store."""
    origin = finding.origin
    return Sighting(
        where=printable("!".join((origin.path, *origin.inside))),
        place=origin.place.value,
        repository=printable(origin.repository or ""),
        commit=printable(origin.commit or ""),
        author=printable(origin.author or ""),
        date=printable(origin.date or ""),
        line=finding.span.start_line,
        seen_at=seen_at,
        source=source,
    )
