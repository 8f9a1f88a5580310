"""Which commit brought a blob, and under which path: asked only when something was found in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from scanner.errors import SourceError
from scanner.model import Finding, Origin, Place
from scanner.record import Record, replace
from scanner.sources.git.command import Git, pipe, stop
from scanner.sources.git.messages import Signed, signed
from scanner.sources.git.reading import GitObject, read_objects

EVERYTHING = ("--all",)
"""Every ref and every work tree's HEAD, as `git rev-list` takes it."""

_LATER = 1 << 60


class Sighting(Record):
    """Where a blob was met first. `rank` orders sightings in time."""

    place: Place
    path: str
    commit: str | None
    rank: int


def attribute(git: Git, findings: Sequence[Finding], revisions: tuple[str, ...] = EVERYTHING) -> list[Finding]:
    """Gives findings in blobs their path and first commit, and makes one of those that are the same leak.

    `revisions` are the commits that were looked at. What none of the refs leads to is said to be in the stash, the
    index, a reflog, or unreachable.
    """
    wanted = {finding.origin.blob for finding in findings if finding.origin.place is Place.BLOB}
    seen = _sightings(git, {blob for blob in wanted if blob is not None}, revisions)
    commits = {sighting.commit for sighting in seen.values() if sighting.commit is not None}
    return merge([named(finding, seen) for finding in findings], seen, _signatures(git, commits))


def named(finding: Finding, seen: Mapping[str, Sighting]) -> Finding:
    """The finding with the path and commit of its blob."""
    origin = finding.origin
    sighting = seen.get(origin.blob) if origin.blob is not None and origin.place is Place.BLOB else None
    if sighting is None:
        return finding
    return replace(finding, origin=replace(origin, place=sighting.place, path=sighting.path, commit=sighting.commit))


def merge(findings: Iterable[Finding], seen: Mapping[str, Sighting], signatures: Mapping[str, Signed]) -> list[Finding]:
    """One finding for each leak: the same secret at the same path, however many versions of the file hold it.

    The file in the work tree stands for all versions, else the version that came first; all its lines are kept. It
    carries the commit that came first.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in _without_echoes(findings):
        groups.setdefault(_leak(finding), []).append(finding)
    merged = []
    for group in groups.values():
        chosen = min(group, key=lambda each: _preference(each.origin, seen)).origin
        first = min(group, key=lambda each: _rank(each.origin, seen)).origin
        for finding in group:
            if (finding.origin.place, finding.origin.blob) == (chosen.place, chosen.blob):
                merged.append(replace(finding, origin=_dated(finding.origin, first, signatures)))
    return merged


_MESSAGES = frozenset({Place.COMMIT_MESSAGE, Place.TAG_MESSAGE})
_SAME_FILE = frozenset({Place.FILE, Place.BLOB, Place.INDEX, Place.STASH, Place.REFLOG, Place.UNREACHABLE})
_PREFERENCE = (Place.FILE, Place.BLOB, Place.INDEX, Place.STASH, Place.REFLOG, Place.UNREACHABLE)


def _without_echoes(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Git copies messages into logs of refs and into files of its own; a message is told once."""
    findings = list(findings)
    said = {(each.kind.id, each.fingerprint) for each in findings if each.origin.place in _MESSAGES}
    for finding in findings:
        origin = finding.origin
        is_copy = origin.blob is None and (
            origin.place is Place.REFLOG or (origin.place is Place.CONFIG and origin.path.endswith("MSG"))
        )
        if not (is_copy and (finding.kind.id, finding.fingerprint) in said):
            yield finding


def _leak(finding: Finding) -> tuple[object, ...]:
    origin = finding.origin
    place = Place.BLOB if origin.place in _SAME_FILE else origin.place
    return (finding.kind.id, finding.fingerprint, finding.encoding, place, origin.path, origin.inside)


def _preference(origin: Origin, seen: Mapping[str, Sighting]) -> tuple[int, int, str]:
    place = _PREFERENCE.index(origin.place) if origin.place in _PREFERENCE else 0
    return (place, *_rank(origin, seen))


def _rank(origin: Origin, seen: Mapping[str, Sighting]) -> tuple[int, str]:
    sighting = seen.get(origin.blob) if origin.blob is not None else None
    if sighting is not None:
        return (sighting.rank, "")
    return (_LATER, origin.date or "~")


def _dated(origin: Origin, first: Origin, signatures: Mapping[str, Signed]) -> Origin:
    if first.commit is None:
        return origin
    who = signatures.get(first.commit, Signed(first.author, first.date))
    return replace(origin, commit=first.commit, author=who.author, date=who.date)


def _sightings(git: Git, wanted: set[str], revisions: tuple[str, ...]) -> dict[str, Sighting]:
    """Where each of the wanted blobs was met first."""
    seen: dict[str, Sighting] = {}
    if revisions != EVERYTHING:
        _walk(git, wanted, Place.BLOB, revisions, seen)
        return seen
    told = _walk(git, wanted, Place.BLOB, ("--exclude=refs/notes/*", "--exclude=refs/stash", "--all"), seen)
    told &= _walk(git, wanted, Place.NOTE, ("--glob=refs/notes/*",), seen)
    told &= _walk(git, wanted, Place.STASH, _stashes(git), seen)
    told &= _index(git, wanted, seen)
    told &= _walk(git, wanted, Place.REFLOG, ("--reflog",), seen)
    if told:
        for blob in wanted - seen.keys():
            seen[blob] = Sighting(Place.UNREACHABLE, "", None, len(seen) + _LATER)
    return seen


def _walk(git: Git, wanted: set[str], place: Place, revisions: tuple[str, ...], seen: dict[str, Sighting]) -> bool:
    """Notes where the blobs that are still wanted come first in these commits, oldest commit first.

    False when git could not walk all of them: then nothing can be said about what was not met.
    """
    left = {blob.encode() for blob in wanted - seen.keys()}
    if not left or not revisions:
        return True
    order = ("--objects", "--in-commit-order", "--reverse", "--topo-order", "--missing=allow-any", "--ignore-missing")
    process = git.start("-c", "core.deltaBaseCacheLimit=1g", "rev-list", *order, *revisions, "--")
    try:
        commit: str | None = None
        for rank, line in enumerate(pipe(process.stdout), len(seen)):
            id, space, path = line.rstrip(b"\n").partition(b" ")
            if not space:
                commit = id.decode()
            elif id in left:
                left.remove(id)
                seen[id.decode()] = Sighting(place, os.fsdecode(path), commit, rank)
                if not left:
                    return True
        return process.wait() == 0
    finally:
        stop(process)


def _stashes(git: Git) -> tuple[str, ...]:
    """All stash entries: the ref names the newest, its log the others."""
    with git.lines("rev-list", "--walk-reflogs", "--ignore-missing", "refs/stash", "--") as lines:
        return tuple(dict.fromkeys(line.decode() for line in lines))


def _index(git: Git, wanted: set[str], seen: dict[str, Sighting]) -> bool:
    if wanted <= seen.keys():
        return True
    try:
        entries = git.run("ls-files", "--stage", "-z").split(b"\0")
    except SourceError:
        return False
    for entry in entries:
        about, _, path = entry.partition(b"\t")
        blob = about.split(b" ")[1].decode() if about else ""
        if blob in wanted and blob not in seen:
            seen[blob] = Sighting(Place.INDEX, os.fsdecode(path), None, _LATER)
    return True


def _signatures(git: Git, commits: Iterable[str]) -> dict[str, Signed]:
    read = read_objects(git, sorted(commits))
    return {found.id: signed(found.content) for found in read if isinstance(found, GitObject)}
