"""Word, Excel, PowerPoint and OpenDocument: the text in their XML, put together from the runs that it is cut into.

There is no XML parser here, hence no entities and no external files: tags are taken out of the text as it streams by.
Lines are paragraphs; in spreadsheets they are rows.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from typing import IO

from scanner.unpack.parts import DAMAGED, Box, Part, Text, Unread, said

_CHUNK = 1 << 18
_TAG_LIMIT = 4 << 20
"""A tag that is longer is taken for text."""
_STRINGS_LIMIT = 64 << 20
_ENCRYPTED = 1
_BETWEEN_STRINGS = b"\x1e"
_LAST_ROW = 1 << 20
_SHEET = re.compile(r"xl/(?:worksheets|macrosheets|chartsheets|dialogsheets)/[^/]+\.xml")
_SHARED = "xl/sharedStrings.xml"

_CELL_END = re.compile(rb"</(?:[\w.-]+:)?p>\s*</(?:[\w.-]+:)?(?:tc|table-cell)>")
_TAB = re.compile(rb"</(?:[\w.-]+:)?(?:tc|table-cell)>|<(?:[\w.-]+:)?tab(?:\s[^<>]*)?/>")
_SPACE = re.compile(rb"<(?:[\w.-]+:)?s(?:\s[^<>]*)?/>")
_BREAK = re.compile(
    rb"</(?:[\w.-]+:)?(?:p|h|tr|row|table-row|title|comment)>|<(?:[\w.-]+:)?(?:br|cr|line-break)(?:\s[^<>]*)?/>"
)
_STRING_END = re.compile(rb"</(?:[\w.-]+:)?si>")
_PHONETIC = re.compile(rb"<(?:[\w.-]+:)?rPh\b(?:(?!<(?:[\w.-]+:)?rPh\b).)*?</(?:[\w.-]+:)?rPh>", re.DOTALL)
_TAG = re.compile(rb"<\?xml[^<>]*\?>\s*|<[^<>]*>")
_ROW = re.compile(rb"<(?:[\w.-]+:)?row\b")
_ROW_END = re.compile(rb"</(?:[\w.-]+:)?row>")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c\b")
_NUMBER = re.compile(rb'\br="(\d{1,7})"')
_KIND = re.compile(rb'\bt="(\w+)"')
_VALUE = re.compile(rb"<(?:[\w.-]+:)?v\b[^<>]*>([^<]*)</")


def texts(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], box: Box) -> Iterator[Part]:
    """The text of each XML member, under the member's name."""
    shared: Sequence[bytes] = ()
    readable = [each for each in entries if each.filename.endswith(".xml") and not each.flag_bits & _ENCRYPTED]
    for entry in readable:
        if entry.filename == _SHARED:
            try:
                with archive.open(entry) as member:
                    shared = _shared(member, box)
            except DAMAGED as error:
                yield Unread(entry.filename, said("damaged texts of cells", error))
            if len(shared) == 0 and entry.file_size > _STRINGS_LIMIT:
                yield Unread(entry.filename, "more text than is put into cells; it was read by itself")
    for entry in readable:
        box.budget.member()
        try:
            with archive.open(entry) as member:
                pieces = _pieces(member)
                rows = _SHEET.fullmatch(entry.filename)
                yield Text(entry.filename, _rows(pieces, shared) if rows else plain(pieces))
        except DAMAGED as error:
            yield Unread(entry.filename, said("a damaged member", error))


def plain(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a marked-up content: a line for each paragraph, tabs between cells."""
    for piece in _cut(pieces, b"<"):
        piece = _CELL_END.sub(b"\t", piece)
        piece = _BREAK.sub(b"\n", _TAB.sub(b"\t", _SPACE.sub(b" ", piece)))
        yield _unescaped(_TAG.sub(b"", piece))


def _shared(member: IO[bytes], box: Box) -> Sequence[bytes]:
    """The texts that cells refer to by number; none when there are more than may be held."""
    limit = min(_STRINGS_LIMIT, box.budget.room())
    held: list[bytes] = []
    size = 0
    for piece in _cut(_pieces(member), b"<"):
        piece = _STRING_END.sub(_BETWEEN_STRINGS, piece)
        text = _unescaped(_TAG.sub(b"", _PHONETIC.sub(b"", piece)))
        held.append(text)
        size += len(text) + text.count(_BETWEEN_STRINGS) * 32
        box.budget.spend(len(piece))
        if size > limit:
            return ()
    return b"".join(held).split(_BETWEEN_STRINGS)


def _rows(pieces: Iterable[bytes], shared: Sequence[bytes]) -> Iterator[bytes]:
    """A sheet's rows, each on the line of its number, with tabs between the cells."""
    line = 1
    for piece in _cut(pieces, b"</", _ROW_END):
        for row in _ROW.split(piece)[1:]:
            attributes, _, content = row.partition(b">")
            number = _NUMBER.search(attributes)
            at = int(number[1]) if number else line
            if line < at <= _LAST_ROW:
                yield b"\n" * (at - line)
                line = at
            cells = [_cell(cell, shared) for cell in _CELL.split(content)[1:]]
            text = b"\t".join(cell.replace(b"\n", b" ") for cell in cells if cell)
            yield text + b"\n"
            line += 1


def _cell(cell: bytes, shared: Sequence[bytes]) -> bytes:
    """What a cell shows."""
    attributes, _, content = cell.partition(b">")
    kind = _KIND.search(attributes)
    if kind and kind[1] == b"inlineStr":
        return _unescaped(_TAG.sub(b"", _PHONETIC.sub(b"", content)))
    value = _VALUE.search(content)
    if value is None:
        return b""
    if kind and kind[1] == b"s":
        text = value[1].strip()
        return shared[int(text)] if text.isdigit() and len(text) < 9 and int(text) < len(shared) else b""
    return _unescaped(value[1])


def _pieces(member: IO[bytes]) -> Iterator[bytes]:
    """The content a piece at a time, in UTF-8 if it begins as UTF-16 does."""
    first = member.read(_CHUNK)
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        from codecs import getincrementaldecoder  # noqa: PLC0415 - hardly ever

        decoder = getincrementaldecoder("utf-16")("replace")
        while first:
            yield decoder.decode(first).encode("utf-8", "replace")
            first = member.read(_CHUNK)
        return
    while first:
        yield first
        first = member.read(_CHUNK)


def _cut(pieces: Iterable[bytes], mark: bytes, end: re.Pattern[bytes] | None = None) -> Iterator[bytes]:
    """The content in pieces that begin with a mark, or end where `end` does, so that no tag or row is cut in two."""
    kept = b""
    for piece in pieces:
        kept += piece
        if end is None:
            cut = kept.rfind(mark)
        else:
            cut = max((found.end() for found in end.finditer(kept, max(0, len(kept) - _CHUNK - 64))), default=0)
        if cut <= 0 and len(kept) > _TAG_LIMIT:
            cut = len(kept)
        if cut > 0:
            yield kept[:cut]
            kept = kept[cut:]
    if kept:
        yield kept


def _unescaped(text: bytes) -> bytes:
    if b"&" not in text:
        return text
    return unescape(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
