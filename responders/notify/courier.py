"""The courier carries what waits in the queue of notices to the channels.

Each channel has a thread of its own in a round, so that a slow or dead one delays no other. A delivery is claimed
before it is sent and marked after: a process that dies in between has it sent again later, under the same notice id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responders.auditlog import Entry
from responders.notify.channels import Channel, Channels, NotSent, Sending, Sent
from responders.notify.notice import Event
from responders.notify.queue import Delivery, DeliveryState
from responders.notify.wording import digest
from responders.records import Records, Transaction

CLAIM = timedelta(minutes=2)
"""How long a claimed delivery is left to whoever claimed it."""
MOST = 500
"""How many deliveries are claimed in one round."""
MARKED_IN = 8
"""A bag is marked in about so many writes; who dies between two has what one holds sent again."""
PATIENCE = 3
"""After so many failures in a row a channel is left alone for this round; what is left waits for the next one."""


@dataclass(frozen=True, slots=True)
class CourierSettings:
    """The settings of `[notify]` that say how notices travel.

    retry_after: how long to wait before each further try of a delivery; after the last one it is given up as dead.
    digest_above: more notices than this for one person and channel within `digest_window` are folded into one.
    digest_window: the length of that window.
    """

    retry_after: tuple[timedelta, ...] = (
        timedelta(seconds=10),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=8),
    )
    digest_above: int = 10
    digest_window: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round: sent, to be tried again, given up, folded into digests, held back for one."""

    sent: int = 0
    retried: int = 0
    dead: int = 0
    folded: int = 0
    held: int = 0

    def __add__(self, other: Round) -> Round:
        return Round(
            self.sent + other.sent,
            self.retried + other.retried,
            self.dead + other.dead,
            self.folded + other.folded,
            self.held + other.held,
        )


class Courier:
    """Delivers what is due. One courier remembers whom it told lately, and so knows a burst when it sees one."""

    def __init__(
        self,
        records: Records,
        channels: Channels,
        settings: CourierSettings,
        *,
        clock: Callable[[], datetime],
        checkpoint: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._records = records
        self._channels = channels
        self._settings = settings
        self._clock = clock
        self._checkpoint = checkpoint
        self._told: dict[tuple[str, str], list[datetime]] = defaultdict(list)

    def deliver(self) -> Round:
        """Sends what is due, once each. What does not get through is tried again at a later round."""
        claimed, sorting = self._claim()
        self._checkpoint("claimed")
        bags: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in claimed:
            bags[delivery.channel].append(delivery)
        if len(bags) <= 1:
            rounds = [self._carry(name, bag) for name, bag in bags.items()]
        else:
            with ThreadPoolExecutor(len(bags), thread_name_prefix="channel") as pool:
                rounds = list(pool.map(self._carry, bags.keys(), bags.values()))
        return sum(rounds, sorting)

    def _claim(self) -> tuple[Sequence[Delivery], Round]:
        """Takes what is due out of the queue for a while, folding bursts into digests on the way."""
        now = self._clock()
        with self._records.begin() as tx:
            groups: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
            for delivery in tx.notices.due(now, MOST):
                groups[delivery.channel, delivery.recipient].append(delivery)
            sortings = [self._sort(tx, group, now) for group in groups.values()]
            claimed = [delivery for taken, _ in sortings for delivery in taken]
            for delivery in claimed:
                tx.notices.mark(replace(delivery, next_at=now + CLAIM))
        return claimed, sum((sorting for _, sorting in sortings), Round())

    def _sort(self, tx: Transaction, group: list[Delivery], now: datetime) -> tuple[list[Delivery], Round]:
        """What of one person's deliveries goes out now; the rest is folded into a digest, or held back for one."""
        channel, recipient = group[0].channel, group[0].recipient
        told = self._told[channel, recipient]
        told[:] = [moment for moment in told if moment > now - self._settings.digest_window]
        plain = [delivery for delivery in group if delivery.notice.event is not Event.DIGEST]
        others = [delivery for delivery in group if delivery.notice.event is Event.DIGEST]
        if len(told) + len(plain) <= self._settings.digest_above:
            return others + plain, Round()
        if len(told) >= self._settings.digest_above:
            until = told[0] + self._settings.digest_window
            for delivery in plain:
                tx.notices.mark(replace(delivery, next_at=until))
            return others, Round(held=len(plain))
        folded = digest([delivery.notice for delivery in plain], channel, recipient, now)
        tx.notices.enqueue(folded, channel, recipient, now)
        for delivery in plain:
            tx.notices.mark(replace(delivery, state=DeliveryState.SENT, last_error=f"told in digest {folded.id}"))
        tx.audit.append(_entry("notices.folded", folded.id, channel, recipient, notices=str(len(plain))))
        waiting = Delivery(folded, channel, recipient, DeliveryState.WAITING, 0, now)
        return [*others, waiting], Round(folded=len(plain))

    def _carry(self, name: str, bag: Sequence[Delivery]) -> Round:
        """Takes one channel's deliveries there, one after the other; of a large bag, several are marked at once."""
        channel = self._channels.get(name)
        failures, carried = 0, Round()
        unmarked: list[tuple[Delivery, Sending]] = []
        for delivery in bag:
            if failures >= PATIENCE:
                self._put_back(delivery)
                carried += Round(retried=1)
                continue
            sending = _send(channel, delivery, name)
            self._checkpoint("carried")
            failures = 0 if isinstance(sending, Sent) else failures + 1
            unmarked.append((delivery, sending))
            if len(unmarked) * MARKED_IN > len(bag) or not isinstance(sending, Sent):
                carried += self._mark(unmarked)
                unmarked = []
        return carried + (self._mark(unmarked) if unmarked else Round())

    def _mark(self, sendings: Sequence[tuple[Delivery, Sending]]) -> Round:
        """Writes what came of some deliveries."""
        with self._records.begin() as tx:
            done = sum((self._mark_one(tx, delivery, sending) for delivery, sending in sendings), Round())
        self._checkpoint("marked")
        return done

    def _mark_one(self, tx: Transaction, delivery: Delivery, sending: Sending) -> Round:
        now, attempts = self._clock(), delivery.attempts + 1
        match sending:
            case Sent():
                self._told[delivery.channel, delivery.recipient].append(now)
                after = replace(delivery, state=DeliveryState.SENT, attempts=attempts, next_at=now, last_error="")
                done, event = Round(sent=1), "notice.sent"
            case NotSent(reason, for_good) if for_good or attempts > len(self._settings.retry_after):
                after = replace(delivery, state=DeliveryState.DEAD, attempts=attempts, next_at=now, last_error=reason)
                done, event = Round(dead=1), "notice.dead"
            case NotSent(reason):
                next_at = now + self._settings.retry_after[attempts - 1]
                tx.notices.mark(replace(delivery, attempts=attempts, next_at=next_at, last_error=reason))
                return Round(retried=1)
        tx.notices.mark(after)
        detail = {"error": after.last_error} if after.last_error else {}
        tx.audit.append(_entry(event, delivery.notice.id, delivery.channel, delivery.recipient, **detail))
        return done

    def _put_back(self, delivery: Delivery) -> None:
        """Leaves a delivery to the next round; it was not tried, so it does not count as a try."""
        wait = next(iter(self._settings.retry_after), CLAIM)
        with self._records.begin() as tx:
            tx.notices.mark(replace(delivery, next_at=self._clock() + wait))


def _send(channel: Channel | None, delivery: Delivery, name: str) -> Sending:
    if channel is None:
        return NotSent(f"there is no channel {name} any more; configure it again, or let the notice go")
    try:
        return channel.send(delivery.notice, delivery.recipient)
    except Exception as error:  # a channel's defect must neither stop the others nor leave the queue unmarked
        return NotSent(f"the channel failed ({type(error).__name__})")


def _entry(event: str, notice_id: str, channel: str, recipient: str, **details: str) -> Entry:
    to = {"channel": channel} | ({"to": recipient} if recipient else {})
    return Entry("keyfuse", event, f"notice:{notice_id}", to | details)
