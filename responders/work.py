"""Work that waits in the database: what is to be scanned, taken in or looked after by whichever daemon comes first.

An item is claimed under a lease. Whoever holds it says from time to time that it lives; when it does not, the lease
runs out and another daemon takes the item. So an item may be begun twice, and its work has to bear that. Payloads hold
no plaintext: what must not be read lies sealed beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class WorkState(StrEnum):
    """Where an item stands. `dead` was given up: `last_error` says why."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One piece of work.

    kind: who knows how to do it, such as `scan`.
    payload, result: JSON. Neither ever holds a secret.
    sealed: what the work needs and nobody may read, sealed for this item; erased when it ends.
    dedupe: while an item with this kind and key waits, another one is not added; empty means never the same.
    node: the one node that may do it, since it is about that machine's files; empty means any.
    not_before: when its time comes.
    attempts: how often it was claimed.
    holder, leased_until: who works at it, and until when that is believed.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    created_at: datetime
    not_before: datetime
    state: WorkState = WorkState.WAITING
    dedupe: str = ""
    node: str = ""
    attempts: int = 0
    holder: str = ""
    leased_until: datetime | None = None
    ended_at: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    last_error: str = ""
    sealed: bytes | None = field(default=None, repr=False)


class WorkQueue(Protocol):
    """The queue inside one transaction."""

    def add(self, item: WorkItem) -> str:
        """Puts an item in the queue and returns its id, or the id of the one that waits under the same key."""
        ...

    def claim(
        self, now: datetime, until: datetime, *, holder: str, node: str, kinds: Collection[str], limit: int
    ) -> Sequence[WorkItem]:
        """Gives what is due, oldest first, to this holder until then; nobody else gets it at the same time.

        Due is what waits and whose time has come, and what is held under a lease that has run out.
        """
        ...

    def prolong(self, item_id: str, holder: str, until: datetime) -> bool:
        """Moves the end of a lease; false when this holder has lost the item."""
        ...

    def end(self, item_id: str, holder: str, state: WorkState, at: datetime, result: str, error: str) -> bool:
        """Ends an item and erases what was sealed in it; false when this holder has lost it. `result` is JSON text."""
        ...

    def put_back(self, item_id: str, holder: str, not_before: datetime, error: str, *, attempted: bool) -> bool:
        """Lets an item wait again; false when this holder has lost it. Where its key waits already, it has ended."""
        ...

    def release(self, node: str) -> int:
        """Lets everything wait again that a node holds, since its process is gone. Returns how many."""
        ...

    def get(self, item_id: str) -> WorkItem | None:
        """One item, whatever its state."""
        ...

    def next_time(self, node: str, kinds: Collection[str]) -> datetime | None:
        """When the next waiting item is due."""
        ...

    def counts(self) -> Mapping[tuple[str, WorkState], int]:
        """How many items there are of each kind in each state."""
        ...

    def purge(self, before: datetime) -> int:
        """Forgets what ended before this moment. Returns how many items that were."""
        ...
