"""The pre-commit stage: staged blobs, never the working tree, and of them only what the commit adds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from keyfuse.hook.message import Outcome
from keyfuse.hook.staging import merged_heads, repository_of, tracked, versions, what_is_staged
from scanner.model import Blob, Origin, Place, Skipped
from scanner.sources.git.staged import StagedChanges, StagedFile, read

if TYPE_CHECKING:
    from keyfuse.hook.lookout import Caught, Lookout


class _Task(NamedTuple):
    """What to look at, and what was asked for and cannot be."""

    parts: tuple[StagedChanges, ...]
    missing: Sequence[Skipped] = ()


def look_at_commit(names: Sequence[str], env: Mapping[str, str]) -> Outcome:
    """Looks at what is staged. `names` are paths from the top of the work tree that a hook manager wants looked at too.

    Raises SourceError, and whatever keeps the scanner from working.
    """
    task = _task(names, env)
    files = {file.path: file for part in task.parts for file in part.files}
    if not files:
        return Outcome(skipped=task.missing)
    from keyfuse.hook.lookout import Lookout  # noqa: PLC0415  (the scanner: not needed when nothing is staged)

    lookout = Lookout(env)
    seen = lookout.look(_Staged(part) for part in task.parts)
    new: list[Caught] = []
    older: list[Caught] = []
    for caught in seen.caught:
        (new if _adds(files[caught.finding.origin.path], caught) else older).append(caught)
    if new:
        brought = _brought_by_merge(task.parts[0], new, lookout)
        older += [caught for caught in new if id(caught) in brought]
        new = [caught for caught in new if id(caught) not in brought]
    return lookout.judge(new, older, [*task.missing, *seen.skipped])


def _task(names: Sequence[str], env: Mapping[str, str]) -> _Task:
    """What is staged; and for the pre-commit framework run by hand (`--all-files`, `--files`), what it names besides.

    When git itself runs the hook, as GIT_INDEX_FILE shows, the framework only names again what is staged.
    """
    changes = what_is_staged(env)
    if "GIT_INDEX_FILE" in env:
        return _Task((changes,))
    others = set(names) - {file.path for file in changes.files}
    if others:
        more, missing = tracked(*repository_of(env), others)
        return _Task((changes, more), missing)
    by_hand = env.get("PRE_COMMIT") == "1" and "PRE_COMMIT_FROM_REF" not in env
    if by_hand and not changes.files and not names:
        everything, _ = tracked(*repository_of(env))
        return _Task((everything,))
    return _Task((changes,))


class _Staged(NamedTuple):
    """Unit: staged contents, and the names of new files, which can be secrets too."""

    changes: StagedChanges

    @property
    def weight(self) -> int:
        """Not known before the files are read, and not asked for: a commit is scanned in one process."""
        return 0

    def blobs(self) -> Iterator[Blob | Skipped]:
        """Contents in order, then names."""
        yield from read(self.changes)
        for file in self.changes.files:
            if file.added is None:
                yield Blob(os.fsencode(file.path), Origin(Place.FILE_NAME, file.path, repository=self.changes.name))


def _adds(file: StagedFile, caught: Caught) -> bool:
    """Whether the commit adds this: a line of it is new, or it lies in something that has no lines of its own."""
    finding = caught.finding
    if finding.origin.place is not Place.INDEX or finding.origin.inside:
        return True
    return file.adds(finding.span.start_line, finding.span.end_line)


def _brought_by_merge(changes: StagedChanges, new: Sequence[Caught], lookout: Lookout) -> set[int]:
    """Which of these stand in the same file on the other side of a merge: they were committed there, not here."""
    heads = merged_heads(changes.git)
    brought = set()
    for path in {caught.finding.origin.path for caught in new} if heads else ():
        there = lookout.fingerprints(changes.git, changes.name, versions(changes.git, heads, path))
        brought |= {
            id(caught) for caught in new if caught.finding.origin.path == path and caught.finding.fingerprint in there
        }
    return brought
