"""What a repository holds beside its objects: names of refs, logs of refs, and the other files of its own directory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from scanner.errors import SourceError
from scanner.model import Blob, Origin, Place, Skipped, printable
from scanner.record import Record
from scanner.sources.files import NAME_LENGTH, Frame
from scanner.sources.git.command import Git
from scanner.sources.git.repository import Repository, common_directory

WEIGHT = 1 << 20
_OBJECTS = frozenset(
    os.path.join("objects", each)
    for each in ("pack", "info/commit-graph", "info/commit-graphs", *(f"{number:02x}" for number in range(256)))
)
"""What git keeps objects in. Everything else below `objects` (alternates, what was put there by hand) is a file."""
_UNFINISHED = re.compile(r"tmp_(?:obj|pack|idx|rev|mtimes)_|\.tmp-")


class RefNames(Record):
    """Unit: the names of all refs that are long enough to hold a credential."""

    git: Git
    name: str
    weight: int = WEIGHT

    def blobs(self) -> Iterator[Blob | Skipped]:
        """One blob for each name."""
        names = set(_ref_files(self.git.directory))
        try:
            names.update(self.git.run("for-each-ref", "--format=%(refname)").splitlines())
        except SourceError as error:
            yield Skipped(f"{printable(self.name)} refs", str(error))
        for name in sorted(names):
            if len(name.rpartition(b"/")[2]) >= NAME_LENGTH:
                ref = os.fsdecode(name)
                yield Blob(name, Origin(Place.REF_NAME, ref, repository=self.name, ref=ref))


def _ref_files(git_dir: str) -> Iterator[bytes]:
    """Names of refs as files have them: git does not list one that leads to nothing."""
    common = common_directory(git_dir) or git_dir
    for directory, _, files in os.walk(os.path.join(common, "refs")):
        below = os.path.relpath(directory, common)
        yield from (os.fsencode(os.path.join(below, file)) for file in files)
    try:
        with open(os.path.join(common, "packed-refs"), "rb") as file:
            for line in file:
                id, _, name = line.rstrip(b"\n").partition(b" ")
                if name.startswith(b"refs/") and not id.startswith((b"#", b"^")):
                    yield name
    except OSError:
        return


class Reflogs(Record):
    """Unit: the logs of refs, without the ids that every line of them begins with."""

    directory: str
    name: str
    logs: tuple[str, ...]
    weight: int

    def blobs(self) -> Iterator[Blob | Skipped]:
        """One blob for each log; its lines are the log's."""
        for log in self.logs:
            try:
                with open(os.path.join(self.directory, log), "rb") as file:
                    lines = file.read().split(b"\n")
            except OSError as error:
                yield Skipped(f"{printable(self.name)} {printable(log)}", f"it cannot be read: {error.strerror}")
                continue
            text = b"\n".join(line.split(b" ", 2)[-1] for line in lines)
            if text:
                yield Blob(text, Origin(Place.REFLOG, log, repository=self.name))


def reflogs(repository: Repository, name: str) -> Iterator[Reflogs]:
    """The unit of all reflogs, those of linked work trees too; none where there are no logs."""
    root = repository.common_dir
    logs = []
    weight = WEIGHT
    for part in (
        "logs",
        *(os.path.join("worktrees", each, "logs") for each in _names(os.path.join(root, "worktrees"))),
    ):
        for directory, _, files in os.walk(os.path.join(root, part)):
            for file in sorted(files):
                path = os.path.join(directory, file)
                if os.path.isfile(path) and not os.path.islink(path):
                    weight += os.path.getsize(path)
                    logs.append(os.path.relpath(path, root))
    if logs:
        yield Reflogs(root, name, tuple(logs), weight)


def own_files(repository: Repository, name: str) -> tuple[Frame, frozenset[str]]:
    """How to walk the repository's own directory, and what to leave out since it is read in another way."""
    label = ".git" if repository.work_tree is not None else ""
    left_out = {"refs", "logs", "packed-refs", "index", *_OBJECTS}
    for each in _names(os.path.join(repository.common_dir, "worktrees")):
        left_out.update(os.path.join("worktrees", each, part) for part in ("logs", "index", "refs"))
    return Frame(repository.common_dir, label, name, Place.CONFIG), frozenset(left_out)


def unfinished(repository: Repository, name: str) -> Iterator[Skipped]:
    """Says so where git left pieces of objects behind: whatever they hold, they cannot be read as objects."""
    objects = os.path.join(repository.common_dir, "objects")
    places = ("", "pack", *(f"{number:02x}" for number in range(256)))
    left = sum(bool(_UNFINISHED.match(each)) for place in places for each in _names(os.path.join(objects, place)))
    if left:
        count = "1 file is" if left == 1 else f"{left} files are"
        yield Skipped(
            f"{printable(name)} objects", f"{count} left of an interrupted fetch or repack: git gc takes them away"
        )


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
