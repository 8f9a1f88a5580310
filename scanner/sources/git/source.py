"""Repositories as sources of work: which parts are read, and how findings in them get their commits."""

from __future__ import annotations

import os
from collections.abc import Collection, Container, Iterator, Mapping, Sequence

from scanner.errors import SourceError
from scanner.model import Blob, Finding, Origin, Place, ScanEvent, Skipped, Unit, printable
from scanner.record import Record
from scanner.sources.files import Frame, Nested, walk
from scanner.sources.git.around import absent_submodules, linked_work_trees
from scanner.sources.git.attribution import attribute
from scanner.sources.git.belongings import RefNames, own_files, reflogs, unfinished
from scanner.sources.git.caution import require_sound
from scanner.sources.git.command import Git
from scanner.sources.git.introductions import Look, names_new_in, new_in
from scanner.sources.git.lfs import pointing
from scanner.sources.git.objects import all_objects, missing_objects, objects_by_id, objects_of
from scanner.sources.git.pack.batch import all_ids, beside_units, first_sightings, object_units
from scanner.sources.git.reading import Unreadable, read_objects
from scanner.sources.git.remembered import AllBut, Remembered
from scanner.sources.git.repository import Repository
from scanner.sources.git.sightings import EVERYTHING
from scanner.sources.git.staged import StagedChanges, read, staged
from scanner.sources.windows import windows

_CHECKED_ALWAYS = 8 << 20
"""Below so many bytes of objects, a repository is always checked for missing ones: it takes a few milliseconds."""


class TreeBatch(Record):
    """Unit: files of one commit's tree, as pairs of blob id and path."""

    git: Git
    name: str
    entries: tuple[tuple[str, str], ...]
    weight: int

    def blobs(self) -> Iterator[Blob | Skipped]:
        """The files' contents."""
        for (blob, path), found in zip(
            self.entries, read_objects(self.git, [id for id, _ in self.entries]), strict=True
        ):
            origin = Origin(Place.BLOB, path, repository=self.name, blob=blob)
            if isinstance(found, Unreadable):
                yield Skipped(printable(os.path.join(self.name, path)), found.reason)
            elif found.spool is not None:
                yield from windows(found.spool, origin)
            elif found.content:
                yield Blob(found.content, origin)


class StagedUnit(Record):
    """Unit: what is staged."""

    changes: StagedChanges
    weight: int

    def blobs(self) -> Iterator[Blob | Skipped]:
        """The staged blobs."""
        return read(self.changes)


class WholeRepository(Record):
    """Work tree, index, history, messages, refs, logs and the repository's own files.

    `refs_only` leaves out objects that no ref leads to. `known` holds ids of objects that need no second look, and
    so does what is `remembered`.
    """

    repository: Repository
    name: str
    refs_only: bool = False
    known: Container[str] = ()
    remembered: Remembered | None = None

    def units(self) -> Iterator[Unit | Skipped | Nested]:
        """The work tree first, then the repository itself. What git cannot read is Skipped; the rest goes on."""
        yield from _work_tree(self.repository, self.name)
        if not self.refs_only:
            yield from linked_work_trees(self.repository)
        yield from walk(*own_files(self.repository, self.name))
        yield from reflogs(self.repository, self.name)
        try:
            git = require_sound(self.repository)
            yield from absent_submodules(self.repository, git, self.name)
            yield RefNames(git, self.name)
            yield from self._objects(git)
        except SourceError as error:
            yield Skipped(printable(self.name), f"its history cannot be read: {error}")

    def _objects(self, git: Git) -> Iterator[Unit | Skipped]:
        weight = 0
        for unit in objects_of(git, self.name, EVERYTHING, self.known) if self.refs_only else self._everything(git):
            if not isinstance(unit, Skipped):
                weight += unit.weight
            yield unit
        if not self.refs_only:
            yield from beside_units(git, self.repository, self.name, self._looked_into())
            yield from unfinished(self.repository, self.name)
        for lack in self._lacking(git, weight):
            if self.remembered is not None:
                self.remembered.expect(lack)
            yield lack

    def _looked_into(self) -> Container[str]:
        """The trees whose names need no second look."""
        if self.remembered is not None and self.remembered.fresh:
            return AllBut(frozenset(self.remembered.told))
        return self.known

    def _lacking(self, git: Git, weight: int) -> Iterator[Skipped]:
        """What is not here of the repository's objects."""
        yield from _cut_off(self.repository, self.name)
        if self.repository.partial:
            yield from missing_objects(
                git, self.name, "it is a partial clone; clone it without --filter to have them scanned"
            )
        elif weight < _CHECKED_ALWAYS and not self.refs_only and not (self.remembered and self.remembered.known):
            yield from missing_objects(git, self.name, "the repository is damaged; git fsck tells more")

    def _everything(self, git: Git) -> Iterator[Unit | Skipped]:
        if self.known:
            return all_objects(git, self.name, self.known)
        if self.remembered is not None and self.remembered.fresh:
            return objects_by_id(git, self.name, self.remembered.told)
        return object_units(git, self.repository, self.name, self.remembered.known if self.remembered else b"")

    def note(self, event: ScanEvent) -> None:
        """Takes notice of what came out of the scan, for the next one."""
        if self.remembered is not None:
            self.remembered.note(event)

    def remember(self) -> None:
        """Keeps what was learnt, when all is done."""
        if self.remembered is not None and not self.remembered.fresh:
            self.remembered.save(all_ids(self.repository))

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """Names commits and paths; one finding for each leak."""
        git = Git(self.repository.git_dir)
        complete = not self.known
        found = pointing(git, findings)
        return attribute(git, found, complete=complete, quick=self._first, remembered=self.remembered)

    def _first(self, commits: Sequence[bytes], wanted: Collection[str]) -> Mapping[str, tuple[int, str]] | None:
        return first_sightings(self.repository, commits, wanted)


class Commits(Record):
    """What some commits hold, and nothing else; `revisions` as `git rev-list` takes them.

    With `look`, which scans a content, only what is new in a range is reported: a file that was changed is scanned as a
    whole, and what its parents' version held already is left out.
    """

    repository: Repository
    name: str
    revisions: tuple[str, ...]
    known: Container[str] = ()
    look: Look | None = None

    def units(self) -> Iterator[Unit | Skipped | Nested]:
        """The objects of these commits."""
        yield from objects_of(Git(self.repository.git_dir), self.name, self.revisions, self.known)
        if not self._is_range:
            yield from _cut_off(self.repository, self.name)

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """Names the commits and paths; one finding for each leak."""
        git = Git(self.repository.git_dir)
        if self._is_range and self.look is not None:
            findings = new_in(git, self.revisions, findings, self.look)
        attributed = attribute(git, findings, self.revisions, complete=False)
        return names_new_in(git, attributed) if self._is_range else attributed

    @property
    def _is_range(self) -> bool:
        return any(revision.startswith("^") for revision in self.revisions)


class Present(Record):
    """A repository as it stands, without its history: work tree and what is staged, or HEAD's files if it is bare.

    `own` says whether the repository's own directory is read as well; linked work trees share one. `objects_known` is
    whether all objects are looked at elsewhere: then what is staged is among them, and what is found here and not there
    is in no commit.
    """

    repository: Repository
    name: str
    own: bool = True
    objects_known: bool = False

    def units(self) -> Iterator[Unit | Skipped | Nested]:
        """The work tree, then the index."""
        yield from _work_tree(self.repository, self.name)
        if self.own:
            yield from linked_work_trees(self.repository)
            yield from walk(*own_files(self.repository, self.name))
        try:
            git = require_sound(self.repository)
            if self.own:
                yield from absent_submodules(self.repository, git, self.name)
            if self.repository.work_tree is None:
                yield from _head(git, self.name)
            elif not self.objects_known:
                changes = staged(self.repository.work_tree)._replace(name=self.name)
                yield StagedUnit(changes, len(changes.files) << 14)
        except SourceError as error:
            yield Skipped(printable(self.name), f"its index cannot be read: {error}")

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """One finding for a leak that is in the work tree and staged."""
        return attribute(Git(self.repository.git_dir), findings, (), complete=self.objects_known)


class Staged:
    """What the next commit adds."""

    def __init__(self, directory: str, name: str, index: str | None) -> None:
        self._changes = staged(directory, index)._replace(name=name)

    def units(self) -> Iterator[Unit | Skipped | Nested]:
        """One unit: there is little."""
        yield StagedUnit(self._changes, 1 << 20)

    def finish(self, findings: Sequence[Finding]) -> list[Finding]:
        """Only what lies in new lines."""
        files = {file.path: file for file in self._changes.files}
        return [
            finding
            for finding in findings
            if (file := files.get(finding.origin.path)) is None
            or file.adds(finding.span.start_line, finding.span.end_line)
        ]


def _cut_off(repository: Repository, name: str) -> Iterator[Skipped]:
    if repository.shallow:
        yield Skipped(
            f"{printable(name)} history",
            "it is a shallow clone: older commits are not here; run git fetch --unshallow to have them scanned",
        )


def _work_tree(repository: Repository, name: str) -> Iterator[Unit | Skipped | Nested]:
    if repository.work_tree is not None:
        yield from walk(Frame(repository.work_tree, repository=name), frozenset({".git"}))


def _head(git: Git, name: str) -> Iterator[Unit]:
    if git.head() is None:
        return
    entries = []
    for entry in git.run("ls-tree", "-r", "-z", "--full-tree", "HEAD").split(b"\0"):
        about, _, path = entry.partition(b"\t")
        fields = about.decode().split(" ")
        if len(fields) == 3 and fields[1] == "blob":
            entries.append((fields[2], os.fsdecode(path)))
    for start in range(0, len(entries), 1000):
        some = tuple(entries[start : start + 1000])
        yield TreeBatch(git, name, some, len(some) << 14)
