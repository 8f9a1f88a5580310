"""Standard input, read as it comes in windows of bounded size.

An archive that is larger than a window is kept in an unnamed file first: it cannot be taken apart in pieces.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from scanner.model import Blob, Finding, Origin, Place, Skipped
from scanner.sources.windows import OVERLAP, windows
from scanner.unpack.kinds import kind_of

WINDOW = 32 << 20
"""So much is held at a time; what is shorter comes in one piece."""
_PIECE = 1 << 20


class StdinUnit:
    """Unit: what comes in on one stream. It holds the stream, so it cannot go to another process."""

    def __init__(self, stream: BinaryIO, window: int = WINDOW, overlap: int = OVERLAP) -> None:
        self._stream = stream
        self._window = window
        self._overlap = overlap
        self.weight = 1  # however much comes, it is read here: a weight worth a worker would send it to one

    def blobs(self) -> Iterator[Blob | Skipped]:
        """Windows that overlap, until the stream ends."""
        origin = Origin(Place.STDIN, "-")
        offset, line, kept = 0, 1, b""
        try:
            fresh = self._fill(self._window)
            if len(fresh) == self._window and kind_of(fresh):
                yield from self._kept(fresh, origin)
                return
            while fresh:
                data = kept + fresh
                yield Blob(data, origin, offset, line)
                step = max(len(data) - self._overlap, 1)
                line += data.count(b"\n", 0, step)
                offset += step
                kept = data[step:]
                fresh = self._fill(self._window - len(kept))
        except OSError as error:
            yield Skipped("-", f"standard input cannot be read: {error.strerror}")

    def _kept(self, first: bytes, origin: Origin) -> Iterator[Blob]:
        """All of the stream, from a file that nobody else sees. Raises OSError where there is no room for it."""
        from tempfile import TemporaryFile  # noqa: PLC0415 - for large archives alone

        with TemporaryFile(buffering=0) as file:
            piece = first
            while piece:
                if file.write(piece) != len(piece):
                    raise OSError(errno.ENOSPC, "no room to keep it while it is unpacked")
                piece = self._fill(_PIECE)
            file.seek(0)
            yield from windows(file, origin)

    def _fill(self, room: int) -> bytes:
        """As much as there is room for; less only at the end."""
        pieces = []
        while room and (piece := self._stream.read(room)):
            pieces.append(piece)
            room -= len(piece)
        return b"".join(pieces)


class StdinSource:
    """Source: one stream, as one unit; nothing more is known of what was found in it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def units(self) -> Iterator[StdinUnit | Skipped]:
        """The one unit."""
        yield StdinUnit(self._stream)

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """Nothing more is known of what came in."""
        return list(findings)
