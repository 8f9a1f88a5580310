"""Incidents as programs get them: as JSON, with what was done about them and who was told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from responders.incident import Action, Incident
from responders.notify.queue import Delivery
from responders.registry import KnownKey
from scanner.errors import UsageError


def parse_until(text: str, now: datetime) -> datetime:
    """A date, a time or a span from now. Raises UsageError for anything else, and for what lies in the past."""
    span = re.fullmatch(r"([0-9]{1,5})([dh])", text)
    try:
        end = now + timedelta(**{{"d": "days", "h": "hours"}[span[2]]: int(span[1])}) if span else _moment(text)
    except (ValueError, OverflowError):
        raise UsageError(f"until: {text!r} is no time; write 2027-01-31, 2027-01-31T12:00Z, 90d or 12h") from None
    if end <= now:
        raise UsageError(f"until: {text} lies in the past; a dismissal ends in the future")
    return end


def _moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def as_json(incident: Incident, known: KnownKey | None) -> dict[str, Any]:
    """An incident as programs get it, without its sightings."""
    plain: dict[str, Any] = _plain(incident)
    plain["severity"] = incident.severity.label
    plain["sightings"] = max(plain.pop("sighting_count"), len(incident.sightings))
    key = None
    if known is not None:
        names = ("id", "name", "provider", "action_when_leaked", "state", "owners", "account_id")
        key = {name: _value(getattr(known, name)) for name in names}
    return plain | {"key": key}


def in_full(
    incident: Incident, known: KnownKey | None, actions: Sequence[Action], deliveries: Sequence[Delivery]
) -> dict[str, Any]:
    """An incident with where it was seen, what was done, and who was told."""
    return as_json(incident, known) | {
        "sightings": [_plain(sighting) for sighting in incident.sightings],
        "actions": [_action_json(action) for action in actions],
        "notices": [_delivery_json(delivery) for delivery in deliveries],
    }


def _action_json(action: Action) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(action)
    plain["sealed"] = action.sealed is not None
    return plain


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.notice.id,
        "event": delivery.notice.event.value,
        "subject": delivery.notice.subject,
        "channel": delivery.channel,
        "recipient": delivery.recipient or None,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at.isoformat(),
        "last_error": delivery.last_error,
    }


def _plain(record: Any) -> dict[str, Any]:
    return {name: _value(getattr(record, name)) for name in record.__dataclass_fields__}


def _value(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case tuple():
            return [item if isinstance(item, str) else _plain(item) for item in value]
        case _:
            return value
