"""What the next commit adds: staged blobs, and which of their lines are new. The hook's path: imports little."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from scanner.errors import SourceError
from scanner.model import Blob, Origin, Place, Skipped, printable
from scanner.sources.git.command import Git
from scanner.sources.git.reading import Unreadable, read_objects
from scanner.sources.git.repository import repository_around
from scanner.sources.windows import windows

Lines = tuple[int, int]
"""A first and a last line, counted from 1, both inclusive."""

_SUBMODULE = "160000"
_HUNK = re.compile(rb"^(?:(diff --git )|@@ -\S+ \+(\d+)(?:,(\d+))? @@)", re.MULTILINE)


class StagedFile(NamedTuple):
    """One staged file: its path from the top of the work tree, its blob, and the lines that are new (None: all)."""

    path: str
    blob: str
    added: tuple[Lines, ...] | None

    def adds(self, first: int, last: int) -> bool:
        """Whether one of these lines (inclusive) is new."""
        return self.added is None or any(start <= last and first <= end for start, end in self.added)


class StagedChanges(NamedTuple):
    """What is staged against HEAD, or against nothing before the first commit."""

    git: Git
    name: str
    files: tuple[StagedFile, ...]


def staged(
    directory: str = ".", index: str | None = None, quarantine: tuple[tuple[str, str], ...] = ()
) -> StagedChanges:
    """What is staged in the repository around `directory`.

    `index` is the index file to read instead of the repository's own, and `quarantine` names object directories: git
    gives hooks both in their environment. Raises SourceError where there is no repository or git fails.
    """
    repository = repository_around(directory)
    if repository is None:
        raise SourceError(f"no git repository at or above {printable(os.path.abspath(directory))}")
    git = Git(repository.git_dir, os.path.abspath(index) if index else None, quarantine)
    return StagedChanges(git, repository.work_tree or repository.git_dir, _files(git))


def read(changes: StagedChanges) -> Iterator[Blob | Skipped]:
    """The staged blobs, in the order of `changes.files`."""
    for file, found in zip(
        changes.files, read_objects(changes.git, [file.blob for file in changes.files]), strict=True
    ):
        origin = Origin(Place.INDEX, file.path, repository=changes.name, blob=file.blob)
        if isinstance(found, Unreadable):
            yield Skipped(f"{printable(file.path)} (staged)", found.reason)
        elif found.spool is not None:
            yield from windows(found.spool, origin)
        elif found.content:
            yield Blob(found.content, origin)


def _files(git: Git) -> tuple[StagedFile, ...]:
    base = "HEAD"
    try:
        listed = _changes(git, base)
    except SourceError:
        if git.head() is not None:
            raise
        base = git.run("hash-object", "-t", "tree", "--stdin", "--no-filters").decode().strip()
        listed = _changes(git, base)
    changed = [(path, blob) for status, path, blob in listed if status in "MR"]
    added = _added(git, base, len(changed)) if changed else None
    lines = dict(zip((path for path, _ in changed), added, strict=True)) if added is not None else {}
    files = (StagedFile(path, blob, lines.get(path)) for _, path, blob in listed)
    return tuple(file for file in files if file.added != ())


def _changes(git: Git, base: str) -> list[tuple[str, str, str]]:
    """Status, path and blob of every file that is staged with content."""
    raw = git.run("diff-index", "--cached", "--raw", "-z", "-M", "--no-abbrev", "--ignore-submodules=all", base, "--")
    fields = iter(raw.split(b"\0"))
    found = []
    for head in fields:
        if not head:
            break
        _, mode, _, blob, status = head.decode().removeprefix(":").split(" ")
        path = os.fsdecode(next(fields))
        if status[0] in "RC":
            path = os.fsdecode(next(fields))
        if status[0] in "AMRCT" and mode != _SUBMODULE:
            found.append((status[0], path, blob))
    return found


def _added(git: Git, base: str, files: int) -> list[tuple[Lines, ...]] | None:
    """The new lines of each changed file, in git's order; None when git's answer does not fit the list of files."""
    patch = git.run(
        "diff-index",
        "--cached",
        "--patch",
        "--unified=0",
        "--text",  # a .gitattributes file must not be able to call a text binary
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "-M",
        "--diff-filter=MR",
        "--ignore-submodules=all",
        base,
        "--",
    )
    added: list[list[Lines]] = []
    for found in _HUNK.finditer(patch):
        if found[1]:
            added.append([])
            continue
        first, count = int(found[2]), int(found[3] or 1)
        if count:
            added[-1].append((first, first + count - 1))
    return [tuple(lines) for lines in added] if len(added) == files else None
