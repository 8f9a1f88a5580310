"""Whether one provider may be asked just now: pace, the provider's own word to wait, and a circuit breaker.

Times are seconds of a clock that only goes forward.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BURST = 10
"""Requests that may go out at once before the pace counts."""
PATIENCE = 30.0
"""The longest that a request waits for its turn, in seconds; one that would wait longer is not sent."""
FAILURES = 5
"""So many failures in a row open the circuit."""
COOLING = 60.0
"""Seconds for which nothing is sent then; after that one request may try."""
LONGEST_WAIT = 3600.0
"""The longest that a provider's own word to wait is taken for, in seconds."""


class Gate:
    """One provider's gate; may be shared between threads. `pause` sleeps."""

    def __init__(self, per_minute: int, *, now: Callable[[], float], pause: Callable[[float], None]) -> None:
        self._pace = 60.0 / per_minute if per_minute else 0.0
        self._now = now
        self._pause = pause
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._closed_until = float("-inf")
        self._why = ""
        self._failures = 0

    def enter(self) -> str:
        """Waits for the turn of one request. Returns why it must not be sent, or nothing."""
        with self._lock:
            now = self._now()
            if now < self._closed_until:
                return f"{self._why}; not asked for another {self._closed_until - now:.0f} s"
            turn = max(self._next, now - BURST * self._pace)
            wait = turn - now
            if wait > PATIENCE:
                return f"more requests wait than requests_per_minute lets through within {PATIENCE:.0f} s"
            self._next = turn + self._pace
            if self._failures >= FAILURES:  # one may try; if it fails too, the circuit opens again at once
                self._closed_until = now + COOLING
        if wait > 0:
            self._pause(wait)
        return ""

    def answered(self) -> None:
        """The provider gave an answer that is not a failure of its own."""
        with self._lock:
            self._failures = 0
            self._closed_until = float("-inf")

    def failed(self, why: str) -> None:
        """There was no answer, or the provider's own failure."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._closed_until = self._now() + COOLING
                self._why = f"{self._failures} failures in a row, the last: {why}"

    def told_to_wait(self, seconds: float) -> None:
        """The provider's own word: nothing is sent before then."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._now() + min(max(seconds, 1.0), LONGEST_WAIT))
            self._why = "the provider asks to wait"


def wait_of(value: str, now: datetime) -> float | None:
    """`Retry-After` in seconds: a number, or a date."""
    try:
        return float(value) if value.strip().replace(".", "", 1).isdigit() else _until(value, now)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(value: str, now: datetime) -> float:
    moment = parsedate_to_datetime(value)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
