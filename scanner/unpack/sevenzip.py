"""7z archives: the directory at the end, then one compressed stream after another, each with several files in it.

Read with the standard library's decompressors, front to back. The format as its author's `7zFormat.txt` has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from scanner.unpack.coders import Coder, Unknown, coded
from scanner.unpack.parts import Box, Member, Part, Slice, Unread, buffered, exactly

_HEAD = 32
_DIRECTORY_LIMIT = 64 << 20
_REWRAPPED = 4
"""The directory can be compressed, and what comes out again."""

_END, _HEADER, _ARCHIVE, _EXTRA, _STREAMS, _FILES = 0, 1, 2, 3, 4, 5
_PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC, _FOLDER = 6, 7, 8, 9, 10, 11
_UNPACK_SIZE, _NUMBER, _EMPTY, _NAMES, _WRAPPED = 12, 13, 14, 17, 23


class _Folder(NamedTuple):
    """One compressed stream: how it is coded, where it is packed, and what it becomes."""

    coders: tuple[Coder, ...]
    packed: int
    sizes: tuple[int, ...]
    simple: bool
    summed: bool = False

    @property
    def size(self) -> int:
        return self.sizes[0]


class _Streams(NamedTuple):
    """Compressed streams and where each begins and ends in the archive, with the sizes of the files in each."""

    folders: tuple[_Folder, ...]
    packs: tuple[tuple[int, int], ...]
    files: tuple[tuple[int, ...], ...]


class _Directory:
    """A directory, read front to back. Every count in it is held against the bytes that are left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise EOFError("cut short")
        self._at += 1
        return self._data[self._at - 1]

    def take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise EOFError("cut short")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self) -> int:
        first = self.byte()
        value = 0
        for count in range(8):
            mask = 0x80 >> count
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * count)
            value |= self.byte() << (8 * count)
        return value

    def count(self) -> int:
        """How many of something follow, each of which takes a bit at least."""
        value = self.number()
        if value > 8 * (len(self._data) - self._at) + 8:
            raise ValueError("a count that cannot be")
        return value

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[place >> 3] & (0x80 >> (place & 7))) for place in range(count)]

    def sums(self, count: int) -> list[bool]:
        """Which of some streams have a checksum; the checksums are read over."""
        known = [True] * count if self.byte() else self.bits(count)
        self.take(4 * sum(known))
        return known

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The files. Streams that are encrypted or coded in a way not known here are Unread."""
    head = exactly(stream, _HEAD)
    where, size = int.from_bytes(head[12:20], "little"), int.from_bytes(head[20:28], "little")
    if not size:
        return
    if size > _DIRECTORY_LIMIT:
        raise ValueError("a directory of that size")
    stream.seek(_HEAD + where)
    directory = _Directory(exactly(stream, size))
    try:
        for _ in range(_REWRAPPED):
            kind = directory.byte()
            if kind == _HEADER:
                break
            if kind != _WRAPPED:
                raise ValueError("a directory of another kind")
            directory = _Directory(_unwrapped(stream, directory, box))
    except Unknown as reason:
        yield Unread("", f"its directory is {reason}")
        return
    streams, names = _header(directory)
    yield from _members(stream, streams, iter(names), box)


def _unwrapped(stream: BinaryIO, directory: _Directory, box: Box) -> bytes:
    """A directory that was compressed itself."""
    streams = _streams(directory)
    if len(streams.folders) != 1 or streams.folders[0].size > _DIRECTORY_LIMIT:
        raise ValueError("a directory of that size")
    box.budget.spend(streams.folders[0].size)
    return exactly(_content(stream, streams, 0), streams.folders[0].size)


def _members(stream: BinaryIO, streams: _Streams, names: Iterator[str], box: Box) -> Iterator[Part]:
    for number, sizes in enumerate(streams.files):
        try:
            content = _content(stream, streams, number)
        except Unknown as reason:
            lost = [next(names, "content") for _ in sizes]
            more = f", and so are {len(lost) - 1:,} more members" if len(lost) > 1 else ""
            yield Unread(lost[0] if lost else "", f"a member is {reason}{more}")
            continue
        for size in sizes:
            box.budget.member()
            member = Slice(content, size)
            yield Member(next(names, "content"), buffered(member))
            member.finish()


def _content(stream: BinaryIO, streams: _Streams, number: int) -> BinaryIO:
    """What one compressed stream holds. Raises Unknown where it is coded in a way not known here."""
    folder = streams.folders[number]
    if not folder.simple:
        raise Unknown("coded in a way that is not known here (several streams at once)")
    start, size = streams.packs[folder.packed]
    return coded(stream, _HEAD + start, size, folder.coders, folder.size)


def _header(directory: _Directory) -> tuple[_Streams, list[str]]:
    """The streams, and the names of the files in them, in the same order."""
    streams, names = _Streams((), (), ()), []
    while (kind := directory.byte()) != _END:
        if kind == _ARCHIVE:
            while directory.byte() != _END:
                directory.take(directory.number())
        elif kind == _EXTRA:
            _streams(directory)
        elif kind == _STREAMS:
            streams = _streams(directory)
        elif kind == _FILES:
            names = _names(directory)
        else:
            raise ValueError("a directory of another kind")
    return streams, names


def _names(directory: _Directory) -> list[str]:
    """The names of files that are not empty."""
    count = directory.count()
    names: list[str] = []
    empty = [False] * count
    while (kind := directory.byte()) != _END:
        data = _Directory(directory.take(directory.number()))
        if kind == _EMPTY:
            empty = data.bits(count)
        elif kind == _NAMES and not data.byte():
            names = data.rest().decode("utf-16-le", "replace").split("\0")
    return [name for name, nothing in zip(names, empty, strict=False) if not nothing]


def _streams(directory: _Directory) -> _Streams:
    packs: tuple[tuple[int, int], ...] = ()
    folders: tuple[_Folder, ...] = ()
    files: tuple[tuple[int, ...], ...] | None = None
    while (kind := directory.byte()) != _END:
        if kind == _PACK:
            packs = _packs(directory)
        elif kind == _UNPACK:
            folders = _folders(directory)
        elif kind == _SUBSTREAMS:
            files = _files(directory, folders)
        else:
            raise ValueError("a directory of another kind")
    if files is None:
        files = tuple((folder.size,) for folder in folders)
    if any(folder.packed >= len(packs) for folder in folders):
        raise ValueError("a stream that is not there")
    return _Streams(folders, packs, files)


def _packs(directory: _Directory) -> tuple[tuple[int, int], ...]:
    at, count = directory.number(), directory.count()
    packs: list[tuple[int, int]] = []
    while (kind := directory.byte()) != _END:
        if kind == _SIZE:
            for _ in range(count):
                size = directory.number()
                packs.append((at, size))
                at += size
        elif kind == _CRC:
            directory.sums(count)
        else:
            raise ValueError("a directory of another kind")
    return tuple(packs)


def _folders(directory: _Directory) -> tuple[_Folder, ...]:
    if directory.byte() != _FOLDER:
        raise ValueError("a directory of another kind")
    count = directory.count()
    if directory.byte():
        raise ValueError("a directory in several places")
    shapes = []
    packed = 0
    for _ in range(count):
        coders, streams, outs, simple = _coders(directory)
        shapes.append((coders, packed, outs, simple))
        packed += streams
    folders: list[_Folder] = []
    while (kind := directory.byte()) != _END:
        if kind == _UNPACK_SIZE:
            folders = []
            for coders, place, outs, simple in shapes:
                sizes = [directory.number() for _ in outs]
                folders.append(_Folder(coders, place, tuple(sizes[out] for out in outs), simple))
        elif kind == _CRC:
            known = directory.sums(count)
            folders = [each._replace(summed=summed) for each, summed in zip(folders, known, strict=True)]
        else:
            raise ValueError("a directory of another kind")
    return tuple(folders)


def _coders(directory: _Directory) -> tuple[tuple[Coder, ...], int, tuple[int, ...], bool]:
    """The coders of a stream, from the plain side; its packed streams; the order of results; if it is a chain."""
    coders: list[Coder] = []
    ins = 0
    count = directory.count()
    if not 0 < count <= 32:
        raise ValueError("a count that cannot be")
    for _ in range(count):
        flags = directory.byte()
        method = directory.take(flags & 15)
        taken = 1
        if flags & 0x10:
            taken, given = directory.count(), directory.count()
            if given != 1:
                raise ValueError("a coder with several results")
        coders.append(Coder(method, directory.take(directory.number()) if flags & 0x20 else b""))
        ins += taken
    bound = {directory.number(): directory.number() for _ in range(count - 1)}
    packed = ins - len(bound)
    if packed != 1:
        for _ in range(packed):
            directory.number()
    [last, *more] = [place for place in range(count) if place not in bound.values()]
    if ins != count or more:
        return tuple(coders), packed, (last, *(p for p in range(count) if p != last)), False
    order = [last]
    while (place := bound.get(order[-1], -1)) >= 0:
        if place in order or place >= count:
            raise ValueError("coders in a circle")
        order.append(place)
    return tuple(coders[place] for place in order), 1, (*order, *(p for p in range(count) if p not in order)), True


def _files(directory: _Directory, folders: tuple[_Folder, ...]) -> tuple[tuple[int, ...], ...]:
    """The sizes of the files in each stream. The last of a stream is as large as what is left."""
    counts = [1] * len(folders)
    kind = directory.byte()
    if kind == _NUMBER:
        counts = [directory.count() for _ in folders]
        kind = directory.byte()
    files: list[tuple[int, ...]] = []
    for folder, count in zip(folders, counts, strict=True):
        if count > 1 and kind != _SIZE:
            raise ValueError("files without sizes")
        sizes = [directory.number() for _ in range(count - 1)]
        rest = folder.size - sum(sizes)
        if rest < 0:
            raise ValueError("files larger than what holds them")
        files.append((*sizes, rest) if count else ())
    if kind == _SIZE:
        kind = directory.byte()
    while kind != _END:
        if kind != _CRC:
            raise ValueError("a directory of another kind")
        told = (count for folder, count in zip(folders, counts, strict=True) if count != 1 or not folder.summed)
        directory.sums(sum(told))
        kind = directory.byte()
    return tuple(files)
