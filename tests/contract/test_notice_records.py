"""What every store of records does, whatever database is under it: the queue of notices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from responders.notify.notice import Event, Notice
from responders.notify.queue import Delivery, DeliveryState
from responders.store import SqlRecords
from tests.support.stores import START

NOTICE = Notice("n1", Event.LEAKED, "A key leaked", "Body\n", "i1", {"key": "ü"}, START)


def test_a_notice_is_queued_once_per_channel_and_recipient(records: SqlRecords) -> None:
    with records.begin() as transaction:
        assert transaction.notices.enqueue(NOTICE, "mail", "a@example.org", START)
        assert not transaction.notices.enqueue(NOTICE, "mail", "a@example.org", START + timedelta(hours=1))
        assert transaction.notices.enqueue(NOTICE, "mail", "b@example.org", START)
        assert transaction.notices.enqueue(NOTICE, "chat", "a@example.org", START)
    with records.begin() as transaction:
        assert not transaction.notices.enqueue(NOTICE, "chat", "a@example.org", START)
        assert transaction.notices.count(DeliveryState.WAITING) == 3


def test_what_is_due_comes_oldest_first(records: SqlRecords) -> None:
    other = replace(NOTICE, id="n2", incident_id=None, created_at=None)
    with records.begin() as transaction:
        transaction.notices.enqueue(NOTICE, "mail", "later", START + timedelta(minutes=2))
        transaction.notices.enqueue(other, "mail", "first", START)
        transaction.notices.enqueue(NOTICE, "mail", "second", START)
        transaction.notices.enqueue(NOTICE, "mail", "not yet", START + timedelta(minutes=2, microseconds=1))
        due = transaction.notices.due(START + timedelta(minutes=2))
        assert [delivery.recipient for delivery in due] == ["first", "second", "later"]
        assert due[0] == Delivery(other, "mail", "first", DeliveryState.WAITING, 0, START)
        assert len(transaction.notices.due(START + timedelta(minutes=2), limit=1)) == 1


def test_a_delivery_is_marked(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.notices.enqueue(NOTICE, "mail", "a", START)
        transaction.notices.enqueue(NOTICE, "mail", "b", START)
        first, second = transaction.notices.of_incident("i1")
        tried = replace(first, attempts=1, next_at=START + timedelta(hours=1), last_error="refused")
        transaction.notices.mark(tried)
        transaction.notices.mark(replace(second, state=DeliveryState.SENT, attempts=1))
    with records.read() as transaction:
        assert transaction.notices.of_incident("i1") == [tried, replace(second, state=DeliveryState.SENT, attempts=1)]
        assert transaction.notices.due(START) == []
        assert transaction.notices.due(START + timedelta(hours=1)) == [tried]
        counts = [transaction.notices.count(state) for state in DeliveryState]
        assert counts == [1, 1, 0]
