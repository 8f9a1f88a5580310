"""Content too large to be held whole, as windows that overlap, without the holes of sparse files."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import BinaryIO

from scanner.model import Blob, Origin

WINDOW = 16 << 20
OVERLAP = 64 << 10
"""A secret longer than this can be cut by a window's end; no rule may be that long."""

_SEEK_DATA: int | None = getattr(os, "SEEK_DATA", None)
_SEEK_HOLE: int | None = getattr(os, "SEEK_HOLE", None)


def windows(file: BinaryIO, origin: Origin, window: int = WINDOW, overlap: int = OVERLAP) -> Iterator[Blob]:
    """The content of an open file as blobs that overlap; the first carries the file itself as `stream`.

    Every window knows its offset and the number of its first line. Raises OSError where the file cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    line = 1
    stream: BinaryIO | None = file
    for start, end in _extents(file.fileno(), size, overlap):
        at = start
        while at < end:
            data = _read(file.fileno(), at, min(window, end - at))
            if not data:
                return  # it was cut short while being read
            yield Blob(data, origin, at, line, stream)
            stream = None
            done = at + len(data) >= end
            step = len(data) if done else max(len(data) - overlap, 1)
            line += data.count(b"\n", 0, step)
            at += step


def _read(descriptor: int, at: int, length: int) -> bytes:
    pieces = []
    while length:
        piece = os.pread(descriptor, length, at)
        if not piece:
            break
        pieces.append(piece)
        at += len(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _extents(descriptor: int, size: int, bridge: int) -> Iterator[tuple[int, int]]:
    """Where a file holds data; holes smaller than `bridge` are read over."""
    begin = end = -1
    for start, stop in _data(descriptor, size):
        if begin >= 0 and start - end < bridge:
            end = stop
            continue
        if begin >= 0:
            yield begin, end
        begin, end = start, stop
    if begin >= 0:
        yield begin, end


def _data(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    if _SEEK_DATA is None or _SEEK_HOLE is None:
        yield 0, size
        return
    at = 0
    while at < size:
        try:
            start = os.lseek(descriptor, at, _SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # nothing but a hole from here to the end
            yield at, size  # the file system cannot tell
            return
        at = os.lseek(descriptor, start, _SEEK_HOLE)
        yield start, at
