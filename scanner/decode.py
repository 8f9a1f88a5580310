"""Encodings: from content to the texts in it, each with the way back to where it stands.

Whole contents in UTF-16, wide strings in binaries, and stretches of base64 that the first pass has pointed at. Archives
and documents are `scanner.unpack`'s.
"""

from __future__ import annotations

import binascii
import codecs
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Locate = Callable[[int, int], tuple[int, int]]
"""Start and end in a decoded text to start and end in what it was decoded from."""

BINARY_HEAD = 8192
"""Content is binary when there is a NUL in so many bytes of its beginning."""
LONGEST_BASE64 = 1 << 20
"""How much of a stretch of base64 is decoded around a hit, in bytes."""

_WIDE_RUN = re.compile(rb"(?:[\t\n\r\x20-\x7e]\0){12,}")
_BASE64_BREAK = re.compile(rb"[^A-Za-z0-9+/_\-\r\n \t]")
_LAYOUT = b"\r\n \t"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Text:
    """A text to scan. `wrapped` says what it was taken out of (outermost first), `locate` where a part stands there.

    `own_lines` tells that people count lines in the text itself (UTF-16) and not in what surrounds it (base64).
    """

    data: bytes
    wrapped: tuple[str, ...] = ()
    locate: Locate | None = None
    own_lines: bool = True


def is_binary(data: bytes) -> bool:
    """Whether there is a NUL near the beginning."""
    return data.find(b"\0", 0, BINARY_HEAD) >= 0


def texts(data: bytes) -> Iterator[Text]:
    """The texts of a content: itself, or what it is in UTF-16, or itself and the wide strings in it."""
    if not is_binary(data):
        yield Text(data)
        return
    encoding = _wide_encoding(data)
    if encoding:
        yield _from_wide(data, encoding)
        return
    yield Text(data)
    wide = _wide_strings(data)
    if wide is not None:
        yield wide


def _wide_encoding(data: bytes) -> str:
    """The UTF-16 of a content, by its mark or by the places of its NULs; "" when it is not text in UTF-16."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return "" if encoding == "utf-8" else encoding
    head = data[: BINARY_HEAD & ~1]
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd * 10 > half * 7 and even * 20 < half:
        return "utf-16-le"
    if even * 10 > half * 7 and odd * 20 < half:
        return "utf-16-be"
    return ""


def _from_wide(data: bytes, encoding: str) -> Text:
    mark = 2 if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else 0
    plain = data[mark:].decode(encoding, "replace").encode("utf-8", "replace")

    def locate(start: int, end: int) -> tuple[int, int]:
        before = len(plain[:start].decode("utf-8", "replace").encode("utf-16-le", "replace"))
        within = len(plain[start:end].decode("utf-8", "replace").encode("utf-16-le", "replace"))
        return mark + before, mark + before + within

    return Text(plain, ("utf-16",), locate)


def _wide_strings(data: bytes) -> Text | None:
    """All stretches of UTF-16LE in a binary as one text, a NUL between each two."""
    runs = [(run.start(), run[0][::2]) for run in _WIDE_RUN.finditer(data)]
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
