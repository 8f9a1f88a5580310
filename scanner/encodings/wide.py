"""The wide strings in a binary."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from scanner.decode import Text

_PRINTABLE = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))
_KINDS = bytes(1 if byte in _PRINTABLE else 0 if byte == 0 else 2 for byte in range(256))
_WIDE = b"\1\0"
_SHORTEST_WIDE = _WIDE * 12
_WIDE_RUN = re.compile(rb"(?:\x01\0)+")


def wide_strings(data: bytes) -> Text | None:
    """All stretches of UTF-16LE in a binary as one text, a NUL between each two."""
    runs = [(start, data[start:end:2]) for start, end in _wide_runs(data)]
    if not runs:
        return None
    starts = [0]
    for _, text in runs:
        starts.append(starts[-1] + len(text) + 3)
    joined = b"\n\0\n".join(text for _, text in runs)

    def locate(start: int, end: int) -> tuple[int, int]:
        number = min(bisect_right(starts, start), len(runs)) - 1
        first = runs[number][0] + (start - starts[number]) * 2
        return first, first + (end - start) * 2

    return Text(joined, ("utf-16",), locate, own_lines=False)


def _wide_runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Where every second byte is printable and the others are NUL. Searching for the kinds of bytes as a fixed text is
    many times faster than an expression over the bytes themselves."""
    kinds = data.translate(_KINDS)
    start = kinds.find(_SHORTEST_WIDE)
    while start >= 0:
        run = _WIDE_RUN.match(kinds, start)
        end = run.end() if run else start + len(_SHORTEST_WIDE)
        yield start, end
        start = kinds.find(_SHORTEST_WIDE, end)
