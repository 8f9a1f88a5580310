"""From content to the texts in it, each with the way back to where it stands.

What is wrapped inside a text is `scanner.encodings`'s, archives and documents are `scanner.unpack`'s. Asked for every
content, so nothing heavy is here.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator

from scanner.record import Record

Locate = Callable[[int, int], tuple[int, int]]
"""Start and end in a decoded text to start and end in what it was decoded from."""

BINARY_HEAD = 8192
"""Content is binary when there is a NUL in so many bytes of its beginning."""

_BOMS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Text(Record):
    """A text to scan. `wrapped` says what it was taken out of (outermost first), `locate` where a part stands there.

    `own_lines` tells that people count lines in the text itself (UTF-16) and not in what surrounds it (base64).
    `unchanged` tells which parts stand just so in what surrounds it, and are looked at there.
    """

    data: bytes
    wrapped: tuple[str, ...] = ()
    locate: Locate | None = None
    own_lines: bool = True
    unchanged: Callable[[int, int], bool] | None = None


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
    from scanner.encodings.wide import wide_strings  # noqa: PLC0415 - expressions to compile, for binaries alone

    wide = wide_strings(data)
    if wide is not None:
        yield wide


def _wide_encoding(data: bytes) -> str:
    """The UTF-16 of a content, by its mark or by the places of its NULs; "" when it is not text in UTF-16."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
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
