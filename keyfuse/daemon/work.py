"""The daemon's side of the durable queue: puts work in, hands it out under a lease, says what came of it.

Work survives the process. Whatever cannot be done at once and must not be lost goes through here: a webhook that was
answered with 202, a push that has to be fetched, a scheduled scan.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from responders.keyfile import Sealer
from responders.records import Records, Transaction
from responders.work import WorkItem, WorkState
from scanner.model import Secret

LEASE = timedelta(minutes=1)
"""How long a claimed item is left to its holder without a sign of life."""
BACK_OFF = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""Waits before each further try; the last one repeats."""
MOST_ATTEMPTS = 12
"""An item that was begun so often and never ended is given up: it may be what kills its workers."""
LARGEST = 64 << 10
"""Bytes of a payload as JSON. What is larger goes sealed."""


class Work:
    """The queue as producers and workers see it. Thread-safe; every call is a transaction, but for `enqueue` in one.

    `node` is this installation's id (items of another node are never claimed), `holder` this process's. `sealer` is
    asked for only when there is something to seal or to open.
    """

    def __init__(
        self,
        records: Records,
        clock: Callable[[], datetime],
        sealer: Callable[[], Sealer],
        *,
        node: str = "",
        holder: str = "",
        ids: Callable[[], str] = lambda: secrets.token_hex(16),
        lease: timedelta = LEASE,
        woken: Callable[[], None] = lambda: None,
    ) -> None:
        self._records = records
        self._clock = clock
        self._sealer = sealer
        self._ids = ids
        self._lease = lease
        self._woken = woken
        self.node = node
        self.holder = f"{node}:{holder or ids()}"

    def enqueue(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        secret: Secret | None = None,
        dedupe: str = "",
        not_before: datetime | None = None,
        node: str = "",
        within: Transaction | None = None,
    ) -> str:
        """Puts work in the queue and returns its id; it is on disk when this returns.

        `payload` is JSON without any plaintext; what must not be read goes in `secret`, which is sealed. While an item
        with the same `kind` and `dedupe` waits, nothing is added and that item's id is returned. `within` joins an open
        transaction, so that the work exists if and only if what that transaction writes does. Raises ValueError for a
        payload over `LARGEST`, StoreError when it cannot be written.
        """
        if len(json.dumps(dict(payload))) > LARGEST:
            raise ValueError(f"a payload of {kind} is over {LARGEST} bytes; put what is large into its secret")
        now, item_id = self._clock(), self._ids()
        item = WorkItem(
            id=item_id,
            kind=kind,
            payload=payload,
            created_at=now,
            not_before=not_before or now,
            dedupe=dedupe,
            node=node,
            sealed=None if secret is None else self._sealer().seal(secret, _purpose(item_id)),
        )
        if within is not None:
            return within.work.add(item)
        with self._records.begin(alone=False) as tx:
            added = tx.work.add(item)
        self._woken()
        return added

    def wake(self) -> None:
        """Says that there is work; to be called when the transaction of an `enqueue` within one is over."""
        self._woken()

    def claim(self, kinds: Collection[str], limit: int = 1) -> Sequence[WorkItem]:
        """Takes what is due, oldest first. What was begun too often without an end is given up here, with a reason."""
        if not kinds:
            return ()
        now = self._clock()
        with self._records.begin(alone=False) as tx:
            claimed = tx.work.claim(
                now, now + self._lease, holder=self.holder, node=self.node, kinds=kinds, limit=limit
            )
            spent = [item for item in claimed if item.attempts > MOST_ATTEMPTS]
            for item in spent:
                error = f"it was begun {MOST_ATTEMPTS} times and never ended; last: {item.last_error or 'no answer'}"
                tx.work.end(item.id, self.holder, WorkState.DEAD, now, "{}", error)
        return [item for item in claimed if item not in spent]

    def secret(self, item: WorkItem) -> Secret | None:
        """What was sealed for an item, opened. Raises KeyFileError when it was sealed with another key."""
        return None if item.sealed is None else self._sealer().unseal(item.sealed, _purpose(item.id))

    def heartbeat(self, item: WorkItem) -> bool:
        """Says that the work goes on; false when the item has been taken by somebody else, and must be left alone."""
        with self._records.begin(alone=False) as tx:
            return tx.work.prolong(item.id, self.holder, self._clock() + self._lease)

    def complete(self, item: WorkItem, result: Mapping[str, Any] | None = None) -> bool:
        """Ends an item; `result` is JSON without any plaintext. False when somebody else has taken it."""
        with self._records.begin(alone=False) as tx:
            text = json.dumps(dict(result or {}), sort_keys=True)
            return tx.work.end(item.id, self.holder, WorkState.DONE, self._clock(), text, "")

    def fail(self, item: WorkItem, reason: str, *, for_good: bool = False) -> bool:
        """Lets an item be tried again after a while, or gives it up. `reason` is for people and holds no plaintext."""
        now = self._clock()
        with self._records.begin(alone=False) as tx:
            if for_good or item.attempts >= MOST_ATTEMPTS:
                return tx.work.end(item.id, self.holder, WorkState.DEAD, now, "{}", reason)
            wait = BACK_OFF[min(max(item.attempts, 1), len(BACK_OFF)) - 1]
            return tx.work.put_back(item.id, self.holder, now + wait, reason, attempted=True)

    def give_back(self, item: WorkItem) -> bool:
        """Lets an item wait as if it had never been claimed: this process ends, or has no time for it."""
        with self._records.begin(alone=False) as tx:
            return tx.work.put_back(item.id, self.holder, item.not_before, item.last_error, attempted=False)

    def take_over(self) -> int:
        """At start: lets wait again what an earlier process of this node held. Returns how many items that were."""
        with self._records.begin(alone=False) as tx:
            return tx.work.release(self.node)

    def status(self, item_id: str) -> WorkItem | None:
        """One item as it stands; None when there is none, or it ended so long ago that it is forgotten."""
        with self._records.read() as tx:
            return tx.work.get(item_id)


def _purpose(item_id: str) -> str:
    return f"work:{item_id}"
