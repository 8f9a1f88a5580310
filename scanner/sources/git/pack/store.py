"""Packs as files: opened, mapped, read into tables, and cut into units of work."""

from __future__ import annotations

import mmap
import os
import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scanner.model import Blob, Origin, Place, Skipped
from scanner.record import Record
from scanner.sources.files import NAME_LENGTH
from scanner.sources.git.command import Git
from scanner.sources.git.names import NameBatch
from scanner.sources.git.objects import ObjectBatch

if TYPE_CHECKING:
    from scanner.sources.git.pack.walk import Walk

_NAMES = 8 + 1024
_HEX = {"sha1": 20, "sha256": 32}


class Pack:
    """A pack that is mapped: its bytes, its index's, and the table of its objects. It outlives its files' removal.

    A worker process that is sent one maps the same files. The table is made once and sent in a temporary file.
    """

    def __init__(self, path: str, width: int, table: str = "") -> None:
        self.path = path
        self.width = width
        self._file: Any = None
        self._sent = table
        self.data = _mapped(path)
        self.index = _mapped(path.removesuffix(".pack") + ".idx")
        self.offsets: Any
        self.rows: Any
        if table and self._read(table):
            return
        from scanner.sources.git.pack.table import build  # noqa: PLC0415 - it may not be there

        self.offsets, self.rows = build(self.data, self.index, width)

    def _read(self, path: str) -> bool:
        """The table that another process has made; False when it is gone."""
        from scanner.sources.git.pack.table import COLUMNS  # noqa: PLC0415 - as above

        try:
            view = memoryview(_mapped(path, mmap.ACCESS_COPY))
        except OSError:
            return False
        count = (len(view) - 8) // (8 + 4 * COLUMNS)
        self.offsets = view[: 8 * (count + 1)].cast("q")
        self.rows = view[8 * (count + 1) :].cast("i")
        return True

    def __reduce__(self) -> tuple[Callable[..., Pack], tuple[str, int, str]]:
        if self._file is None and not self._sent:
            self._file = tempfile.NamedTemporaryFile(prefix="keyfuse-pack-")  # noqa: SIM115 - lives as long as the pack
            self._file.write(self.offsets)
            self._file.write(self.rows)
            self._file.flush()
            self._sent = self._file.name
        return opened, (self.path, self.width, self._sent)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def name(self, number: int) -> str:
        """An object's id, by its place in the index."""
        at = _NAMES + number * self.width
        return self.index[at : at + self.width].hex()

    def walk(self, sink: object, kind_of: Callable[[bytes], str], margin: int) -> Walk:
        """A walk over this pack."""
        from scanner.sources.git.pack.walk import Walk  # noqa: PLC0415 - as above

        return Walk(self.data, self.offsets, self.rows, sink, kind_of, margin)


@lru_cache(maxsize=1)
def opened(path: str, width: int, table: str = "") -> Pack:
    """A pack; the one that was opened last is kept. Raises OSError and Damaged."""
    return Pack(path, width, table)


def _mapped(path: str, access: int = mmap.ACCESS_READ) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        return mmap.mmap(descriptor, 0, access=access)
    except ValueError as error:  # an empty file
        raise OSError(str(error)) from error
    finally:
        os.close(descriptor)


class PackJob(Record):
    """Unit: families of deltas of one pack, by the places of their first objects."""

    git: Git
    name: str
    pack: Pack
    starts: Sequence[int]
    weight: int
    packed: bool = True

    def blobs(self) -> Iterator[Blob | Skipped]:
        """The objects' contents, all of each. Packs are not looked at so; `scanner.history` looks at what is new."""
        yield from self.read(list(self._places()))

    def _places(self) -> Iterator[int]:
        from scanner.sources.git.pack.table import CHILD, COLUMNS, CUT, FLAGS, KNOWN, SIBLING  # noqa: PLC0415 - as above

        rows = self.pack.rows
        waiting = list(self.starts)
        while waiting:
            place = waiting.pop()
            if not rows[COLUMNS * place + FLAGS] & KNOWN:
                yield place
            child = rows[COLUMNS * place + CHILD]
            while child >= 0:
                if not rows[COLUMNS * child + FLAGS] & CUT:
                    waiting.append(child)
                child = rows[COLUMNS * child + SIBLING]

    def read(self, places: Sequence[int]) -> Iterator[Blob | Skipped]:
        """The contents of some objects, by their places in the table, as git gives them."""
        from scanner.sources.git.pack.table import COLUMNS, NAME  # noqa: PLC0415 - as above

        ids = " ".join(self.pack.name(self.pack.rows[COLUMNS * place + NAME]) for place in places)
        if ids:
            yield from ObjectBatch(self.git, self.name, ids, 0).blobs()


class PackNames(Record):
    """Unit: the names in a pack's trees that are long enough to hold a credential, each once a directory."""

    git: Git
    name: str
    pack: Pack
    weight: int

    def blobs(self) -> Iterator[Blob | Skipped]:
        """One blob for each name in each directory; `origin.blob` is a tree that has it. What is damaged git reads."""
        from scanner.sources.git.pack.table import COLUMNS, KIND, NAME, TREE, Damaged  # noqa: PLC0415 - as above
        from scanner.sources.git.pack.trees import Trees  # noqa: PLC0415 - as above

        pack, rows = self.pack, self.pack.rows
        try:
            found = Trees(pack.data, pack.offsets, rows, pack.index, pack.width).long_names(NAME_LENGTH)
        except (ValueError, Damaged):
            places = (place for place in range(len(pack)) if rows[COLUMNS * place + KIND] == TREE)
            ids = " ".join(pack.name(rows[COLUMNS * place + NAME]) for place in places)
            yield from NameBatch(self.git, self.name, ids, 0).blobs() if ids else ()
            return
        for (_, name), place in found.items():
            id = pack.name(rows[COLUMNS * place + NAME])
            yield Blob(name, Origin(Place.FILE_NAME, os.fsdecode(name), repository=self.name, blob=id))


def without_type(pack: Pack) -> list[str]:
    """The ids of objects whose base is not in the pack, or damaged, and of those that are made of them."""
    from scanner.sources.git.pack.table import COLUMNS, KIND, NAME  # noqa: PLC0415 - as above

    kinds = list(pack.rows[KIND::COLUMNS])
    if not kinds.count(0):
        return []
    return [pack.name(pack.rows[COLUMNS * place + NAME]) for place, kind in enumerate(kinds) if not kind]


_LEAST = 2 << 20
_PIECES = 100


def pack_jobs(git: Git, name: str, pack: Pack, known: bytes = b"") -> Iterator[PackJob]:
    """The work that a pack is, but for what is `known`: names of objects, one behind the other in rising order."""
    from scanner.sources.git.pack.table import jobs, mark  # noqa: PLC0415 - as above

    if not mark(pack.rows, pack.index, pack.width, known):
        return
    least = max(_LEAST, len(pack.data) // _PIECES)
    for weight, starts in jobs(pack.rows, least):
        yield PackJob(git, name, pack, array("i", starts), weight)
