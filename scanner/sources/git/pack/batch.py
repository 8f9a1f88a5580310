"""A repository's objects as units: packs by what is new in them, and the rest by git."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from itertools import chain

from scanner.model import Skipped
from scanner.sources.git.beside import beside_all
from scanner.sources.git.command import Git
from scanner.sources.git.lfs import PointerBatch
from scanner.sources.git.names import NameBatch
from scanner.sources.git.objects import ObjectBatch, all_objects, objects_by_id
from scanner.sources.git.pack.store import Pack, PackJob, PackNames, opened, pack_jobs, without_type
from scanner.sources.git.remembered import AllBut
from scanner.sources.git.repository import Repository

_TREE_WEIGHT = 4
"""Looking for new names in a pack costs as much as scanning so many bytes for each of its objects."""
_NESTED = 5
"""Alternates of alternates are followed so far, as git does."""
_LIMIT = 1 << 20
_LOOSE = re.compile(r"[0-9a-f]{36,62}")
_SHA256 = re.compile(rb"(?im)^[ \t]*objectformat[ \t]*=[ \t]*\"?sha256")


def compiled() -> bool:
    """Whether the compiled modules are there; without them git is quicker."""
    try:
        from scanner.sources.git.pack import table, walk  # noqa: PLC0415 - they may need what is not installed
    except ImportError:
        return False
    return table.COMPILED and walk.COMPILED


def object_units(
    git: Git, repository: Repository, name: str, known: bytes = b""
) -> Iterator[PackJob | ObjectBatch | Skipped]:
    """Units of every object there is, as `all_objects` gives them, and with the same findings.

    What is `known` need not be looked at: ids of objects, one behind the other in rising order.
    """
    packs = _opened(repository) if compiled() else []
    if not packs:
        yield from all_objects(git, name)
        return
    odd: list[str] = []
    while packs:
        pack = packs.pop()
        yield from pack_jobs(git, name, pack, known)
        odd += without_type(pack)
    width = width_of(repository)
    fresh = (id for id in _loose(repository) if not _among(bytes.fromhex(id), known, width))
    yield from objects_by_id(git, name, chain(fresh, odd))


def beside_units(
    git: Git, repository: Repository, name: str, known: Container[str] = ()
) -> Iterator[PackNames | NameBatch | PointerBatch]:
    """Units of all trees and pointers there are, as `beside_all` gives them, and with the same findings."""
    packs = _opened(repository) if compiled() and not known else []
    if not packs:
        yield from beside_all(git, name, known)
        return
    elsewhere = set(_loose(repository))
    for pack in packs:
        yield PackNames(git, name, pack, _TREE_WEIGHT * len(pack))
        elsewhere.update(without_type(pack))
    yield from beside_all(git, name, AllBut(frozenset(elsewhere)))


def all_ids(repository: Repository) -> Iterator[bytes]:
    """The ids of all objects but for trees in packs, in rising order; nothing where packs cannot be read here."""
    packs = _opened(repository) if compiled() else []
    if not packs:
        return iter(())
    from scanner.sources.git.pack.table import ids  # noqa: PLC0415 - as above

    width = width_of(repository)
    parts = [ids(pack.rows, pack.index, width) for pack in packs]
    loose = sorted(map(bytes.fromhex, _loose(repository)))
    if len(parts) == 1 and not loose:
        return (parts[0][at : at + width] for at in range(0, len(parts[0]), width))
    every = {part[at : at + width] for part in parts for at in range(0, len(part), width)}
    return iter(sorted(every.union(loose)))


def _among(id: bytes, ids: bytes, width: int) -> bool:
    low, high = 0, len(ids) // width
    while low < high:
        middle = (low + high) // 2
        there = ids[middle * width : middle * width + width]
        if there == id:
            return True
        low, high = (middle + 1, high) if there < id else (low, middle)
    return False


def width_of(repository: Repository) -> int:
    """How many bytes an object's id has."""
    return 32 if _SHA256.search(_read(os.path.join(repository.common_dir, "config"))) else 20


def first_sightings(
    repository: Repository, commits: Sequence[bytes], wanted: Collection[str]
) -> Mapping[str, tuple[int, str]] | None:
    """For each of the wanted objects that a commit has the rank of the first such commit, and its path.

    None where one pack does not hold all that must be known for that; then git is to be asked.
    """
    if not compiled():
        return None
    from scanner.sources.git.pack.table import Damaged  # noqa: PLC0415 - as above
    from scanner.sources.git.pack.trees import Trees  # noqa: PLC0415

    packs = _opened(repository)
    if len(packs) != 1:
        return None
    pack = packs[0]
    ids = {bytes.fromhex(id): id for id in wanted}
    try:
        trees = Trees(pack.data, pack.offsets, pack.rows, pack.index, pack.width)
        if not all(map(trees.holds, ids)):
            return None
        found = trees.sightings(list(commits), list(ids))
    except (ValueError, Damaged):
        return None
    return {ids[name]: (rank, os.fsdecode(path)) for name, (rank, path) in found.items()}


def _opened(repository: Repository) -> list[Pack]:
    """All packs; none when one of them is not as it should be: then git must say what there is."""
    from scanner.sources.git.pack.table import Damaged  # noqa: PLC0415 - as above

    width = width_of(repository)
    try:
        return [
            opened(path, width)
            for directory in object_directories(repository)
            for path in sorted(_packs(directory), reverse=True)
        ]
    except (OSError, ValueError, Damaged):
        return []


def object_directories(repository: Repository) -> list[str]:
    """Where a repository's objects lie: its own directory and those that it borrows from."""
    found = [os.path.join(repository.common_dir, "objects")]
    begin = 0
    for _ in range(_NESTED):
        begin, end = len(found), begin
        for directory in found[end:begin]:
            for line in _read(os.path.join(directory, "info", "alternates")).splitlines():
                path = os.path.normpath(os.path.join(directory, os.fsdecode(line)))
                if line and not line.startswith((b"#", b'"')) and path not in found:
                    found.append(path)
    return found


def _packs(directory: str) -> Iterator[str]:
    try:
        names = os.listdir(os.path.join(directory, "pack"))
    except OSError:
        return
    for name in names:
        if name.endswith(".pack") and name.removesuffix(".pack") + ".idx" in names:
            yield os.path.join(directory, "pack", name)


def _loose(repository: Repository) -> Iterator[str]:
    for directory in object_directories(repository):
        for number in range(256):
            try:
                names = os.listdir(os.path.join(directory, f"{number:02x}"))
            except OSError:
                continue
            yield from (f"{number:02x}{name}" for name in names if _LOOSE.fullmatch(name))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return b""
