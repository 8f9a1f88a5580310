"""ZIP archives: zip, jar, whl, apk and so on; and the text of office documents, which are ZIP archives too."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.kinds import ZIP_END, ZIP_TAIL
from scanner.unpack.parts import DAMAGED, Box, Member, Part, Text, Unread, said

_DIRECTORY_LIMIT = 64 << 20
"""The directory is held in memory, and becomes some ten times larger there."""
_ENCRYPTED = 1
_OFFICE = ("[Content_Types].xml", "META-INF/manifest.xml", "mimetype")


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The archive's comment, its members, and the text of office documents before the XML that it is in."""
    if _directory_size(stream) > _DIRECTORY_LIMIT:
        yield Unread("", f"its directory has more than {_DIRECTORY_LIMIT:,} bytes; not unpacked")
        return
    archive = zipfile.ZipFile(stream)
    entries = archive.infolist()
    if archive.comment:
        yield Text("(archive comment)", (archive.comment,))
    if any(entry.filename in _OFFICE for entry in entries):
        from scanner.documents import office  # noqa: PLC0415 - for office documents alone

        yield from office.texts(archive, entries, box)
    for entry in entries:
        box.budget.member()
        name = entry.filename
        if entry.comment:
            yield Text(name, (entry.comment,))
        if entry.is_dir():
            continue
        if entry.flag_bits & _ENCRYPTED:
            yield Unread(name, "an encrypted member")
            continue
        try:
            member = archive.open(entry)
        except DAMAGED as error:
            yield Unread(name, said("a damaged member", error))
            continue
        with member:
            yield Member(name, member)


def _directory_size(stream: BinaryIO) -> int:
    """How large the directory says it is; 0 where there is no end record, which the library finds too."""
    size = stream.seek(0, 2)
    start = max(0, size - ZIP_TAIL)
    stream.seek(start)
    tail = stream.read(ZIP_TAIL)
    at = tail.rfind(ZIP_END)
    if at < 0 or at + 20 > len(tail):
        return 0
    (told,) = struct.unpack_from("<I", tail, at + 12)
    if told == 0xFFFFFFFF and at >= 20 and start + at - 20 >= 0:
        (where,) = struct.unpack_from("<Q", tail, at - 20 + 8)
        stream.seek(min(where, size))
        record = stream.read(56)
        if record[:4] == b"PK\x06\x06" and len(record) == 56:
            (told,) = struct.unpack_from("<Q", record, 40)
    return min(int(told), size)
