"""Which commits of a range brought something, and whether it is new: a secret that was in the file before is not."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import IO, NamedTuple

from scanner.errors import SourceError
from scanner.model import Blob, Finding, Fingerprint, Origin, Place, Skipped, Suppressed
from scanner.sources.git.command import Git, pipe, stop
from scanner.sources.git.reading import GitObject, read_objects

Look = Callable[[Blob], Iterable[Finding | Suppressed | Skipped]]
"""How a content is scanned."""


class Introduction(NamedTuple):
    """A commit that put a blob at a path; `replaced` are the blobs that its parents had there."""

    commit: str
    path: str
    replaced: tuple[str, ...]


def introductions(git: Git, revisions: tuple[str, ...], wanted: Collection[str]) -> dict[str, list[Introduction]]:
    """For each wanted blob, the commits of the range that brought it: it was in none of their parents at that path.

    Raises SourceError where git cannot follow the range.
    """
    found: dict[str, list[Introduction]] = {blob: [] for blob in wanted}
    parents: dict[str, int] = {}
    for line in git.run("rev-list", "--min-parents=2", "--parents", *revisions, "--").decode().splitlines():
        commit, *before = line.split(" ")
        parents[commit] = len(before)
    changes: dict[tuple[str, str, str], list[str]] = {}
    for commit, path, replaced, blob in _changes(git, revisions):
        if blob in found:
            changes.setdefault((commit, path, blob), []).append(replaced)
    for (commit, path, blob), olds in changes.items():
        if len(olds) == parents.get(commit, 1):
            found[blob].append(Introduction(commit, path, tuple(old for old in olds if old.strip("0"))))
    return found


def new_in(git: Git, revisions: tuple[str, ...], findings: Sequence[Finding], look: Look) -> list[Finding]:
    """The findings that are new in a range: no commit's parents held the secret in the file that it changed.

    What cannot be compared, since the file before is too large or not here, counts as new. So does all of it when git
    cannot follow the range.
    """
    wanted = {each.origin.blob for each in findings if each.origin.place is Place.BLOB and each.origin.blob}
    if not wanted:
        return list(findings)
    try:
        brought = introductions(git, revisions, wanted)
    except SourceError:
        return list(findings)
    held = _Held(git, look)
    return [each for each in findings if each.origin.place is not Place.BLOB or _is_new(each, brought, held)]


def names_new_in(git: Git, findings: Sequence[Finding]) -> list[Finding]:
    """Findings without those in names of files that the parents of their commits have too."""
    return [
        each
        for each in findings
        if each.origin.place is not Place.FILE_NAME or not _had(git, each.origin.commit, each.origin.path)
    ]


class _Held:
    """The secrets in contents that were replaced, each looked at once."""

    def __init__(self, git: Git, look: Look) -> None:
        self._git = git
        self._look = look
        self._known: dict[str, frozenset[Fingerprint]] = {}

    def holds(self, blob: str, secret: Fingerprint) -> bool:
        if blob not in self._known:
            self._known[blob] = frozenset(self._secrets(blob))
        return secret in self._known[blob]

    def _secrets(self, blob: str) -> Iterator[Fingerprint]:
        for found in read_objects(self._git, [blob]):
            if not isinstance(found, GitObject) or found.spool is not None:
                return
            for result in self._look(Blob(found.content, Origin(Place.BLOB, "", blob=blob))):
                if isinstance(result, Finding):
                    yield result.fingerprint
                elif isinstance(result, Suppressed):
                    yield result.finding.fingerprint


def _is_new(finding: Finding, brought: dict[str, list[Introduction]], held: _Held) -> bool:
    ways = brought.get(finding.origin.blob or "", [])
    fresh = (way for way in ways if not any(held.holds(old, finding.fingerprint) for old in way.replaced))
    return not ways or next(fresh, None) is not None


def _had(git: Git, commit: str | None, path: str) -> bool:
    """Whether a parent of a commit has a path."""
    if commit is None or "\n" in path:
        return False
    try:
        _, *parents = git.run("rev-list", "--parents", "--max-count=1", commit, "--").split()
        questions = b"".join(b"%s:%s\n" % (parent, os.fsencode(path)) for parent in parents)
        answers = git.run("cat-file", "--batch-check=%(objecttype)", stdin=questions).split(b"\n")
    except SourceError:
        return False
    return any(answer in (b"blob", b"tree", b"commit") for answer in answers)


def _changes(git: Git, revisions: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    """Commit, path, blob before and blob after of every change that a range makes, its oldest commit first."""
    commits = git.start("rev-list", "--reverse", "--topo-order", *revisions, "--")
    listing = ("diff-tree", "--stdin", "-r", "-m", "-M", "--root", "--raw", "-z", "--no-abbrev")
    changes = git.start(*listing, "--ignore-submodules=all", stdin=pipe(commits.stdout))
    try:
        commit = ""
        fields = _fields(pipe(changes.stdout))
        for head in fields:
            if not head.startswith(b":"):
                commit = head.decode().split(" ")[0]
                continue
            _, _, before, blob, status = head.decode().split(" ")
            path = next(fields)
            if status[0] in "RC":
                path = next(fields)
            yield commit, os.fsdecode(path), before, blob
        if changes.wait() or commits.wait():
            raise SourceError("git could not follow all of the commits: git fsck tells more")
    finally:
        stop(changes)
        stop(commits)


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while piece := stream.read(1 << 20):
        *fields, rest = (rest + piece).split(b"\0")
        yield from fields
