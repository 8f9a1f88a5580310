"""What is looked at beside contents and messages: names in trees, and pointers whose contents may not be here.

It has a listing of its own, so that it does not matter how contents are read.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from scanner.sources.git.command import Git
from scanner.sources.git.lfs import PointerBatch
from scanner.sources.git.names import NameBatch
from scanner.sources.git.pointers import may_be_pointer

_TREES_AT_ONCE = 64 << 20
_LIGHTNESS = 8
"""Looking at the names in a tree takes so many times less than scanning its bytes."""
_LISTING = ("cat-file", "--batch-all-objects", "--unordered", "--buffer")
_FIELDS = "--batch-check=%(objecttype) %(objectsize) %(objectname)"


class Beside:
    """Takes a list of objects, and gives units of its trees and of what may be pointers."""

    def __init__(self, git: Git, name: str, known: Container[str] = ()) -> None:
        self._git = git
        self._name = name
        self._known = known
        self._trees: dict[bytes, None] = {}
        self._size = 0
        self._pointers: dict[bytes, None] = {}
        self.ready: list[NameBatch] = []

    def add(self, kind: bytes, size: int, id: bytes) -> None:
        """Takes one object. When there are enough of them, their unit is in `ready`."""
        if kind == b"tree":
            if not (self._known and id.decode() in self._known):
                self._trees[id] = None
                self._size += size
                if self._size >= _TREES_AT_ONCE:
                    self._cut()
        elif kind == b"blob" and may_be_pointer(size):
            self._pointers[id] = None

    def units(self) -> Iterator[NameBatch]:
        """The units that are ready."""
        yield from self.ready
        self.ready.clear()

    def rest(self) -> Iterator[NameBatch | PointerBatch]:
        """What is left at the end."""
        if self._trees:
            self._cut()
        yield from self.units()
        if self._pointers:
            yield PointerBatch(self._git, self._name, b" ".join(self._pointers).decode())

    def _cut(self) -> None:
        weight = self._size // _LIGHTNESS + len(self._trees)
        self.ready.append(NameBatch(self._git, self._name, b" ".join(self._trees).decode(), weight))
        self._trees, self._size = {}, 0


def beside_all(git: Git, name: str, known: Container[str] = ()) -> Iterator[NameBatch | PointerBatch]:
    """Units of all trees and pointers there are. What git cannot list is told by those who list contents."""
    beside = Beside(git, name, known)
    with git.lines(*_LISTING, _FIELDS) as lines:
        for line in lines:
            fields = line.split(b" ")
            if len(fields) == 3:
                beside.add(fields[0], int(fields[1]), fields[2])
            if beside.ready:
                yield from beside.units()
    yield from beside.rest()
