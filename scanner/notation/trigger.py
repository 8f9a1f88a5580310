"""The first pass's form of a token: weaker than the pattern, bounded, and ending as early as it can.

Hyperscan reports every offset where an expression can end, and history is scanned in clippings of new bytes with a
margin around them. So a trigger ends at the shortest text that can still become a match, and spans no more than
`REACH` bytes; what is cut off is looked at in the second pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanner.notation.render import expression
from scanner.notation.tree import (
    Alternatives,
    Chars,
    Group,
    Literal,
    Node,
    Repeat,
    choices_of,
    fixed,
    longest,
    parts_of,
    sequence,
    shortest,
)

REACH = 256
"""The most bytes that a trigger spans: the margin around new bytes in history."""

_LEAD = 8
"""How much of a run before the first fixed text a trigger keeps: enough to be rare, little enough to be cheap."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """An expression, and how many bytes of a match can lie before and behind an end that it reports.

    `anchor` is the length of the longest fixed text in it (in the poorest of its alternatives).
    """

    text: str
    before: int
    after: int
    anchor: int


def trigger(node: Node, *, whole_head: bool = False) -> Trigger:
    """The trigger of a tree: any match of the tree makes it report an end within `before` and `after`.

    With `whole_head` a run at the head keeps its length, for a caller who puts something before the expression.
    """
    texts: list[str] = []
    before = after = 0
    anchor = REACH
    for choice in choices_of(node):
        plain = _plain(choice)
        lead, rest = (None, plain) if whole_head else _cut_lead(plain)
        body = _cut_tail(_cut_reach(rest, REACH))
        dropped = 0 if lead is None else longest(lead)
        texts.append(expression(body, names=False))
        before = max(before, dropped + longest(body))
        after = max(after, longest(rest) - shortest(body))
        anchor = min(anchor, min(map(len, fixed(body, folded=True)), default=0))
    unique = list(dict.fromkeys(texts))
    return Trigger(unique[0] if len(unique) == 1 else "(?:" + "|".join(unique) + ")", before, after, anchor)


def _plain(node: Node) -> Node:
    """The tree without its names, so that sequences inside named parts lie open."""
    match node:
        case Group(_, inner):
            return _plain(inner)
        case Repeat(inner, least, most, _):
            return Repeat(_plain(inner), least, most)
        case Alternatives(choices):
            return Alternatives(tuple(map(_plain, choices)))
        case Literal() | Chars():
            return node
        case _:
            return sequence(map(_plain, node.parts))


def _cut_lead(node: Node) -> tuple[Node | None, Node]:
    """Takes off most of a long run at the head: (what was dropped, what is left)."""
    first, *rest = parts_of(node)
    if not rest or not isinstance(first, Repeat) or not isinstance(first.node, Chars):
        return None, node
    keep = min(first.least, _LEAD)
    if first.most == keep:
        return None, node
    dropped = Repeat(first.node, first.least - keep, first.most - keep)
    return dropped, sequence(([Repeat(first.node, keep, keep)] if keep else []) + rest)


def _cut_reach(node: Node, reach: int) -> Node:
    """The head of a tree, so cut that it spans at most `reach` bytes."""
    if longest(node) <= reach:
        return node
    kept: list[Node] = []
    for part in parts_of(node):
        if longest(part) <= reach:
            kept.append(part)
            reach -= longest(part)
            continue
        kept += _cut_part(part, reach)
        break
    return sequence(kept)


def _cut_part(part: Node, reach: int) -> list[Node]:
    match part:
        case Literal(text, folded):
            return [Literal(text[:reach], folded)]
        case Repeat(inner, least, _):
            rounds = min(least, reach // longest(inner))
            return [Repeat(inner, rounds, rounds)] if rounds else []
        case Alternatives(choices):
            cut = tuple(_cut_reach(choice, reach) for choice in choices)
            return [Alternatives(cut)] if all(map(parts_of, cut)) else []
        case _:
            return []


def _cut_tail(node: Node) -> Node:
    """The tree with what it ends in cut down to the least of it."""
    if not parts_of(node):
        return node
    *rest, last = parts_of(node)
    match last:
        case Repeat(_, 0, _):
            return _cut_tail(sequence(rest)) if rest else node
        case Repeat(inner, least, _):
            return sequence([*rest, Repeat(inner, least, least)]) if least > 1 else sequence([*rest, _cut_tail(inner)])
        case Alternatives(choices):
            return sequence([*rest, Alternatives(tuple(map(_cut_tail, choices)))])
        case _:
            return node
