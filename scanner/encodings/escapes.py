"""Encodings that write some characters of a text as escapes and leave the others: percent, backslashes, entities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scanner.decode import Text
from scanner.encodings import names
from scanner.encodings.mending import Value, mended
from scanner.record import Record

GAP = 1536
"""Two escapes that are further apart belong to two stretches; as much plain text is taken in at both ends."""
LONGEST = 1 << 18
"""The longest stretch of escapes that is read at once, in bytes."""

_ENTITIES = {
    b"amp": b"&", b"quot": b'"', b"apos": b"'", b"lt": b"<", b"gt": b">", b"plus": b"+", b"equals": b"=", b"sol": b"/",
    b"lowbar": b"_", b"hyphen": b"-", b"dash": b"-", b"period": b".", b"colon": b":", b"dollar": b"$", b"num": b"#",
    b"percnt": b"%", b"commat": b"@", b"excl": b"!", b"ast": b"*", b"tilde": b"~", b"bsol": b"\\", b"vert": b"|",
}  # fmt: skip
"""Named entities of ASCII signs (HTML Living Standard, named character references)."""


def _hexadecimal(found: re.Match[bytes]) -> bytes:
    return _character(int(found[found.lastindex or 0], 16))


def _character(point: int) -> bytes:
    return bytes((point,)) if point < 0x80 else chr(point).encode("utf-8", "replace") if point < 0x110000 else b"?"


def _byte(found: re.Match[bytes]) -> bytes:
    if found.lastindex is None:
        return found[0][-1:]
    base = 16 if found.lastindex == 1 else 8
    return bytes((int(found[found.lastindex], base) & 0xFF,))


def _percent(found: re.Match[bytes]) -> bytes:
    return bytes((int(found[1], 16),))


def _quoted(found: re.Match[bytes]) -> bytes:
    return bytes((int(found[1], 16),)) if found[1] else b""


def _entity(found: re.Match[bytes]) -> bytes:
    if found[3]:
        return _ENTITIES[found[3]]
    return _character(int(found[1], 16) if found[1] else int(found[2]))


class Escape(Record):
    """One way to write characters: what an escape looks like, and what it stands for."""

    name: str
    pattern: re.Pattern[bytes]
    value: Value

    def around(self, data: bytes, first: int, end: int) -> tuple[int, int]:
        """The stretch of escapes that an escape belongs to, from a hit on."""
        start = max(0, first - GAP)
        last = end
        for found in self.pattern.finditer(data, end, start + LONGEST):
            if found.start() - last > GAP:
                break
            last = found.end()
        return start, min(len(data), last + GAP)

    def onwards(self, _data: bytes, _start: int, _end: int) -> int | None:
        """None: hits that lie together are in one stretch."""
        return None

    def alone(self, _data: bytes, _start: int, _end: int, _hits: Sequence[int]) -> Iterator[Text]:
        """Nothing: there is one way to read it."""
        return iter(())

    def read(self, data: bytes, start: int, end: int, _hits: Sequence[int]) -> Iterator[Text]:
        """What a stretch says."""
        text = mended(data, start, end, self.pattern, self.value)
        yield Text(text.data, (self.name,), text.locate, own_lines=False, unchanged=text.unchanged)


_TWO = rb"([0-9A-Fa-f]{2})"

ESCAPES = (
    Escape(names.PERCENT, re.compile(rb"%" + _TWO), _percent),
    Escape(
        names.UNICODE,
        re.compile(rb"(?:\\{1,8}u|%u)00" + _TWO + rb"|\\{1,8}[uUx]\{0{0,6}" + _TWO + rb"\}|\\{1,8}U000000" + _TWO),
        _hexadecimal,
    ),
    Escape(names.ESCAPE, re.compile(rb"\\{1,8}[xX]" + _TWO + rb"|\\{1,8}(0?[0-3][0-7]{2})|\\{1,8}/"), _byte),
    Escape(
        names.HTML,
        re.compile(
            rb"&(?:amp;){0,4}(?:#[xX]0{0,4}([0-9A-Fa-f]{2,4});?|#0{0,4}([0-9]{2,5});?|("
            + b"|".join(_ENTITIES)
            + rb");)"
        ),
        _entity,
    ),
    Escape(names.QUOTED_PRINTABLE, re.compile(rb"=(?:([0-9A-F]{2})|[ \t]{0,4}\r?\n)"), _quoted),
)
