"""Containers taken apart: leaves out, as blobs with their way in, and a Skipped for each thing that does not open.

Everything here is hostile: names are text to show and never paths to write, sizes in heads are claims, nesting has no
natural end. Nothing is written to disk; what is read is counted against a `Budget`. How one kind is taken apart is the
kind's own module (`scanner.unpack.formats`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from scanner.model import Blob, Origin, Place, Skipped
from scanner.options import Limits
from scanner.record import replace
from scanner.unpack.budget import Budget, Exhausted
from scanner.unpack.formats import format_of
from scanner.unpack.kinds import CLOSED, DOCUMENTS, HEAD, LEGIBLE, SEQUENTIAL, ZIP, ends_as_zip, kind_of
from scanner.unpack.parts import (
    DAMAGED,
    LONGEST_NAME,
    Box,
    Chained,
    Chunks,
    Member,
    Metered,
    Readable,
    Text,
    Tolerant,
    buffered,
    read,
    said,
)

WINDOW = 16 << 20
OVERLAP = 64 << 10
NAME_LENGTH = 20
"""Names shorter than this hold no credential."""

Opened = Iterator[Blob | Skipped]


def members(stream: BinaryIO, kind: str, origin: Origin, size: int, limits: Limits) -> Opened:
    """The leaves of a container. Ends with a Skipped when it costs more than it may."""
    try:
        yield from _Walk(Budget(limits, size)).opened(stream, kind, origin, 1)
    except Exhausted as reason:
        yield Skipped(str(origin), f"{reason}; the rest was not unpacked")


class _Walk:
    """The way through one container and all that is in it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._damaged: Origin | None = None  # the last member that was damaged

    def opened(self, stream: BinaryIO, kind: str, origin: Origin, depth: int) -> Opened:
        """The leaves of a container at hand."""
        if kind in CLOSED:
            yield Skipped(str(origin), CLOSED[kind])
            return
        name = (origin.inside[-1] if origin.inside else origin.path).rpartition("/")[2]
        try:
            for part in format_of(kind).parts(stream, Box(kind, name, self._budget)):
                inside = origin.within(part.name[:LONGEST_NAME]) if part.name else origin
                if isinstance(part, Member):
                    yield from self._member(part, inside, depth)
                elif isinstance(part, Text):
                    yield from self._text(part, inside)
                else:
                    yield Skipped(str(inside), part.reason)
        except DAMAGED as error:
            # An archive that ends within a member is damaged once.
            if kind not in SEQUENTIAL or not _within(self._damaged, origin):
                yield Skipped(str(origin), said(f"a damaged {kind}", error))
        except Exhausted:
            raise
        except ImportError as error:
            yield Skipped(str(origin), f"to look into it, install {error.name}: `pip install {error.name}`")
        except Exception as error:  # a mistake of ours in one container must not hide the others
            yield Skipped(str(origin), f"an internal error ({type(error).__name__}); the rest of it was not looked at")

    def _member(self, part: Member, origin: Origin, depth: int) -> Opened:
        """One member: its name, and what it holds."""
        if len(part.name) >= NAME_LENGTH:
            name = part.name[:LONGEST_NAME].encode("utf-8", "surrogateescape")
            yield Blob(name, replace(origin, place=Place.FILE_NAME))
        reader = Tolerant(Metered(part.stream, self._budget))
        yield from self._content(reader, origin, depth)
        yield from self._damage(reader, origin, "a damaged member")

    def _text(self, part: Text, origin: Origin) -> Opened:
        """A text of a document, which is a leaf."""
        reader = Tolerant(Metered(buffered(Chunks(part.chunks)), self._budget))
        yield from _windows(read(reader, WINDOW), reader, origin)
        yield from self._damage(reader, origin, "a damaged text")

    def _damage(self, reader: Tolerant, origin: Origin, what: str) -> Opened:
        if reader.damage is not None:
            self._damaged = origin
            yield Skipped(str(origin), said(what, reader.damage))

    def _content(self, reader: Readable, origin: Origin, depth: int) -> Opened:
        """A content: a container again, or a leaf in one or more windows."""
        first = read(reader, HEAD)
        kind = kind_of(first)
        if not kind:
            first = _more(first, reader, WINDOW)
            if b"\0" in first[:512] and len(first) < WINDOW and ends_as_zip(first):
                kind = ZIP
        if kind and depth >= self._budget.limits.depth:
            yield Skipped(str(origin), f"nested more than {self._budget.limits.depth} deep; not unpacked")
            kind = ""
        if not kind:
            yield from _windows(_more(first, reader, WINDOW), reader, origin)
        elif kind in CLOSED:
            yield Skipped(str(origin), CLOSED[kind])
            yield from _windows(_more(first, reader, WINDOW), reader, origin)
        elif kind in SEQUENTIAL and len(first) >= HEAD:
            yield from self.opened(buffered(Chained(first, reader)), kind, origin, depth + 1)
        else:
            yield from self._held(first, reader, kind, origin, depth)

    def _held(self, first: bytes, reader: Readable, kind: str, origin: Origin, depth: int) -> Opened:
        """A container inside another that is read here and there: it is held in memory."""
        limit = self._budget.room()
        data = _more(first, reader, limit + 1)
        if len(data) > limit:
            reason = f"more than {self._budget.limits.member_bytes:,} bytes of {kind}s inside others; not unpacked"
            yield Skipped(str(origin), reason)
            rest = buffered(Chained(data, reader))
            del data
            yield from _windows(read(rest, WINDOW), rest, origin)
            return
        with self._budget.holding(len(data)):
            if kind in LEGIBLE:
                yield from _whole(data, origin)
            leaves = 0
            for leaf in self.opened(io.BytesIO(data), kind, origin, depth + 1):
                leaves += isinstance(leaf, Blob)
                yield leaf
            if kind in DOCUMENTS - LEGIBLE or (not leaves and kind not in LEGIBLE):
                yield from _whole(data, origin)


def _within(member: Origin | None, container: Origin) -> bool:
    return member is not None and member.inside[: len(container.inside)] == container.inside


def _more(first: bytes, reader: Readable, size: int) -> bytes:
    """What was read already, and more up to a size."""
    return first + read(reader, size - len(first)) if HEAD <= len(first) < size else first


def _whole(data: bytes, origin: Origin) -> Iterator[Blob]:
    """A content at hand as a leaf."""
    stream = io.BytesIO(data)
    return _windows(data if len(data) < WINDOW else read(stream, WINDOW), stream, origin)


def _windows(first: bytes, reader: Readable, origin: Origin) -> Iterator[Blob]:
    """A leaf whole, or in overlapping windows when it is large."""
    data, offset, line = first, 0, 1
    while True:
        yield Blob(data, origin, offset, line)
        if len(data) < WINDOW:
            return
        more = read(reader, WINDOW - OVERLAP)
        if not more:
            return
        step = len(data) - OVERLAP
        line += data.count(b"\n", 0, step)
        offset += step
        data = data[step:] + more
