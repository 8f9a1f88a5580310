"""ar archives: static libraries, and Debian's packages, whose members are TAR archives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.parts import Box, Member, Part, Slice, buffered, exactly, read

_HEAD = 60
_NAMES_LIMIT = 16 << 20
_LONGEST = 4_096


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The members, under their long names where they have one. Symbol tables are members too."""
    exactly(stream, 8)
    names = b""
    while head := read(stream, _HEAD):
        box.budget.member()
        if len(head) < _HEAD:
            raise EOFError("cut short")
        if head[58:60] != b"`\n":
            raise ValueError("a member's head is damaged")
        size = int(head[48:58])
        if size < 0:
            raise ValueError("a member's head is damaged")
        padded = size & 1
        label = head[:16].rstrip()
        if label == b"//" and size <= _NAMES_LIMIT:
            names = exactly(stream, size)
        else:
            if label.startswith(b"#1/"):
                length = int(label[3:])
                if not 0 <= length <= min(size, _LONGEST):
                    raise ValueError("a member's head is damaged")
                label = exactly(stream, length).rstrip(b"\0")
                size -= length
            elif label[:1] == b"/" and label[1:].isdigit():
                label = names[int(label[1:]) :][:_LONGEST].partition(b"\n")[0]
            content = Slice(stream, size)
            yield Member(label.removesuffix(b"/").decode("utf-8", "surrogateescape"), buffered(content))
            content.finish()
        read(stream, padded)
