"""What is wrapped inside a content: wide strings in binaries, and the base64 that the first pass has pointed at."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from scanner.decode import Text

LONGEST_BASE64 = 1 << 20
"""How much of a stretch of base64 is decoded around a hit, in bytes to each side."""

_PRINTABLE = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))
_KINDS = bytes(1 if byte in _PRINTABLE else 0 if byte == 0 else 2 for byte in range(256))
_WIDE = b"\1\0"
_SHORTEST_WIDE = _WIDE * 12
_WIDE_RUN = re.compile(rb"(?:\x01\0)+")
_BASE64_BREAK = re.compile(rb"[^A-Za-z0-9+/_\-\r\n \t]")
_LAYOUT = b"\r\n \t"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


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


def base64_around(data: bytes, first: int, end: int) -> tuple[int, int]:
    """The stretch of base64 around a hit, over line ends, bounded by `LONGEST_BASE64` to each side."""
    low = max(0, first - LONGEST_BASE64)
    start = low
    window = data[low:first]
    reverse = _BASE64_BREAK.search(window[::-1])
    if reverse is not None:
        start = first - reverse.start()
    found = _BASE64_BREAK.search(data, end, end + LONGEST_BASE64)
    return start, found.start() if found else min(len(data), end + LONGEST_BASE64)


def from_base64(data: bytes, start: int, end: int, literals: Sequence[bytes]) -> Iterator[Text]:
    """What a stretch of base64 says, at each alignment at which it says one of these fixed texts.

    White space at line ends is passed over. Words before the base64 may have got into the stretch, so every alignment
    is tried.
    """
    places = [at for at in range(start, end) if data[at] not in _LAYOUT]
    letters = bytes(data[at] for at in places).translate(_URL_SAFE)
    for skipped in range(min(4, len(letters))):
        body = letters[skipped:]
        body = body[: len(body) - (len(body) % 4 == 1)]
        try:
            plain = binascii.a2b_base64(body + b"=" * (-len(body) % 4))
        except binascii.Error:
            continue
        if not any(literal in plain for literal in literals):
            continue

        def locate(first: int, last: int, skipped: int = skipped) -> tuple[int, int]:
            final = min(-(-last * 4 // 3) - 1 + skipped, len(places) - 1)
            return places[first * 4 // 3 + skipped], places[final] + 1

        yield Text(plain, ("base64",), locate, own_lines=False)
