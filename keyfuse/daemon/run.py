"""The daemon: makes the parts, starts and stops them in order, and minds signals.

    watching -> lookout ----\\
                             > answers -> courier
    schedule -> work -> scans/

Everything that must not be lost is in the database before the next step begins; the threads only make it quick.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Any

from keyfuse import __version__
from keyfuse.daemon.answers import Answers
from keyfuse.daemon.chores import Chore, Round
from keyfuse.daemon.extension import extension_of
from keyfuse.daemon.ground import Ground
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.labour import KINDS, Scans
from keyfuse.daemon.lookout import Lookout
from keyfuse.daemon.memory import Memory
from keyfuse.daemon.meters import Meters
from keyfuse.daemon.node import Hold, node_id
from keyfuse.daemon.notifying import Supervisor
from keyfuse.daemon.post import Post
from keyfuse.daemon.schedule import Schedules, enqueue_scan
from keyfuse.daemon.services import Extension, Services
from keyfuse.daemon.sights import Sights
from keyfuse.daemon.targets import synchronise
from keyfuse.daemon.watching import Told, Watcher
from keyfuse.daemon.work import Work
from keyfuse.daemon.workers import Worker
from keyfuse.session import Session
from responders.incident import IncidentState
from responders.keyfile import sealer
from responders.records import Records
from responders.targets import Target, TargetKind
from scanner.errors import KeyfuseError

SETTLED = (IncidentState.CONTAINED, IncidentState.NOTED, IncidentState.RESOLVED, IncidentState.DISMISSED)
TICK = 1.0
CLOCKS = 300.0
"""Seconds by which the clock of a file server may be late."""


class Daemon:
    """One running daemon. `renewed` makes a session with the configuration as it is in the file now."""

    def __init__(self, session: Session, renewed: Callable[[], Session], journal: Journal | None = None) -> None:
        settings = session.config.daemon
        self._session = session
        self._renewed = renewed
        self.journal = journal or Journal(form=settings.log_format, level=settings.log_level)
        self.health = Health()
        self._supervisor = Supervisor()
        self._stop = threading.Event()
        self._reload = threading.Event()
        data_dir = session.config.data_dir
        self._hold = Hold(data_dir, session.clock())
        self.node = node_id(data_dir)
        self._records: Records = session.records()
        session.fingerprinter()
        self.meters = Meters(lambda: self._records)
        self.memory = Memory(lambda: self._records)
        self.work = Work(
            self._records,
            session.clock,
            lambda: sealer(data_dir),
            node=self.node,
            holder=str(os.getpid()),
            woken=self._wake_workers,
        )
        self.post = Post(session, self.meters, self.journal, self.health, lambda: self.answers.waiting() > 0)
        self.answers = Answers(session, self.meters, self.journal, self.health, self.post.call)
        self.lookout = Lookout(
            Sights(session), self.answers, self.memory, self._enqueue, self.meters, self.journal, self.health,
            settings.settle.total_seconds(),
        )  # fmt: skip
        self.scans = Scans(session, Sights(session), self.answers, self.memory, self.work, self.meters, self.journal)
        told = Told(self.lookout.wrote, self.lookout.gone, self.lookout.lost)
        self.watcher = Watcher(told, self.journal, self.health)
        self.schedules = Schedules(lambda: self._records, self.work, session.clock)
        self._extension: Extension | None = extension_of(self._services())
        self._workers = self._make_workers()
        self._upkeep = Round("upkeep", self._chores(), self.meters, self.journal, self.health)
        self._stored: list[tuple[object, ...]] = []
        self._roots: dict[str, str] = {}
        self._polled_at = time.monotonic()

    # --- life -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Runs until a signal ends it. Raises what keeps it from starting."""
        try:
            self.start()
            self._mind()
        finally:
            self.stop()

    def start(self) -> None:
        """Starts all parts: first what answers, last what brings in more."""
        self.journal.info("starting", version=__version__, pid=os.getpid(), node=self.node)
        self._signals()
        taken = self.work.take_over()
        self.answers.start()
        if self._session.config.database.url.startswith("sqlite"):
            self._supervisor.tell("EXTEND_TIMEOUT_USEC=600000000", "STATUS=finishing what was begun")
            self.answers.recover()  # one daemon per data directory: nobody else is at it
        self.post.start()
        self.post.call()
        self.watcher.start()
        self.lookout.sights.scanner()
        self._settle_targets(at_start=True)
        self.lookout.start()
        for worker in self._workers:
            worker.start()
        self._upkeep.start()
        if self._extension is not None:
            self._extension.start()
        self.health.unready("daemon", "")
        self.journal.info("ready", taken_over=taken)
        self._supervisor.tell("READY=1", f"STATUS=watching {len(self._roots)} targets")

    def stop(self) -> None:
        """Drains: takes nothing new, ends what is under way as far as time allows, leaves the rest in the database."""
        end = time.monotonic() + self._session.config.daemon.drain.total_seconds()

        def left() -> float:
            return max(0.2, end - time.monotonic())

        self.health.unready("daemon", "it is stopping")
        self._supervisor.tell("STOPPING=1")
        self.journal.info("stopping")
        if self._extension is not None:
            self._extension.stop(left())
        self.watcher.stop()
        done = self._upkeep.stop(left())
        done = self.lookout.stop(left() / 2) and done
        for worker in self._workers:
            done = worker.stop(left() / 2) and done
        done = self.answers.drain(left()) and done
        done = self.post.stop(left()) and done
        try:
            self.lookout.mark(self.watcher.polled())
            self.memory.save()
        except KeyfuseError as error:
            self.journal.error("the end could not be written; it is found out again", reason=str(error))
        self._hold.release()
        self.journal.info("stopped", drained=done)

    def end(self) -> None:
        """Asks it to stop."""
        self._stop.set()

    def _signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def ended(_number: int, _frame: FrameType | None) -> None:
            self._stop.set()

        def reloaded(_number: int, _frame: FrameType | None) -> None:
            self._reload.set()

        signal.signal(signal.SIGTERM, ended)
        signal.signal(signal.SIGINT, ended)
        signal.signal(signal.SIGHUP, reloaded)

    def _mind(self) -> None:
        """The main thread's part: signals, roots, signs of life."""
        signs = self._supervisor.interval
        last = 0.0
        while not self._stop.wait(TICK):
            if self._reload.is_set():
                self._reload.clear()
                self.reload()
            self.watcher.check()
            live = self.health.live()
            if signs is not None and time.monotonic() - last >= min(signs, 10.0) and live.well:
                self._supervisor.tell("WATCHDOG=1")
                last = time.monotonic()
            elif not live.well:
                self.journal.error("a part gives no sign of life", **dict(live.troubles))

    # --- configuration ----------------------------------------------------------------------------------------------

    def reload(self) -> bool:
        """Puts the configuration in force as it is in the file now; one with faults is refused, and the old stays."""
        self._supervisor.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            fresh = self._renewed()
            before, after = self._session.config, fresh.config
            if (before.database.url, before.data_dir) != (after.database.url, after.data_dir):
                self.journal.warning("another database or data directory takes a restart; the old one stays in use")
            fresh.share(self._session)
            sights = Sights(fresh), Sights(fresh)
            sights[0].scanner()
            fresh.responder()
            fresh.courier()
            self._settle_targets(session=fresh)
        except KeyfuseError as error:
            self.journal.error("the new configuration is refused; the old one stays in force", reason=str(error))
            self._supervisor.tell("READY=1")
            return False
        self._session = fresh
        self.answers.renew(fresh)
        self.post.renew(fresh)
        self.lookout.sights, self.scans.sights = sights
        self.lookout.quiet = after.daemon.settle.total_seconds()
        self.scans.session = fresh
        self.journal.settle(form=after.daemon.log_format, level=after.daemon.log_level)
        if self._extension is not None:
            self._extension.reloaded(self._services())
        self.journal.info("the configuration was read again")
        self._supervisor.tell("READY=1")
        return True

    def _settle_targets(self, *, session: Session | None = None, at_start: bool = False) -> None:
        """Watches what is to be watched now, and has scanned what has never been scanned or changed meanwhile."""
        session = session or self._session
        targets = synchronise(self._records, session.config.target, node=self.node, now=session.clock())
        mine = [target for target in targets if target.node in ("", self.node)]
        self._stored = _told_apart(targets)
        watched = [t for t in mine if t.kind is TargetKind.PATH and t.settings.get("watch", True)]
        self._roots = {target.name: target.place for target in watched}
        self.lookout.settle({target.name: Ground(target.place, target.place) for target in watched})
        self.watcher.settle(self._roots)
        for target in mine:
            self._catch_up(target, session, at_start=at_start)

    def _catch_up(self, target: Target, session: Session, *, at_start: bool) -> None:
        if at_start:
            self.memory.forget(target.name)
        seen = self.memory.of(target.name)
        if not seen.upto:
            enqueue_scan(self.work, target)
        elif at_start and target.name in self._roots:
            if seen.sought != self.scans.sights.identity():
                enqueue_scan(self.work, target, full=True)
            self._enqueue("sweep", target.name, {"since": seen.upto}, f"sweep:{target.name}:{seen.upto:.0f}")

    # --- parts ------------------------------------------------------------------------------------------------------

    def _services(self) -> Services:
        return Services(
            self._session, self.work, self.answers, self.health, self.meters.text, self.post.call, self.journal
        )

    def _make_workers(self) -> list[Worker]:
        parts = (self.work, self.meters, self.journal, self.health)
        workers = [Worker("scans", lambda: KINDS, self.scans.handle, *parts)]
        if self._extension is not None:
            extension = self._extension
            workers.append(Worker("intake", lambda: extension.kinds, extension.handle, *parts))
        return workers

    def _wake_workers(self) -> None:
        for worker in getattr(self, "_workers", ()):
            worker.wake()

    def _enqueue(self, kind: str, target: str, payload: Mapping[str, Any], dedupe: str) -> None:
        self.work.enqueue(kind, {"target": target, **payload}, dedupe=dedupe, node=self.node)

    def _chores(self) -> list[Chore]:
        return [
            Chore("marks", 5.0, self._mark),
            Chore("schedules", 1.0, self._fire),
            Chore("proofs", 3.0, self._prove),
            Chore("tending", 30.0, self.answers.tend),
            Chore("targets", 2.0, self._look_at_targets),
            Chore("polling", 1.0, self._poll),
            Chore("shapes", 10.0, self._records.sync_shapes),
            Chore("forgetting", 3600.0, self._forget),
        ]

    def _mark(self) -> None:
        if self.watcher.idle():
            self.lookout.mark(self.watcher.polled())
        self.memory.save()

    def _prove(self) -> None:
        if self.answers.responder.prove_pending():
            self.post.call()

    def _fire(self) -> None:
        for name in self.schedules.fire():
            self.journal.debug("scan is due", target=name)
            self._wake_workers()

    def _look_at_targets(self) -> None:
        """Minds targets that a command added or removed, and rules or keys that are sought anew."""
        with self._records.read() as tx:
            stored = _told_apart(tx.targets.list())
        if stored != self._stored:
            self._settle_targets()
            self._wake_workers()

    def _poll(self) -> None:
        now, every = time.monotonic(), self._session.config.daemon.poll.total_seconds()
        if now - self._polled_at < every:
            return
        self._polled_at = now
        for name in self.watcher.polled():
            self.lookout.lost(name, False, CLOCKS)

    def _forget(self) -> None:
        now, settings = self._session.clock(), self._session.config.daemon
        with self._records.begin(alone=False) as tx:
            tx.work.purge(now - settings.keep_work)
        with self._records.begin() as tx:
            tx.notices.purge(now - settings.keep_notices, SETTLED)


def _told_apart(targets: Iterable[Target]) -> list[tuple[object, ...]]:
    """What makes a difference to what is watched."""
    return [(t.name, t.kind, t.place, t.node, dict(t.settings)) for t in targets]
