"""What a scan is told: values only."""

from __future__ import annotations

from typing import Protocol

from scanner.model import Confidence, Finding, Suppressed
from scanner.record import Record


class Silencer(Protocol):
    """What somebody has silenced: a baseline."""

    def judge(self, finding: Finding) -> Suppressed | None:
        """The finding as suppressed, or None when nobody silenced it."""
        ...


class Limits(Record):
    """How far a scan goes before it says `Skipped`.

    `seconds_per_rule` is for one rule's second pass over one text; `findings` for one blob; `seconds_per_document` for
    the text of one PDF. The others bound what comes out of an archive: nesting, members of all of it, bytes of all of
    it, bytes that are held in memory of containers within it, and how many times larger than its container a content
    may grow.
    """

    seconds_per_rule: float = 2.0
    findings: int = 10_000
    seconds_per_document: float = 30.0
    depth: int = 12
    members: int = 100_000
    total_bytes: int = 4 << 30
    member_bytes: int = 256 << 20
    ratio: int = 1_000


class Options(Record):
    """What is reported. `only_rules` empty means all. `archives` and `encodings` may be switched off for speed."""

    min_confidence: Confidence = Confidence.LOW
    only_rules: frozenset[str] = frozenset()
    disabled_rules: frozenset[str] = frozenset()
    foreign_marks: bool = False
    baseline: Silencer | None = None
    archives: bool = True
    encodings: bool = True
    limits: Limits = Limits()
