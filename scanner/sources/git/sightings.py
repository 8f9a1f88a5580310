"""Where objects are met first: in which commit, under which path, and whether a ref leads there.

Asked only for objects in which something was found. All that refs lead to is walked first, then what only the stash,
the index and reflogs know, then what nothing leads to.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO

from scanner.errors import SourceError
from scanner.model import Place
from scanner.record import Record, replace
from scanner.sources.git.command import Git, pipe, stop
from scanner.sources.git.remembered import Remembered, Row
from scanner.sources.git.repository import common_directory

EVERYTHING = ("--all",)
"""Every ref and every work tree's HEAD, as `git rev-list` takes it."""

LATER = 1 << 60
"""The rank of what cannot be placed in time."""

_FIRST_FIRST = ("--reverse", "--topo-order", "--ignore-missing")
_ORDER = ("--objects", "--in-commit-order", "--missing=allow-any", *_FIRST_FIRST)
_MOST_EXCLUDED = 500


Quick = Callable[[Sequence[bytes], Collection[str]], Mapping[str, tuple[int, str]] | None]
"""A quicker way to look at commits than git's walk: from commits' raw ids, oldest first, and ids of files and
directories, to the number of the first commit that has each and its path there. What it leaves out is in none of them;
None where it cannot tell."""


class Sighting(Record):
    """Where an object was met first. `rank` orders sightings in time; `reachable` is whether a ref leads to it."""

    place: Place
    path: str
    commit: str | None
    rank: int
    reachable: bool | None = True
    ref: str | None = None


def as_row(sighting: Sighting) -> Row:
    """A sighting as it is remembered."""
    return (sighting.place.value, sighting.path, sighting.commit, sighting.rank, sighting.reachable, sighting.ref)


class Lookout:
    """Looks for objects of one repository; `seen` is what was met, by id.

    `wanted` are ids of files and directories, `messages` those of commits and tags.
    """

    def __init__(
        self, git: Git, wanted: Iterable[str], messages: Iterable[str] = (), quick: Quick | None = None
    ) -> None:
        self._git = git
        self._messages = frozenset(messages)
        self._wanted = frozenset(wanted) | self._messages
        self._quick = quick
        self.seen: dict[str, Sighting] = {}

    @property
    def left(self) -> frozenset[str]:
        """What was not met yet."""
        return self._wanted - self.seen.keys()

    def recall(self, remembered: Remembered | None) -> None:
        """Takes what is remembered, if that is where all of them are."""
        rows = {id: remembered.row(id) for id in self._wanted} if remembered is not None else {}
        if all(rows.values()):
            for id, row in rows.items():
                if row is not None:
                    self.seen[id] = Sighting(Place(row[0]), *row[1:])

    def in_commits(self, revisions: tuple[str, ...]) -> None:
        """Looks at what some commits hold; `revisions` as `git rev-list` takes them."""
        reachable = True if self.left and is_reachable(self._git, revisions) else None
        self._walk(Place.BLOB, revisions, reachable)

    def everywhere(self) -> None:
        """Looks at all there is. What nothing leads to is said to be so only if everything else could be walked."""
        if not self.left:
            return
        odd = _odd_refs(self._git)
        out = tuple(f"--exclude={ref}" for ref in odd) if len(odd) <= _MOST_EXCLUDED else ()
        ordinary = (*out, "--exclude=refs/notes/*", "--exclude=refs/stash", "--all")
        told = self._look_up(ordinary) or self._walk(Place.BLOB, ordinary)
        told &= self._walk(Place.NOTE, ("--glob=refs/notes/*",))
        for ref in odd if self.left else ():
            told &= self._walk(Place.BLOB, (odd[ref],), ref=ref)
        told &= self._walk(Place.STASH, ("--glob=refs/stas[h]",))
        told &= self._walk(Place.STASH, _stashes(self._git), False)
        told &= self._index()
        told &= self._walk(Place.REFLOG, ("--reflog",), False)
        if told and self.left:
            self._lost()

    def _look_up(self, revisions: tuple[str, ...]) -> bool:
        """Does what `_walk` does without git's going through all objects; False where that cannot be done."""
        if self._quick is None:
            return False
        try:
            order = ("--reverse", "--topo-order", "--ignore-missing")
            commits = self._git.run("rev-list", *order, *revisions, "--").decode().split()
            tags = self._git.run("for-each-ref", "--format=%(objecttype) %(objectname)").splitlines()
        except SourceError:
            return False
        found = self._quick([bytes.fromhex(id) for id in commits], self.left - self._messages)
        if found is None:
            return False
        for number, id in enumerate(commits):
            if id in self._messages:
                self.seen[id] = Sighting(Place.BLOB, "", id, number)
        for tag in tags:
            kind, _, id = tag.decode().partition(" ")
            if kind == "tag" and id in self._messages:
                self.seen[id] = Sighting(Place.BLOB, "", None, len(commits))
        for at, (id, (number, path)) in enumerate(sorted(found.items(), key=lambda each: each[1])):
            self.seen[id] = Sighting(Place.BLOB, path, commits[number], at)
        return not self._messages & self.left

    def _walk(
        self,
        place: Place,
        revisions: tuple[str, ...],
        reachable: bool | None = True,
        ref: str | None = None,
        stdin: IO[bytes] | None = None,
    ) -> bool:
        """Notes where what is still wanted comes first in these commits, oldest commit first.

        False when git could not walk all of them: then nothing can be said about what was not met. With `ref`, what
        is walked is what that ref names, which is no commit; with `stdin`, there are more revisions in it.
        """
        left = {id.encode() for id in self.left}
        if not left or not (revisions or stdin):
            return True
        git, command = self._git, ("-c", "core.deltaBaseCacheLimit=1g", "rev-list", *_ORDER)
        if stdin is None:
            process = git.start(*command, *revisions, "--")
        else:
            process = git.start(*command, "--stdin", *revisions, stdin=stdin)
        try:
            commit: str | None = None
            for rank, line in enumerate(pipe(process.stdout), len(self.seen)):
                id, space, path = line.rstrip(b"\n").partition(b" ")
                if not space and ref is None:
                    commit = id.decode()
                if id in left:
                    left.remove(id)
                    named = b"" if path == id else path
                    self.seen[id.decode()] = Sighting(place, os.fsdecode(named), commit, rank, reachable, ref)
                    if not left:
                        return True
            return process.wait() == 0
        finally:
            stop(process)

    def _index(self) -> bool:
        if not self.left:
            return True
        told = True
        for index in _indexes(self._git):
            try:
                entries = replace(self._git, index=index).run("ls-files", "--stage", "-z").split(b"\0")
            except SourceError:
                told = False
                continue
            left = self.left
            for entry in entries:
                about, _, path = entry.partition(b"\t")
                blob = about.split(b" ")[1].decode() if about else ""
                if blob in left:
                    self.seen.setdefault(blob, Sighting(Place.INDEX, os.fsdecode(path), None, LATER, False))
        return told

    def _lost(self) -> None:
        """Commits that nothing leads to, then trees that nothing leads to; what is in none of them lies alone."""
        commits, trees = _all_commits_and_trees(self._git)
        with tempfile.TemporaryFile() as ids:
            ids.writelines(id + b"\n" for id in commits)
            ids.seek(0)
            self._walk(Place.UNREACHABLE, ("--not", "--all", "--reflog"), False, stdin=ids)
        if self.left:
            with tempfile.TemporaryFile() as ids:
                ids.writelines(id + b"\n" for id in trees)
                ids.seek(0)
                self._walk(Place.UNREACHABLE, (), False, ref="", stdin=ids)
        for id in self.left:
            self.seen[id] = Sighting(Place.UNREACHABLE, "", None, LATER, False)


def is_reachable(git: Git, revisions: tuple[str, ...]) -> bool:
    """Whether refs lead to all of these commits."""
    tips = tuple(each for each in revisions if not each.startswith("^"))
    if any(tip.startswith("-") for tip in tips):
        return True
    try:
        return not git.run("rev-list", "--max-count=1", *tips, "--not", "--all")
    except SourceError:
        return False


def _odd_refs(git: Git) -> dict[str, str]:
    """Refs that lead to no commit, and what they name."""
    odd = {}
    try:
        for line in git.run(
            "for-each-ref", "--format=%(objecttype) %(*objecttype) %(objectname) %(refname)"
        ).splitlines():
            kind, peeled, id, ref = line.split(b" ", 3)
            if (peeled or kind) != b"commit":
                odd[os.fsdecode(ref)] = id.decode()
    except SourceError:
        return {}
    return odd


def _stashes(git: Git) -> tuple[str, ...]:
    """All stash entries: the ref names the newest, its log the others."""
    with git.lines("rev-list", "--walk-reflogs", "--ignore-missing", "refs/stash", "--") as lines:
        return tuple(dict.fromkeys(line.decode() for line in lines))


def _indexes(git: Git) -> Iterator[str]:
    """The index of every work tree that there is."""
    common = common_directory(git.directory) or git.directory
    yield os.path.join(common, "index")
    try:
        names = sorted(os.listdir(os.path.join(common, "worktrees")))
    except OSError:
        return
    yield from (os.path.join(common, "worktrees", name, "index") for name in names)


def _all_commits_and_trees(git: Git) -> tuple[list[bytes], list[bytes]]:
    commits: list[bytes] = []
    trees: list[bytes] = []
    listing = (
        "cat-file",
        "--batch-all-objects",
        "--buffer",
        "--batch-check=%(objecttype) %(objectname)",
        "--unordered",
    )
    with git.lines(*listing) as lines:
        for line in lines:
            kind, _, id = line.partition(b" ")
            if kind == b"commit":
                commits.append(id)
            elif kind == b"tree":
                trees.append(id)
    return commits, trees
