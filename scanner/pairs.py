"""Secrets that come in parts: what was found beside a secret and belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from scanner.confirm import Match
from scanner.record import replace
from scanner.rule import Pair


def paired(
    matches: Sequence[Match],
    all_matches: Sequence[Match],
    at: Callable[[int], tuple[int, int]],
    text: Callable[[Match], bytes],
) -> Iterator[Match]:
    """The matches that are reported: identifiers alone are not, and neither is what lacks a part it requires.

    `matches` are settled and in the order of their places, `all_matches` also hold those that lost; `at` gives an
    offset's line and column, `text` a match's secret.
    """
    for match in matches:
        if match.rule.identifier:
            continue
        parts = dict(match.parts)
        complete = True
        for pair in match.rule.pairs:
            partner = _partner(match, pair, all_matches if pair.loose else matches, at)
            if partner is not None:
                parts[pair.name] = text(partner)
            elif pair.required and pair.name not in parts:
                complete = False
        if complete:
            yield replace(match, parts=parts) if match.rule.pairs else match


def _partner(match: Match, pair: Pair, matches: Sequence[Match], at: Callable[[int], tuple[int, int]]) -> Match | None:
    """The nearest match of the pair's rule, within its lines and columns."""
    others = [other for other in matches if other.rule.kind.id == pair.rule and other is not match]
    if not others:
        return None
    own_line, own_column = at(match.start)
    for other in sorted(others, key=lambda other: abs(other.start - match.start)):
        line, column = at(other.start)
        if abs(line - own_line) > pair.within:
            return None
        if not pair.columns or abs(column - own_column) <= pair.columns:
            return other
    return None
