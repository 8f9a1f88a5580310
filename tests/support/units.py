"""Units of work whose content is at hand, and some that misbehave."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

from scanner.model import Blob, Origin, Place, Skipped
from scanner.record import Record


class Contents(Record):
    """Unit: files of this content, by path. `size` is what it claims to weigh."""

    files: tuple[tuple[str, bytes], ...]
    size: int = 1 << 20

    @property
    def weight(self) -> int:
        """As claimed."""
        return self.size

    def blobs(self) -> Iterator[Blob | Skipped]:
        """The files."""
        for path, data in self.files:
            yield Blob(data, Origin(Place.FILE, path))


class Deadly(Record):
    """Unit: kills the process that reads it, once it has given one file."""

    path: str
    weight: int = 1 << 20

    def blobs(self) -> Iterator[Blob | Skipped]:
        """A file, and the end."""
        yield Blob(b"last words", Origin(Place.FILE, self.path))
        os.kill(os.getpid(), signal.SIGKILL)


class Endless(Record):
    """Unit: never comes to an end."""

    weight: int = 1 << 20

    def blobs(self) -> Iterator[Blob | Skipped]:
        """Nothing, for a long time."""
        yield Blob(b"", Origin(Place.FILE, "endless"))
        time.sleep(600)


class Broken(Record):
    """Unit: fails half-way, as code with a mistake in it would."""

    weight: int = 1 << 20

    def blobs(self) -> Iterator[Blob | Skipped]:
        """A file, then a mistake."""
        yield Blob(b"fine", Origin(Place.FILE, "broken/one"))
        raise LookupError("with words that nobody should see")
