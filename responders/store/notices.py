"""The queue of notices in the database."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from responders.incident import IncidentState
from responders.notify.notice import Event, Notice
from responders.notify.queue import Delivery, DeliveryState
from responders.store.schema import deliveries, incidents, maybe_micros, maybe_moment, micros, moment, notices


class SqlNotices:
    """The queue inside one transaction (see `responders.notify.queue.Notices`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert

    def enqueue(self, notice: Notice, channel: str, recipient: str, at: datetime) -> bool:
        """Puts a delivery in the queue; false if this notice id was queued for that channel and recipient already."""
        self._connection.execute(
            self._insert(notices)
            .values(
                id=notice.id,
                event=notice.event.value,
                subject=notice.subject,
                body=notice.body,
                incident_id=notice.incident_id,
                data=json.dumps(dict(notice.data)),
                created_at=maybe_micros(notice.created_at),
            )
            .on_conflict_do_nothing()
            .inline()
            .execution_options(preserve_rowcount=True)
        )
        queued = self._connection.execute(
            self._insert(deliveries)
            .values(
                notice_id=notice.id,
                channel=channel,
                recipient=recipient,
                state=DeliveryState.WAITING.value,
                attempts=0,
                next_at=micros(at),
                last_error="",
            )
            .on_conflict_do_nothing()
            .inline()
            .execution_options(preserve_rowcount=True)
        )
        return queued.rowcount == 1

    def due(self, now: datetime, limit: int = 100) -> Sequence[Delivery]:
        """Deliveries that wait and whose time has come, oldest first."""
        waiting = deliveries.c.state == DeliveryState.WAITING.value
        wanted = _joined().where(waiting, deliveries.c.next_at <= micros(now))
        return self._fetch(wanted.order_by(deliveries.c.next_at, deliveries.c.seq).limit(limit))

    def mark(self, delivery: Delivery) -> None:
        """Stores a delivery's new state, attempts, time and error."""
        self._connection.execute(
            update(deliveries)
            .where(
                deliveries.c.notice_id == delivery.notice.id,
                deliveries.c.channel == delivery.channel,
                deliveries.c.recipient == delivery.recipient,
            )
            .values(
                state=delivery.state.value,
                attempts=delivery.attempts,
                next_at=micros(delivery.next_at),
                last_error=delivery.last_error,
            )
        )

    def of_incident(self, incident_id: str) -> Sequence[Delivery]:
        """Every delivery of an incident, oldest first."""
        return self._fetch(_joined().where(notices.c.incident_id == incident_id).order_by(deliveries.c.seq))

    def count(self, state: DeliveryState) -> int:
        """How many deliveries are in this state."""
        counted = select(func.count()).select_from(deliveries).where(deliveries.c.state == state.value)
        return int(self._connection.execute(counted).scalar_one())

    def next_time(self) -> datetime | None:
        """When the next waiting delivery is due."""
        waiting = select(func.min(deliveries.c.next_at)).where(deliveries.c.state == DeliveryState.WAITING.value)
        return maybe_moment(self._connection.execute(waiting).scalar())

    def purge(self, before: datetime, settled: Collection[IncidentState]) -> int:
        """Forgets old notices of what is settled, none of which waits. Returns how many notices that were."""
        over = select(incidents.c.id).where(incidents.c.state.in_([state.value for state in settled]))
        waits = select(deliveries.c.notice_id).where(deliveries.c.state == DeliveryState.WAITING.value)
        old = and_(
            notices.c.created_at < micros(before),
            or_(notices.c.incident_id.is_(None), notices.c.incident_id.in_(over)),
            notices.c.id.not_in(waits),
        )
        self._connection.execute(delete(deliveries).where(deliveries.c.notice_id.in_(select(notices.c.id).where(old))))
        gone = self._connection.execute(delete(notices).where(old).execution_options(preserve_rowcount=True))
        return gone.rowcount

    def _fetch(self, query: Select[Any]) -> list[Delivery]:
        return [_delivery(row) for row in self._connection.execute(query)]


def _joined() -> Select[Any]:
    return select(deliveries, notices).join(notices, notices.c.id == deliveries.c.notice_id)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        Notice(
            row.id,
            Event(row.event),
            row.subject,
            row.body,
            row.incident_id,
            json.loads(row.data),
            maybe_moment(row.created_at),
        ),
        row.channel,
        row.recipient,
        DeliveryState(row.state),
        row.attempts,
        moment(row.next_at),
        row.last_error,
    )
