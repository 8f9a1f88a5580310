"""What a push brings: the commits that the other side does not have yet, and what they change.

Everything a new commit holds is looked at, but a key that was already in the file before the commit touched it is not
this push's doing. So each blob with a hit is followed to the commits that brought it, and to what it replaced there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from scanner.errors import UsageError
from scanner.model import Blob, Origin, Place, Skipped, printable
from scanner.sources.git.command import Git
from scanner.sources.git.reading import GitObject, read_objects


class Update(NamedTuple):
    """One ref that is to move: from `old` (None: it is new) to `new` (None: it is deleted)."""

    ref: str
    old: str | None
    new: str | None


def pushed(lines: Iterable[bytes]) -> list[Update]:
    """What git tells a pre-push hook: `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID` a line. Raises UsageError."""
    return [Update(fields[2], _id(fields[3]), _id(fields[1])) for fields in _fields(lines, 4)]


def received(lines: Iterable[bytes]) -> list[Update]:
    """What git tells a pre-receive hook: `OLD-ID NEW-ID REF` a line. Raises UsageError."""
    return [Update(fields[2], _id(fields[0]), _id(fields[1])) for fields in _fields(lines, 3)]


def _fields(lines: Iterable[bytes], count: int) -> Iterator[list[str]]:
    for line in lines:
        fields = os.fsdecode(line.rstrip(b"\n")).split(" ")
        if fields == [""]:
            continue
        # A local name may be an expression with spaces in it (`HEAD@{1 day ago}`); what comes after it may not.
        fields = [" ".join(fields[: len(fields) - count + 1]), *fields[len(fields) - count + 1 :]]
        if len(fields) != count:
            raise UsageError(f"not what git tells this hook on standard input: {printable(os.fsdecode(line))}")
        yield fields


def _id(text: str) -> str | None:
    return text if text.strip("0") else None


def range_to_push(git: Git, updates: Iterable[Update], remote: str) -> tuple[str, ...]:
    """Revisions, as `git rev-list` takes them, that a push to `remote` sends; empty when it only deletes."""
    updates = list(updates)
    new = tuple(dict.fromkeys(update.new for update in updates if update.new))
    there = [update.old for update in updates if update.old]
    known = tuple(found.id for found in read_objects(git, there) if isinstance(found, GitObject))
    return (*new, "--not", f"--remotes={remote}", *known) if new else ()


def range_to_receive(updates: Iterable[Update]) -> tuple[str, ...]:
    """Revisions that no ref leads to yet; empty when the push only deletes."""
    new = tuple(dict.fromkeys(update.new for update in updates if update.new))
    return (*new, "--not", "--all") if new else ()


def contents(git: Git, name: str, blobs: Collection[str]) -> Iterator[Blob | Skipped]:
    """Some blobs by id."""
    for found in read_objects(git, sorted(blobs)):
        if isinstance(found, GitObject) and found.spool is None:
            yield Blob(found.content, Origin(Place.BLOB, "", repository=name, blob=found.id))
        else:
            yield Skipped(f"{printable(name)} object {found.id}", "too large to be compared, or not readable")
