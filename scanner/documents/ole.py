"""OLE documents: Word, Excel and PowerPoint before 2007, Outlook's messages, and the encrypted ones since.

A file system in a file: its streams are cut into sectors. Laid out as Microsoft's [MS-CFB] has it.
"""

from __future__ import annotations

import io
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from scanner.documents.macros import macros
from scanner.unpack.parts import Box, Chunks, Member, Part, Text, Unread, buffered, exactly

_HEAD = 512
_LAST = 0xFFFFFFFA
"""Sector numbers from here on are marks."""
_STREAM, _ROOT = 2, 5
_TABLE_LIMIT = 1 << 24
_DIRECTORY_LIMIT = 16 << 20
_ENCRYPTED = ("EncryptedPackage", "EncryptionInfo")


class _Entry(NamedTuple):
    name: str
    kind: int
    start: int
    size: int


class _Compound:
    """The file system."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        size = stream.seek(0, 2)
        stream.seek(0)
        head = exactly(stream, _HEAD)
        shift, self._small_shift = struct.unpack_from("<HH", head, 30)
        if shift not in (9, 12) or self._small_shift not in range(4, 9):
            raise ValueError("sectors of that size")
        self._sector = 1 << shift
        self._sectors = size // self._sector
        _, start, _, self._cutoff, small, _, more, _ = struct.unpack_from("<8I", head, 44)
        self._table = self._read_table(struct.unpack_from("<109I", head, 76), more)
        self.entries = self._entries(start)
        root = next((entry for entry in self.entries if entry.kind == _ROOT), None)
        self._small_table = array("I", b"".join(self._chain(small, _TABLE_LIMIT)))
        self._small = b"".join(self._chain(root.start, min(root.size, _TABLE_LIMIT * 4))) if root else b""

    def _sector_at(self, number: int) -> bytes:
        self._stream.seek((number + 1) * self._sector)
        return self._stream.read(self._sector)

    def _read_table(self, first: Sequence[int], more: int) -> array[int]:
        """Which sector follows which."""
        places = [place for place in first if place < _LAST]
        for _ in range(self._sectors):
            if more >= _LAST:
                break
            listed = array("I", self._sector_at(more))
            places += [place for place in listed[:-1] if place < _LAST]
            more = listed[-1]
        table = array("I")
        for place in dict.fromkeys(places):
            table.frombytes(self._sector_at(place))
            if len(table) * 4 > _TABLE_LIMIT:
                break
        return table

    def _chain(self, number: int, size: int) -> Iterator[bytes]:
        """The sectors of a stream, up to a size."""
        for _ in range(min(self._sectors + 1, -(-size // self._sector))):
            if number >= len(self._table):
                return
            data = self._sector_at(number)
            yield data[: len(data) & ~3] if size > self._sector else data[:size]
            size -= self._sector
            number = self._table[number]

    def _small_chain(self, number: int, size: int) -> Iterator[bytes]:
        step = 1 << self._small_shift
        for _ in range(min(len(self._small_table), -(-size // step))):
            if number >= len(self._small_table):
                return
            yield self._small[number * step : number * step + min(step, size)]
            size -= step
            number = self._small_table[number]

    def _entries(self, start: int) -> Sequence[_Entry]:
        data = b"".join(self._chain(start, _DIRECTORY_LIMIT))
        entries = []
        for at in range(0, len(data) - 127, 128):
            length, kind = struct.unpack_from("<HB", data, at + 64)
            name = data[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            begin, size = struct.unpack_from("<IQ", data, at + 116)
            if self._sector == 512:
                size &= 0xFFFFFFFF
            if kind in (_STREAM, _ROOT):
                entries.append(_Entry(name, kind, begin, size))
        return entries

    def content(self, entry: _Entry) -> Iterator[bytes]:
        """A stream's bytes."""
        if entry.size < self._cutoff:
            return self._small_chain(entry.start, entry.size)
        return self._chain(entry.start, entry.size)


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The streams; macros as text."""
    compound = _Compound(stream)
    names = {entry.name for entry in compound.entries}
    if names.issuperset(_ENCRYPTED):
        yield Unread("", "an encrypted document")
        return
    for entry in compound.entries:
        if entry.kind != _STREAM or not entry.size:
            continue
        box.budget.member()
        name = "".join(sign for sign in entry.name if sign.isprintable()) or "stream"
        if names & {"VBA", "dir", "_VBA_PROJECT"} and entry.size < _TABLE_LIMIT:
            data = b"".join(compound.content(entry))
            for source in macros(data):
                yield Text(name, (source,))
            yield Member(name, io.BytesIO(data))
        else:
            yield Member(name, buffered(Chunks(compound.content(entry))))
