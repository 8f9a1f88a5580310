"""Which written files are to be scanned now: those that have been quiet for a moment. Bounded; has no clock."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MOST = 4_000
"""More files than this waiting at once are a mass change, which is better listed than remembered."""
OPEN = 6.0
"""A file that is still being written waits so many times longer than one that was closed."""
LONGEST = 40.0
"""After so many times the quiet time a file is scanned even if it never gets quiet."""
REST = 10.0
"""A file that took a second to scan rests so many seconds before it is scanned again: logs are written all the time."""
HEAVY = 0.25
"""Seconds; what takes less need not rest."""
REMEMBERED = 10_000


@dataclass(slots=True)
class _Waiting:
    since: float  # wall clock: for the mark
    first: float
    due: float


class Settling:
    """Paths of one target between being written and being scanned. Times are seconds; not thread-safe.

    `oldest` is the wall-clock time of the first change that has not been scanned: up to there all is done.
    """

    def __init__(self, quiet: float, most: int = MOST) -> None:
        self._quiet = quiet
        self._most = most
        self._waiting: dict[str, _Waiting] = {}
        self._taken: dict[str, float] = {}
        self._rests: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def wrote(self, path: str, *, closed: bool, now: float, wall: float) -> bool:
        """Notes a change; false when there are too many: then everything has to be listed since `oldest`."""
        waiting = self._waiting.get(path)
        if waiting is None:
            if len(self._waiting) >= self._most:
                return False
            waiting = self._waiting[path] = _Waiting(wall, now, now)
        quiet = self._quiet if closed else self._quiet * OPEN
        due = min(now + quiet, waiting.first + self._quiet * LONGEST)
        waiting.due = max(due, self._rests.get(path, 0.0))
        return True

    def forget(self, path: str) -> None:
        """The file is gone."""
        self._waiting.pop(path, None)

    def take(self, now: float, most: int) -> list[str]:
        """What is due, oldest first. It counts as not done until `done`."""
        due = sorted((each.first, path) for path, each in self._waiting.items() if each.due <= now)
        paths = [path for _, path in due[:most]]
        for path in paths:
            since = self._waiting.pop(path).since
            self._taken[path] = min(since, self._taken.get(path, since))
        return paths

    def done(self, path: str, *, now: float = 0.0, took: float = 0.0) -> None:
        """A path that was taken has been scanned, in so many seconds, and what was found in it is on disk."""
        self._taken.pop(path, None)
        if took >= HEAVY:
            self._rests[path] = now + took * REST
            self._rests.move_to_end(path)
            while len(self._rests) > REMEMBERED:
                self._rests.popitem(last=False)

    def next_due(self) -> float | None:
        """When the next path is due."""
        return min((each.due for each in self._waiting.values()), default=None)

    def oldest(self) -> float | None:
        """When the first change came that has not been scanned yet; None when all have been."""
        waiting = (each.since for each in self._waiting.values())
        return min((*waiting, *self._taken.values()), default=None)

    def clear(self) -> None:
        """Forgets what waits: something else looks at all of it."""
        self._waiting.clear()
