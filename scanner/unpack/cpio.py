"""cpio archives in the portable formats: what is in RPM packages, and in the first file system of a Linux kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.parts import Box, Chained, Member, Part, Slice, buffered, exactly, read

_LONGEST = 4_096
_LAST = b"TRAILER!!!"


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The members; and what follows the archive, as a member of its own: kernels are given several in a row."""
    while True:
        box.budget.member()
        name, size, padding = _head(stream)
        if name == _LAST:
            break
        content = Slice(stream, size)
        if size:
            yield Member(name.decode("utf-8", "surrogateescape"), buffered(content))
        content.finish()
        read(stream, padding)
    while piece := stream.read(1 << 16):
        piece = piece.lstrip(b"\0")
        if piece:
            yield Member("(what follows)", buffered(Chained(piece, stream)))
            return


def _head(stream: BinaryIO) -> tuple[bytes, int, int]:
    """A member's name, its size, and how many bytes fill it up. Raises ValueError where that is not what is there."""
    magic = exactly(stream, 6)
    if magic in (b"070701", b"070702"):
        fields = exactly(stream, 104)
        size, length = int(fields[48:56], 16), int(fields[88:96], 16)
        if not 0 < length <= _LONGEST:
            raise ValueError("a name of that length")
        name = exactly(stream, length)
        read(stream, -(110 + length) % 4)
        return name.rstrip(b"\0"), size, -size % 4
    if magic == b"070707":
        fields = exactly(stream, 70)
        size, length = int(fields[59:70], 8), int(fields[53:59], 8)
        if not 0 < length <= _LONGEST:
            raise ValueError("a name of that length")
        return exactly(stream, length).rstrip(b"\0"), size, 0
    raise ValueError("a member's head is damaged")
