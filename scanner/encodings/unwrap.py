"""From the first pass's hits on encoded text to what it says, within bounds.

Every text that is taken out is scanned in turn, so that wrappings of wrappings are opened as far as `DEPTH` goes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from scanner import decode
from scanner.encodings import names
from scanner.encodings.escapes import ESCAPES
from scanner.encodings.joining import alternatives
from scanner.encodings.letters import BASE64, HEX, HEX_LIST
from scanner.encodings.mending import through
from scanner.encodings.reversal import REVERSAL
from scanner.engine.wrappings import LISTED
from scanner.model import Candidate
from scanner.record import replace
from scanner.spans import Stretches

DEPTH = 4
"""How many wrappings of one another are opened."""
DECODES = 20_000
"""How many stretches of one content are read."""
BYTES = 128 << 20
"""How much is read out of the encoded stretches of one content, in bytes."""

LOOKS = 40_000
"""At how many prefixes in one content without a match it is tried to join what follows."""

_APART = 32
"""Of hits that lie together only the first and the last are known. One is taken to be in so many bytes each."""
_ESCAPE = re.compile(rb"(?:\\[0abefnrtv]|%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})\Z")


class Encoding(Protocol):
    """How an encoding's stretch is found around a hit, and how it is read."""

    def around(self, data: bytes, first: int, end: int) -> tuple[int, int]:
        """Where the stretch begins and ends that a candidate stands in."""
        ...

    def onwards(self, data: bytes, start: int, end: int) -> int | None:
        """Where the next stretch may be hit before a candidate ends, which may stand for hits in several of them."""
        ...

    def read(self, data: bytes, start: int, end: int, hits: Sequence[int]) -> Iterator[decode.Text]:
        """What the stretch says, given where in it the hits are; nothing when it is no such text after all."""
        ...

    def alone(self, data: bytes, start: int, end: int, hits: Sequence[int]) -> Iterator[decode.Text]:
        """What parts of the stretch say by themselves, when nothing is found in all of it."""
        ...


ENCODINGS: Mapping[str, Encoding] = {
    names.BASE64: BASE64,
    names.HEX: HEX,
    LISTED: HEX_LIST,
    **{escape.name: escape for escape in ESCAPES},
    names.REVERSED: REVERSAL,
}
"""By the meaning of the first pass's patterns, in the order in which they are read."""


class Spent(Exception):
    """There is more encoded text in a content than is read out of one."""


class Budget:
    """What may still be decoded of one content."""

    __slots__ = ("_bytes", "_decodes", "_looks")

    def __init__(self, decodes: int = DECODES, size: int = BYTES, looks: int = LOOKS) -> None:
        self._decodes = decodes
        self._bytes = size
        self._looks = looks

    def look(self) -> None:
        """Pays for a look at a prefix. Raises Spent when there is nothing left."""
        self._looks -= 1
        if self._looks < 0:
            raise Spent

    def take(self, size: int) -> None:
        """Pays for a stretch. Raises Spent when there is nothing left."""
        self._decodes -= 1
        self._bytes -= size
        if self._decodes < 0 or self._bytes < 0:
            raise Spent


def unwrapped(
    text: decode.Text, hits: Mapping[str, Sequence[Candidate]], budget: Budget
) -> Iterator[Iterator[Sequence[decode.Text]]]:
    """What the encoded stretches of a text say that hits point at; each stretch once.

    For each stretch there are several readings, of which the first counts in which something is found. Raises Spent.
    """
    for name, encoding in ENCODINGS.items():
        for start, end, ends in _stretches(encoding, text.data, hits.get(name, ())):
            yield _readings(text, encoding, (start, end, ends), budget)


def _readings(
    text: decode.Text, encoding: Encoding, stretch: tuple[int, int, Sequence[int]], budget: Budget
) -> Iterator[Sequence[decode.Text]]:
    for read in (encoding.read, encoding.alone):
        reading: list[decode.Text] = []
        for inner in read(text.data, *stretch):
            budget.take(len(inner.data))
            reading += _nested(text, inner)
        yield reading


def joined(
    text: decode.Text,
    hits: Iterable[tuple[Collection[bytes], Candidate]],
    sure: Stretches,
    budget: Budget,
) -> Iterator[Iterator[Sequence[decode.Text]]]:
    """What prefixes may begin that nothing sure was found at, for each in several readings as above. Raises Spent."""
    seen: set[int] = set()
    for prefixes, hit in hits:
        for prefix in prefixes:
            at = text.data.find(prefix, max(0, hit.first - len(prefix)), hit.end)
            while at >= 0:
                if at not in seen and at not in sure and _begins_here(text.data, at):
                    seen.add(at)
                    budget.look()
                    for group in alternatives(text.data, at):
                        budget.take(sum(len(inner.data) for inner in group))
                        yield (list(_nested(text, inner)) for inner in group)
                at = text.data.find(prefix, at + len(prefix), hit.end)


def _begins_here(data: bytes, at: int) -> bool:
    """Whether something may begin at an offset: behind a sign, or an escape."""
    return not data[at - 1 : at].isalnum() or _ESCAPE.search(data[max(0, at - 6) : at]) is not None


def _stretches(encoding: Encoding, data: bytes, hits: Iterable[Candidate]) -> Iterator[tuple[int, int, Sequence[int]]]:
    """The stretches that hits stand in, with the places of the hits."""
    start = end = -1
    ends: list[int] = []
    for hit in sorted(hits, key=lambda hit: hit.first):
        at: int | None = hit.first
        while at is not None:
            if at > end:
                if ends:
                    yield start, end, ends
                ends = []
                start, stop = encoding.around(data, at, hit.end)
                end = max(stop, at)
            last = max(at, min(end, hit.end))
            ends += range(at, last, _APART)
            ends.append(last)
            at = encoding.onwards(data, end, hit.end)
    if ends:
        yield start, end, ends


def _nested(outer: decode.Text, inner: decode.Text) -> Iterator[decode.Text]:
    """A text found inside another, with the way back through both; or the texts in it, when it is in UTF-16."""
    for part in decode.texts(inner.data) if b"\0" in inner.data[: decode.BINARY_HEAD] else (inner,):
        if part is inner or part.locate is None:
            yield replace(
                inner, wrapped=outer.wrapped + inner.wrapped, locate=through(outer.locate, inner.locate or _itself)
            )
            continue
        step = through(inner.locate, part.locate)
        yield decode.Text(
            part.data, outer.wrapped + inner.wrapped + part.wrapped, through(outer.locate, step), own_lines=False
        )


def _itself(start: int, end: int) -> tuple[int, int]:
    return start, end
