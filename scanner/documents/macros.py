"""Macros (VBA) as they are stored in office documents: compressed, behind what the editor remembers of them.

Undone as Microsoft's [MS-OVBA], 2.4.1 has it.
"""

from __future__ import annotations

from collections.abc import Iterator

_BEGIN = b"\x01"
_SOURCE = b"\0Attribut"
"""What every macro's source begins with, compressed: nothing is shortened in it yet, so it stands there in letters."""
_LIMIT = 4 << 20


def macros(data: bytes) -> Iterator[bytes]:
    """The sources in a stream: none, or one."""
    at = data.find(_SOURCE)
    if at >= 3 and data[at - 3 : at - 2] == _BEGIN:
        yield _source(data, at - 2)


def _source(data: bytes, at: int) -> bytes:
    out = bytearray()
    while at + 2 <= len(data) and len(out) < _LIMIT:
        head = int.from_bytes(data[at : at + 2], "little")
        end = min(at + (head & 0xFFF) + 3, len(data))
        if head & 0x8000:
            _chunk(data, at + 2, end, out)
        else:
            out += data[at + 2 : end]
        at = end
    return bytes(out)


def _chunk(data: bytes, at: int, end: int, out: bytearray) -> None:
    """One chunk: flags for eight tokens, each a letter or a place to copy from."""
    start = len(out)
    while at < end:
        flags = data[at]
        at += 1
        for bit in range(8):
            if at >= end:
                return
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            token = int.from_bytes(data[at : at + 2], "little")
            at += 2
            width = max((len(out) - start - 1).bit_length(), 4)
            back = (token >> (16 - width)) + 1
            if back > len(out) - start:
                return
            for _ in range((token & (0xFFFF >> width)) + 3):
                out.append(out[-back])
