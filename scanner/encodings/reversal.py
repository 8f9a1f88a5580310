"""Text that is written from its end to its beginning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scanner.decode import Text
from scanner.encodings import names
from scanner.record import Record

REACH = 600
"""How much before its reversed prefix a token may take, in bytes."""

SHORTEST = 12
"""How long a token is with its prefix, at least."""

_BEHIND = 6
_RUN = re.compile(rb"[^\s\"'`<>(){}\[\]]{%d}" % SHORTEST)


class Reversal(Record):
    """Reversed text around a reversed prefix."""

    def around(self, data: bytes, first: int, end: int) -> tuple[int, int]:
        """As much as a token may take."""
        return max(0, first - REACH), min(len(data), end + _BEHIND)

    def onwards(self, _data: bytes, _start: int, _end: int) -> int | None:
        """None: hits that lie together are in one stretch."""
        return None

    def alone(self, _data: bytes, _start: int, _end: int, _hits: Sequence[int]) -> Iterator[Text]:
        """Nothing: there is one way to read it."""
        return iter(())

    def read(self, data: bytes, start: int, end: int, hits: Sequence[int]) -> Iterator[Text]:
        """The stretch read backwards, when a run of characters ends at a hit that is long enough for a token."""
        if hits[0] == hits[-1] and not _ends_here(data, hits[0]):
            return

        def locate(first: int, last: int) -> tuple[int, int]:
            return end - last, end - first

        yield Text(data[start:end][::-1], (names.REVERSED,), locate, own_lines=False)


REVERSAL = Reversal()


def _ends_here(data: bytes, at: int) -> bool:
    return at >= SHORTEST and _RUN.match(data, at - SHORTEST) is not None and not data[at : at + 1].isalnum()
