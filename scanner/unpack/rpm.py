"""RPM packages: two heads with the package's fields and scripts, then a compressed cpio archive."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack import cpio
from scanner.unpack.kinds import CPIO, kind_of
from scanner.unpack.parts import Box, Chained, Member, Metered, Part, Text, buffered, exactly, read
from scanner.unpack.streams import SUFFIXES, decompressed

_LEAD = 96
_HEADER_MAGIC = b"\x8e\xad\xe8\x01"
_HEADER_LIMIT = 64 << 20


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The fields and scripts as one text, then the package's files."""
    exactly(stream, _LEAD)
    signature = _header(stream)
    read(stream, -len(signature) % 8)
    yield Text("(package header)", (_header(stream).replace(b"\0", b"\n"),))
    head = read(stream, 512)
    content = buffered(Chained(head, stream))
    kind = kind_of(head)
    if kind in SUFFIXES:
        content = buffered(Metered(decompressed(kind, content), box.budget))
        kind = kind_of(content.peek(512)[:512])  # type: ignore[attr-defined]
    if kind == CPIO:
        yield from cpio.parts(content, box)
    else:
        yield Member("(payload)", content)


def _header(stream: BinaryIO) -> bytes:
    """The values of a head."""
    lead = exactly(stream, 16)
    if lead[:4] != _HEADER_MAGIC:
        raise ValueError("not a package's head")
    entries, size = struct.unpack(">II", lead[8:])
    if entries * 16 + size > _HEADER_LIMIT:
        raise ValueError("a head of that size")
    exactly(stream, entries * 16)
    return exactly(stream, size)
