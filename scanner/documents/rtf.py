"""RTF: text between groups and control words, put together from the runs that formatting cuts it into."""

from __future__ import annotations

import binascii
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.parts import Box, Member, Part, Text, Unread, read

_TOKEN = re.compile(
    rb"\\'(?P<byte>[0-9A-Fa-f]{2})|\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?|\\(?P<sign>[^A-Za-z])"
    rb"|(?P<open>\{)|(?P<close>\})|(?P<break>[\r\n]+)|(?P<text>[^\\{}\r\n]+)|(?P<other>.)",
    re.DOTALL,
)
_BREAKS = frozenset((b"par", b"line", b"row", b"sect", b"page", b"column"))
_TABS = frozenset((b"tab", b"cell", b"nestcell"))
_HEX = frozenset((b"pict", b"objdata", b"datastore", b"themedata", b"colorschememapping"))
_MOST_GROUPS = 4_096
_HEX_DIGITS = re.compile(rb"[^0-9A-Fa-f]+")
_PIECE = 1 << 16


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The text, then what is embedded."""
    limit = box.budget.room()
    data = read(stream, limit + 1)
    if len(data) > limit:
        yield Unread("", f"more than {limit:,} bytes of RTF; its text was not put together")
        return
    with box.budget.holding(len(data)):
        embedded: list[bytes] = []
        yield Text("text", _text(data, embedded))
        for number, coded in enumerate(embedded, 1):
            box.budget.member()
            digits = _HEX_DIGITS.sub(b"", coded)
            yield Member(f"object {number}", io.BytesIO(binascii.unhexlify(digits[: len(digits) & ~1])))


def _text(data: bytes, embedded: list[bytes]) -> Iterator[bytes]:
    """The text, as a line for each paragraph. What groups hold in hexadecimal goes to `embedded`."""
    skips: list[int] = [1]
    hidden = 0  # the depth of the group that is not text
    begun = 0
    skip = 0
    out: list[bytes] = []
    size = 0
    for token in _TOKEN.finditer(data):
        kind = token.lastgroup
        piece = b""
        if kind == "open":
            skips.append(skips[-1])
            if len(skips) > _MOST_GROUPS:
                raise ValueError("groups within groups without an end")
        elif kind == "close":
            if hidden and len(skips) == hidden:
                embedded.append(data[begun : token.start()])
                hidden = 0
            if len(skips) > 1:
                skips.pop()
        elif hidden:
            continue
        elif kind == "text":
            piece = token["text"][skip:]
            skip = max(0, skip - len(token["text"]))
        elif kind == "byte":
            piece = b"" if skip else bytes.fromhex(token["byte"].decode())
            skip = max(0, skip - 1)
        elif kind == "sign":
            piece = {b"~": b" ", b"_": b"-", b"\n": b"\n", b"\r": b"\n"}.get(token["sign"], b"")
            piece = token["sign"] if token["sign"] in b"\\{}" else piece
        elif kind in ("word", "number"):
            word, number = token["word"], int(token["number"] or 0)
            if word == b"u":
                piece, skip = chr(number % 65_536).encode("utf-8", "replace"), skips[-1]
            elif word == b"uc":
                skips[-1] = min(max(number, 0), 16)
            elif word == b"bin":
                piece = b"\n"
            elif word in _HEX:
                hidden, begun = len(skips), token.end()
            else:
                piece = b"\n" if word in _BREAKS else b"\t" if word in _TABS else b""
        if piece:
            out.append(piece)
            size += len(piece)
            if size > _PIECE:
                yield b"".join(out)
                out, size = [], 0
    yield b"".join(out)
