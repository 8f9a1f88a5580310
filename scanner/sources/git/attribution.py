"""Which commit brought a blob, and under which path: asked only when something was found in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from scanner.model import Finding, Origin, Place, Span
from scanner.record import replace
from scanner.sources.git.command import Git
from scanner.sources.git.messages import Signed, signed
from scanner.sources.git.reading import GitObject, read_objects
from scanner.sources.git.remembered import Remembered
from scanner.sources.git.sightings import EVERYTHING, LATER, Lookout, Quick, Sighting, as_row
from scanner.sources.git.standing import Tips


def attribute(
    git: Git,
    findings: Sequence[Finding],
    revisions: tuple[str, ...] = EVERYTHING,
    *,
    complete: bool = True,
    quick: Quick | None = None,
    remembered: Remembered | None = None,
) -> list[Finding]:
    """Gives findings in objects their path, first commit and standing, and makes one of those that are the same leak.

    `revisions` are the commits that were looked at. What none of the refs leads to is said to be in the stash, the
    index, a reflog, or unreachable. `complete` is whether every object was looked at: only then is it known that what
    was found in a file is in no commit. `quick`, where there is such a way, saves walking all of history; what
    is `remembered` need not be looked for.
    """
    sought = [each.origin for each in findings if each.origin.blob and each.origin.place in _SOUGHT]
    messages = {origin.blob for origin in sought if origin.blob and origin.place in _MESSAGES}
    lookout = Lookout(git, {origin.blob for origin in sought if origin.blob} - messages, messages, quick)
    lookout.recall(remembered)
    if revisions == EVERYTHING:
        lookout.everywhere()
    else:
        lookout.in_commits(revisions)
    seen = lookout.seen
    if remembered is not None:
        remembered.report({id: as_row(sighting) for id, sighting in seen.items()})
    commits = {sighting.commit for sighting in seen.values() if sighting.commit is not None}
    placed = [_with_first(git, named(finding, seen), revisions) for finding in findings]
    commits |= {each.origin.commit for each in placed if each.origin.commit is not None}
    return merge(placed, seen, _signatures(git, commits), Tips(git, placed, complete=complete))


def named(finding: Finding, seen: Mapping[str, Sighting]) -> Finding:
    """The finding with the path and commit of its object, and whether a ref leads to it."""
    origin = finding.origin
    sighting = seen.get(origin.blob) if origin.blob is not None else None
    if sighting is None or origin.place not in _SOUGHT:
        return finding
    if origin.place in _MESSAGES:
        return replace(finding, origin=replace(origin, reachable=sighting.reachable))
    place, path = sighting.place, sighting.path
    if origin.place is Place.FILE_NAME:
        place, path = origin.place, os.path.join(path, origin.path)
    found = replace(
        origin, place=place, path=path, commit=sighting.commit, reachable=sighting.reachable, ref=sighting.ref
    )
    return replace(finding, origin=found)


def _with_first(git: Git, finding: Finding, revisions: tuple[str, ...]) -> Finding:
    """A name's finding with the commit that had the path first: its tree is the first one that was looked at."""
    origin = finding.origin
    if origin.place is not Place.FILE_NAME or origin.commit is None or not origin.reachable:
        return finding
    order = ("--topo-order", "--reverse", "--full-history", "--ignore-missing")
    with git.lines("rev-list", *order, *revisions, "--", origin.path) as lines:
        first = next(lines, b"").decode()
    return replace(finding, origin=replace(origin, commit=first)) if first else finding


def merge(
    findings: Iterable[Finding], seen: Mapping[str, Sighting], signatures: Mapping[str, Signed], tips: Tips
) -> list[Finding]:
    """One finding for each leak: the same secret at the same path, however many versions of the file hold it.

    The file in the work tree stands for all versions, else the version that came first; all its lines are kept. It
    carries the commit that came first, and what is true of any version.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in _without_echoes(findings):
        groups.setdefault(_leak(finding), []).append(finding)
    merged = []
    for group in groups.values():
        chosen = min(group, key=lambda each: _preference(each.origin, seen)).origin
        first = min(group, key=lambda each: _rank(each.origin, seen)).origin
        dated = tips.standing(group, _dated(chosen, first, signatures))
        told: set[Span] = set()
        for finding in group:
            if (finding.origin.place, finding.origin.blob) == (chosen.place, chosen.blob) and finding.span not in told:
                told.add(finding.span)  # an object may lie in several packs
                merged.append(replace(finding, origin=dated))
    return merged


_MESSAGES = frozenset({Place.COMMIT_MESSAGE, Place.TAG_MESSAGE})
_SOUGHT = frozenset({Place.BLOB, Place.FILE_NAME, *_MESSAGES})
"""Places of findings whose object is looked for."""
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
    return (LATER, origin.date or "~")


def _dated(origin: Origin, first: Origin, signatures: Mapping[str, Signed]) -> Origin:
    if first.commit is None:
        return origin
    who = signatures.get(first.commit, Signed(first.author, first.date))
    return replace(origin, commit=first.commit, author=who.author, date=who.date)


def _signatures(git: Git, commits: Iterable[str]) -> dict[str, Signed]:
    read = read_objects(git, sorted(commits))
    return {found.id: signed(found.content) for found in read if isinstance(found, GitObject)}
