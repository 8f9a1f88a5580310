"""Whether git can be let loose on a repository at all: it must not be made to wait for ever."""

from __future__ import annotations

import os
import stat

from scanner.errors import SourceError
from scanner.model import printable
from scanner.sources.git.command import Git, require_git
from scanner.sources.git.repository import Repository

PATIENCE = 60.0
"""Seconds within which git has to say which commit is the newest; it takes milliseconds."""


def require_sound(repository: Repository, patience: float = PATIENCE) -> Git:
    """The repository as git's commands see it, after a look at what git will open there.

    Raises SourceError where git would wait for ever (a FIFO or a device in the place of one of its files, or one that
    the configuration includes), and where git is missing or too old.
    """
    git = Git(repository.git_dir)
    require_git(git)
    for directory in {repository.git_dir, repository.common_dir}:
        if (path := _endless(directory)) is not None:
            raise SourceError(f"{printable(path)} is no file but would be read without end: remove it")
    git.probe("rev-list", "--max-count=1", "--all", "--", seconds=patience)
    return git


def _endless(top: str) -> str | None:
    """A path below a git directory that is a FIFO or a device, or a link to one."""
    waiting = [top]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif not entry.is_file() and _is_endless(entry.path):
                        return entry.path
        except OSError:
            continue  # what cannot be listed is told by those who want to read it
    return None


def _is_endless(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
