"""Notices wait here until they are delivered: once per recipient, channel and event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from responders.incident import IncidentState
from responders.notify.notice import Notice


class DeliveryState(StrEnum):
    """How far one delivery is. `DEAD` was given up after the last try, and is shown by `doctor` and `leaks show`."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice on its way to one recipient over one channel (`channel` is a name from the configuration)."""

    notice: Notice
    channel: str
    recipient: str
    state: DeliveryState
    attempts: int
    next_at: datetime
    last_error: str = ""


class Notices(Protocol):
    """The queue inside one transaction (see `records`)."""

    def enqueue(self, notice: Notice, channel: str, recipient: str, at: datetime) -> bool:
        """Puts a delivery in the queue; false if this notice id was queued for that channel and recipient already."""
        ...

    def due(self, now: datetime, limit: int = 100) -> Sequence[Delivery]:
        """Deliveries that wait and whose time has come, oldest first."""
        ...

    def mark(self, delivery: Delivery) -> None:
        """Stores a delivery's new state, attempts, time and error."""
        ...

    def of_incident(self, incident_id: str) -> Sequence[Delivery]:
        """Every delivery of an incident, oldest first."""
        ...

    def count(self, state: DeliveryState) -> int:
        """How many deliveries are in this state."""
        ...

    def next_time(self) -> datetime | None:
        """When the next waiting delivery is due."""
        ...

    def purge(self, before: datetime, settled: Collection[IncidentState]) -> int:
        """Forgets notices made before this moment, none of which waits, of incidents in one of these states or of none.

        Returns how many notices that were.
        """
        ...
