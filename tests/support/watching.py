"""Watches the process list while something runs: every command line and environment that anybody could have read."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class ProcessWatch:
    """Collects `/proc/*/cmdline` and `/proc/*/environ` of this user's processes, again and again, in a thread."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="process-watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.002):
            for process in Path("/proc").iterdir():
                if process.name.isdigit() and int(process.name) != os.getpid():
                    for name in ("cmdline", "environ"):
                        try:
                            self.seen.add((process / name).read_bytes())
                        except OSError:
                            continue  # it has ended, or is somebody else's
