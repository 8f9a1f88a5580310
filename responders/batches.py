"""Leaks that were taken in and wait: many of them as one sealed piece of the work queue, and out of it again."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime

from responders.incident import Sighting
from responders.leakreport import LeakReport
from responders.provider import Leak
from scanner.model import Fingerprint, Secret, Severity, TokenKind

PIECE = 500
"""So many leaks lie in one piece: a piece is worked off in seconds, and ten thousand are twenty rows."""


def pieces(reports: Sequence[LeakReport], size: int = PIECE) -> Iterator[Sequence[LeakReport]]:
    """The reports, so many at a time."""
    for start in range(0, len(reports), size):
        yield reports[start : start + size]


def pack(reports: Sequence[LeakReport]) -> Secret:
    """Reports as bytes to be sealed: they hold the leaked values."""
    return Secret(json.dumps([_plain(report) for report in reports], separators=(",", ":")).encode("ascii"))


def unpack(packed: Secret) -> list[LeakReport]:
    """The reports again."""
    return [_report(plain) for plain in json.loads(packed.reveal())]


def _plain(report: LeakReport) -> dict[str, object]:
    kind, secret = report.leak.kind, report.leak.secret
    return {
        "kind": [kind.id, kind.name, kind.provider, int(kind.severity)],
        "secret": None if secret is None else b64encode(secret.reveal()).decode("ascii"),
        "parts": {name: b64encode(part.reveal()).decode("ascii") for name, part in report.leak.parts.items()},
        "fingerprint": report.fingerprint,
        "masked": report.masked,
        "source": report.source,
        "sightings": [
            [
                place.where,
                place.place,
                place.repository,
                place.commit,
                place.author,
                place.date,
                place.line,
                None if place.seen_at is None else place.seen_at.isoformat(),
                place.source,
            ]
            for place in report.sightings
        ],
    }


def _report(plain: dict[str, object]) -> LeakReport:
    match plain:
        case {
            "kind": [str(rule), str(name), str(provider), int(severity)],
            "secret": str() | None as value,
            "parts": dict(parts),
            "fingerprint": str(fingerprint),
            "masked": str(masked),
            "source": str(source),
            "sightings": [*places],
        }:
            kind = TokenKind(rule, name, provider, Severity(severity))
            secret = None if value is None else Secret(b64decode(value))
            leak = Leak(kind, secret, {name: Secret(b64decode(text)) for name, text in parts.items()})
            return LeakReport(
                leak, Fingerprint(fingerprint), masked, tuple(_sighting(place) for place in places), source
            )
        case _:
            raise ValueError("a piece of the work queue is not in the form of this version")


def _sighting(plain: object) -> Sighting:
    match plain:
        case [
            str(where),
            str(place),
            str(repository),
            str(commit),
            str(author),
            str(date),
            int(line),
            seen,
            str(source),
        ]:
            seen_at = datetime.fromisoformat(seen) if isinstance(seen, str) else None
            return Sighting(where, place, repository, commit, author, date, line, seen_at, source)
        case _:
            raise ValueError("a piece of the work queue is not in the form of this version")
