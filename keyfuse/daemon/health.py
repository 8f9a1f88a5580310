"""Whether the daemon lives and whether it is ready: each of its threads gives signs of life, or says that it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HUNG_AFTER = 120.0
"""Seconds without a sign of life after which a thread is taken for hung."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Well or not, and what is wrong, by the part that is concerned."""

    well: bool
    troubles: Mapping[str, str]


class Health:
    """Thread-safe. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._beats: dict[str, tuple[float, float]] = {}
        self._troubles: dict[str, str] = {}
        self._unready: dict[str, str] = {"daemon": "it is starting"}

    def beat(self, part: str, within: float = HUNG_AFTER) -> None:
        """A sign of life; the next one is due within so many seconds."""
        with self._lock:
            self._beats[part] = (self._clock(), within)

    def gone(self, part: str) -> None:
        """The part has ended as it should."""
        with self._lock:
            self._beats.pop(part, None)

    def trouble(self, part: str, reason: str) -> None:
        """Something does not work, but may again; an empty reason says that it does."""
        with self._lock:
            if reason:
                self._troubles[part] = reason
            else:
                self._troubles.pop(part, None)

    def unready(self, part: str, reason: str) -> None:
        """No work should come in yet, or any more; an empty reason takes that back."""
        with self._lock:
            if reason:
                self._unready[part] = reason
            else:
                self._unready.pop(part, None)

    def live(self) -> Verdict:
        """Whether every thread gives signs of life: if not, only a restart helps."""
        now = self._clock()
        with self._lock:
            hung = {
                part: f"no sign of life for {now - at:.0f} s"
                for part, (at, within) in self._beats.items()
                if now - at > within
            }
        return Verdict(not hung, hung)

    def ready(self) -> Verdict:
        """Whether it lives and does its work."""
        live = self.live()
        with self._lock:
            wrong = {**self._troubles, **self._unready, **live.troubles}
        return Verdict(not wrong, wrong)
