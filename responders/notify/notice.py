"""What a person is told. A Notice never holds a Secret."""

from __future__ import annotations

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
