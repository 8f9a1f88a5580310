"""How many bytes around a hit of the first pass have a say in what comes of it: who looks at clippings must know."""

from __future__ import annotations

from collections.abc import Sequence

from scanner.context import LONGEST_KEYWORD
from scanner.cues import NAMED
from scanner.engine.engine import Engine
from scanner.record import Record
from scanner.rule import Family, Rule

_BOUNDARY = 16
"""What patterns and keywords look at beyond themselves."""
_NAME = 424
"""A name begins so far before a hit, or the quotes that it stands in."""
_VALUE = 512
_WRAPPED = 1400
_LONG = "base64"
"""Goes on over many lines; what is written in the other encodings is short, and is judged where it is clipped."""


class Extent(Record):
    """Bytes before a candidate's first end, and behind its last. `wide` where they are more than the margin: then such
    hits must be followed wherever they were copied to."""

    before: int
    after: int
    wide: bool


class Extents:
    """Those of a book's pattern numbers. `paired` names the rules that are found in several parts."""

    __slots__ = ("_engine", "_known", "_rules", "margin", "paired")

    def __init__(self, engine: Engine, margin: int) -> None:
        self._engine = engine
        self.margin = margin
        self._rules: Sequence[Rule] = list(engine.book.rules)
        self._known: dict[int, Extent] = {}
        owners = {rule.kind.id for rule in self._rules if rule.pairs}
        self.paired = frozenset(owners | {pair.rule for rule in self._rules for pair in rule.pairs})

    def __getitem__(self, pattern: int) -> Extent:
        extent = self._known.get(pattern)
        if extent is None:
            extent = self._known[pattern] = self._of(*self._engine.meanings[pattern])
        return extent

    def _of(self, encoding: str, places: tuple[int, ...]) -> Extent:
        if encoding == NAMED:
            return Extent(_NAME, _VALUE, False)
        if encoding:
            return Extent(_WRAPPED, _WRAPPED, encoding == _LONG)
        rules = [self._rules[place] for place in places]
        before = max(_before(rule) for rule in rules)
        after = max(rule.after for rule in rules) + _BOUNDARY
        anywhere = any(rule.words or rule.whole for rule in rules)
        return Extent(before, after, anywhere or before + after > self.margin)


def _before(rule: Rule) -> int:
    if rule.family is Family.CONTEXTUAL and not rule.trigger:
        return LONGEST_KEYWORD + _BOUNDARY
    return rule.before + _BOUNDARY
