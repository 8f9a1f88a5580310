"""What a person is told. A Notice never holds a Secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Event(StrEnum):
    """What happened, as far as telling goes."""

    LEAKED = "leaked"
    CONTAINED = "contained"
    UNCONFIRMED = "unconfirmed"
    BLOCKED = "blocked"
    FAILED = "failed"
    NOTED = "noted"
    ESCALATED = "escalated"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one person or place. `id` is the same for every repeat, so that a receiver can tell.

    `data` is what machines get (the webhook's JSON): texts, no secret.
    """

    id: str
    event: Event
    subject: str
    body: str
    incident_id: str | None
    data: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


def payload(notice: Notice, recipient: str) -> bytes:
    """The notice as machines get it: one JSON object, the same in the webhook's body and in files."""
    content = {
        "version": 1,
        "id": notice.id,
        "event": notice.event.value,
        "created_at": notice.created_at.isoformat() if notice.created_at else None,
        "recipient": recipient or None,
        "incident": notice.incident_id,
        "subject": notice.subject,
        "text": notice.body,
        "data": dict(notice.data),
    }
    return json.dumps(content, separators=(",", ":")).encode()
