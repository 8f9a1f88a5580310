"""Python bytecode and Java classes: their texts, each by itself.

A text stands behind its length, which could be taken for a letter of it, and before whatever comes next.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.kinds import CLASS
from scanner.unpack.parts import Box, Part, Text, Unread, exactly, read

_SHORT = re.compile(rb"[zZ\xfa\xda](?=[\x10-\xff][\t\n\r -~]{16})")
_LONG = re.compile(rb"[aAutsU\xe1\xc1\xf5\xf4\xf3\xd5](?=..[\0\1]\0[\t\n\r -~\x80-\xff]{16})", re.DOTALL)
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
_WORTH = 16
"""Shorter texts hold no secret."""
_LONGEST = 1 << 16
"""What stands in the middle of a longer text is found in the file's own bytes."""
_BETWEEN = b"\0\n"
"""As in a binary, a name and a value that stand beside each other need not belong together."""
_POOL = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
"""How long the constants of a class are that are no texts (Java Virtual Machine Specification, 4.4)."""


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The texts, one a line, as the file's own: where they stood in its source is not known."""
    if box.kind == CLASS:
        yield Text("", _constants(stream))
        return
    limit = box.budget.room()
    data = read(stream, limit + 1)
    if len(data) > limit:
        yield Unread("", f"more than {limit:,} bytes of bytecode; its texts were not told apart")
        return
    yield Text("", _marshalled(data))


def _marshalled(data: bytes) -> Iterator[bytes]:
    """What looks like a text by its mark and its length, whatever version of Python wrote it."""
    for mark, width in ((_SHORT, 1), (_LONG, 4)):
        found = mark.search(data)
        while found:
            at = found.end() + width
            size = int.from_bytes(data[found.end() : at], "little")
            end = at
            if _WORTH <= size <= min(_LONGEST, len(data) - at) and not _CONTROL.search(data, at, at + size):
                end = at + size
                yield data[at:end] + _BETWEEN
            found = mark.search(data, end if end > at else found.end())


def _constants(stream: BinaryIO) -> Iterator[bytes]:
    exactly(stream, 8)
    (count,) = struct.unpack(">H", exactly(stream, 2))
    at = 1
    while at < count:
        tag = exactly(stream, 1)[0]
        if tag == 1:
            (size,) = struct.unpack(">H", exactly(stream, 2))
            yield exactly(stream, size) + _BETWEEN
        elif tag in _POOL:
            exactly(stream, _POOL[tag])
        else:
            raise ValueError("a constant of another kind")
        at += 2 if tag in (5, 6) else 1
