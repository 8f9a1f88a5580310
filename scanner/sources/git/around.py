"""Other work trees and submodules that belong to a repository: where they are, or that they are not here."""

from __future__ import annotations

import os
from collections.abc import Iterator

from scanner.errors import SourceError
from scanner.model import Skipped, printable
from scanner.sources.files import Nested
from scanner.sources.git.command import Git
from scanner.sources.git.repository import Repository, first_line, repository_at

_SUBMODULE = "160000"


def linked_work_trees(repository: Repository) -> Iterator[Nested | Skipped]:
    """The work trees that were added to this one and lie elsewhere.

    A repository can name any directory as its work tree. Only one that names this repository in turn is taken for its
    own: nobody is led into directories that have nothing to do with it.
    """
    if repository.git_dir != repository.common_dir:
        return  # one of the linked ones was asked for, and it alone
    below = os.path.join(repository.common_dir, "worktrees")
    top = repository.work_tree or repository.git_dir
    for name in _listed(below):
        named = first_line(os.path.join(below, name, "gitdir"))
        path = os.path.dirname(os.path.join(below, name, named)) if named else ""
        if not path or _is_below(path, top):
            continue  # what lies in the target is met there
        found = repository_at(path)
        if found is not None and _same(found.git_dir, os.path.join(below, name)) and found.work_tree is not None:
            yield Nested(os.path.normpath(path), os.path.normpath(path))
        elif os.path.lexists(path):
            yield Skipped(printable(path), "it is called a work tree of this repository, but does not say so itself")


def absent_submodules(repository: Repository, git: Git, name: str) -> Iterator[Skipped]:
    """The submodules of what is checked out (of HEAD, in a bare repository) whose repositories are not here."""
    if repository.work_tree is None:
        listing: tuple[str, ...] = ("ls-tree", "-r", "-z", "--full-tree", "HEAD")
        if git.head() is None:
            return
    else:
        listing = ("ls-files", "--stage", "-z")
    try:
        entries = git.run(*listing).split(b"\0")
    except SourceError as error:
        yield Skipped(printable(name), f"its submodules cannot be listed: {error}")
        return
    absent = []
    for entry in entries:
        if not entry.startswith(_SUBMODULE.encode()):
            continue
        path = os.fsdecode(entry.partition(b"\t")[2])
        if not _is_here(repository, path):
            absent.append(path)
    kept = _listed(os.path.join(repository.common_dir, "modules"))
    for path in absent:
        if not (repository.work_tree is not None and kept and _is_kept(repository, path)):
            yield Skipped(
                printable(os.path.join(name, path)),
                "the submodule is not here: run git submodule update --init, or audit its repository by itself",
            )


def _is_here(repository: Repository, path: str) -> bool:
    return repository.work_tree is not None and repository_at(os.path.join(repository.work_tree, path)) is not None


def _is_kept(repository: Repository, path: str) -> bool:
    """Whether git's own directory has the repository of a submodule that is not checked out."""
    return repository_at(os.path.join(repository.common_dir, "modules", path)) is not None


def _is_below(path: str, top: str) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(top)
    return os.path.commonpath([inner, outer]) == outer


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
