"""Commits as people name them, turned into what `git rev-list` takes. A name git does not know is a UsageError."""

from __future__ import annotations

from scanner.errors import SourceError, UsageError
from scanner.model import printable
from scanner.sources.git.command import Git


def since(git: Git, revision: str) -> tuple[str, ...]:
    """What HEAD has and `revision` has not."""
    base = commit(git, revision)
    return commit(git, "HEAD"), f"^{base}"


def between(git: Git, text: str) -> tuple[str, ...]:
    """`A..B`: what B has and A has not; `A...B`: what B has gained since both parted. An empty side is HEAD."""
    dots = "..." if "..." in text else ".."
    first, found, last = text.partition(dots)
    if not found:
        raise UsageError(f"{printable(text)} is not a range of commits: give it as A..B")
    start, end = commit(git, first or "HEAD"), commit(git, last or "HEAD")
    if dots == "..":
        return end, f"^{start}"
    return end, *(f"^{base}" for base in git.run("merge-base", "--all", start, end).decode().split())


def reachable(git: Git, ref: str) -> tuple[str, ...]:
    """Everything that `ref` leads to: an annotated tag is part of it. It may name a file or a directory as well."""
    return (_object(git, ref, ref),)


def commit(git: Git, revision: str) -> str:
    """The id of the commit that a revision names. Raises UsageError, which names it, when there is none."""
    return _object(git, f"{revision}^{{commit}}", revision)


def _object(git: Git, expression: str, revision: str) -> str:
    try:
        found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", expression)
    except SourceError:
        raise UsageError(
            f"there is no commit called '{printable(revision)}' in this repository: see git branch --all, or fetch it"
        ) from None
    return found.decode().split()[-1]
