"""ISO 9660 images, with the long names of Joliet and Rock Ridge. Laid out as ECMA-119 has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from scanner.unpack.parts import Box, Chunks, Member, Part, Slice, Unread, buffered, exactly, read

_SECTOR = 2_048
_FIRST_DESCRIPTOR = 16
_MOST_DESCRIPTORS = 64
_DIRECTORY_LIMIT = 16 << 20
_PATH_LIMIT = 4_096
_PRIMARY, _JOLIET, _LAST = 1, 2, 255
_IS_DIRECTORY, _GOES_ON = 2, 128


class _Entry(NamedTuple):
    name: str
    extent: int
    size: int
    flags: int


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The files of the image."""
    root, wide, block, udf = _root(stream)
    if root is None:
        raise ValueError("no directory")
    if udf:
        yield Unread("", "its UDF file system is not looked into; what ISO 9660 shows of it is")
    waiting = [root]
    seen = set()
    while waiting:
        directory = waiting.pop()
        if directory.extent in seen or len(directory.name) > _PATH_LIMIT:
            continue
        seen.add(directory.extent)
        if directory.size > _DIRECTORY_LIMIT:
            yield Unread(directory.name, f"a directory of more than {_DIRECTORY_LIMIT:,} bytes")
            continue
        stream.seek(directory.extent * block)
        begun: list[tuple[int, int]] = []
        for entry in _entries(exactly(stream, directory.size), wide):
            box.budget.member()
            name = f"{directory.name}/{entry.name}".lstrip("/")
            if entry.flags & _IS_DIRECTORY:
                waiting.append(entry._replace(name=name))
                continue
            begun.append((entry.extent * block, entry.size))
            if not entry.flags & _GOES_ON:
                yield Member(name, buffered(Chunks(_pieces(stream, begun))))
                begun = []


def _pieces(stream: BinaryIO, extents: list[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of a file in one or more extents."""
    for start, size in extents:
        stream.seek(start)
        content = Slice(stream, size)
        while piece := content.read(1 << 16):
            yield piece


def _root(stream: BinaryIO) -> tuple[_Entry | None, bool, int, bool]:
    """The root directory, if its names are wide, the size of a block, and if there is a UDF file system beside it."""
    root, wide, block, udf = None, False, _SECTOR, False
    stream.seek(_FIRST_DESCRIPTOR * _SECTOR)
    for _ in range(_MOST_DESCRIPTORS):
        sector = read(stream, _SECTOR)
        if len(sector) < _SECTOR:
            break
        if sector[1:5] in (b"NSR0", b"BEA0", b"TEA0"):
            udf = udf or sector[1:5] == b"NSR0"
            continue
        if sector[1:6] != b"CD001":
            break
        joliet = sector[0] == _JOLIET and sector[88:91] in (b"%/@", b"%/C", b"%/E")
        if joliet or (sector[0] == _PRIMARY and root is None):
            entry = _entry(sector[156:190], wide=False)
            if entry is not None:
                root, wide = entry._replace(name=""), joliet
                block = int.from_bytes(sector[128:130], "little") or _SECTOR
    return root, wide, block, udf


def _entries(data: bytes, wide: bool) -> Iterator[_Entry]:
    """What a directory names, but for itself and the one above."""
    at = 0
    while at < len(data):
        length = data[at]
        if not length:
            at = (at // _SECTOR + 1) * _SECTOR  # no entry goes over the end of a sector
            continue
        record = data[at : at + length]
        at += length
        if len(record) > 33 and record[33 : 33 + record[32]] not in (b"\0", b"\1"):
            entry = _entry(record, wide)
            if entry is not None:
                yield entry


def _entry(record: bytes, wide: bool) -> _Entry | None:
    if len(record) < 34:
        return None
    name = record[33 : 33 + record[32]]
    shown = name.decode("utf-16-be", "replace") if wide else _long_name(record) or name.decode("latin-1")
    extent = int.from_bytes(record[2:6], "little") + record[1]
    return _Entry(shown.partition(";")[0], extent, int.from_bytes(record[10:14], "little"), record[25])


def _long_name(record: bytes) -> str:
    """The name that Rock Ridge gives; "" where it gives none."""
    at = 33 + record[32] + (not record[32] & 1)
    name = b""
    while at + 4 <= len(record) and (length := record[at + 2]) >= 4:
        if record[at : at + 2] == b"NM":
            name += record[at + 5 : at + length]
        at += length
    return name.decode("utf-8", "surrogateescape")
