"""Puts what is to be told in the queue, in the transaction of the state that it tells of. Sends nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from responders.incident import Incident
from responders.notify.notice import Event
from responders.notify.queue import Notices
from responders.notify.routing import Routing, Subject, address, people
from responders.notify.wording import compose
from responders.registry import KnownKey


class Telling:
    """Knows who is told what. `channels` maps each configured channel's name to whether it is personal.

    People hear of the same event of the same incident again only when `repeat_after` has gone by and it was seen anew.
    """

    def __init__(self, routing: Routing, channels: Mapping[str, bool], *, repeat_after: timedelta) -> None:
        self._routing = routing
        self._channels = channels
        self._repeat_after = repeat_after

    def queue(
        self,
        notices: Notices,
        event: Event,
        incident: Incident,
        known: KnownKey | None,
        now: datetime,
        owners: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """Queues one notice for everybody concerned; returns who will hear of it anew.

        `owners` are those the provider named, for a key whose record has none.
        """
        subject = Subject(
            event,
            incident.provider,
            incident.severity,
            owners=(known.owners if known and known.owners else owners),
            account_id=known.account_id if known else "",
        )
        notice = compose(
            event, incident, known, people(self._routing, subject), now, repeat=self._repeats(event, incident, now)
        )
        anew = [
            addressed.recipient or addressed.channel
            for addressed in address(self._routing, subject, self._channels)
            if notices.enqueue(notice, addressed.channel, addressed.recipient, now)
        ]
        return tuple(dict.fromkeys(anew))

    def _repeats(self, event: Event, incident: Incident, now: datetime) -> int:
        """How many whole repeat windows have gone by since the incident opened; an escalation comes once."""
        if event is Event.ESCALATED or not self._repeat_after:
            return 0
        return max(0, (now - incident.opened_at) // self._repeat_after)
