"""Offsets to lines and columns, as people count them: from 1, in characters."""

from __future__ import annotations

from scanner.model import Span

_CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes that go on with a character of UTF-8; every other byte begins one."""


class Lines:
    """Lines and columns of one text. Asked in rising order it reads the text once, however long its lines are."""

    __slots__ = ("_column", "_data", "_first", "_line", "_line_start", "_position")

    def __init__(self, data: bytes, first_line: int = 1) -> None:
        self._data = data
        self._first = first_line
        self._line, self._column, self._position, self._line_start = first_line, 1, 0, 0

    def at(self, position: int) -> tuple[int, int]:
        """Line and column of the byte at this offset."""
        if position < self._position:
            self._line, self._column, self._position, self._line_start = self._first, 1, 0, 0
        breaks = self._data.count(b"\n", self._position, position)
        if breaks:
            self._line += breaks
            self._line_start = self._data.rfind(b"\n", self._position, position) + 1
            self._position, self._column = self._line_start, 1
        self._column += len(self._data[self._position : position].translate(None, _CONTINUATION))
        self._position = position
        return self._line, self._column

    def span(self, start: int, end: int, offset: int = 0) -> Span:
        """The span of `start` to `end`; `offset` is where the text begins in its file."""
        line, column = self.at(start)
        end_line, end_column = self.at(end)
        return Span(start + offset, end + offset, line, column, end_line, end_column)

    def text_of(self, start: int, end: int, limit: int = 4096) -> bytes:
        """The whole lines that hold `start` to `end`, at most `limit` bytes to either side."""
        first = self._data.rfind(b"\n", max(0, start - limit), start) + 1 or max(0, start - limit)
        last = self._data.find(b"\n", end, end + limit)
        return self._data[first : last if last >= 0 else end + limit]
