"""What has been looked at of each target: commits by repository, files up to a moment. In memory, and in the database.

It is written after the incidents of what was looked at: whoever dies in between looks again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from responders.records import Records


@dataclass(slots=True)
class Seen:
    """Of one target. `upto` is in seconds since 1970, 0 before the first whole scan; `sought`: what was looked for."""

    upto: float = 0.0
    sought: str = ""
    tips: dict[str, frozenset[str]] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {
            "upto": self.upto,
            "sought": self.sought,
            "tips": {name: sorted(some) for name, some in sorted(self.tips.items())},
        }


class Memory:
    """Thread-safe."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}
        self._changed: set[str] = set()

    def of(self, name: str, *, anew: bool = False) -> Seen:
        """What was seen of a target. `anew` reads it from the database, where another daemon may have changed it."""
        with self._lock:
            if name in self._seen and not anew:
                return self._seen[name]
        with self._records().read() as tx:
            target = tx.targets.get(name)
        stored = target.seen if target else {}
        seen = Seen(
            float(stored.get("upto", 0.0)),
            str(stored.get("sought", "")),
            {name: frozenset(some) for name, some in stored.get("tips", {}).items()},
        )
        with self._lock:
            return self._seen.setdefault(name, seen) if not anew else self._put(name, seen)

    def _put(self, name: str, seen: Seen) -> Seen:
        self._seen[name] = seen
        return seen

    def saw_tips(self, name: str, git_dir: str, tips: Collection[str]) -> None:
        """These commits, and all before them, have been looked at."""
        seen = self.of(name)
        with self._lock:
            seen.tips[git_dir] = frozenset(tips)
            self._changed.add(name)

    def saw_files(self, name: str, upto: float) -> None:
        """Every file that changed before this moment has been looked at. Counts only after a first whole scan."""
        seen = self.of(name)
        with self._lock:
            if seen.upto and upto > seen.upto:
                seen.upto = upto
                self._changed.add(name)

    def saw_all(self, name: str, began: float, sought: str) -> None:
        """All that was there at this moment has been looked at."""
        seen = self.of(name)
        with self._lock:
            seen.upto, seen.sought = max(began, seen.upto), sought
            self._changed.add(name)

    def forget(self, name: str) -> None:
        """The target is gone, or another one has its name."""
        with self._lock:
            self._seen.pop(name, None)
            self._changed.discard(name)

    def save(self) -> None:
        """Writes what has changed. Raises StoreError."""
        with self._lock:
            changed = {name: self._seen[name].stored() for name in self._changed}
            self._changed.clear()
        if not changed:
            return
        try:
            with self._records().begin(alone=False) as tx:
                for name, stored in changed.items():
                    tx.targets.saw(name, stored)
        except BaseException:
            with self._lock:
                self._changed.update(changed)
            raise
