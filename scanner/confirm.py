"""The second pass: exact matches around the places that the first pass pointed at, and what they are worth.

Imported only when something hit. Nothing here decides what is reported: `scanner.pipeline` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import regex

from scanner.checks import CHECKS
from scanner.context import Keywords, Nearness
from scanner.filters import ALWAYS, FILTERS
from scanner.likelihood import likelihood
from scanner.model import Candidate, Confidence
from scanner.nonsecrets import common, toy
from scanner.record import Record, replace
from scanner.rule import Family, Rule
from scanner.spans import Disjoint

MARGIN = 8
"""How far behind a match its boundaries look; before it they see all there is."""
_STRETCH = 1 << 16
"""How much further a match is followed that reaches the end of what was searched."""
_UNLIKELY = -6.0
"""Below this many nats words explain a value so much better than chance that it is none of a machine's."""
_DOUBTFUL = 3.0
_CERTAIN = 30.0
"""From here on no word in a value makes it anybody's invention."""

Hit = tuple[tuple[int, ...], Candidate]
"""A candidate, and the places in the book of the rules it stands for."""

_RUN = re.compile(r"\[(?:\\.|[^\]\\])+\]\{\d+(?:,\d+)?\}")
"""A value that is one run of characters."""

_EXAMPLE_HOST = re.compile(rb"(?:[\w-]+\.)*example(?:\.|$)|host(?:name)?$|.*\.(?:test|invalid)$", re.IGNORECASE)
_OWN_HOST = re.compile(rb"localhost|127\.|0\.0\.0\.0|.*\.local(?:domain)?$", re.IGNORECASE)

_TELLING_PREFIX = 4
"""From so many characters on a prefix is not there by chance."""
_RANK = {Family.PREFIXED: 3, Family.STRUCTURED: 2, Family.CONTEXTUAL: 1, Family.GENERIC: 0}


class Match(Record):
    """An exact match: the span of the secret, the span of all of the match, and what speaks for it."""

    rule: Rule
    start: int
    end: int
    whole: tuple[int, int]
    confidence: Confidence
    proven: bool = False
    nearness: Nearness | None = None
    parts: Mapping[str, bytes] = MappingProxyType({})


class Refuted(Record):
    """A text that has a vendor's prefix but not its checksum: no token of that vendor, and nobody else's either."""

    start: int
    end: int


class GaveUp(Record):
    """A rule that took too long on a text."""

    rule: Rule


class _Form(Record):
    """Rules of one pattern: how far a match reaches around a candidate, whether it counts only near a keyword, and the
    value where a look for it alone is cheap."""

    pattern: str
    places: tuple[int, ...]
    before: int
    after: int
    named: bool
    value: re.Pattern[bytes] | None


class Confirmer:
    """Runs rules' exact patterns. Patterns are compiled when first needed and kept."""

    __slots__ = ("_forms", "_keywords", "_patterns", "_rules", "_seconds")

    def __init__(self, rules: Sequence[Rule], seconds: float) -> None:
        self._rules = rules
        self._seconds = seconds
        self._patterns: dict[str, regex.Pattern[bytes]] = {}
        self._forms: dict[tuple[int, ...], Sequence[_Form]] = {}
        self._keywords: dict[int, Keywords] = {}

    def matches(self, data: bytes, hits: Iterable[Hit]) -> Iterator[Match | Refuted | GaveUp]:
        """What really matches, in no particular order."""
        for (pattern, places), stretches in self._stretches(data, hits).items():
            seen: set[tuple[int, int]] = set()
            compiled = self._compiled(pattern)
            try:
                for low, high in stretches:
                    for found in self._found(compiled, data, low, high):
                        if found.span() not in seen:
                            seen.add(found.span())
                            yield from self._judged(data, found, places)
            except TimeoutError:
                yield GaveUp(self._rules[places[0]])

    def _stretches(
        self, data: bytes, hits: Iterable[Hit]
    ) -> Mapping[tuple[str, tuple[int, ...]], Sequence[tuple[int, int]]]:
        """What to search, by pattern and the rules that have it: stretches in order, and joined where they touch."""
        wanted: dict[tuple[str, bool], tuple[set[int], list[tuple[int, int]]]] = {}
        for places, candidate in hits:
            for form in self._forms_of(places):
                high = min(len(data), candidate.end + form.after + MARGIN)
                low = candidate.first if candidate.keyword else max(0, candidate.first - form.before)
                if form.named and not self._plausible(form, data, low, high, known=candidate.keyword):
                    continue
                alike, stretches = wanted.setdefault((form.pattern, form.named), (set(), []))
                alike.update(form.places)
                stretches.append((low, high))
        return {
            (pattern, tuple(sorted(alike))): _joined(stretches) for (pattern, _), (alike, stretches) in wanted.items()
        }

    def _forms_of(self, places: tuple[int, ...]) -> Sequence[_Form]:
        """The patterns of some rules, each once."""
        forms = self._forms.get(places)
        if forms is None:
            by_pattern: dict[tuple[str, bool], list[int]] = {}
            for place in places:
                by_pattern.setdefault((self._rules[place].pattern, self._named(place)), []).append(place)
            forms = self._forms[places] = tuple(
                _Form(
                    pattern,
                    tuple(alike),
                    max(self._rules[place].before for place in alike),
                    max(self._rules[place].after for place in alike),
                    named,
                    self._cheap(alike[0]) if named else None,
                )
                for (pattern, named), alike in by_pattern.items()
            )
        return forms

    def _compiled(self, pattern: str) -> regex.Pattern[bytes]:
        compiled = self._patterns.get(pattern)
        if compiled is None:
            compiled = self._patterns[pattern] = regex.compile(pattern.encode("latin-1"))
        return compiled

    def _found(self, compiled: regex.Pattern[bytes], data: bytes, low: int, high: int) -> Iterator[regex.Match[bytes]]:
        """Matches between two offsets; one that comes near the end is looked at again with more behind it."""
        for found in compiled.finditer(data, low, high, timeout=self._seconds):
            if found.end() + MARGIN > high and high < len(data):
                again = compiled.match(data, found.start(), high + _STRETCH, timeout=self._seconds)
                if again is not None:
                    yield again
            else:
                yield found

    def _judged(self, data: bytes, found: regex.Match[bytes], places: tuple[int, ...]) -> Iterator[Match | Refuted]:
        start, end = found.span("secret")
        secret = data[start:end]
        if not secret:
            return
        parts = {name: text for name, text in found.groupdict().items() if name != "secret" and text}
        nearest: dict[int, Nearness] = {}
        if self._named(places[0]):
            for place in places:
                nearest |= self._keywords_of(place).near(data, start)
            places = tuple(sorted(nearest, key=lambda place: (nearest[place], place)))
        for place in places:
            rule = self._rules[place]
            confidence, proven = worth(rule, secret, nearest.get(place))
            if confidence is not None and rule.general:
                confidence = _reachable(parts.get("host", b""), secret, confidence)
            if confidence is not None:
                yield Match(rule, start, end, found.span(), confidence, proven, nearest.get(place), parts)
                if nearest:
                    return  # the value belongs to the nearest name that it fits
            elif rule.checks and rule.family is Family.PREFIXED:
                yield Refuted(start, end)

    def _named(self, place: int) -> bool:
        """Whether a rule's value counts only near a keyword."""
        return self._rules[place].family is Family.CONTEXTUAL and not self._rules[place].trigger

    def _cheap(self, place: int) -> re.Pattern[bytes] | None:
        """The value of a rule, if `re` looks for it in time linear in its bounds: one run, or several parts in the
        project's own notations, which have no variable repetition within another."""
        rule = self._rules[place]
        if rule.notation == "regex" and not _RUN.fullmatch(rule.value):
            return None
        return re.compile(rule.value.encode("latin-1"))

    def _plausible(self, form: _Form, data: bytes, low: int, high: int, *, known: bool) -> bool:
        """Whether value and keyword (unless it is known) both stand there: a cheap look, since `regex` costs half a
        microsecond a byte."""
        if form.value is not None and not form.value.search(data, low, high):
            return False
        return known or any(self._keywords_of(place).between(data, low, high) for place in form.places)

    def _keywords_of(self, place: int) -> Keywords:
        keywords = self._keywords.get(place)
        if keywords is None:
            keywords = self._keywords[place] = Keywords({place: self._rules[place].keywords})
        return keywords


def _reachable(host: bytes, password: bytes, confidence: Confidence) -> Confidence | None:
    """The confidence in a login at a host: it opens little on the same machine, and nothing at an example's host."""
    if _EXAMPLE_HOST.match(host):
        return None if common(password) else Confidence.LOW
    return Confidence.LOW if _OWN_HOST.match(host) else confidence


def _joined(stretches: list[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    stretches.sort()
    joined: list[tuple[int, int]] = []
    for low, high in stretches:
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def worth(rule: Rule, secret: bytes, nearness: Nearness | None = None) -> tuple[Confidence | None, bool]:
    """How sure it is that the secret is one of the rule's kind (None: it is not), and whether a checksum proves it."""
    if rule.whole:
        return rule.confidence, False
    body = secret[len(rule.prefix) :] or secret
    if any(judges(secret) or judges(body) for judges in ALWAYS):
        return None, False
    passed = all(CHECKS[name].passes(secret) for name in rule.checks)
    if passed and not all(CHECKS[name].weak for name in rule.checks):
        return Confidence.HIGH, True
    if any(FILTERS[name](secret) for name in rule.filters):
        return None, False
    if not passed:
        return (None if rule.reject else Confidence.LOW), False
    confidence = rule.confidence
    if nearness is not None and nearness.lines:
        confidence = Confidence(max(confidence - 1, Confidence.LOW))
    return _likely(rule, secret, confidence), False


def _likely(rule: Rule, secret: bytes, confidence: Confidence) -> Confidence | None:
    """The confidence after a look at whether chance or words explain the value better."""
    match rule.family:
        case Family.CONTEXTUAL:
            odds = likelihood(secret)
        case Family.PREFIXED:
            odds = likelihood(secret[len(rule.prefix) :])
        case Family.STRUCTURED | Family.GENERIC:
            made_up = rule.general and toy(secret) and likelihood(secret) < _CERTAIN
            return Confidence.LOW if made_up else confidence
    if odds < _UNLIKELY:
        return None
    return Confidence(max(confidence - 1, Confidence.LOW)) if odds < _DOUBTFUL else confidence


def settle(matches: Iterable[Match]) -> list[Match]:
    """One match for each secret: of those that overlap the proven, then the more specific, surer, longer, nearer.

    Identifiers, which are no secrets, compete among themselves only, and lose against any secret. A kind that wins by
    being specific is as sure as the surest match of about the same text. A file that is found
    whole competes with nothing.
    """
    kept: list[Match] = []
    whole: list[Match] = []
    taken = Disjoint()
    for match in sorted(matches, key=_preference):
        if match.rule.whole:
            whole.append(match)
            continue
        above = min(taken.overlapping(match.start, match.end), default=None)
        if above is None:
            taken.add(match.start, match.end, len(kept))
            kept.append(match)
        elif _alike(kept[above], match) and not match.rule.identifier and not kept[above].rule.checks:
            kept[above] = replace(kept[above], confidence=max(kept[above].confidence, match.confidence))
    return sorted(kept + whole, key=lambda match: (match.start, match.end))


def _alike(one: Match, other: Match) -> bool:
    """Whether two matches are of one text, give or take what one of them takes for a part of it."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return 3 * shared >= 2 * max(one.end - one.start, other.end - other.start)


def _rank(match: Match) -> int:
    """How specific a kind is. One with fixed text that is named on its line is not its look-alike without a name."""
    named = match.nearness is not None and not match.nearness.lines and len(match.rule.prefix) >= _TELLING_PREFIX
    return _RANK[Family.PREFIXED] + 1 if named else _RANK[match.rule.family]


def _preference(match: Match) -> tuple[object, ...]:
    return (
        match.rule.identifier,
        not match.proven,
        match.rule.general,
        -_rank(match),
        -match.confidence,
        match.start - match.end,
        match.nearness or Nearness(0, 0, 0),
        match.rule.kind.id,
    )
