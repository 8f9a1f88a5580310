"""The pages of an SQLite database, each read when it is asked for. Every number in them is a claim."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple

TABLE_LEAF, INDEX_LEAF, TABLE_INNER, INDEX_INNER = 13, 10, 5, 2
LEAVES = frozenset((TABLE_LEAF, INDEX_LEAF))
INNER = frozenset((TABLE_INNER, INDEX_INNER))

_HEAD = 100
_ENCODINGS = {2: "utf-16-le", 3: "utf-16-be"}
_ROW_LIMIT = 16 << 20
_MOST_PAGES = 1 << 26
_MOST_TABLES = 10_000
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)


class Page(NamedTuple):
    """One page: its bytes, and where its own head begins (the first page has the file's before it)."""

    data: bytes
    begin: int
    usable: int

    @property
    def kind(self) -> int:
        """One of the four kinds of pages that hold rows, or anything else."""
        return self.data[self.begin]

    def cells(self) -> Iterator[int]:
        """Where the cells begin."""
        (count,) = struct.unpack_from(">H", self.data, self.begin + 3)
        first = self.begin + (8 if self.kind in LEAVES else 12)
        for place in range(min(count, (len(self.data) - first) // 2)):
            (at,) = struct.unpack_from(">H", self.data, first + 2 * place)
            if first <= at < len(self.data):
                yield at

    def payloads(self, database: Database) -> Iterator[bytes]:
        """The rows of a leaf, put together with the pages that they go on in."""
        for at in self.cells():
            size, at = database.varint(self.data, at + 4 * (self.kind == INDEX_INNER))
            if self.kind == TABLE_LEAF:
                _, at = database.varint(self.data, at)
            if 0 < size <= _ROW_LIMIT:
                yield self._payload(database, size, at)

    def _payload(self, database: Database, size: int, at: int) -> bytes:
        most = self.usable - 35 if self.kind == TABLE_LEAF else (self.usable - 12) * 64 // 255 - 23
        if size <= most:
            return self.data[at : at + size]
        least = (self.usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (self.usable - 4)
        local = local if local <= most else least
        pieces = [self.data[at : at + local]]
        following = int.from_bytes(self.data[at + local : at + local + 4])
        left = size - local
        while left > 0 and following:
            page = database.page(following)
            if page is None:
                break
            database.spend(len(page.data))
            following = int.from_bytes(page.data[:4])
            pieces.append(page.data[4 : 4 + min(left, self.usable - 4)])
            left -= self.usable - 4
        return b"".join(pieces)

    def gaps(self) -> Iterator[bytes]:
        """What lies between the list of cells and the cells, and in blocks that were given back."""
        if self.kind not in LEAVES | INNER:
            return
        free, count, content = struct.unpack_from(">HHH", self.data, self.begin + 1)
        first = self.begin + (8 if self.kind in LEAVES else 12) + 2 * count
        if first < (content or 65_536) <= len(self.data):
            yield self.data[first:content]
        while first < free <= len(self.data) - 4:
            following, size = struct.unpack_from(">HH", self.data, free)
            yield self.data[free + 4 : free + size]
            if following <= free:
                return
            free = following


class Database:
    """An SQLite database, read a page at a time. Raises ValueError for what is none.

    `spend` is told of the bytes that are read again and again in a hostile one.
    """

    def __init__(self, stream: BinaryIO, spend: Callable[[int], None]) -> None:
        self._stream = stream
        self.spend = spend
        size = stream.seek(0, 2)
        stream.seek(0)
        head = stream.read(_HEAD)
        if len(head) < _HEAD:
            raise EOFError("cut short")
        (told,) = struct.unpack_from(">H", head, 16)
        self._size = 65_536 if told == 1 else told
        if self._size < 512 or self._size & (self._size - 1):
            raise ValueError("a page size that cannot be")
        self._usable = self._size - head[20]
        if self._usable < 480:
            raise ValueError("a page size that cannot be")
        self._encoding = _ENCODINGS.get(int.from_bytes(head[56:60]), "")
        self.count = min(size // self._size, _MOST_PAGES)
        self._reached = bytearray(self.count // 8 + 1)

    def page(self, number: int) -> Page | None:
        """A page, counted from 1; None for one that is not there."""
        if not 0 < number <= self.count:
            return None
        self._stream.seek((number - 1) * self._size)
        data = self._stream.read(self._size)
        if len(data) < self._size:
            return None
        return Page(data, _HEAD if number == 1 else 0, self._usable)

    def reached(self, number: int) -> bool:
        """Whether a table's tree led to this page."""
        return bool(self._reached[number >> 3] & (1 << (number & 7)))

    def tables(self) -> Iterator[tuple[str, int, str]]:
        """The tables and indices: name, first page, definition."""
        schema = (self.values(row, numbers=True) for page in self._walk(1) for row in page.payloads(self))
        rows = list(islice(schema, _MOST_TABLES))
        self._reached = bytearray(len(self._reached))
        yield "sqlite_schema", 1, "(type, name, tbl_name, rootpage, sql)"
        for row in rows:
            if len(row) >= 5 and row[3]:
                texts = [(value or b"").decode("utf-8", "replace") for value in row]
                root = int.from_bytes(row[3])
                if texts[0] == "table":
                    yield texts[1], root, texts[4]
                else:
                    for _ in self._walk(root):
                        pass  # an index holds nothing that its table does not; its pages are no free ones

    def leaves(self, root: int) -> Iterator[Page]:
        """The pages with rows of one table."""
        return self._walk(root)

    def _walk(self, root: int) -> Iterator[Page]:
        waiting = [root]
        while waiting:
            number = waiting.pop()
            page = self.page(number)
            if page is None or self.reached(number):
                continue
            self._reached[number >> 3] |= 1 << (number & 7)
            if page.kind in LEAVES or page.kind == INDEX_INNER:
                yield page
            if page.kind in INNER:
                waiting.append(int.from_bytes(page.data[page.begin + 8 : page.begin + 12]))
                waiting.extend(int.from_bytes(page.data[at : at + 4]) for at in reversed(list(page.cells())))

    def values(self, payload: bytes, *, numbers: bool = False) -> Sequence[bytes | None]:
        """The texts and blobs of a row in its order, None for what is neither; with `numbers`, these as bytes too."""
        length, at = self.varint(payload, 0)
        head = payload[at:length]
        if head.isascii():  # so are those of nearly all rows: each type in one byte
            return self.values_of(payload, length, head, numbers=numbers)
        kinds: list[int] = []
        while at < min(length, len(payload)):
            kind, at = self.varint(payload, at)
            kinds.append(kind)
        return self.values_of(payload, length, kinds, numbers=numbers)

    def values_of(self, data: bytes, at: int, kinds: Sequence[int], *, numbers: bool = False) -> Sequence[bytes | None]:
        """The values of some types from an offset on."""
        values: list[bytes | None] = []
        for kind in kinds:
            size = _SIZES[kind] if kind < 12 else (kind - 12) // 2
            if kind < 12 and not (numbers and kind):
                values.append(None)
            else:
                value = data[at : at + size]
                if self._encoding and kind & 1 and kind >= 13:
                    value = value.decode(self._encoding, "replace").encode("utf-8", "replace")
                values.append(value)
            at += size
        return values

    @staticmethod
    def size_of(kind: int) -> int:
        """How many bytes a value of a type takes."""
        return _SIZES[kind] if kind < 12 else (kind - 12) // 2

    @staticmethod
    def varint(data: bytes, at: int) -> tuple[int, int]:
        """A number of one to nine bytes, and where it ends. Beyond the end there are zeros."""
        if at < len(data) and (value := data[at]) < 0x80:
            return value, at + 1
        value = 0
        for _ in range(8):
            byte = data[at] if at < len(data) else 0
            at += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, at
        return value << 8 | (data[at] if at < len(data) else 0), at + 1
