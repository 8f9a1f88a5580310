"""From candidates to findings: everything that happens to a text once the first pass has hit something in it.

Imported only then, since most files are clean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from scanner import decode, encoded
from scanner.confirm import Confirmer, GaveUp, Hit, Match, Refuted, settle
from scanner.cues import NAMED
from scanner.engine.engine import Engine
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
    Secret,
    Skipped,
    Span,
    Suppressed,
)
from scanner.options import Options
from scanner.pairs import paired
from scanner.placement import placed
from scanner.record import replace
from scanner.rule import Rule
from scanner.shapes import Shapes
from scanner.suppress import marked
from scanner.terms import Terms

Result = Finding | Suppressed | Skipped

_REMEMBERED = 1 << 16
_UNREADABLE = re.compile(rb"[^\t\n\r -~]")


class Finder:
    """The second half of a scan. Keeps compiled patterns and the fingerprints of values that come again and again."""

    __slots__ = ("_confirmer", "_engine", "_fingerprinter", "_known", "_options", "_rules", "_shapes", "_terms")

    def __init__(self, engine: Engine, fingerprinter: Fingerprinter, options: Options) -> None:
        self._engine = engine
        self._fingerprinter = fingerprinter
        self._options = options
        self._rules: Sequence[Rule] = engine.book.rules
        self._confirmer = Confirmer(self._rules, options.limits.seconds_per_rule)
        self._shapes = Shapes(engine.shapes)
        self._terms = Terms(engine.book.allow, options.limits.seconds_per_rule)
        self._known: dict[bytes, Fingerprint] = {}

    def results(
        self, blob: Blob, text: decode.Text, candidates: Iterable[Candidate], shaped: Iterable[Candidate]
    ) -> Iterator[Result]:
        """The findings of one text, and of what is wrapped in it."""
        plain, wrapped, named = self._split(candidates)
        matches: list[Match] = []
        refuted: list[Refuted] = []
        for outcome in self._confirmer.matches(text.data, plain):
            if isinstance(outcome, GaveUp):
                reason = f"rule {outcome.rule.kind.id} took longer than {self._options.limits.seconds_per_rule:g} s"
                yield Skipped(str(blob.origin), reason)
            elif isinstance(outcome, Refuted):
                refuted.append(outcome)
            else:
                matches.append(outcome)
        if named:
            guesses = self._guessed(text.data, named, blob.origin)
            matches += (
                each for each in guesses if not any(no.start < each.end and each.start < no.end for no in refuted)
            )
        matches = [match for match in matches if self._terms.met(match, text, blob)]
        matches = list(self._placed(matches, text.data, blob.origin))
        place = _Place(blob, text)
        spans: set[tuple[int, int]] = set()
        reported = 0
        for match in paired(settle(matches), matches, place.at, lambda m: text.data[m.start : m.end]):
            if not self._wanted(match):
                continue
            if reported == self._options.limits.findings:
                yield Skipped(str(blob.origin), f"more than {reported:,} findings; the rest is not listed")
                break
            reported += 1
            spans.add((match.start, match.end))
            yield self._reported(self._finding(match, place), place.lines_of(match.start, match.end))
        for start, end, shape in self._shapes.texts(text.data, shaped):
            if (start, end) not in spans:
                yield self._reported(self._registered(start, end, shape.prefix, place), place.lines_of(start, end))
        for inner in self._unwrapped(text, wrapped):
            yield from self.results(blob, inner, self._plain_only(inner.data), self._engine.shaped(inner.data))

    def _split(self, candidates: Iterable[Candidate]) -> tuple[list[Hit], list[Hit], list[Hit]]:
        """Candidates with the rules they stand for: those in plain text, in an encoding, and names beside values."""
        plain: list[Hit] = []
        wrapped: list[Hit] = []
        named: list[Hit] = []
        for candidate in candidates:
            encoding, places = self._engine.meanings[candidate.pattern]
            kinds = named if encoding == NAMED else wrapped if encoding else plain
            kinds.append((places, candidate))
        return plain, wrapped, named

    def _guessed(self, data: bytes, hits: Iterable[Hit], origin: Origin) -> Iterator[Match]:
        """Values that are likely secrets by their names.

        In a binary a name may stand beside anything: what is no text is no value there, and the rest is less sure.
        """
        from scanner import generic  # noqa: PLC0415 - 5 ms that only a telling name is worth

        path = origin.inside[-1] if origin.inside else origin.path
        best: dict[tuple[int, int], Match] = {}
        binary = decode.is_binary(data)
        for places, hit in hits:
            rules = {self._rules[place].kind.id: self._rules[place] for place in places}
            for guess in generic.find(data, hit.first, hit.end, path=path):
                rule = rules.get(generic.kind_of(guess))
                span = (guess.value_start, guess.value_end)
                if binary:
                    if _UNREADABLE.search(data, *span):
                        continue
                    guess = guess._replace(confidence=Confidence(max(guess.confidence - 1, Confidence.LOW)))
                if rule is not None and (span not in best or best[span].confidence < guess.confidence):
                    best[span] = Match(rule, *span, span, guess.confidence)
        yield from best.values()

    def _placed(self, matches: Iterable[Match], data: bytes, origin: Origin) -> Iterator[Match]:
        """The matches that count where they stand, worth what they are worth there."""
        path = origin.inside[-1] if origin.inside else origin.path
        for match in matches:
            confidence = placed(match.rule, match.confidence, match.proven, data, match.start, path)
            if confidence is match.confidence:
                yield match
            elif confidence is not None:
                yield replace(match, confidence=confidence)

    def _plain_only(self, data: bytes) -> list[Candidate]:
        return [hit for hit in self._engine.candidates(data) if not self._engine.meanings[hit.pattern][0]]

    def _unwrapped(self, text: decode.Text, wrapped: Iterable[Hit]) -> Iterator[decode.Text]:
        """What the encoded stretches say that hits point at; each stretch once."""
        if not self._options.encodings:
            return
        literals: dict[tuple[int, int], set[bytes]] = {}
        for places, hit in wrapped:
            stretch = next((span for span in literals if span[0] <= hit.first and hit.end <= span[1]), None)
            stretch = stretch or encoded.base64_around(text.data, hit.first, hit.end)
            literals.setdefault(stretch, set()).update(
                literal.encode("latin-1") for place in places for literal in self._rules[place].literals
            )
        for stretch, fixed in sorted(literals.items()):
            for inner in encoded.from_base64(text.data, *stretch, tuple(fixed)):
                yield _nested(text, inner)

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

    __slots__ = ("_lines", "blob", "text")

    def __init__(self, blob: Blob, text: decode.Text) -> None:
        self.blob = blob
        self.text = text
        self._lines = Lines(text.data if text.own_lines else blob.data, blob.first_line)

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


def _nested(outer: decode.Text, inner: decode.Text) -> decode.Text:
    """A text found inside another, with the way back through both."""
    step = inner.locate
    if outer.locate is None or step is None:
        return decode.Text(inner.data, outer.wrapped + inner.wrapped, step, own_lines=False)
    outward = outer.locate

    def locate(start: int, end: int) -> tuple[int, int]:
        return outward(*step(start, end))

    return decode.Text(inner.data, outer.wrapped + inner.wrapped, locate, own_lines=False)
