"""Spans, to be asked what lies where: files with a hundred thousand hits must not cost the square of that."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Disjoint:
    """Spans without overlap, each with a number."""

    __slots__ = ("_ends", "_numbers", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._numbers: list[int] = []

    def add(self, start: int, end: int, number: int) -> None:
        """Puts a span in that overlaps none."""
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        self._numbers.insert(at, number)

    def overlapping(self, start: int, end: int) -> Iterator[int]:
        """The numbers of the spans that share a place with this one."""
        at = bisect_left(self._starts, end) - 1
        while at >= 0 and self._ends[at] > start:
            yield self._numbers[at]
            at -= 1


class Stretches:
    """Spans, to be asked whether they cover a place."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, at: int) -> bool:
        place = bisect_right(self._starts, at) - 1
        return place >= 0 and at < self._ends[place]

    def touch(self, start: int, end: int) -> bool:
        """Whether any of them shares a place with this span."""
        place = bisect_left(self._starts, end) - 1
        return place >= 0 and self._ends[place] > start
