"""TAR archives, read front to back. A layer of a container image is one, and so is the image."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.parts import Box, Member, Part, Text

_HEAD_LIMIT = 1 << 20
"""A head's own data (a long name, attributes) is held in memory; none that is honest is longer."""
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_LINK_LENGTH = 20


class _Entry(tarfile.TarInfo):
    """A head that does not say it is as long as memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _LONG and self.size > _HEAD_LIMIT:
            raise tarfile.ReadError("a head of more than a megabyte")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """Files, and the targets of links. Devices and directories hold nothing."""
    archive = tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape", tarinfo=_Entry)  # noqa: SIM115
    with archive:
        for entry in archive:
            box.budget.member()
            archive.members = []  # type: ignore[attr-defined]  # or it keeps them all
            if entry.issym() and len(entry.linkname) >= _LINK_LENGTH:
                yield Text(entry.name, (entry.linkname.encode("utf-8", "surrogateescape"),))
            if not entry.isfile():
                continue
            member = archive.extractfile(entry)
            if member is not None:
                yield Member(entry.name, member)
