"""What the daemon looks after in the background: actions, expiries, schedules, notices, and what may be forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.meters import Meters
from scanner.errors import KeyfuseError


@dataclass(slots=True)
class Chore:
    """Something to do every so many seconds. A failure is said and does not keep it from being done again."""

    name: str
    every: float
    do: Callable[[], object]
    next_at: float = 0.0


class Round:
    """One thread that does chores as their time comes. A chore can be called for at once."""

    def __init__(
        self,
        name: str,
        chores: list[Chore],
        meters: Meters,
        journal: Journal,
        health: Health,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._chores = chores
        self._meters = meters
        self._journal = journal
        self._health = health
        self._clock = clock
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins; every chore is done once soon."""
        self._thread.start()

    def call(self) -> None:
        """All chores of this round are wanted now."""
        for chore in self._chores:
            chore.next_at = 0.0
        self._wake.set()

    def stop(self, seconds: float) -> bool:
        """Ends after the chore at hand."""
        if self._thread.ident is None:
            return True  # it was never started
        self._ending.set()
        self._wake.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def turn(self) -> float:
        """Does what is due; returns the seconds until the next one is."""
        for chore in self._chores:
            if chore.next_at > self._clock() or self._ending.is_set():
                continue
            chore.next_at = self._clock() + chore.every
            try:
                chore.do()
            except Exception as error:
                self._meters.errors.labels(chore.name).inc()
                reason = str(error) if isinstance(error, KeyfuseError) else type(error).__name__
                self._journal.error("a chore failed; it is done again", chore=chore.name, reason=reason)
                self._health.trouble(chore.name, reason)
            else:
                self._health.trouble(chore.name, "")
        return max(0.0, min(chore.next_at for chore in self._chores) - self._clock())

    def _run(self) -> None:
        while not self._ending.is_set():
            self._health.beat(self._name, 600.0)
            self._wake.clear()
            wait = self.turn()
            self._wake.wait(min(wait, 30.0))
        self._health.gone(self._name)
