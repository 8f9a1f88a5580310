"""Hyperscan, and the only file that knows it: expressions in, numbers and offsets out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import hyperscan

from scanner.errors import EngineError, RuleError
from scanner.model import Candidate
from scanner.record import Record

CLOSE = 64
"""Ends of one pattern that lie at most so many bytes apart are one candidate."""

_FLAGS = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_ALLOWEMPTY


class Database:
    """Compiled expressions, ready to scan. One thread at a time may use it; a forked process has its own copy."""

    __slots__ = ("_inner",)

    def __init__(self, inner: hyperscan.Database) -> None:
        self._inner = inner

    @classmethod
    def compile(cls, expressions: Sequence[tuple[bytes, int]]) -> Database:
        """A database of (expression, pattern number); numbers may repeat. Raises RuleError if one does not compile."""
        inner = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            inner.compile(
                expressions=[text for text, _ in expressions],
                ids=[number for _, number in expressions],
                elements=len(expressions),
                flags=[_FLAGS] * len(expressions),
            )
        except hyperscan.HyperscanError as error:
            raise RuleError(
                f"a rule's form cannot be compiled ({error}); `keyfuse rules check` names the rule"
            ) from error
        return cls(inner)

    @classmethod
    def load(cls, data: bytes) -> Database:
        """The database that `dump` wrote. The caller vouches for the bytes: damaged ones can crash the process.

        Raises EngineError when they come from another version or processor.
        """
        try:
            inner = hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
            inner.scratch = hyperscan.Scratch(inner)
        except hyperscan.HyperscanError as error:
            raise EngineError(f"the compiled rules do not fit this machine ({error})") from error
        return cls(inner)

    def dump(self) -> bytes:
        """The database as bytes, for `load` on the same machine."""
        return hyperscan.dumpb(self._inner)

    def candidates(self, data: bytes) -> list[Candidate]:
        """Where matches of which pattern end, in no particular order."""
        return candidates_of(self.ends(data))

    def ends(self, data: bytes) -> dict[int, list[int]]:
        """For each pattern that matches, pairs: the first and last end of a stretch."""
        found: dict[int, list[int]] = {}
        self._inner.scan(data, match_event_handler=_note, context=found)  # type: ignore[arg-type]
        return found

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Pattern number and end of each match, in the order of the ends."""
        found: list[tuple[int, int]] = []
        self._inner.scan(data, match_event_handler=_collect, context=found)  # type: ignore[arg-type]
        return found


def candidates_of(ends: Mapping[int, Sequence[int]]) -> list[Candidate]:
    """A candidate for each stretch."""
    return [
        Candidate(number, pairs[at], pairs[at + 1]) for number, pairs in ends.items() for at in range(0, len(pairs), 2)
    ]


class Words(Record):
    """Keywords, compiled; the pattern number that each stands for, and how long it is."""

    database: Database
    numbers: Sequence[int]
    lengths: Sequence[int]


def _note(number: int, _start: int, end: int, _flags: int, found: dict[int, list[int]]) -> None:
    """Called by Hyperscan for each end: extends the pattern's last stretch or begins another; memory stays bounded."""
    ends = found.get(number)
    if ends is None:
        found[number] = [end, end]
    elif end > ends[-1] + CLOSE:
        ends.append(end)
        ends.append(end)
    elif end > ends[-1]:
        ends[-1] = end
    elif end < ends[-2]:
        ends[-2] = end


def _collect(number: int, _start: int, end: int, _flags: int, found: list[tuple[int, int]]) -> None:
    """Called by Hyperscan for each end."""
    found.append((number, end))


def compile_errors(expressions: Sequence[tuple[bytes, int]]) -> dict[int, str]:
    """The pattern numbers that Hyperscan refuses, each with its reason."""
    refused: dict[int, str] = {}
    for text, number in expressions:
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(expressions=[text], flags=[_FLAGS])
        except hyperscan.HyperscanError as error:
            refused[number] = str(error)
    return refused


def platform_key() -> str:
    """Version and processor features that a compiled database is bound to."""
    probe = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    probe.compile(expressions=[b"a"], flags=[_FLAGS])
    info: object = probe.info()  # bytes, whatever the stubs say
    return f"{hyperscan._version.__version__} {info!r}"  # type: ignore[attr-defined]
