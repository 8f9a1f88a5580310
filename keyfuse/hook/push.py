"""The pre-push and pre-receive stages: whatever the other side does not have yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from keyfuse.hook.arrivals import (
    pushed,
    range_to_push,
    range_to_receive,
    received,
)
from keyfuse.hook.lookout import Caught, Lookout
from keyfuse.hook.message import Outcome
from keyfuse.hook.stage import Stage
from keyfuse.hook.staging import repository_of
from scanner.errors import UsageError
from scanner.model import Place
from scanner.record import replace
from scanner.sources.git.attribution import attribute
from scanner.sources.git.command import Git
from scanner.sources.git.introductions import Introduction, introductions, names_new_in
from scanner.sources.git.lfs import PointerBatch
from scanner.sources.git.objects import objects_of


def look_at_push(stage: Stage, words: Sequence[str], told: Iterable[bytes], env: Mapping[str, str]) -> Outcome:
    """Looks at what a push brings. `words` are a remote's name and URL (pre-push); `told` are git's lines about refs.

    Raises UsageError for lines that git does not write, and whatever keeps git or the scanner from working.
    """
    git, name = repository_of(env)
    if stage is Stage.PRE_PUSH:
        if not words:
            raise UsageError(
                "the pre-push stage wants the remote's name, as git passes it: keyfuse hook run pre-push NAME"
            )
        revisions = range_to_push(git, pushed(told), words[0])
    else:
        revisions = range_to_receive(received(told))
    if not revisions:
        return Outcome()
    lookout = Lookout(env)
    # Contents of Git LFS travel in another way: their absence is no reason to refuse a push.
    units = (unit for unit in objects_of(git, name, revisions) if not isinstance(unit, PointerBatch))
    seen = lookout.look(units)
    new, older = _split(git, name, revisions, seen.caught, lookout)
    return lookout.judge(new, older, seen.skipped)


def _split(
    git: Git, name: str, revisions: tuple[str, ...], caught: Sequence[Caught], lookout: Lookout
) -> tuple[list[Caught], list[Caught]]:
    """What the push adds, each secret once a file, and what was in the files before."""
    names = [each.finding for each in caught if each.finding.origin.place is Place.FILE_NAME]
    caught = [each for each in caught if each.finding.origin.place is not Place.FILE_NAME]
    if names:
        caught += map(Caught, names_new_in(git, attribute(git, names, revisions, complete=False)))
    wanted = {each.finding.origin.blob for each in caught if each.finding.origin.place is Place.BLOB}
    brought = introductions(git, revisions, {blob for blob in wanted if blob}) if wanted else {}
    new: dict[tuple[str, str], Caught] = {}
    older: dict[tuple[str, str], Caught] = {}
    for each in caught:
        ways = brought.get(each.finding.origin.blob or "", [])
        fresh = [way for way in ways if each.finding.fingerprint not in lookout.fingerprints(git, name, way.replaced)]
        placed = _placed(each, fresh or ways)
        (new if fresh or not ways else older).setdefault(_leak(placed), placed)
    return list(new.values()), list(older.values())


def _placed(caught: Caught, ways: Sequence[Introduction]) -> Caught:
    """With the path and commit that first brought it."""
    if not ways:
        return caught
    finding = caught.finding
    origin = replace(finding.origin, path=ways[0].path, commit=ways[0].commit)
    return caught._replace(finding=replace(finding, origin=origin))


def _leak(caught: Caught) -> tuple[str, str]:
    return caught.finding.fingerprint, str(replace(caught.finding.origin, commit=None, blob=None))
