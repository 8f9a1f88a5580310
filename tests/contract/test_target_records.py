"""What every store of records does, whatever database is under it: targets, schedules, and what ends by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keyfuse.daemon.memory import Memory
from keyfuse.daemon.schedule import Schedules, next_time
from keyfuse.daemon.work import Work
from responders.incident import IncidentState
from responders.keyfile import sealer
from responders.notify.notice import Event, Notice
from responders.notify.queue import DeliveryState
from responders.registry import EXPIRED, Change, KeyState
from responders.store import SqlRecords
from responders.targets import Target, TargetKind
from scanner.errors import UsageError
from tests.support.stores import START, Clock, known_key

SHOP = Target("shop", TargetKind.URL, "https://git.example.org/shop.git", START, settings={"every": 900.0})
FILES = Target("files", TargetKind.PATH, "/srv/files", START, node="here", settings={"watch": True})


def put(records: SqlRecords, *targets: Target) -> None:
    with records.begin() as tx:
        for target in targets:
            tx.targets.put(target)


def test_targets_are_kept_by_name(records: SqlRecords) -> None:
    put(records, SHOP, FILES)
    with records.read() as tx:
        assert list(tx.targets.list()) == [FILES, SHOP]
        assert tx.targets.get("shop") == SHOP
        assert tx.targets.get("none") is None
    with records.begin() as tx:
        assert tx.targets.remove("shop")
        assert not tx.targets.remove("shop")


def test_what_was_seen_of_a_target_outlives_new_settings_but_not_another_place(records: SqlRecords) -> None:
    put(records, SHOP)
    with records.begin() as tx:
        tx.targets.saw("shop", {"tips": {"a": ["b"]}})
        tx.targets.scanned("shop", START, "2 parts could not be scanned")
    put(records, replace(SHOP, settings={"cron": "0 4 * * *"}))
    with records.read() as tx:
        kept = tx.targets.get("shop")
    assert kept is not None
    assert (kept.seen, kept.last_at, kept.settings) == ({"tips": {"a": ["b"]}}, START, {"cron": "0 4 * * *"})
    put(records, replace(SHOP, place="https://git.example.org/other.git"))
    with records.read() as tx:
        fresh = tx.targets.get("shop")
    assert fresh is not None
    assert (fresh.seen, fresh.last_at) == ({}, None)


def test_a_time_comes_up_once_however_many_look(
    records: SqlRecords, second: SqlRecords, clock: Clock, tmp_path: Path
) -> None:
    daemons = [
        Schedules(lambda store=store: store, Work(store, clock, lambda: sealer(tmp_path), node=node), clock)  # type: ignore[misc]
        for store, node in ((records, "here"), (second, "there"))
    ]
    put(records, replace(SHOP, next_at=START + timedelta(minutes=15)))
    assert [daemon.fire() for daemon in daemons] == [[], []]
    clock.forward(hours=5)  # twenty times were missed
    assert [daemon.fire() for daemon in daemons] == [["shop"], []]
    with records.read() as tx:
        assert sum(tx.work.counts().values()) == 1
        target = tx.targets.get("shop")
    assert target is not None
    assert target.next_at == clock() + timedelta(minutes=15)
    clock.forward(minutes=15)
    assert [daemon.fire() for daemon in reversed(daemons)] == [["shop"], []]
    with records.read() as tx:
        assert sum(tx.work.counts().values()) == 1, "a scan that waits already stands for the next one too"


def test_a_schedule_is_moved_from_one_time_to_another_or_not_at_all(records: SqlRecords) -> None:
    put(records, replace(SHOP, next_at=START))
    with records.begin() as tx:
        assert not tx.targets.plan("shop", None, START)
        assert not tx.targets.plan("shop", START + timedelta(microseconds=1), START)
        assert tx.targets.plan("shop", START, None)
        assert tx.targets.plan("shop", None, START)


def test_schedules_are_intervals_or_cron_with_jitter() -> None:
    assert next_time(FILES, START) is None
    assert next_time(SHOP, START + timedelta(minutes=20)) == START + timedelta(minutes=30)
    daily = replace(SHOP, settings={"cron": "30 4 * * *"})
    found = next_time(daily, START, START.tzinfo)
    assert found is not None
    assert (found.hour, found.minute) == (4, 30)
    times = {next_time(replace(SHOP, settings={"every": 900.0, "jitter": 60.0}), START) for _ in range(20)}
    assert len(times) > 1
    assert all(t is not None and START + timedelta(minutes=14) <= t <= START + timedelta(minutes=16) for t in times)
    with pytest.raises(UsageError, match="shop"):
        next_time(replace(SHOP, settings={"cron": "99 4 * * *"}), START)


def test_what_was_looked_at_is_remembered_across_processes(records: SqlRecords, second: SqlRecords) -> None:
    put(records, FILES)
    memory, other = Memory(lambda: records), Memory(lambda: second)
    memory.saw_files("files", 5.0)
    assert memory.of("files").upto == 0, "before the first whole scan no mark moves"
    memory.saw_all("files", 10.0, "these rules")
    memory.saw_files("files", 20.0)
    memory.saw_files("files", 15.0)
    memory.saw_tips("files", "/srv/files/.git", {"b", "a"})
    memory.save()
    seen = other.of("files")
    assert (seen.upto, seen.sought, seen.tips) == (20.0, "these rules", {"/srv/files/.git": frozenset("ab")})
    memory.saw_files("files", 30.0)
    memory.save()
    assert other.of("files").upto == 20.0
    assert other.of("files", anew=True).upto == 30.0
    memory.forget("files")
    assert memory.of("files").upto == 30.0


def test_keys_past_their_time_are_told_of_once(records: SqlRecords) -> None:
    with records.begin() as tx:
        tx.keys.add(known_key(1, expires_at=START), None)
        tx.keys.add(known_key(2, expires_at=START + timedelta(hours=1)), None)
        tx.keys.add(known_key(3), None)
        tx.keys.add(known_key(4, expires_at=START, state=KeyState.DELETED), None)
        assert [key.id for key in tx.keys.expired(START)] == ["ApiKey-0001"]
        tx.keys.put(tx.keys.get("ApiKey-0001"), Change(START, "keyfuse", EXPIRED))
        assert tx.keys.expired(START) == []
        assert [key.id for key in tx.keys.expired(START + timedelta(hours=1))] == ["ApiKey-0002"]


def test_old_notices_are_forgotten_but_not_those_that_wait(records: SqlRecords) -> None:
    old, waiting, young = (
        Notice(name, Event.TEST, "s", "b", None, {}, at)
        for name, at in (("old", START), ("waiting", START), ("young", START + timedelta(days=9)))
    )
    with records.begin() as tx:
        for notice in (old, waiting, young):
            tx.notices.enqueue(notice, "mail", "a", START)
        for delivery in tx.notices.due(START):
            if delivery.notice.id != "waiting":
                tx.notices.mark(replace(delivery, state=DeliveryState.SENT))
        assert tx.notices.purge(START + timedelta(days=1), [IncidentState.CONTAINED]) == 1
        assert tx.notices.count(DeliveryState.SENT) == 1
        assert tx.notices.count(DeliveryState.WAITING) == 1
        assert tx.notices.next_time() == START
