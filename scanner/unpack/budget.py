"""How much one container may cost before it counts as a bomb."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import TypeVar

from scanner.options import Limits

T = TypeVar("T")

_FREE = 16 << 20
"""However small a container is, it may grow to this many bytes."""

_HONEST = 4
"""However large a container is, it may grow so many times: it is no bomb for being large."""


class Exhausted(Exception):
    """The container costs more than it may; the text says in which respect."""


class TookTooLong(BaseException):
    """A library was at it for longer than it may. No library's `except Exception` keeps it."""


class Budget:
    """What is left for one container and everything inside it."""

    __slots__ = ("_allowed", "_held", "_members", "_reason", "limits")

    def __init__(self, limits: Limits, size: int) -> None:
        self.limits = limits
        grown = max(size * limits.ratio, _FREE)
        total = max(limits.total_bytes, size * _HONEST)
        self._allowed = min(total, grown)
        self._reason = (
            f"grows more than {limits.ratio} times when unpacked"
            if grown < total
            else f"holds more than {total:,} bytes when unpacked"
        )
        self._members = limits.members
        self._held = 0

    def member(self) -> None:
        """Takes account of one member. Raises Exhausted."""
        self._members -= 1
        if self._members < 0:
            raise Exhausted(f"holds more than {self.limits.members:,} members")

    def spend(self, size: int) -> None:
        """Takes account of unpacked bytes. Raises Exhausted."""
        self._allowed -= size
        if self._allowed < 0:
            raise Exhausted(self._reason)

    def room(self) -> int:
        """How many more bytes may be held in memory at a time."""
        return max(self.limits.member_bytes - self._held, 0)

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Takes account of so many bytes that are held in memory for a while."""
        self._held += size
        try:
            yield
        finally:
            self._held -= size


def hurried(seconds: float, work: Callable[[], T]) -> T:
    """What a library makes of hostile content, if it does so in time. Raises TookTooLong.

    An alarm says so where one can be set: in the main thread, when nobody else has set one. Elsewhere the clock is
    looked at whenever the library calls a function, which makes it take twice as long.
    """
    free = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if free and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0):
        return _alarmed(seconds, work)
    end = monotonic() + seconds

    def look(_frame: FrameType, _event: str, _argument: object) -> None:
        if monotonic() > end:
            raise TookTooLong

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        return work()
    finally:
        sys.setprofile(before)


def _alarmed(seconds: float, work: Callable[[], T]) -> T:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        return work()
    finally:
        try:  # it can ring until it is switched off
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.signal(signal.SIGALRM, before)
