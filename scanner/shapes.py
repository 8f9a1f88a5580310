"""Registered keys' shapes: every text that could be such a key, for the registry to say whether it is one.

No likelihood, no filter, no keyword: a registered key is found however it looks. What a shape with a prefix asks for is
taken out of any surroundings; one without must stand between two signs, or escapes such as `\\n` and `%3D`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from scanner.model import ALPHABETS, Candidate, Shape

_BEGINS = (
    rb"(?:(?<![0-9A-Za-z])|(?<=\\[0bfnrtv])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})"
    rb"|(?<=\[[0-9]m)|(?<=;[0-9]{2}m))"
)
_ENDS = rb"(?![0-9A-Za-z])"
_MARGIN = 16


class Shapes:
    """The shapes' exact expressions, compiled when first needed."""

    __slots__ = ("_patterns", "_shapes")

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._shapes = shapes
        self._patterns: dict[int, re.Pattern[bytes]] = {}

    def texts(self, data: bytes, candidates: Iterable[Candidate]) -> Iterator[tuple[int, int, Shape]]:
        """Start and end of each text that has a registered shape."""
        seen: set[tuple[int, int]] = set()
        for candidate in candidates:
            shape = self._shapes[candidate.pattern]
            low = max(0, candidate.first - max(shape.length, shape.longest) - _MARGIN)
            high = min(len(data), candidate.end + _MARGIN)
            for found in self._pattern(candidate.pattern).finditer(data, low, high):
                for span in _spans(shape, found, data):
                    if span not in seen:
                        seen.add(span)
                        yield (*span, shape)

    def _pattern(self, number: int) -> re.Pattern[bytes]:
        pattern = self._patterns.get(number)
        if pattern is None:
            shape = self._shapes[number]
            prefix = re.escape(shape.prefix.encode())
            least = shape.length - len(shape.prefix)
            lengths = f"{least},{shape.longest - len(shape.prefix)}" if shape.longest else f"{least}"
            text = prefix + f"[{ALPHABETS[shape.alphabet]}]{{{lengths}}}".encode()
            ends = b"" if prefix or shape.longest else _ENDS
            around = (b"" if prefix else _BEGINS) + b"(?=(" + text + b")" + ends + b")"
            pattern = self._patterns[number] = re.compile(around)
        return pattern


def _spans(shape: Shape, found: re.Match[bytes], data: bytes) -> Iterator[tuple[int, int]]:
    """The text that was found or, where the shape is a range of lengths, each beginning of it that ends at a sign."""
    start, end = found.span(1)
    if not shape.longest:
        yield start, end
        return
    for stop in range(start + shape.length, end + 1):
        if shape.prefix or not data[stop : stop + 1].isalnum():
            yield start, stop
