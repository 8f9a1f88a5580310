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
from scanner.sources.git.pointers import kept_at, pointed_to, pointer
from scanner.sources.git.reading import GitObject, read_objects
from scanner.sources.git.repository import common_directory

_KEPT = re.compile(r"(?:^|/)lfs/objects/[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})$")
_OBJECT_WEIGHT = 2 << 10


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
    text = pointer(kept[1], size)
    whole = b"blob %d\0" % len(text) + text
    for id in (hashlib.sha1(whole, usedforsecurity=False).hexdigest(), hashlib.sha256(whole).hexdigest()):
        if any(isinstance(found, GitObject) for found in read_objects(git, [id])):
            return id
    return None
