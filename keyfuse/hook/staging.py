"""The index that a commit is made of, found the way git hands it to a hook."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from scanner.errors import SourceError
from scanner.model import Skipped, printable
from scanner.sources.git.command import Git
from scanner.sources.git.repository import repository_around
from scanner.sources.git.staged import StagedChanges, StagedFile, staged

_BLOBS = frozenset({"100644", "100755", "120000"})
_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")


def repository_of(env: Mapping[str, str]) -> tuple[Git, str]:
    """The repository that git called us for, with its index and object directories, and how it is shown.

    Git says in GIT_DIR which one it is, unless it is the one around the current directory. Raises SourceError.
    """
    directory = env.get("GIT_DIR") or "."
    repository = repository_around(directory)
    if repository is None:
        raise SourceError(f"no git repository at or above {printable(os.path.abspath(directory))}; go to one")  # noqa: PTH100
    git = Git(repository.git_dir, _index(env), quarantine(env))
    return git, repository.work_tree or repository.git_dir


def what_is_staged(env: Mapping[str, str]) -> StagedChanges:
    """What the commit adds. Raises SourceError."""
    return staged(env.get("GIT_DIR") or ".", _index(env), quarantine(env))


def quarantine(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Object directories that git names in a hook's environment: where a push waits to be accepted, for one."""
    return tuple((name, _absolute(env[name])) for name in _QUARANTINE if env.get(name))


def _index(env: Mapping[str, str]) -> str | None:
    named = env.get("GIT_INDEX_FILE")
    return os.path.abspath(named) if named else None  # noqa: PTH100


def _absolute(directories: str) -> str:
    """Git's processes start elsewhere than we do, so relative names would lead astray."""
    if '"' in directories:
        return directories  # quoted by git, which then names them absolutely
    return os.pathsep.join(os.path.abspath(each) for each in directories.split(os.pathsep))  # noqa: PTH100


def tracked(git: Git, name: str, wanted: Collection[str] | None = None) -> tuple[StagedChanges, list[Skipped]]:
    """The files of the index, all their lines: every one, or those `wanted` (paths from the top of the work tree)."""
    files = []
    left = set(wanted or ())
    for entry in git.run("ls-files", "--stage", "-z").split(b"\0"):
        about, _, raw = entry.partition(b"\t")
        if not about:
            continue
        mode, blob, stage = about.decode().split(" ")
        path = os.fsdecode(raw)
        left.discard(path)
        if stage == "0" and mode in _BLOBS and (wanted is None or path in wanted):
            files.append(StagedFile(path, blob, None))
    missing = [Skipped(printable(path), "not in git's index, which is all that is looked at") for path in sorted(left)]
    return StagedChanges(git, name, tuple(files)), missing


def merged_heads(git: Git) -> tuple[str, ...]:
    """The commits that are being merged into HEAD; none outside a merge."""
    try:
        with open(os.path.join(git.directory, "MERGE_HEAD"), encoding="ascii") as file:  # noqa: PTH118
            return tuple(file.read().split())
    except FileNotFoundError:
        return ()


def versions(git: Git, commits: Collection[str], path: str) -> list[str]:
    """The blobs that these commits have at `path`, as far as they have one."""
    found = []
    for commit in commits:
        listed = git.run("ls-tree", "-z", commit, "--", path).partition(b"\t")[0].decode().split(" ")
        if len(listed) == 3 and listed[1] == "blob":
            found.append(listed[2])
    return found
