"""The repository a hook belongs to, as git itself resolves it, and the directory git will look for hooks in."""

from __future__ import annotations

import os
import subprocess
from enum import StrEnum
from pathlib import Path

from scanner.errors import CannotRun, UsageError
from scanner.model import printable
from scanner.record import Record


class Scope(StrEnum):
    """Who set `core.hooksPath`, in git's own words; `UNSET` when nobody did."""

    UNSET = "unset"
    SYSTEM = "system"
    GLOBAL = "global"
    LOCAL = "local"
    WORKTREE = "worktree"
    COMMAND = "command"


class Repository(Record):
    """What the installer must know of a repository. All paths are absolute.

    git_dir     of this worktree; `common_dir` is the one that all worktrees share
    worktree    the top of the working tree; None in a bare repository
    hooks_dir   where git looks for hooks, whether it exists or not
    hooks_path  who decided that
    """

    git_dir: Path
    common_dir: Path
    worktree: Path | None
    hooks_dir: Path
    hooks_path: Scope

    @property
    def bare(self) -> bool:
        """Whether there is no working tree to commit from."""
        return self.worktree is None

    def tracks(self, directory: Path) -> bool:
        """Whether git tracks files in this directory of the working tree, so that what lies there is everybody's."""
        if self.worktree is None:
            return False
        top, inside = self.worktree.resolve(), directory.resolve()
        if inside != top and top not in inside.parents:
            return False
        if inside == self.git_dir.resolve() or self.git_dir.resolve() in inside.parents:
            return False
        answer = git(self.worktree, "ls-files", "-z", "--", f":(top,literal){inside.relative_to(top)}")
        return bool(answer.stdout)


def open_repository(directory: Path) -> Repository:
    """The repository that `directory` lies in, honouring GIT_DIR as git does. Raises UsageError when there is none."""
    if not directory.is_dir():
        raise UsageError(f"{printable(str(directory))} is not a directory; give a repository's directory with --repo")
    answer = git(directory, "rev-parse", "--is-bare-repository", "--absolute-git-dir", check=False)
    if answer.returncode:
        reason = answer.stderr.decode(errors="replace").strip().removeprefix("fatal: ").splitlines()
        said = f"\ngit says: {printable(reason[0])}" if reason else ""
        raise UsageError(
            f"{printable(str(directory))} is not in a git repository that git will use; "
            f"go to one, or name it with --repo{said}"
        )
    bare = answer.stdout.partition(b"\n")[0] == b"true"
    git_dir = _path(directory, "--absolute-git-dir")
    inside_git_dir = git(directory, "rev-parse", "--is-inside-work-tree").stdout.strip() == b"false"
    worktree = None if bare else (_worktree_of(git_dir) if inside_git_dir else _path(directory, "--show-toplevel"))
    start = worktree or git_dir
    return Repository(
        git_dir=git_dir,
        common_dir=_path(start, "--git-common-dir"),
        worktree=worktree,
        hooks_dir=_path(start, "--git-path", "hooks"),
        hooks_path=_hooks_path_scope(start),
    )


def git(
    directory: Path,
    *arguments: str,
    check: bool = True,
    env: dict[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs git there and returns what it wrote. Raises CannotRun when there is no git, or `check` and it failed."""
    try:
        answer = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError:
        raise CannotRun("git was not found; install it and make sure it is on PATH") from None
    if check and answer.returncode:
        said = printable(answer.stderr.decode(errors="replace").strip())
        raise CannotRun(f"`git {arguments[0]}` failed in {printable(str(directory))}: {said}")
    return answer


def _path(directory: Path, *question: str) -> Path:
    answer = git(directory, "rev-parse", *question).stdout
    return Path(os.path.normpath(directory.absolute() / os.fsdecode(answer.removesuffix(b"\n"))))


def _worktree_of(git_dir: Path) -> Path | None:
    """The working tree when we stand inside `.git`, where git itself does not say."""
    return git_dir.parent if git_dir.name == ".git" else None


def _hooks_path_scope(directory: Path) -> Scope:
    answer = git(directory, "config", "--show-scope", "-z", "--get", "core.hooksPath", check=False)
    if answer.returncode:
        return Scope.UNSET
    return Scope(answer.stdout.partition(b"\0")[0].decode())
