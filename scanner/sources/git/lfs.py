"""Git LFS: history holds pointers, and the contents lie in a directory of their own, or not here at all.

Contents that are here are read with the rest of git's directory, and findings in them are given to the file that points
to them. The others are counted, since a content that was not looked at may hold anything.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence

from scanner.model import Blob, Finding, Place, Skipped, printable
from scanner.record import Record, replace
from scanner.sources.git.command import Git
from scanner.sources.git.reading import GitObject, read_objects
from scanner.sources.git.repository import common_directory

_VERSION = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER = re.compile(_VERSION + rb"(?:ext-[^\n]+\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,20})\n?")
_SHORTEST, _LONGEST = 125, 1024
_USUAL = 150
_KEPT = re.compile(r"(?:^|/)lfs/objects/[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})$")
_OBJECT_WEIGHT = 2 << 10


def may_be_pointer(size: int) -> bool:
    """Whether a pointer without extensions can have so many bytes."""
    return _SHORTEST <= size <= _USUAL


def pointed_to(content: bytes) -> str | None:
    """The id of the content that a pointer stands for; None for what is no pointer."""
    if len(content) > _LONGEST or not content.startswith(_VERSION):
        return None
    found = _POINTER.fullmatch(content)
    return found[1].decode() if found else None


class PointerBatch(Record):
    """Unit: blobs that may be pointers, by their size. Their bytes are scanned elsewhere; here contents are missed."""

    git: Git
    name: str
    ids: str

    @property
    def weight(self) -> int:
        """What reading them costs."""
        return _OBJECT_WEIGHT * (self.ids.count(" ") + 1)

    def blobs(self) -> Iterator[Blob | Skipped]:
        """One Skipped with the number of contents that are not here, if there are any."""
        common = common_directory(self.git.directory) or self.git.directory
        missing = set()
        for found in read_objects(self.git, self.ids.split(" ")):
            oid = pointed_to(found.content) if isinstance(found, GitObject) else None
            if oid is not None and not os.path.isfile(os.path.join(common, kept_at(oid))):
                missing.add(oid)
        if missing:
            count = "1 content of Git LFS is" if len(missing) == 1 else f"{len(missing)} contents of Git LFS are"
            yield Skipped(
                f"{printable(self.name)} Git LFS", f"{count} not here: run git lfs fetch --all to have them scanned"
            )


def kept_at(oid: str) -> str:
    """Where a content is kept, below git's directory."""
    return os.path.join("lfs", "objects", oid[:2], oid[2:4], oid)


def pointing(git: Git, findings: Sequence[Finding]) -> list[Finding]:
    """Findings in contents of Git LFS as findings in the pointers to them, whose blobs have commits and paths."""
    return [
        replace(each, origin=replace(each.origin, place=Place.BLOB, path="", blob=blob))
        if each.origin.place is Place.CONFIG and (blob := _pointer_to(git, each.origin.path))
        else each
        for each in findings
    ]


def _pointer_to(git: Git, path: str) -> str | None:
    """The id of the blob that points to a kept content, if there is such a blob."""
    kept = _KEPT.search(path)
    common = common_directory(git.directory)
    if kept is None or common is None:
        return None
    size = os.path.getsize(os.path.join(common, kept_at(kept[1])))
    pointer = _VERSION + f"oid sha256:{kept[1]}\nsize {size}\n".encode()
    whole = b"blob %d\0" % len(pointer) + pointer
    for id in (hashlib.sha1(whole, usedforsecurity=False).hexdigest(), hashlib.sha256(whole).hexdigest()):
        if any(isinstance(found, GitObject) for found in read_objects(git, [id])):
            return id
    return None
