"""Commits and annotated tags as text: messages, and who wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from scanner.model import Blob, Origin, Place
from scanner.record import Record
from scanner.sources.git.reading import GitObject

_NOT_TEXT = (b"tree ", b"parent ", b"object ", b"type ", b"gpgsig ", b"gpgsig-sha256 ")


class Signed(Record):
    """Who made a commit or tag, and when (ISO 8601 with the writer's offset); None where it does not say."""

    author: str | None
    date: str | None


def commit_blobs(commit: GitObject, repository: str, known: set[bytes]) -> Iterator[Blob]:
    """A commit's message, and its headers' texts unless they are `known` from the commit before."""
    yield from _blobs(commit, Place.COMMIT_MESSAGE, repository, known)


def tag_blobs(tag: GitObject, repository: str, known: set[bytes]) -> Iterator[Blob]:
    """An annotated tag's message, its name and who made it."""
    yield from _blobs(tag, Place.TAG_MESSAGE, repository, known)


def signed(content: bytes) -> Signed:
    """Who made a commit (its author) or a tag (its tagger)."""
    for line in content.split(b"\n\n", 1)[0].split(b"\n"):
        if line.startswith((b"author ", b"tagger ")):
            return _signature(line.split(b" ", 1)[1])
    return Signed(None, None)


def _blobs(found: GitObject, place: Place, repository: str, known: set[bytes]) -> Iterator[Blob]:
    content = found.content
    if found.spool is not None:
        content = found.spool.read()
    head, _, message = content.partition(b"\n\n")
    who = signed(head)
    origin = Origin(
        place,
        "",
        repository=repository,
        blob=found.id,
        commit=found.id if place is Place.COMMIT_MESSAGE else None,
        author=who.author,
        date=who.date,
    )
    if message:
        yield Blob(message, origin)
    fresh = [text for text in _texts(head) if text not in known]
    if fresh:
        known.update(fresh)
        yield Blob(b"\n".join(fresh), origin)


def _texts(head: bytes) -> Iterator[bytes]:
    """What people wrote in a head: names, addresses, tags' names, unknown headers. Ids and signatures are left out."""
    left_out = False
    for line in head.split(b"\n"):
        if not line.startswith(b" "):
            left_out = line.startswith(_NOT_TEXT)
        if left_out:
            continue
        if line.startswith((b"author ", b"committer ", b"tagger ")):
            line = line.rpartition(b">")[0] + b">"
            line = line.split(b" ", 1)[1]
        yield line


def _signature(text: bytes) -> Signed:
    who, bracket, when = text.rpartition(b">")
    if not bracket:
        return Signed(text.decode(errors="replace"), None)
    return Signed((who + bracket).decode(errors="replace"), _date(when.split()))


def _date(fields: list[bytes]) -> str | None:
    try:
        seconds, offset = int(fields[0]), int(fields[1])
        minutes = abs(offset) // 100 * 60 + abs(offset) % 100
        zone = timezone(timedelta(minutes=-minutes if offset < 0 else minutes))
        return datetime.fromtimestamp(seconds, zone).isoformat()
    except (IndexError, ValueError, OverflowError, OSError):
        return None  # a date that no calendar holds
