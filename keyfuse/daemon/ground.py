"""What a path in a watched directory is: a file to scan, or a sign that a repository's refs moved."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from scanner.sources.files import Frame
from scanner.sources.git.repository import Repository, is_git_directory, repository_at

_OBJECTS = re.compile(r"/objects/(?:[0-9a-f]{2}(?:/|$)|pack(?:/|$)|info(?:/|$)|(?:tmp_objdir-)?incoming-)")
_REFS = ("HEAD", "packed-refs", "refs", "reftable", "logs", "worktrees")


@dataclass(frozen=True, slots=True)
class File:
    """A file to scan: its path within a frame."""

    frame: Frame
    path: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Refs of this repository may have moved."""

    repository: Repository
    shown: str


def is_noise(path: str) -> bool:
    """Whether a path is one of those that git writes by the thousand, and whose content is read through git."""
    return "/objects/" in path and _OBJECTS.search(path) is not None


class Ground:
    """One watched root. `label` is how paths below it are shown: as the target's own scan shows them."""

    def __init__(self, root: str, label: str) -> None:
        self.root = root
        self._label = label

    def what(self, path: str) -> File | Moved | None:
        """What a path stands for; None for what nobody scans."""
        if path == self.root:
            directory, name = os.path.split(path)
            return None if os.path.isdir(path) else File(Frame(directory, directory), name)
        parts = os.path.relpath(path, self.root).split(os.sep)
        if parts[0] == os.pardir:
            return None
        here, frame, begins = self.root, Frame(self.root, self._label), 0
        for depth in range(len(parts)):
            if parts[depth] == ".git" or (os.path.lexists(f"{here}/HEAD") and is_git_directory(here)):
                return self._moved(here, parts[depth + 1 :] if parts[depth] == ".git" else parts[depth:])
            if os.path.lexists(f"{here}/.git") and repository_at(here) is not None:
                frame, begins = Frame(here, repository=self.shown(here)), depth
            here = f"{here}/{parts[depth]}"
        return File(frame, os.sep.join(parts[begins:]))

    def shown(self, directory: str) -> str:
        """How a repository below the root is called, here and in the target's own scan."""
        below = os.path.relpath(directory, self.root)
        return self._label if below == os.curdir else os.path.normpath(os.path.join(self._label, below))

    def _moved(self, directory: str, rest: list[str]) -> Moved | None:
        if not rest or rest[0] not in _REFS or rest[-1].endswith(".lock"):
            return None
        repository = repository_at(directory)
        return None if repository is None else Moved(repository, self.shown(directory))
