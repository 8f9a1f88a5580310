"""Text with parts of it replaced, and the way back to where each byte came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from scanner.decode import Locate

Value = Callable[[re.Match[bytes]], bytes]
"""What stands for a match."""

Part = tuple[int, int, bytes]
"""Start and end of what is replaced, and what by."""


class Mended:
    """The new text. The way back is worked out when it is first asked for, which for most texts is never."""

    __slots__ = ("_at", "_end", "_ends", "_parts", "_source", "_start", "_starts", "data")

    def __init__(self, source: bytes, start: int, end: int, parts: Callable[[], Iterable[Part]], data: bytes) -> None:
        self._source, self._start, self._end = source, start, end
        self._parts = parts
        self._at: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.data = data

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the new text stood in the source."""
        first = self._piece(start)
        last = self._piece(end - 1)
        begin, stop = self._starts[first], self._ends[last]
        if not _replaced(first):
            begin += start - self._at[first]
        if not _replaced(last):
            stop = self._starts[last] + end - self._at[last]
        return begin, stop

    def unchanged(self, start: int, end: int) -> bool:
        """Whether a part of the new text stands in the source just so."""
        first, last = self.locate(start, end)
        return self._source[first:last] == self.data[start:end]

    def _piece(self, position: int) -> int:
        if not self._at:
            self._cut()
        return max(0, bisect_right(self._at, position) - 1)

    def _cut(self) -> None:
        """Pieces in turn: what was kept, at the even places, and what was replaced."""
        at, here = 0, self._start
        for start, end, value in self._parts():
            self._add(at, here, start)
            at += start - here
            self._add(at, start, end)
            at += len(value)
            here = end
        self._add(at, here, self._end)

    def _add(self, at: int, start: int, end: int) -> None:
        self._at.append(at)
        self._starts.append(start)
        self._ends.append(end)


def _replaced(piece: int) -> bool:
    return piece % 2 == 1


def mended(source: bytes, start: int, end: int, pattern: re.Pattern[bytes], value: Value) -> Mended:
    """A stretch of a text in which every match of a pattern is replaced."""

    def parts() -> Iterator[Part]:
        for found in pattern.finditer(source, start, end):
            yield *found.span(), value(found)

    return Mended(source, start, end, parts, pattern.sub(value, source[start:end]))


def without(source: bytes, start: int, end: int, spans: Sequence[tuple[int, int]]) -> Mended:
    """A stretch of a text without some parts of it, which are in order."""
    edges = [start, *(edge for span in spans for edge in span), end]
    kept = b"".join(source[first:last] for first, last in zip(edges[::2], edges[1::2], strict=True))
    return Mended(source, start, end, lambda: [(*span, b"") for span in spans], kept)


def through(outer: Locate | None, step: Locate) -> Locate:
    """The way back through two decodings."""
    if outer is None:
        return step
    outward = outer

    def locate(start: int, end: int) -> tuple[int, int]:
        return outward(*step(start, end))

    return locate
