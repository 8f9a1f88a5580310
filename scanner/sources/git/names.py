"""Names of files and directories in history: a key can stand in one, and then its content says nothing of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from scanner.model import Blob, Origin, Place, Skipped, printable
from scanner.record import Record
from scanner.sources.files import NAME_LENGTH
from scanner.sources.git.command import Git
from scanner.sources.git.reading import Unreadable, read_objects

# An entry of a tree is its mode, a space, its name, a NUL and a raw id. Looking for spaces is quick; one may belong to
# an id, and then the rest of that and the mode of the next entry come before the name.
_NAMES = re.compile(rb" (?:[^\0]{0,31}?(?:1[0-7]{5}|40000) )?+([^\0]{%d,})\0" % NAME_LENGTH)
_MARGIN = 320
"""Mode, name and id of an entry are hardly ever longer together; file systems allow names of 255 bytes."""
_NEAR = 64
_TAIL = 12
_HELD = 64 << 20
"""So many bytes of trees are kept to compare others with."""


class NameBatch(Record):
    """Unit: the names in some trees that are long enough to hold a credential, each once a directory.

    `ids` are those of the trees, separated by spaces.
    """

    git: Git
    name: str
    ids: str
    weight: int

    def blobs(self) -> Iterator[Blob | Skipped]:
        """One blob for each name in each directory; `origin.blob` is the tree that has it."""
        seen: set[tuple[bytes, bytes]] = set()
        versions: dict[bytes, bytes] = {}
        held = 0
        for found in read_objects(self.git, self.ids.split(" ")):
            if isinstance(found, Unreadable):
                yield Skipped(f"{printable(self.name)} object {found.id}", found.reason)
                continue
            if found.spool is not None:
                yield Skipped(f"{printable(self.name)} object {found.id}", "the directory is too large to be looked at")
                continue
            content = found.content
            directory = _likeness(content, len(found.id) // 2)
            for name in found_in(fresh(versions.get(directory, b""), content)):
                if (directory, name) not in seen:
                    seen.add((directory, name))
                    origin = Origin(Place.FILE_NAME, os.fsdecode(name), repository=self.name, blob=found.id)
                    yield Blob(name, origin)
            held += len(content)
            if held > _HELD:
                versions, held = {}, 0
            versions[directory] = content


def found_in(entries: bytes) -> list[bytes]:
    """The names in raw entries of a tree that are long enough to hold a credential."""
    return _NAMES.findall(entries)


def _likeness(tree: bytes, width: int) -> bytes:
    """What tells a directory from most others, and stays when files in it change: its first and its last name."""
    return tree[: tree.find(b"\0")] + tree[-width - _TAIL : -width]


def fresh(before: bytes, tree: bytes) -> bytes:
    """The entries of a tree that another one has not, with some that it has.

    Nearly all of a version of a directory is in the version before: looking at all of every version would take longer
    than looking at all contents of files.
    """
    most = min(len(before), len(tree))
    first = _alike(before, tree, 0, 0, most)
    last = _alike(before, tree, len(before), len(tree), first - most)
    start, end = max(first - _MARGIN, 0), len(tree) - max(last - _MARGIN, 0)
    if (start and b"\0" not in tree[start:first]) or (end < len(tree) and b"\0" not in tree[end - _MARGIN : end]):
        return tree  # an entry that is longer than any that a file system would take
    return tree[start:end]


def _alike(one: bytes, other: bytes, at: int, there: int, most: int) -> int:
    """About how many bytes are equal from two places on, never too many; `most` is negative to look backwards."""
    low, high = 0, most
    while abs(high - low) > _NEAR:
        middle = (low + high) // 2
        start, end = min(low, middle), max(low, middle)
        if one[at + start : at + end] == other[there + start : there + end]:
            low = middle
        else:
            high = middle
    return abs(low)
