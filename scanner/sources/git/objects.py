"""The object database: every blob, commit and annotated tag, listed here and read in workers."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Container, Generator, Iterable, Iterator
from typing import IO

from scanner.model import Blob, Origin, Place, Skipped, printable
from scanner.record import Record
from scanner.sources.git.beside import Beside
from scanner.sources.git.command import Git, pipe, stop, words
from scanner.sources.git.lfs import PointerBatch
from scanner.sources.git.messages import commit_blobs, tag_blobs
from scanner.sources.git.names import NameBatch
from scanner.sources.git.reading import GitObject, Unreadable, read_objects
from scanner.sources.windows import windows

UNIT_WEIGHT = 16 << 20
_OBJECT_WEIGHT = 2 << 10  # asking for a small object and matching it takes about as long as scanning so many bytes
_TOLD_ONE_BY_ONE = 10
_FIELDS = ("%(objectname)", "%(objecttype)", "%(objectsize)", "%(deltabase)")
_CHECK = f"--batch-check={' '.join(_FIELDS)}"
_AT_ONCE = 500_000
"""So many objects are looked at before they are cut into units."""
_LARGE_FAMILY = 4 * UNIT_WEIGHT


class ObjectBatch(Record):
    """Unit: some objects of one repository. `ids` are separated by spaces; `name` is how the repository is shown."""

    git: Git
    name: str
    ids: str
    weight: int

    def blobs(self) -> Iterator[Blob | Skipped]:
        """Reads the objects; blobs as they are, commits and tags as their messages and identities."""
        known: set[bytes] = set()
        for found in read_objects(self.git, self.ids.split(" ")):
            if isinstance(found, Unreadable):
                yield Skipped(f"{printable(self.name)} object {found.id}", found.reason)
            else:
                yield from self._blobs(found, known)

    def _blobs(self, found: GitObject, known: set[bytes]) -> Iterator[Blob]:
        match found.type:
            case "blob":
                origin = Origin(Place.BLOB, "", repository=self.name, blob=found.id)
                if found.spool is not None:
                    yield from windows(found.spool, origin)
                elif found.content:
                    yield Blob(found.content, origin)
            case "commit":
                yield from commit_blobs(found, self.name, known)
            case "tag":
                yield from tag_blobs(found, self.name, known)


def all_objects(git: Git, name: str, known: Container[str] = ()) -> Iterator[ObjectBatch | Skipped]:
    """Units of every object there is, reachable or not, but for trees and those in `known`."""
    cutter = _Cutter(git, name, known)
    listing = ("cat-file", "--batch-all-objects", "--buffer", _CHECK)
    status, complaint = yield from _list(cutter, git, (*listing, "--unordered"))
    if status:
        # A damaged pack ends a listing that follows the packs. One by id passes over what git cannot open.
        cutter.start_again()
        _, more = yield from _list(cutter, git, listing)
        complaint = complaint or more
    yield from cutter.damage()
    if complaint:
        yield Skipped(f"{printable(name)} objects", f"git could not read all of them: {words(complaint)}")


def objects_of(
    git: Git, name: str, revisions: tuple[str, ...], known: Container[str] = ()
) -> Iterator[ObjectBatch | NameBatch | PointerBatch | Skipped]:
    """Units of what some commits hold (`revisions` as `git rev-list` takes them), trees' names and pointers too."""
    with tempfile.TemporaryFile() as complaints:
        commits = git.start(
            "rev-list", "--objects", "--no-object-names", "--missing=print", *revisions, "--", stderr=complaints
        )
        try:
            beside = Beside(git, name, known)
            cutter = _Cutter(git, name, known, beside)
            _, complaint = yield from _list(cutter, git, ("cat-file", "--buffer", _CHECK), pipe(commits.stdout))
            yield from beside.rest()
            yield from cutter.damage()
            if commits.wait() or complaint:
                complaint += _said(complaints)
                yield Skipped(f"{printable(name)} commits", f"git could not read all of them: {words(complaint)}")
        finally:
            stop(commits)


def objects_by_id(
    git: Git, name: str, ids: Iterable[str], known: Container[str] = ()
) -> Iterator[ObjectBatch | Skipped]:
    """Units of some objects, as `all_objects` gives them."""
    with tempfile.TemporaryFile() as wanted:
        wanted.writelines(f"{id}\n".encode() for id in ids)
        wanted.seek(0)
        cutter = _Cutter(git, name, known)
        _, complaint = yield from _list(cutter, git, ("cat-file", "--buffer", _CHECK), wanted)
        yield from cutter.damage()
        if complaint:
            yield Skipped(f"{printable(name)} objects", f"git could not read all of them: {words(complaint)}")


def missing_objects(git: Git, name: str, reason: str) -> Iterator[Skipped]:
    """One Skipped with the number of objects that the refs lead to and that are not here, if there are any."""
    with tempfile.TemporaryFile() as complaints:
        process = git.start(
            "rev-list", "--objects", "--no-object-names", "--missing=print", "--all", "--", stderr=complaints
        )
        try:
            missing = sum(line.startswith(b"?") for line in pipe(process.stdout))
            failed = process.wait() != 0
        finally:
            stop(process)
        if failed:
            reason = words(_said(complaints))
            yield Skipped(f"{printable(name)} refs", f"git could not follow all of them: {reason}")
    if missing:
        count = "1 object is" if missing == 1 else f"{missing} objects are"
        yield Skipped(f"{printable(name)} objects", f"{count} not here: {reason}")


class _Cutter:
    """Cuts a list of objects into units of about the same weight.

    Versions of a file are stored as differences from each other. A process that reads one has to make the others first,
    so they are kept together: read in separate units, each unit would make all of them again.
    """

    def __init__(self, git: Git, name: str, known: Container[str], beside: Beside | None = None) -> None:
        self._beside = beside
        self._git = git
        self._name = name
        self._known = known
        self._family: dict[bytes, int] = {}
        self._families: list[list[bytes]] = []
        self._sizes: list[int] = []
        self._damaged: list[str] = []
        self._cut: list[str] = []

    def add(self, line: bytes) -> bool:
        """Takes one line of git's list; True when enough has been taken for `units`."""
        fields = line.split()
        if len(fields) != len(_FIELDS):
            self._damaged.append(fields[0].decode().lstrip("?"))
            return False
        id, kind, size, base = fields
        if self._beside is not None:
            self._beside.add(kind, int(size), id)
        if kind == b"tree":
            return False
        number = self._family.get(base, -1)
        if number < 0:
            number = len(self._families)
            self._families.append([])
            self._sizes.append(0)
        self._family[id] = number
        if not (self._known and id.decode() in self._known):
            self._families[number].append(id)
            self._sizes[number] += int(size) + _OBJECT_WEIGHT
        return len(self._family) >= _AT_ONCE

    def units(self) -> Iterator[ObjectBatch]:
        """Units of what was taken since the last call."""
        ids: list[bytes] = []
        weight = 0
        for members, size in zip(self._families, self._sizes, strict=True):
            parts = size // _LARGE_FAMILY + 1
            step = -(-len(members) // parts)
            for start in range(0, len(members), max(step, 1)):
                ids += members[start : start + step]
                weight += size // parts
                if weight >= UNIT_WEIGHT:
                    yield self._unit(ids, weight)
                    ids, weight = [], 0
        if ids:
            yield self._unit(ids, weight)
        self._family, self._families, self._sizes = {}, [], []

    def start_again(self) -> None:
        """The list begins anew: what was cut already is known, what was damaged is told again."""
        done = {id for ids in self._cut for id in ids.split(" ")}
        self._known = _Either(done, self._known) if self._known else done
        self._family, self._families, self._sizes, self._damaged = {}, [], [], []

    def damage(self) -> Iterator[Skipped]:
        """The objects that could not be looked at: the first few by name, the others by number."""
        for id in self._damaged[:_TOLD_ONE_BY_ONE]:
            yield Skipped(f"{printable(self._name)} object {id}", "the object is missing or damaged")
        if (more := len(self._damaged) - _TOLD_ONE_BY_ONE) > 0:
            yield Skipped(f"{printable(self._name)} objects", f"{more} more objects are missing or damaged")

    def _unit(self, ids: list[bytes], weight: int) -> ObjectBatch:
        unit = ObjectBatch(self._git, self._name, b" ".join(ids).decode(), weight)
        self._cut.append(unit.ids)
        return unit


class _Either:
    def __init__(self, *parts: Container[str]) -> None:
        self._parts = parts

    def __contains__(self, id: object) -> bool:
        return any(id in part for part in self._parts)


def _list(
    cutter: _Cutter, git: Git, arguments: tuple[str, ...], stdin: int | IO[bytes] = subprocess.DEVNULL
) -> Generator[ObjectBatch, None, tuple[int, bytes]]:
    """Runs one listing through the cutter; returns git's exit status and what it complained of."""
    with tempfile.TemporaryFile() as complaints:
        process = git.start(*arguments, stdin=stdin, stderr=complaints)
        try:
            for line in pipe(process.stdout):
                if cutter.add(line):
                    yield from cutter.units()
            status = process.wait()
        finally:
            stop(process)
        yield from cutter.units()
        return status, _said(complaints)


def _said(complaints: IO[bytes]) -> bytes:
    """The errors git told of, one a line; it warns of much that costs nothing."""
    complaints.seek(0)
    lines = complaints.read(1 << 16).split(b"\n")
    return b"\n".join(line for line in lines if line.startswith((b"error:", b"fatal:")))
