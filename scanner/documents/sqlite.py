"""SQLite databases: the rows of each table as text, and the rows that were deleted and not yet written over.

In a database's own bytes the values of a row stand without anything between them, and long ones are cut into pages;
here each stands on a line of its own, behind the name of its column. Laid out as sqlite.org/fileformat2.html has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from scanner.documents.pages import LEAVES, Database
from scanner.unpack.parts import Box, Part, Text

_WORTH = 12
"""Rows whose texts are all shorter hold no secret."""
_BEFORE = 48
"""A row's head stands so many bytes before its first text at most, in what is looked for among deleted rows."""
_WITHIN = 8
"""… and so many bytes of the head can look like text themselves."""
_MOST_COLUMNS = 40
_MOST_CARVED = 1 << 20
"""In more bytes of gaps than this, what is left is found in the file's own bytes."""
_ILLEGIBLE = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LEGIBLE = re.compile(rb"[\t\n\r -~\x80-\xff]{12,}")
_COLUMN = re.compile(r"""\s*(?:"([^"]*)"|`([^`]*)`|\[([^\]]*)\]|([^\s(,]+))""")


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """A text for each table, and one for what was deleted."""
    database = Database(stream, box.budget.spend)
    for name, root, sql in database.tables():
        box.budget.member()
        columns = _columns(sql)
        yield Text(f"table {name}", _rows(database, root, columns))
    yield Text("(deleted rows)", _deleted(database))


def _columns(sql: str) -> Sequence[str]:
    """The names of a table's columns, as its definition has them."""
    names = []
    depth, start = 0, sql.find("(") + 1
    for at in range(start, min(len(sql), 20_000)):
        sign = sql[at]
        depth += (sign == "(") - (sign == ")")
        if depth < 0 or (sign == "," and not depth):
            found = _COLUMN.match(sql, start, at)
            if found:
                names.append(next(filter(None, found.groups()), ""))
            start = at + 1
            if depth < 0:
                break
    return names


def _rows(database: Database, root: int, columns: Sequence[str]) -> Iterator[bytes]:
    """The rows of a table, a line for each value that is text."""
    labels = [f"{name} = ".encode("utf-8", "replace") if name else b"" for name in columns]
    for page in database.leaves(root):
        yield b"".join(_lines(database.values(payload), labels) for payload in page.payloads(database))


def _lines(values: Sequence[bytes | None], labels: Sequence[bytes]) -> bytes:
    """A row's texts, each on a line behind the name of its column, then an empty line. Nothing where all are short."""
    if not any(value and len(value) >= _WORTH for value in values):
        return b""
    named = [label + value for label, value in zip(labels, values, strict=False) if value]
    more = [value for value in values[len(labels) :] if value]
    return b"\n".join((*named, *more, b"", b""))


def _deleted(database: Database) -> Iterator[bytes]:
    """Rows in pages that no table has any more, and in the gaps of those that one has."""
    carved = 0
    for number in range(1, database.count + 1):
        page = database.page(number)
        if page is None:
            continue
        if not database.reached(number) and page.kind in LEAVES:
            for payload in page.payloads(database):
                yield _lines(database.values(payload), ())
        for gap in page.gaps() if carved < _MOST_CARVED else ():
            carved += len(gap)
            yield from _carved(database, gap)


def _carved(database: Database, gap: bytes) -> Iterator[bytes]:
    """The values of rows in a gap, as far as their heads are still there."""
    for found in _LEGIBLE.finditer(gap):
        rows: set[tuple[bytes | None, ...]] = set()
        for start in range(max(0, found.start() - _BEFORE), min(found.start() + _WITHIN, len(gap))):
            rows.update(_rows_at(database, gap, start))
        for row in rows:
            yield _lines(row, ())


def _rows_at(database: Database, gap: bytes, start: int) -> Iterator[tuple[bytes | None, ...]]:
    """The rows whose values could have the types that begin here: how many there are is not known any more."""
    kinds: list[int] = []
    at, total = start, 0
    text: tuple[int, int] | None = None  # the first that could hold a secret, from where the values begin
    while len(kinds) < _MOST_COLUMNS:
        kind, at = database.varint(gap, at)
        size = database.size_of(kind)
        if kind in (10, 11) or at + total + size > len(gap):
            return
        kinds.append(kind)
        if text is None and kind & 1 and size >= _WORTH:
            text = total, total + size
        total += size
        if text and not _ILLEGIBLE.search(gap, at + text[0], at + text[1]):
            values = database.values_of(gap, at, kinds)
            if all(value is None or not _ILLEGIBLE.search(value) for value in values):
                yield tuple(values)
