"""When targets are scanned: cron or interval with jitter, worked out by APScheduler; the times lie in the database.

The time of the next scan is part of the target's row. Whoever moves it from one time to the next puts the scan in the
queue, in the same transaction: so each time comes up once, however many daemons look, and a daemon that dies in
between leaves either both or neither. Times that were missed count as one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from keyfuse.daemon.work import Work
from responders.records import Records
from responders.targets import Target
from scanner.errors import UsageError


def trigger_of(target: Target, zone: tzinfo | None = None) -> Any:
    """What says when: an APScheduler trigger, or None without a schedule. Raises UsageError for a bad one."""
    settings = target.settings
    jitter = int(settings.get("jitter", 0)) or None
    try:
        if cron := settings.get("cron"):
            trigger = CronTrigger.from_crontab(str(cron), timezone=zone)
            trigger.jitter = jitter
            return trigger
        if every := float(settings.get("every", 0)):
            return IntervalTrigger(seconds=every, start_date=target.added_at, timezone=zone, jitter=jitter)
    except ValueError as error:
        raise UsageError(f"the schedule of target {target.name} cannot be read: {error}") from None
    return None


def next_time(target: Target, after: datetime, zone: tzinfo | None = None) -> datetime | None:
    """The first time after this moment at which a target is to be scanned; None without a schedule."""
    trigger = trigger_of(target, zone)
    if trigger is None:
        return None
    found: datetime | None = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    return found


class Schedules:
    """Puts what is due into the queue of work."""

    def __init__(self, records: Callable[[], Records], work: Work, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._work = work
        self._clock = clock

    def fire(self) -> list[str]:
        """Has every target scanned whose time has come, once. Returns their names."""
        now = self._clock()
        with self._records().read() as tx:
            due = tx.targets.due(now)
        fired = []
        for target in due:
            after = next_time(target, now)
            with self._records().begin(alone=False) as tx:
                if tx.targets.plan(target.name, target.next_at, after):
                    enqueue_scan(self._work, target, within=tx)
                    fired.append(target.name)
        return fired


def enqueue_scan(work: Work, target: Target, *, full: bool = False, within: Any = None) -> str:
    """Has a target scanned by whoever can reach it. While one such scan waits, there is no second."""
    dedupe = f"target:{target.name}:full" if full else f"target:{target.name}"
    return work.enqueue("scan", {"target": target.name, "full": full}, dedupe=dedupe, node=target.node, within=within)
