"""One line on a terminal that says how far a scan is. Silent where stderr is no terminal."""

from __future__ import annotations

import time
from typing import TextIO

FIRST_AFTER = 0.5
"""Seconds before anything is shown: what is done sooner needs no progress."""
EVERY = 0.1
"""Seconds between two updates."""


class Progress:
    """Shows counts, and wipes them away when closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._active = stream.isatty()
        self._next = time.monotonic() + FIRST_AFTER
        self._shown = False

    def show(self, blobs: int, size: int, findings: int) -> None:
        """Updates the line, at most ten times a second."""
        if not self._active or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        self._shown = True
        self._stream.write(f"\r\x1b[K{blobs:,} contents, {size / 1e6:,.0f} MB, {findings:,} found")
        self._stream.flush()

    def close(self) -> None:
        """Wipes the line."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False
