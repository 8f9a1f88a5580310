"""Lists what changed in a directory since a moment: after a start or a mass change, and where nothing else tells.

A file counts as changed by its inode's time (ctime), which a writer cannot set back. A directory that was moved here
keeps its files' times; it is known by its own inode having changed when its list of names had not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from keyfuse.daemon.ground import Ground
from scanner.model import Skipped
from scanner.sources.files import NAME_LENGTH, UNIT_WEIGHT, FileBatch, Frame
from scanner.sources.git.repository import Repository, repository_at

SLACK = 2.0
"""Seconds by which a file's time may lag behind the clock."""
NEVER = 1e11
"""A moment after which nothing changed: then only repositories are met."""
_FILE_WEIGHT = 16 << 10


@dataclass(frozen=True, slots=True)
class Met:
    """A repository on the way, whose refs are to be looked at."""

    repository: Repository
    shown: str


def changed(ground: Ground, since: float) -> Iterator[FileBatch | Met | Skipped]:
    """Batches of files that changed at or after `since` (seconds since 1970), and every repository."""
    threshold = int((since - SLACK) * 1e9)
    waiting: list[tuple[str, str, Frame, bool]] = [
        (ground.root, "", Frame(ground.root, ground.shown(ground.root)), False)
    ]
    batch = _Batch()
    while waiting:
        directory, below, frame, fresh = waiting.pop()
        try:
            about = os.stat(directory)
            with os.scandir(directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield frame.skipped(below, f"the directory cannot be read: {error.strerror}")
            continue
        fresh = fresh or (about.st_ctime_ns >= threshold and about.st_mtime_ns < threshold and since > 0)
        repository = repository_at(directory)
        if repository is not None:
            yield Met(repository, ground.shown(directory))
            if repository.work_tree is None:
                continue
            if batch.files or batch.links:
                yield batch.take()
            frame, below = Frame(directory, repository=ground.shown(directory)), ""
        for entry in listed:
            path = os.path.join(below, entry.name)
            if entry.name == ".git" and repository is not None:
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, path, frame, fresh))
                elif fresh or entry.stat(follow_symlinks=False).st_ctime_ns >= threshold:
                    full = batch.add(frame, path, entry)
                    if full is not None:
                        yield full
            except OSError as error:
                yield frame.skipped(path, f"it cannot be looked at: {error.strerror}")
    if batch.files or batch.links:
        yield batch.take()


class _Batch:
    def __init__(self) -> None:
        self.frame = Frame("")
        self.files: list[str] = []
        self.links: list[str] = []
        self.weight = 0

    def add(self, frame: Frame, path: str, entry: os.DirEntry[str]) -> FileBatch | None:
        """Takes one entry; gives the batch before it when that is full, or of another frame."""
        full = None
        if (self.files or self.links) and (frame is not self.frame or self.weight >= UNIT_WEIGHT):
            full = self.take()
        self.frame = frame
        if entry.is_symlink():
            self.links.append(path)
        elif entry.is_file(follow_symlinks=False):
            self.files.append(path)
            self.weight += entry.stat(follow_symlinks=False).st_size + _FILE_WEIGHT
        return full

    def take(self) -> FileBatch:
        """What was taken so far."""
        names = tuple(path for path in self.files if len(os.path.basename(path)) >= NAME_LENGTH)
        taken = FileBatch(self.frame, tuple(self.files), names, tuple(self.links), self.weight)
        self.files, self.links, self.weight = [], [], 0
        return taken
