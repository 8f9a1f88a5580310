"""Secrets that come in parts: what was found beside a secret and belongs to it."""

from __future__ import annotations

import sys
from bisect import bisect_left
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
    kept, every = _by_rule(matches), _by_rule(all_matches)
    for match in matches:
        if match.rule.identifier:
            continue
        parts = dict(match.parts)
        complete = True
        for pair in match.rule.pairs:
            partner = _partner(match, pair, (every if pair.loose else kept).get(pair.rule, ()), at)
            if partner is not None:
                parts[pair.name] = text(partner)
            elif pair.required and pair.name not in parts:
                complete = False
        if complete:
            yield replace(match, parts=parts) if match.rule.pairs else match


def _by_rule(matches: Sequence[Match]) -> dict[str, list[Match]]:
    """The matches of each kind that is another's part, in the order of their places."""
    wanted = {pair.rule for match in matches for pair in match.rule.pairs}
    found: dict[str, list[Match]] = {}
    for match in matches:
        if match.rule.kind.id in wanted:
            found.setdefault(match.rule.kind.id, []).append(match)
    for each in found.values():
        each.sort(key=lambda match: match.start)
    return found


def _partner(match: Match, pair: Pair, others: Sequence[Match], at: Callable[[int], tuple[int, int]]) -> Match | None:
    """The nearest of some matches of the pair's rule, within its lines and columns."""
    if not others:
        return None
    own_line, own_column = at(match.start)
    for other in _nearest_first(others, match.start):
        if other is match:
            continue
        line, column = at(other.start)
        if abs(line - own_line) > pair.within:
            return None
        if not pair.columns or abs(column - own_column) <= pair.columns:
            return other
    return None


def _nearest_first(matches: Sequence[Match], start: int) -> Iterator[Match]:
    """Matches in the order of their places, by their distance from an offset."""
    after = bisect_left(matches, start, key=lambda match: match.start)
    before = after - 1
    while before >= 0 or after < len(matches):
        behind = matches[after].start - start if after < len(matches) else sys.maxsize
        if before >= 0 and start - matches[before].start <= behind:
            yield matches[before]
            before -= 1
        else:
            yield matches[after]
            after += 1
