"""How often somebody may ask: token buckets, so many a minute each, of which only the latest few thousand are kept."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEPT = 20_000


class Buckets:
    """One bucket per name, full at first. Thread-safe."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> int:
        """Takes one; 0 when there was one to take, else after how many seconds there will be."""
        with self._lock:
            left = self._level(name)
            if left < 1:
                return math.ceil((1 - left) * 60 / self._size)
            self._keep(name, left - 1)
            return 0

    def wait(self, name: str) -> int:
        """As `take`, but takes nothing."""
        with self._lock:
            left = self._level(name)
            return 0 if left >= 1 else math.ceil((1 - left) * 60 / self._size)

    def _level(self, name: str) -> float:
        left, at = self._left.get(name, (self._size, self._clock()))
        return min(self._size, left + (self._clock() - at) * self._size / 60)

    def _keep(self, name: str, left: float) -> None:
        self._left[name] = (left, self._clock())
        self._left.move_to_end(name)
        while len(self._left) > MOST_KEPT:
            self._left.popitem(last=False)
