"""Offsets to lines and columns, as people count them: from 1, in characters."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from scanner.model import Span

_CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes that go on with a character of UTF-8; every other byte begins one."""


_STEP = 1 << 16


class Lines:
    """Lines and columns of one text. Asked in rising order it reads the text once, however long its lines are.

    Whoever goes back pays for at most `_STEP` bytes: the places on the way are remembered.
    """

    __slots__ = ("_column", "_data", "_line", "_passed", "_position")

    def __init__(self, data: bytes, first_line: int = 1) -> None:
        self._data = data
        self._line, self._column, self._position = first_line, 1, 0
        self._passed = [(0, first_line, 1)]  # at the first place asked for in each step: position, line, column

    def at(self, position: int) -> tuple[int, int]:
        """Line and column of the byte at this offset."""
        if position < self._position:
            at = bisect_right(self._passed, position, key=itemgetter(0)) - 1
            self._position, self._line, self._column = self._passed[at]
        while position - self._position > _STEP:
            self._move(self._position + _STEP)
        self._move(position)
        return self._line, self._column

    def _move(self, position: int) -> None:
        breaks = self._data.count(b"\n", self._position, position)
        if breaks:
            self._line += breaks
            self._position, self._column = self._data.rfind(b"\n", self._position, position) + 1, 1
        self._column += len(self._data[self._position : position].translate(None, _CONTINUATION))
        self._position = position
        if position - self._passed[-1][0] >= _STEP:
            self._passed.append((position, self._line, self._column))

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
