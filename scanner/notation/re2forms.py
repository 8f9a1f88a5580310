"""What is derived from an RE2 tree: our own tree (bounded, without places), exact pattern, the group that counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import assert_never

from scanner.notation import dialect, re2, tree
from scanner.notation.re2 import Capture, Chain, Choice, Edge, Loop
from scanner.notation.render import characters, expression
from scanner.notation.tree import Chars, Literal, NotationError, longest
from scanner.notation.trigger import Trigger, trigger

BOUNDS = (4096, 1024, 256, 64, 16)
"""What `*`, `+` and `{n,}` are bounded by: the first of these that keeps a match short enough."""

_ENOUGH = 64
_FIXED = 6


def fitted(node: re2.Node, limit: int) -> tuple[tree.Node, int]:
    """Our tree of an expression and the bound of its loops (0 when none needs one).

    Raises NotationError when a match would span more than `limit` bytes all the same, or is nothing.
    """
    unbounded = any(loop.most is None for loop in loops(node))
    span = 0
    for bound in BOUNDS:
        made = bounded(node, bound)
        if made is None:
            raise NotationError("it matches no character at all")
        span = longest(made)
        if span <= limit:
            return made, bound if unbounded else 0
        if not unbounded:
            break
    raise NotationError(f"a match can span {span} bytes; the limit is {limit}")


def bounded(node: re2.Node, bound: int) -> tree.Node | None:
    """Our tree, which takes a little more: places between characters are left out. None matches nothing but places."""
    match node:
        case Literal() | Chars():
            return node
        case Edge():
            return None
        case Loop(inner, least, most, lazy):
            made = bounded(inner, bound)
            high = max(least, bound) if most is None else most
            return tree.Repeat(made, least, high, lazy) if made is not None and high else None
        case Capture(_, inner):
            return bounded(inner, bound)
        case Chain(parts):
            kept = [made for part in parts if (made := bounded(part, bound)) is not None]
            return tree.sequence(kept) if kept else None
        case Choice(options):
            each = [bounded(option, bound) for option in options]
            some = tuple(dict.fromkeys(made for made in each if made is not None))
            if not some:
                return None
            either = some[0] if len(some) == 1 else tree.Alternatives(some)
            return either if None not in each else tree.Repeat(either, 0, 1)
        case _:
            assert_never(node)


def exact(node: re2.Node, bound: int, secrets: Collection[int]) -> str:
    """The pattern for `regex` over bytes; the groups of these numbers are named `secret`, without any all of it is."""
    text = _exact(node, bound, secrets)
    return text if secrets else f"(?P<secret>{text})"


def searching(node: re2.Node) -> str:
    """The expression as `regex` over bytes reads it, with nothing bounded and no group named."""
    return _exact(node, None, ())


def _exact(node: re2.Node, bound: int | None, secrets: Collection[int]) -> str:
    match node:
        case Literal():
            return expression(node)
        case Chars(members):
            return characters(members) if members else "(?!)"
        case Edge():
            return node.value
        case Loop(inner, least, most, lazy):
            high = str(most) if most is not None else "" if bound is None else str(max(least, bound))
            return f"(?:{_exact(inner, bound, secrets)}){{{least},{high}}}" + ("?" if lazy else "")
        case Capture(number, inner):
            name = "?P<secret>" if number in secrets else "?:"
            return f"({name}{_exact(inner, bound, secrets)})"
        case Chain(parts):
            return "".join(_exact(part, bound, secrets) for part in parts)
        case Choice(options):
            return "(?:" + "|".join(_exact(option, bound, secrets) for option in options) + ")"
        case _:
            assert_never(node)


def loops(node: re2.Node) -> Iterator[Loop]:
    """Every repetition."""
    match node:
        case Literal() | Chars() | Edge():
            return
        case Loop(inner):
            yield node
            yield from loops(inner)
        case Capture(_, inner):
            yield from loops(inner)
        case Chain(nodes) | Choice(nodes):
            for each in nodes:
                yield from loops(each)
        case _:
            assert_never(node)


def captures(node: re2.Node) -> Iterator[Capture]:
    """Every group, in the order of the numbers."""
    match node:
        case Literal() | Chars() | Edge():
            return
        case Loop(inner):
            yield from captures(inner)
        case Capture(_, inner):
            yield node
            yield from captures(inner)
        case Chain(nodes) | Choice(nodes):
            for each in nodes:
                yield from captures(each)
        case _:
            assert_never(node)


def first_groups(node: re2.Node) -> frozenset[int]:
    """The first group that holds text in every match: one, or one for each way of a choice. Empty when none does."""
    match node:
        case Literal() | Chars() | Edge():
            return frozenset()
        case Loop(inner, least):
            return first_groups(inner) if least else frozenset()
        case Capture(number, inner):
            made = bounded(inner, 1)
            return frozenset((number,)) if made is not None and tree.shortest(made) else frozenset()
        case Chain(parts):
            return next((found for part in parts if (found := first_groups(part))), frozenset())
        case Choice(options):
            each = [first_groups(option) for option in options]
            return frozenset().union(*each) if all(each) else frozenset()
        case _:
            assert_never(node)


def best_trigger(node: tree.Node) -> tuple[Trigger, float]:
    """The first pass's form, and how many bits of chance it takes to meet it.

    It need not begin where the match does: of all parts it takes the one to begin with that is rarest, since loops at
    the head of a form match nearly anything.
    """
    parts = tree.parts_of(node)
    best: tuple[tuple[float, float], Trigger, float] | None = None
    skipped = 0
    for start, part in enumerate(parts):
        if tree.shortest(part):
            found = trigger(tree.sequence(parts[start:]))
            bits = _bits(dialect.parse(found.text)) if found.text else 0.0
            rank = (min(found.anchor, _FIXED), min(bits, _ENOUGH))
            if best is None or rank > best[0]:
                best = rank, Trigger(found.text, found.before + skipped, found.after, found.anchor), bits
        skipped += longest(part)
    if best is None:
        raise NotationError("all of it may be missing")
    return best[1], best[2]


def _bits(node: tree.Node) -> float:
    """How unlikely a match is at one place of random bytes, in bits; the likeliest of several ways counts."""
    match node:
        case tree.Literal(text, _):
            return 8.0 * len(text)
        case tree.Chars(members):
            return 8.0 - math.log2(len(members))
        case tree.Repeat(inner, least, _):
            return least * _bits(inner)
        case tree.Sequence(parts):
            return sum(map(_bits, parts))
        case tree.Alternatives(choices):
            return min(map(_bits, choices))
        case tree.Group(_, inner):
            return _bits(inner)
        case _:
            assert_never(node)
