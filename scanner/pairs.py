"""Secrets that come in parts: what was found beside a secret and belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from scanner.confirm import Match
from scanner.record import replace
from scanner.rule import Pair


def paired(matches: Sequence[Match], line_of: Callable[[int], int], text: Callable[[Match], bytes]) -> Iterator[Match]:
    """The matches that are reported: identifiers alone are not, and neither is what lacks a part it requires.

    `matches` are in the order of their places; `line_of` gives an offset's line, `text` a match's secret.
    """
    for match in matches:
        if match.rule.identifier:
            continue
        parts = dict(match.parts)
        complete = True
        for pair in match.rule.pairs:
            partner = _partner(match, pair, matches, line_of)
            if partner is not None:
                parts[pair.name] = text(partner)
            elif pair.required and pair.name not in parts:
                complete = False
        if complete:
            yield replace(match, parts=parts) if match.rule.pairs else match


def _partner(match: Match, pair: Pair, matches: Sequence[Match], line_of: Callable[[int], int]) -> Match | None:
    """The nearest match of the pair's rule, within its lines."""
    others = [other for other in matches if other.rule.kind.id == pair.rule and other is not match]
    if not others:
        return None
    nearest = min(others, key=lambda other: abs(other.start - match.start))
    return nearest if abs(line_of(nearest.start) - line_of(match.start)) <= pair.within else None
