"""Keywords near values that look like a machine's: the second step of the first pass.

The first step reports where runs end in which such a value may stand. Here the bytes before those ends are gathered
and all keywords are looked for in them at once; they are a few per cent of a text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from scanner.context import REACH, stands_alone
from scanner.engine.database import Words
from scanner.model import Candidate

BEHIND = 8
"""How many characters follow the digit or capitals."""
HEAD = 40
"""In how many bytes of a value's beginning they are found."""
MEMBERS = "0-9A-Za-z_/+\\-"
_SIGN = "(?:[0-9]|[a-z][A-Z]{2}|[A-Z][a-z][A-Z])"
TELLING = re.compile(f"[0-9A-Z](?:(?<=[0-9])|(?<=[a-z][A-Z])[A-Z]|[a-z][A-Z])[{MEMBERS}]{{{BEHIND}}}".encode("ascii"))
"""What a value that tells has in its head; so written, `re` skips to the digits and capitals."""
EXPRESSION = f"{_SIGN}[{MEMBERS}]{{{BEHIND},}}(?:[^{MEMBERS}]|\\z)".encode("ascii")
"""The same for the first step. It reports the end of a run only: ends inside would come by the thousand."""

_RUN = 64
"""Most runs are shorter."""
_STEP = 1 << 12
_OUTSIDE = re.compile(f"[^{MEMBERS}]".encode("ascii"))
_BETWEEN = b"\0"


class Nearby:
    """The keywords of rules whose values tell."""

    __slots__ = ("_before", "_lengths", "_numbers", "_words")

    def __init__(self, words: Words) -> None:
        self._words = words.database
        self._numbers = words.numbers
        self._lengths = words.lengths
        self._before = max(words.lengths) + REACH + HEAD  # a value may begin before the run that tells

    def candidates(self, data: bytes, ends: Sequence[int]) -> list[Candidate]:
        """Keywords with a telling value behind them; `ends` are pairs: the ends of the first and last run of several
        that lie close together."""
        pieces, starts, places = _pieces(data, ends, self._before)
        starts.append(sys.maxsize)
        found: set[tuple[int, int]] = set()
        numbers, lengths = self._numbers, self._lengths
        piece, limit, shift = 0, starts[1], places[0]
        for word, end in self._words.hits(_BETWEEN.join(pieces)):
            while end > limit:
                piece += 1
                limit, shift = starts[piece + 1], places[piece] - starts[piece]
            close = end + shift
            if stands_alone(data, close - lengths[word], close) and TELLING.search(
                data, close + 1, close + REACH + HEAD
            ):
                found.add((numbers[word], close))
        size = len(data)
        return [Candidate(number, end, min(size, end + REACH), keyword=True) for number, end in found]


def _pieces(data: bytes, ends: Sequence[int], before: int) -> tuple[list[bytes], list[int], list[int]]:
    """The bytes before some ends, from `before` bytes before their runs: pieces without overlap, where each begins when
    they are joined, and in the data."""
    pieces: list[bytes] = []
    starts: list[int] = []
    places: list[int] = []
    at = 0
    far = before + _RUN + 1
    low, high = max(0, _run(data, ends[0]) - before), ends[1]
    for first, last in zip(ends[2::2], ends[3::2], strict=True):
        # A piece that goes on has all that a later run in it needs: what lies before an earlier one's end.
        if first - far > high and (begin := _run(data, first) - before) > high:
            pieces.append(data[low:high])
            starts.append(at)
            places.append(low)
            at += high - low + 1
            low = begin
        high = last
    pieces.append(data[low:high])
    starts.append(at)
    places.append(low)
    return pieces, starts, places


def _run(data: bytes, end: int) -> int:
    """Where the run that ends here begins, or before."""
    start = max(0, end - 1 - _RUN)
    if start and _OUTSIDE.search(data, start, end - 1) is None:
        while start and (found := _OUTSIDE.search(data[max(0, start - _STEP) : start][::-1])) is None:
            start = max(0, start - _STEP)
        start -= found.start() if start and found else 0
    return start
