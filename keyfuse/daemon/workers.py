"""Threads that take work out of the queue, keep its lease while they are at it, and say what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.labour import Gone
from keyfuse.daemon.meters import Meters
from keyfuse.daemon.work import LEASE, Work
from responders.errors import StoreError
from responders.work import WorkItem
from scanner.errors import KeyfuseError

IDLE = 5.0
"""Seconds between looks at the queue, which other daemons fill too."""


class Worker:
    """One thread for some kinds of work."""

    def __init__(
        self,
        name: str,
        kinds: Callable[[], Collection[str]],
        handle: Callable[[WorkItem], Mapping[str, Any]],
        work: Work,
        meters: Meters,
        journal: Journal,
        health: Health,
    ) -> None:
        self._name = name
        self._kinds = kinds
        self._handle = handle
        self._work = work
        self._meters = meters
        self._journal = journal
        self._health = health
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._current: WorkItem | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._keeper = threading.Thread(target=self._keep, name=f"{name}-lease", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()
        self._keeper.start()

    def wake(self) -> None:
        """There is work."""
        self._wake.set()

    def stop(self, seconds: float) -> bool:
        """Takes nothing new and waits for what is under way; what does not end in time is given back."""
        if self._thread.ident is None:
            return True  # it was never started
        self._ending.set()
        self._wake.set()
        self._thread.join(seconds)
        item = self._current
        if item is not None and self._thread.is_alive():
            self._work.give_back(item)
            return False
        return True

    def _run(self) -> None:
        while not self._ending.is_set():
            self._health.beat(self._name)
            self._wake.clear()
            try:
                claimed = self._work.claim(self._kinds())
                self._health.trouble(self._name, "")
            except StoreError as error:
                self._journal.error("the queue of work cannot be read", part=self._name, reason=str(error))
                self._health.trouble(self._name, str(error))
                claimed = ()
            for item in claimed:
                self._current = item
                self._do(item)
                self._current = None
            if not claimed:
                self._wake.wait(IDLE)
        self._health.gone(self._name)

    def _keep(self) -> None:
        """While an item is worked at, its lease is kept and the thread counts as alive."""
        while not self._ending.wait(LEASE.total_seconds() / 3):
            item = self._current
            if item is None:
                continue
            self._health.beat(self._name)
            try:
                if not self._work.heartbeat(item):
                    self._journal.warning("another daemon took this work over", kind=item.kind, item=item.id)
            except StoreError as error:
                self._journal.warning("a lease could not be kept", kind=item.kind, reason=str(error))

    def _do(self, item: WorkItem) -> None:
        outcome = "done"
        try:
            try:
                result = self._handle(item)
            except Gone as gone:
                outcome = "void"
                self._work.complete(item, {"void": str(gone)})
            except Exception as error:  # it is tried again later, and given up when that never helps
                outcome = "failed"
                reason = str(error) if isinstance(error, KeyfuseError) else f"a defect ({type(error).__name__})"
                self._journal.error("work failed", kind=item.kind, attempt=item.attempts, reason=reason)
                self._work.fail(item, reason)
            else:
                self._work.complete(item, result)
        except StoreError as error:  # the lease runs out, and the work is done once more
            self._journal.error("the end of some work could not be written", kind=item.kind, reason=str(error))
        self._meters.work.labels(item.kind, outcome).inc()
