"""The thread that delivers notices: at once when it is called, and when a delivery that failed is due again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.meters import Meters
from keyfuse.session import Session
from responders.notify.courier import Round
from scanner.errors import KeyfuseError

LONGEST = 15.0
"""Seconds between looks at the queue, which other processes fill too."""
GATHER = 0.2
COURTESY = 1.0
"""Seconds that notices wait for responses under way, at most."""


class Post:
    """One courier in one thread: so it knows whom it told lately."""

    def __init__(
        self, session: Session, meters: Meters, journal: Journal, health: Health, busy: Callable[[], bool]
    ) -> None:
        self._busy = busy
        self._meters = meters
        self._journal = journal
        self._health = health
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="post", daemon=True)
        self.renew(session)

    def renew(self, session: Session) -> None:
        """Goes on under another configuration."""
        self._session = session
        self._courier = session.courier()

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    def call(self) -> None:
        """There may be something to deliver."""
        self._wake.set()

    def stop(self, seconds: float) -> bool:
        """Delivers what is due once more, and ends; true when it did in time."""
        if self._thread.ident is None:
            return True  # it was never started
        self._ending.set()
        self._wake.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            last = self._ending.is_set()
            self._health.beat("post", 900.0)
            self._wake.clear()
            self._give_way(0.0 if last else COURTESY)
            try:
                self._count(self._courier.deliver())
                self._health.trouble("post", "")
                wait = self._until_next()
            except Exception as error:
                reason = str(error) if isinstance(error, KeyfuseError) else type(error).__name__
                self._meters.errors.labels("post").inc()
                self._journal.error("notices could not be delivered; it is tried again", reason=reason)
                self._health.trouble("post", reason)
                wait = 5.0
            if last:
                break
            self._wake.wait(wait)
        self._health.gone("post")

    def _give_way(self, seconds: float) -> None:
        """Lets responses go first: both write to the same database, and a live key is more urgent than a notice."""
        end = time.monotonic() + seconds
        self._ending.wait(min(seconds, GATHER))  # a leak's notices come in company
        while self._busy() and time.monotonic() < end and not self._ending.is_set():
            time.sleep(0.02)

    def _until_next(self) -> float:
        with self._session.records().read() as tx:
            due = tx.notices.next_time()
        if due is None:
            return LONGEST
        wait: timedelta = due - self._session.clock()
        return min(max(wait.total_seconds(), 0.2), LONGEST)

    def _count(self, carried: Round) -> None:
        for outcome in ("sent", "retried", "dead", "folded", "held"):
            if number := getattr(carried, outcome):
                self._meters.notices.labels(outcome).inc(number)
        if carried.dead:
            self._journal.error("notices were given up; keyfuse doctor names them", notices=carried.dead)
