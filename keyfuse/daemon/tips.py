"""Which commits of a repository are new: those its refs lead to now, and did not when it was last looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from scanner.errors import SourceError
from scanner.sources.git.command import Git

MOST = 2_000
"""So many old commits are named to git as known. More only means that some objects are looked at twice."""


def tips(git_dir: str) -> frozenset[str]:
    """The ids that refs and HEAD lead to. Raises SourceError when git cannot say."""
    git = Git(git_dir)
    found = git.run("for-each-ref", "--format=%(objectname)").decode("ascii", "replace").split()
    with suppress(SourceError):  # there is no commit yet
        found += git.run("rev-parse", "--verify", "--quiet", "HEAD").decode("ascii", "replace").split()
    return frozenset(found)


def news(now: Collection[str], before: Collection[str]) -> tuple[str, ...]:
    """What `git rev-list` is asked for: everything that leads from `now` and not from `before`; empty for nothing."""
    fresh = sorted(set(now) - set(before))
    if not fresh:
        return ()
    still = sorted(set(before) & set(now)) + sorted(set(before) - set(now))
    return ("--ignore-missing", *fresh, *(f"^{tip}" for tip in still[:MOST]))


def in_parts(revisions: Sequence[str]) -> list[tuple[str, ...]]:
    """The same question, cut so that each fits a command line."""
    fresh = [each for each in revisions if not each.startswith(("^", "-"))]
    rest = tuple(each for each in revisions if each.startswith(("^", "-")))
    return [(*rest, *fresh[start : start + MOST]) for start in range(0, len(fresh), MOST)]
