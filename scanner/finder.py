"""From candidates to findings: everything that happens to a text once the first pass has hit something in it.

Imported only then, since most files are clean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from scanner import decode
from scanner.confirm import Confirmer, GaveUp, Hit, Match, Refuted, settle
from scanner.cues import NAMED
from scanner.encodings.names import JOINED
from scanner.encodings.unwrap import DEPTH, Budget, Spent, joined, unwrapped
from scanner.engine.engine import Engine
from scanner.engine.wrappings import beginnings
from scanner.lines import Lines
from scanner.mask import masked
from scanner.model import (
    REGISTERED,
    Blob,
    Candidate,
    Confidence,
    Finding,
    Fingerprint,
    Fingerprinter,
    Origin,
    Place,
    Secret,
    Skipped,
    Span,
    Suppressed,
)
from scanner.options import Options
from scanner.pairs import paired
from scanner.placement import placed
from scanner.record import replace
from scanner.rule import Family, Rule
from scanner.shapes import Shapes
from scanner.spans import Stretches
from scanner.suppress import marked
from scanner.surroundings import Purposes
from scanner.terms import Terms

Result = Finding | Suppressed | Skipped
_NOWHERE = Origin(Place.BLOB, "")

_REMEMBERED = 1 << 16
_UNREADABLE = re.compile(rb"[^\t\n\r -~]")


class Finder:
    """The second half of a scan. Keeps compiled patterns and the fingerprints of values that come again and again."""

    __slots__ = (
        *("_begins", "_confirmer", "_engine", "_fingerprinter", "_known", "_options", "_rules", "_shapes", "_terms"),
    )

    def __init__(self, engine: Engine, fingerprinter: Fingerprinter, options: Options) -> None:
        self._engine = engine
        self._fingerprinter = fingerprinter
        self._options = options
        self._rules: Sequence[Rule] = engine.book.rules
        self._confirmer = Confirmer(self._rules, options.limits.seconds_per_rule)
        self._shapes = Shapes(engine.shapes)
        self._terms = Terms(engine.book.allow, options.limits.seconds_per_rule)
        self._known: dict[bytes, Fingerprint] = {}
        self._begins: dict[tuple[int, ...], Collection[bytes]] = {}

    def results(
        self, blob: Blob, text: decode.Text, candidates: Iterable[Candidate], shaped: Iterable[Candidate]
    ) -> Iterator[Result]:
        """The findings of one text, and of what is wrapped in it."""
        place = _Place(blob, text, Lines(text.data if text.own_lines else blob.data, blob.first_line))
        try:
            yield from self._searched(place, candidates, shaped, _Inside())
        except Spent:
            yield Skipped(str(blob.origin), "more encoded text than is decoded in one content; the rest was not read")

    def _searched(
        self, place: _Place, candidates: Iterable[Candidate], shaped: Iterable[Candidate], inside: _Inside
    ) -> Iterator[Result]:
        blob, text = place.blob, place.text
        plain, wrapped, named = self._split(candidates)
        matches: list[Match] = []
        refuted: list[tuple[int, int]] = []
        purposes = Purposes(text.data, blob.origin.name)
        for outcome in self._confirmer.matches(text.data, plain):
            if isinstance(outcome, GaveUp):
                reason = f"rule {outcome.rule.kind.id} took longer than {self._options.limits.seconds_per_rule:g} s"
                yield Skipped(str(blob.origin), reason)
            elif isinstance(outcome, Refuted):
                refuted.append((outcome.start, outcome.end))
            else:
                matches.append(outcome)
        if named and not place.inside:
            no_secrets = Stretches(refuted)
            guesses = self._guessed(text.data, named, blob.origin.name, purposes)
            matches += (each for each in guesses if not no_secrets.touch(each.start, each.end))
        matches = [match for match in matches if self._terms.met(match, text, blob)]
        matches = list(_placed(matches, blob.origin.name, purposes))
        spans: set[tuple[int, int]] = set()
        reported = 0
        for match in paired(settle(matches), matches, place.at, lambda m: text.data[m.start : m.end]):
            if not self._wanted(match) or not inside.is_new(place, match.start, match.end):
                continue
            if reported == self._options.limits.findings:
                yield Skipped(str(blob.origin), f"more than {reported:,} findings; the rest is not listed")
                break
            reported += 1
            spans.add((match.start, match.end))
            yield self._reported(self._finding(match, place), place.lines_of(match.start, match.end))
        for start, end, shape in self._shapes.texts(text.data, shaped):
            if (start, end) not in spans and inside.is_new(place, start, end):
                yield self._reported(self._registered(start, end, shape.prefix, place), place.lines_of(start, end))
        if self._options.encodings and len(text.wrapped) < DEPTH:
            yield from self._inner(place, wrapped, matches, inside)

    def _inner(
        self, place: _Place, wrapped: Mapping[str, Sequence[Hit]], matches: Sequence[Match], inside: _Inside
    ) -> Iterator[Result]:
        """What is found in the encoded stretches of a text, and where its pieces are joined."""
        hits = {name: [candidate for _, candidate in found] for name, found in wrapped.items()}
        for readings in unwrapped(place.text, hits, inside.budget):
            yield from self._first(place, readings, inside)
        if JOINED not in wrapped:
            return
        sure = Stretches(match.whole for match in matches if match.rule.family in (Family.PREFIXED, Family.STRUCTURED))
        starts = ((self._begin(places), hit) for places, hit in wrapped[JOINED])
        for readings in joined(place.text, starts, sure, inside.budget):
            yield from self._first(place, readings, inside)

    def _first(self, place: _Place, readings: Iterable[Sequence[decode.Text]], inside: _Inside) -> Sequence[Result]:
        """What is found in the first reading in which anything is."""
        for reading in readings:
            found = [result for inner in reading for result in self._taken_out(place, inner, inside)]
            if found:
                return found
        return ()

    def _begin(self, places: tuple[int, ...]) -> Collection[bytes]:
        """What the secrets of some rules begin with."""
        known = self._begins.get(places)
        if known is None:
            known = self._begins[places] = {text for place in places for text in beginnings(self._rules[place])}
        return known

    def _taken_out(self, place: _Place, inner: decode.Text, inside: _Inside) -> Iterator[Result]:
        candidates, shaped = self._engine.candidates(inner.data), self._engine.shaped(inner.data)
        if candidates or shaped:
            yield from self._searched(place.within(inner), candidates, shaped, inside)

    def promising(self, data: bytes, candidates: Iterable[Candidate]) -> bool:
        """Whether anything may come of candidates in a stretch of a text: what lies beyond it can only speak against.

        Says yes too often and never no for what `results` makes of the same candidates in the whole text.
        """
        candidates = list(candidates)
        plain, wrapped, named = self._split(candidates)
        if any(not isinstance(outcome, Refuted) for outcome in self._confirmer.matches(data, plain)):
            return True
        if wrapped:
            within = [hit for hit in candidates if self._engine.meanings[hit.pattern][0] in wrapped]
            if any(True for _ in self.results(Blob(data, _NOWHERE), decode.Text(data), within, ())):
                return True
        if not named:
            return False
        from scanner import generic  # noqa: PLC0415 - as above

        return any(True for _, hit in named for _ in generic.find(data, hit.first, hit.end, path=""))

    def _split(self, candidates: Iterable[Candidate]) -> tuple[list[Hit], dict[str, list[Hit]], list[Hit]]:
        """Candidates with the rules they stand for: those in plain text, in each encoding, and names beside values."""
        plain: list[Hit] = []
        named: list[Hit] = []
        wrapped: dict[str, list[Hit]] = {}
        for candidate in candidates:
            encoding, places = self._engine.meanings[candidate.pattern]
            kinds = plain if not encoding else named if encoding == NAMED else wrapped.setdefault(encoding, [])
            kinds.append((places, candidate))
        return plain, wrapped, named

    def _guessed(self, data: bytes, hits: Sequence[Hit], path: str, purposes: Purposes) -> Iterator[Match]:
        """Values that are likely secrets by their names.

        In a binary a name may stand beside anything: what is no text is no value there, and the rest is less sure.
        """
        from scanner import generic  # noqa: PLC0415 - 5 ms that only a telling name is worth

        best: dict[tuple[int, int], Match] = {}
        binary = decode.is_binary(data)
        rules = {self._rules[place].kind.id: self._rules[place] for places, _ in hits[:1] for place in places}
        for _, hit in hits:
            for guess in generic.find(data, hit.first, hit.end, path=path, purposes=purposes):
                rule = rules.get(generic.kind_of(guess))
                span = (guess.value_start, guess.value_end)
                if binary:
                    if _UNREADABLE.search(data, *span):
                        continue
                    guess = guess._replace(confidence=Confidence(max(guess.confidence - 1, Confidence.LOW)))
                if rule is not None and (span not in best or best[span].confidence < guess.confidence):
                    best[span] = Match(rule, *span, span, guess.confidence)
        yield from best.values()

    def _wanted(self, match: Match) -> bool:
        name = match.rule.kind.id
        only = self._options.only_rules
        return (
            match.confidence >= self._options.min_confidence
            and (not only or name in only)
            and name not in self._options.disabled_rules
        )

    def _finding(self, match: Match, place: _Place) -> Finding:
        secret = place.text.data[match.start : match.end]
        return Finding(
            kind=match.rule.kind,
            secret=Secret(secret),
            fingerprint=self._fingerprint(secret),
            span=place.span(match.start, match.end),
            origin=place.blob.origin,
            confidence=match.confidence,
            masked=masked(secret, match.rule.prefix),
            encoding=place.text.wrapped,
            parts={name: Secret(value) for name, value in match.parts.items()},
        )

    def _registered(self, start: int, end: int, prefix: str, place: _Place) -> Finding:
        secret = place.text.data[start:end]
        return Finding(
            kind=REGISTERED,
            secret=Secret(secret),
            fingerprint=self._fingerprint(secret),
            span=place.span(start, end),
            origin=place.blob.origin,
            confidence=Confidence.HIGH,
            masked=masked(secret, prefix),
            encoding=place.text.wrapped,
        )

    def _fingerprint(self, secret: bytes) -> Fingerprint:
        """Values that look like keys but are identifiers come by the thousand; each is fingerprinted once."""
        known = self._known.get(secret)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[secret] = self._fingerprinter.of(secret)
        return known

    def _reported(self, finding: Finding, lines: bytes) -> Finding | Suppressed:
        """The finding, or who silenced it."""
        reason = marked(lines, self._options.foreign_marks)
        if reason is not None:
            return Suppressed(finding, "inline", reason)
        if self._options.baseline is not None:
            return self._options.baseline.judge(finding) or finding
        return finding


class _Place:
    """Where a text stands, for people: lines and columns in the content as it was met."""

    __slots__ = ("_lines", "blob", "inside", "text")

    def __init__(self, blob: Blob, text: decode.Text, lines: Lines, *, inside: bool = False) -> None:
        self.blob = blob
        self.text = text
        self.inside = inside
        self._lines = lines

    def within(self, inner: decode.Text) -> _Place:
        """The place of a text that was taken out of this one."""
        lines = self._lines if not self.text.own_lines or self.text.locate is None else Lines(self.blob.data)
        return _Place(self.blob, inner, lines, inside=True)

    def _seen(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the text that lines are counted in."""
        if self.text.own_lines or self.text.locate is None:
            return start, end
        return self.text.locate(start, end)

    def at(self, position: int) -> tuple[int, int]:
        """Line and column of an offset in the text."""
        return self._lines.at(self._seen(position, position + 1)[0])

    def lines_of(self, start: int, end: int) -> bytes:
        """The lines that a match stands on, as they were met."""
        return self._lines.text_of(*self._seen(start, end))

    def span(self, start: int, end: int) -> Span:
        """The span of a match in the content as it was met."""
        span = self._lines.span(*self._seen(start, end))
        if self.text.locate is not None:
            first, last = self.text.locate(start, end)
            span = replace(span, start=first, end=last)
        if self.blob.offset:
            span = replace(span, start=span.start + self.blob.offset, end=span.end + self.blob.offset)
        return span


def _placed(matches: Iterable[Match], path: str, purposes: Purposes) -> Iterator[Match]:
    """The matches that count where they stand, worth what they are worth there."""
    for match in matches:
        confidence = placed(match.rule, match.confidence, match.proven, match.start, path, purposes)
        if confidence is match.confidence:
            yield match
        elif confidence is not None:
            yield replace(match, confidence=confidence)


class _Inside:
    """What is kept in mind while the wrappings in a text are opened: what that may cost, and what was found already."""

    __slots__ = ("_seen", "budget")

    def __init__(self) -> None:
        self.budget = Budget()
        self._seen: set[tuple[int, int, bytes]] = set()

    def is_new(self, place: _Place, start: int, end: int) -> bool:
        """Whether a match was not found on another way, or in the text around, where it stands just so."""
        text = place.text
        if not place.inside or text.locate is None:
            return True
        if text.unchanged is not None and text.unchanged(start, end):
            return False
        seen = (*text.locate(start, end), text.data[start:end])
        if seen in self._seen:
            return False
        self._seen.add(seen)
        return True
