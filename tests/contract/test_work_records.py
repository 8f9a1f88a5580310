"""What every store of records does, whatever database is under it: the queue of work."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keyfuse.daemon.work import LARGEST, LEASE, MOST_ATTEMPTS, Work
from responders.errors import KeyFileError
from responders.keyfile import sealer
from responders.store import SqlRecords
from responders.work import WorkState
from scanner.model import Secret
from tests.support.stores import Clock

KINDS = ("scan", "fetch")


@pytest.fixture
def work(records: SqlRecords, clock: Clock, tmp_path: Path) -> Work:
    return Work(records, clock, lambda: sealer(tmp_path / "keys"), node="here", holder="one")


@pytest.fixture
def other(second: SqlRecords, clock: Clock, tmp_path: Path) -> Work:
    """Another process of another node over the same database."""
    return Work(second, clock, lambda: sealer(tmp_path / "keys"), node="there", holder="two")


def test_what_is_put_in_comes_out_oldest_first_and_once(work: Work, other: Work, clock: Clock) -> None:
    first = work.enqueue("scan", {"target": "ü"})
    clock.forward(seconds=1)
    second = other.enqueue("fetch", {})
    assert [item.id for item in work.claim(KINDS)] == [first]
    assert [item.id for item in other.claim(KINDS, 9)] == [second]
    assert work.claim(KINDS) == other.claim(KINDS) == []
    item = work.status(first)
    assert item is not None
    assert (item.state, item.payload, item.attempts, item.holder) == (
        WorkState.RUNNING,
        {"target": "ü"},
        1,
        "here:one",
    )


def test_only_known_kinds_and_the_own_nodes_work_are_claimed(work: Work, other: Work) -> None:
    mine = work.enqueue("scan", {}, node="here")
    assert other.claim(KINDS) == []
    assert not work.claim(["fetch"])
    assert not work.claim([])
    assert [item.id for item in work.claim(["scan"])] == [mine]


def test_the_time_of_an_item_has_to_come(work: Work, clock: Clock) -> None:
    late = work.enqueue("scan", {}, not_before=clock() + timedelta(minutes=1))
    assert work.claim(KINDS) == []
    clock.forward(minutes=1)
    assert [item.id for item in work.claim(KINDS)] == [late]


def test_the_same_work_waits_once_but_is_added_anew_while_it_runs(work: Work, other: Work) -> None:
    first = work.enqueue("scan", {"n": 1}, dedupe="repository")
    assert other.enqueue("scan", {"n": 2}, dedupe="repository") == first
    assert work.enqueue("fetch", {}, dedupe="repository") != first
    assert work.enqueue("scan", {}) != work.enqueue("scan", {})
    [item] = work.claim(["scan"])
    again = work.enqueue("scan", {"n": 3}, dedupe="repository")
    assert item.id == first != again
    assert work.fail(item, "unreachable"), "what waits anew stands for both"
    assert (status := work.status(first)) is not None
    assert status.state is WorkState.DONE


def test_a_lease_that_runs_out_gives_the_work_to_another(work: Work, other: Work, clock: Clock) -> None:
    work.enqueue("scan", {})
    [item] = work.claim(KINDS)
    clock.forward(seconds=LEASE.total_seconds() - 1)
    assert work.heartbeat(item)
    clock.forward(seconds=2)
    assert other.claim(KINDS) == []
    clock.forward(seconds=LEASE.total_seconds())
    [taken] = other.claim(KINDS)
    assert (taken.id, taken.attempts) == (item.id, 2)
    assert not work.heartbeat(item)
    assert not work.complete(item)
    assert not work.fail(item, "late")
    assert other.complete(taken, {"findings": 3})
    assert (status := work.status(item.id)) is not None
    assert (status.state, status.result) == (WorkState.DONE, {"findings": 3})


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(work: Work, clock: Clock) -> None:
    number = work.enqueue("scan", {})
    for attempt in range(1, MOST_ATTEMPTS + 1):
        [item] = work.claim(KINDS)
        assert item.attempts == attempt
        assert work.fail(item, f"no answer {attempt}")
        assert work.claim(KINDS) == []
        clock.forward(hours=1)
    assert work.claim(KINDS) == []
    assert (status := work.status(number)) is not None
    assert (status.state, status.last_error) == (WorkState.DEAD, f"no answer {MOST_ATTEMPTS}")


def test_work_that_kills_its_workers_is_given_up(work: Work, clock: Clock) -> None:
    number = work.enqueue("scan", {})
    for _ in range(MOST_ATTEMPTS):
        assert work.claim(KINDS)
        clock.forward(minutes=5)
    assert work.claim(KINDS) == []
    assert (status := work.status(number)) is not None
    assert status.state is WorkState.DEAD
    assert "never ended" in status.last_error


def test_a_node_that_starts_anew_takes_up_its_own_work_at_once(work: Work, other: Work) -> None:
    work.enqueue("scan", {})
    assert work.claim(KINDS)
    assert other.take_over() == 0
    assert work.take_over() == 1
    [item] = other.claim(KINDS)
    assert item.attempts == 2


def test_what_is_given_back_was_never_tried(work: Work) -> None:
    work.enqueue("scan", {})
    [item] = work.claim(KINDS)
    assert work.give_back(item)
    [item] = work.claim(KINDS)
    assert item.attempts == 1


def test_a_secret_is_sealed_for_its_item_and_erased_at_the_end(work: Work, records: SqlRecords) -> None:
    plain = b"what nobody may read"
    number = work.enqueue("scan", {}, secret=Secret(plain))
    also = work.enqueue("scan", {}, secret=Secret(plain))
    [item, next_item] = work.claim(KINDS, 2)
    assert item.sealed is not None
    assert plain not in item.sealed
    assert (opened := work.secret(item)) is not None
    assert opened.reveal() == plain
    assert next_item.id == also
    with pytest.raises(KeyFileError):
        work.secret(replace(next_item, id=number))
    assert work.complete(item)
    assert (status := work.status(number)) is not None
    assert status.sealed is None


def test_a_payload_has_a_limit(work: Work) -> None:
    with pytest.raises(ValueError, match="secret"):
        work.enqueue("scan", {"text": "x" * LARGEST})


def test_work_joins_the_transaction_it_belongs_to(work: Work, records: SqlRecords) -> None:
    def undone() -> None:
        with records.begin() as tx:
            work.enqueue("scan", {}, within=tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert work.claim(KINDS) == []
    with records.begin() as tx:
        number = work.enqueue("scan", {}, within=tx)
    assert [item.id for item in work.claim(KINDS)] == [number]


def test_counts_and_the_next_time_and_forgetting(work: Work, records: SqlRecords, clock: Clock) -> None:
    work.enqueue("scan", {})
    work.enqueue("fetch", {}, not_before=clock() + timedelta(hours=1))
    [item] = work.claim(["scan"])
    with records.read() as tx:
        assert tx.work.counts() == {("scan", WorkState.RUNNING): 1, ("fetch", WorkState.WAITING): 1}
        assert tx.work.next_time("here", KINDS) == clock() + timedelta(hours=1)
        assert tx.work.next_time("here", ["scan"]) is None
    work.complete(item)
    clock.forward(days=1)
    with records.begin() as tx:
        assert tx.work.purge(clock() - timedelta(days=2)) == 0
        assert tx.work.purge(clock()) == 1
        assert tx.work.counts() == {("fetch", WorkState.WAITING): 1}


def test_nobody_gets_what_another_got_at_the_same_moment(work: Work, other: Work) -> None:
    numbers = {work.enqueue("scan", {"n": n}) for n in range(40)}
    got: list[str] = []

    def take(queue: Work) -> None:
        while items := queue.claim(KINDS, 3):
            got.extend(item.id for item in items)

    threads = [threading.Thread(target=take, args=(queue,)) for queue in (work, other, work, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(numbers)
