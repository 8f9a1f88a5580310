"""The courier: retried with back-off, given up, isolated by channel, folded in a burst, claimed by one at a time."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from responders.notify.channels import Channel, Channels, NotSent, Sending, Sent
from responders.notify.courier import CLAIM, Courier, CourierSettings, Round
from responders.notify.notice import Event, Notice
from responders.notify.queue import Delivery, DeliveryState
from responders.records import Records
from responders.store import open_store
from tests.support.stores import START, Clock, sqlite_template

SETTINGS = CourierSettings(retry_after=(timedelta(seconds=10), timedelta(minutes=1)), digest_above=3)


@dataclass
class Pipe:
    """A channel that keeps what it is given, and answers as it is told."""

    name: str = "pipe"
    personal: bool = True
    answer: Callable[[], Sending] = Sent
    taken: list[tuple[Notice, str]] = field(default_factory=list)

    def send(self, notice: Notice, recipient: str) -> Sending:
        sending = self.answer()
        if isinstance(sending, Sent):
            self.taken.append((notice, recipient))
        return sending


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(template: Path, tmp_path: Path, clock: Clock) -> Iterator[Records]:
    shutil.copy(template, tmp_path / "keyfuse.db")
    store = open_store("", clock=clock, data_dir=tmp_path)
    yield store
    store.close()


def notice(number: int) -> Notice:
    return Notice(f"notice-{number}", Event.NOTED, f"[keyfuse] number {number}", "body", None, {}, START)


def queue(records: Records, clock: Clock, count: int, channel: str = "pipe", start: int = 0) -> None:
    with records.begin() as tx:
        for number in range(start, start + count):
            assert tx.notices.enqueue(notice(number), channel, "owner@example.org", clock())


def courier(records: Records, clock: Clock, *channels: Channel, settings: CourierSettings = SETTINGS) -> Courier:
    return Courier(records, Channels(channels), settings, clock=clock)


def waiting(records: Records, clock: Clock) -> list[Delivery]:
    with records.read() as tx:
        return list(tx.notices.due(clock() + timedelta(days=365)))


def count(records: Records, state: DeliveryState) -> int:
    with records.read() as tx:
        return tx.notices.count(state)


def test_what_is_due_is_sent_once(records: Records, clock: Clock) -> None:
    pipe = Pipe()
    queue(records, clock, 2)
    assert courier(records, clock, pipe).deliver() == Round(sent=2)
    assert courier(records, clock, pipe).deliver() == Round()
    assert [taken.id for taken, _ in pipe.taken] == ["notice-0", "notice-1"]


def test_a_failure_is_tried_again_with_back_off_and_given_up_in_the_end(records: Records, clock: Clock) -> None:
    carrying = courier(records, clock, Pipe(answer=lambda: NotSent("503")))
    queue(records, clock, 1)
    for wait in SETTINGS.retry_after:
        assert carrying.deliver() == Round(retried=1)
        [delivery] = waiting(records, clock)
        assert delivery.next_at == clock() + wait
        assert delivery.last_error == "503"
        clock.now = delivery.next_at - timedelta(microseconds=1)
        assert carrying.deliver() == Round()
        clock.now = delivery.next_at
    assert carrying.deliver() == Round(dead=1)
    assert count(records, DeliveryState.DEAD) == 1
    with records.read() as tx:
        assert [record.event for record in tx.audit.read()] == ["notice.dead"]


def test_what_can_never_be_sent_is_given_up_at_once(records: Records, clock: Clock) -> None:
    queue(records, clock, 1)
    assert courier(records, clock, Pipe(answer=lambda: NotSent("bad address", for_good=True))).deliver() == Round(
        dead=1
    )


def test_a_slow_channel_delays_no_other(records: Records, clock: Clock) -> None:
    done = threading.Event()

    def finishes() -> Sending:
        done.set()
        return Sent()

    quick = Pipe("quick", answer=finishes)
    slow = Pipe("slow", answer=lambda: Sent() if done.wait(20) else NotSent("the quick one never came"))
    queue(records, clock, 1, "slow")
    queue(records, clock, 1, "quick")
    assert courier(records, clock, slow, quick).deliver() == Round(sent=2)


def test_a_channel_that_raises_stops_nothing(records: Records, clock: Clock) -> None:
    def breaks() -> Sending:
        raise RuntimeError("with a token in its text")

    queue(records, clock, 1, "broken")
    queue(records, clock, 1)
    assert courier(records, clock, Pipe("broken", answer=breaks), Pipe()).deliver() == Round(sent=1, retried=1)
    [delivery] = waiting(records, clock)
    assert delivery.last_error == "the channel failed (RuntimeError)"


def test_a_channel_that_is_gone_keeps_its_notices_waiting(records: Records, clock: Clock) -> None:
    queue(records, clock, 1, "removed")
    assert courier(records, clock).deliver() == Round(retried=1)
    assert "no channel removed any more" in waiting(records, clock)[0].last_error


def test_after_three_failures_in_a_row_a_channel_has_peace_for_a_round(records: Records, clock: Clock) -> None:
    tries: list[str] = []

    def fails() -> Sending:
        tries.append("down")
        return NotSent("down")

    pipe = Pipe(answer=fails)
    queue(records, clock, 5)
    settings = replace(SETTINGS, digest_above=100)
    assert courier(records, clock, pipe, settings=settings).deliver() == Round(retried=5)
    assert len(tries) == 3
    assert sorted(delivery.attempts for delivery in waiting(records, clock)) == [0, 0, 1, 1, 1]


def test_a_burst_is_folded_into_one_digest(records: Records, clock: Clock) -> None:
    pipe = Pipe()
    queue(records, clock, 4)
    assert courier(records, clock, pipe).deliver() == Round(sent=1, folded=4)
    [(folded, recipient)] = pipe.taken
    assert (folded.event, recipient) == (Event.DIGEST, "owner@example.org")
    assert all(f"number {number}" in folded.body for number in range(4))
    assert not waiting(records, clock)


def test_a_digest_that_fails_is_tried_again_like_any_notice(records: Records, clock: Clock) -> None:
    pipe = Pipe(answer=lambda: NotSent("down"))
    queue(records, clock, 4)
    carrying = courier(records, clock, pipe)
    assert carrying.deliver() == Round(retried=1, folded=4)
    pipe.answer = Sent
    clock.forward(seconds=10)
    assert carrying.deliver() == Round(sent=1)
    assert [taken.event for taken, _ in pipe.taken] == [Event.DIGEST]


def test_a_trickle_becomes_a_digest_too(records: Records, clock: Clock) -> None:
    """Past the threshold within the window notices are held back, and come as one when the window has passed."""
    pipe = Pipe()
    carrying = courier(records, clock, pipe)
    rounds = []
    for number in range(8):
        queue(records, clock, 1, start=number)
        rounds.append(carrying.deliver())
        clock.forward(seconds=1)
    assert rounds == [Round(sent=1)] * 3 + [Round(held=1)] * 5
    clock.forward(minutes=5)
    assert carrying.deliver() == Round(sent=1, folded=5)


def test_what_one_courier_has_claimed_another_leaves_alone(records: Records, clock: Clock) -> None:
    first, second = Pipe(), Pipe()
    other = courier(records, clock, second)
    first.answer = lambda: (other.deliver(), Sent())[1]
    queue(records, clock, 1)
    assert courier(records, clock, first).deliver() == Round(sent=1)
    assert not second.taken


def test_what_a_dead_courier_had_claimed_is_sent_later(records: Records, clock: Clock) -> None:
    class Died(BaseException):
        pass

    def dies() -> Sending:
        raise Died

    queue(records, clock, 1)
    with pytest.raises(Died):
        courier(records, clock, Pipe(answer=dies)).deliver()
    pipe = Pipe()
    assert courier(records, clock, pipe).deliver() == Round()
    clock.now += CLAIM
    assert courier(records, clock, pipe).deliver() == Round(sent=1)
