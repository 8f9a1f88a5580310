"""Where repositories are: found by looking, without starting git, whose own search a tree could lead astray.

This is also read on the way to a single file, so it must not import what starts processes.
"""

from __future__ import annotations

import os
from typing import NamedTuple

_GITFILE_LIMIT = 1 << 16
_CONFIG_LIMIT = 1 << 20


class Repository(NamedTuple):
    """One repository, as absolute paths.

    `git_dir` is the git directory of this work tree; `common_dir` is the one that all its work trees share (the same
    where there is one only). `work_tree` is None for a bare repository.
    """

    git_dir: str
    common_dir: str
    work_tree: str | None

    @property
    def shallow(self) -> bool:
        """Whether history was cut off when it was cloned."""
        return os.path.exists(os.path.join(self.common_dir, "shallow"))

    @property
    def partial(self) -> bool:
        """Whether objects were left at the remote when it was cloned."""
        try:
            with open(os.path.join(self.common_dir, "config"), "rb") as file:
                settings = file.read(_CONFIG_LIMIT).lower()
        except OSError:
            return False
        return b"promisor" in settings or b"partialclone" in settings


def repository_at(path: str) -> Repository | None:
    """The repository whose work tree begins at `path`, or which is bare and lies at `path`."""
    path = os.path.abspath(path)
    dot = os.path.join(path, ".git")
    git_dir = _named_by(dot) if os.path.isfile(dot) else dot
    if git_dir is not None and (common := common_directory(git_dir)) is not None:
        return Repository(git_dir, common, path)
    if (common := common_directory(path)) is not None:
        return Repository(path, common, None)
    return None


def repository_around(path: str) -> Repository | None:
    """The repository at `path` or the nearest one above it."""
    path = os.path.abspath(path)
    while (found := repository_at(path)) is None:
        path, below = os.path.dirname(path), path
        if path == below:
            return None
    return found


def is_git_directory(path: str) -> bool:
    """Whether a directory has the form of a repository's own directory."""
    return (
        os.path.lexists(os.path.join(path, "HEAD"))
        and os.path.isdir(os.path.join(path, "objects"))
        and os.path.isdir(os.path.join(path, "refs"))
    )


def common_directory(git_dir: str) -> str | None:
    """The directory that holds the objects of the repository at `git_dir`, if there is one."""
    if is_git_directory(git_dir):
        return git_dir
    named = first_line(os.path.join(git_dir, "commondir"))
    if not named:
        return None
    common = os.path.normpath(os.path.join(git_dir, named))
    return common if is_git_directory(common) else None


def _named_by(gitfile: str) -> str | None:
    """The directory that a `.git` file names, if it does."""
    line = first_line(gitfile)
    if line is None or not line.startswith("gitdir: "):
        return None
    return os.path.normpath(os.path.join(os.path.dirname(gitfile), line.removeprefix("gitdir: ")))


def first_line(path: str) -> str | None:
    """The first line of a file that git keeps a path in; None where there is no such file."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            head = file.read(_GITFILE_LIMIT)
    except OSError:
        return None
    return os.fsdecode(head.split(b"\n", 1)[0].rstrip(b"\r"))
