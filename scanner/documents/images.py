"""Pictures: what is written in PNG, JPEG and GIF beside the picture. Read front to back, pixels are passed over.

Comments, EXIF, XMP and IPTC stand in chunks behind their length, which could be taken for a letter of what follows.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.kinds import JPEG, PNG
from scanner.unpack.parts import Box, Chained, Member, Part, Slice, Text, buffered, exactly, read

_TEXT_LIMIT = 16 << 20
"""A chunk of text that is longer is no text; it is found in the file's own bytes if it is not compressed."""
_PIXELS = frozenset((b"IHDR", b"IDAT", b"PLTE", b"fdAT", b"fcTL", b"acTL"))
_START_OF_SCAN, _END_OF_IMAGE, _COMMENT = 0xDA, 0xD9, 0xFE
_APPLICATIONS = range(0xE0, 0xF0)
_ALONE = (0x01, *range(0xD0, 0xD9))


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The texts; and what follows the picture, which may be anything."""
    if box.kind == PNG:
        yield from _png(stream, box)
    elif box.kind == JPEG:
        yield from _jpeg(stream, box)
    else:
        yield from _gif(stream, box)


def _png(stream: BinaryIO, box: Box) -> Iterator[Part]:
    exactly(stream, 8)
    while True:
        head = exactly(stream, 8)
        size, kind = int.from_bytes(head[:4]), head[4:]
        box.budget.member()
        if kind == b"IEND":
            exactly(stream, size + 4)
            break
        if kind in _PIXELS or size > _TEXT_LIMIT:
            Slice(stream, size + 4).finish()
            continue
        data = exactly(stream, size + 4)[:-4]
        yield from _chunk(kind, data, box)
    if rest := read(stream, 1):
        yield Member("(what follows)", buffered(Chained(rest, stream)))


def _chunk(kind: bytes, data: bytes, box: Box) -> Iterator[Part]:
    name = kind.decode("latin-1")
    keyword, _, text = data.partition(b"\0")
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        name = f"{name} {keyword[:80].decode('latin-1')}"
    if kind == b"zTXt":
        text = _inflated(text[1:], box)
    elif kind == b"iTXt":
        packed, text = text[:1] == b"\1", _third(text[2:])
        text = _inflated(text, box) if packed else text
    elif kind == b"iCCP":
        text = _inflated(text[1:], box)
    elif kind != b"tEXt":
        text = data
    if text:
        yield Text(name, (text,))


def _third(data: bytes) -> bytes:
    """What stands behind the language and the translated keyword."""
    return data.partition(b"\0")[2].partition(b"\0")[2]


def _inflated(data: bytes, box: Box) -> bytes:
    """A compressed text, as much of it as there is room for."""
    limit = min(_TEXT_LIMIT, box.budget.room())
    return zlib.decompressobj().decompress(data, limit) if limit else b""


def _jpeg(stream: BinaryIO, box: Box) -> Iterator[Part]:
    exactly(stream, 2)
    while True:
        mark = exactly(stream, 1)
        while mark != b"\xff":
            mark = exactly(stream, 1)
        while mark == b"\xff":
            mark = exactly(stream, 1)
        code = mark[0]
        if code == _START_OF_SCAN:
            return  # pixels up to the end; what follows them is found in the file's own bytes
        if code in _ALONE or code == 0:
            continue
        if code == _END_OF_IMAGE:
            return
        box.budget.member()
        size = int.from_bytes(exactly(stream, 2))
        data = exactly(stream, max(size - 2, 0))
        if code == _COMMENT:
            yield Text("COM", (data,))
        elif code in _APPLICATIONS and data:
            pieces = [data] if code != 0xED else [data, *_iptc(data)]
            yield Text(f"APP{code - 0xE0}", (b"\n\0\n".join(pieces),))


def _iptc(data: bytes) -> Iterator[bytes]:
    """The data sets of IPTC in a Photoshop segment, each by itself."""
    at = data.find(b"\x1c\x02")
    while 0 <= at <= len(data) - 5:
        size = int.from_bytes(data[at + 3 : at + 5])
        if size & 0x8000:
            return
        yield data[at + 5 : at + 5 + size]
        at = data.find(b"\x1c\x02", at + 5 + size)


def _gif(stream: BinaryIO, box: Box) -> Iterator[Part]:
    head = exactly(stream, 13)
    if head[10] & 0x80:
        exactly(stream, 3 << ((head[10] & 7) + 1))
    while (mark := exactly(stream, 1)) != b";":
        box.budget.member()
        if mark == b",":
            about = exactly(stream, 9)
            if about[8] & 0x80:
                exactly(stream, 3 << ((about[8] & 7) + 1))
            exactly(stream, 1)
            for _ in _blocks(stream):
                pass
        elif mark == b"!":
            label = exactly(stream, 1)[0]
            if label in (_COMMENT, 0x01, 0xFF):
                data = b""
                for block in _blocks(stream):
                    data += block if len(data) < _TEXT_LIMIT else b""
                yield Text("comment" if label == _COMMENT else "extension", (data,))
            else:
                for _ in _blocks(stream):
                    pass
        else:
            raise ValueError("a block of another kind")


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while size := exactly(stream, 1)[0]:
        yield exactly(stream, size)
