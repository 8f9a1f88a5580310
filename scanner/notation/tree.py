"""The tree of a token's form, over bytes, and what can be measured on it.

Both notations become this tree; triggers, patterns, boundaries and samples are derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never


class NotationError(ValueError):
    """A layout or pattern that cannot be used. `position` counts characters from 1; 0 means the whole of it."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(f"{message} (at character {position})" if position else message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Literal:
    """Fixed bytes; `folded` means letters in any case."""

    text: bytes
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Chars:
    """One byte out of a set."""

    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`least` to `most` times the node; `lazy` prefers few."""

    node: Node
    least: int
    most: int
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """One node after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of several nodes."""

    choices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A named part: `secret`, or a part that the finding carries beside it."""

    name: str
    node: Node


Node = Literal | Chars | Repeat | Sequence | Alternatives | Group


def sequence(parts: Iterable[Node]) -> Node:
    """A sequence without nesting, in which fixed texts that touch are one."""
    flat: list[Node] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Sequence) else (part,):
            before = flat[-1] if flat else None
            if isinstance(piece, Literal) and not piece.text:
                continue
            if isinstance(piece, Literal) and isinstance(before, Literal) and piece.folded == before.folded:
                flat[-1] = Literal(before.text + piece.text, piece.folded)
            else:
                flat.append(piece)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def parts_of(node: Node) -> tuple[Node, ...]:
    """The parts of a sequence; any other node is its own only part."""
    return node.parts if isinstance(node, Sequence) else (node,)


def choices_of(node: Node) -> tuple[Node, ...]:
    """The alternatives at the top of a node; any other node is its own only choice."""
    return node.choices if isinstance(node, Alternatives) else (node,)


def shortest(node: Node) -> int:
    """The fewest bytes it can match."""
    match node:
        case Literal(text):
            return len(text)
        case Chars():
            return 1
        case Repeat(inner, least, _):
            return shortest(inner) * least
        case Sequence(parts):
            return sum(map(shortest, parts))
        case Alternatives(choices):
            return min(map(shortest, choices))
        case Group(_, inner):
            return shortest(inner)
        case _:
            assert_never(node)


def longest(node: Node) -> int:
    """The most bytes it can match."""
    match node:
        case Literal(text):
            return len(text)
        case Chars():
            return 1
        case Repeat(inner, _, most):
            return longest(inner) * most
        case Sequence(parts):
            return sum(map(longest, parts))
        case Alternatives(choices):
            return max(map(longest, choices))
        case Group(_, inner):
            return longest(inner)
        case _:
            assert_never(node)


def alphabet(node: Node) -> frozenset[int]:
    """Every byte that can occur in a match."""
    match node:
        case Literal(text, folded):
            return frozenset(text.lower() + text.upper() if folded else text)
        case Chars(members):
            return members
        case Repeat(inner, _, _) | Group(_, inner):
            return alphabet(inner)
        case Sequence(nodes) | Alternatives(nodes):
            return frozenset().union(*map(alphabet, nodes))
        case _:
            assert_never(node)


def edges(node: Node, *, last: bool) -> Iterator[Literal | Chars]:
    """The fixed texts and sets that a match can begin with; with `last`, end with."""
    match node:
        case Literal() | Chars():
            yield node
        case Repeat(inner, _, _) | Group(_, inner):
            yield from edges(inner, last=last)
        case Alternatives(choices):
            for choice in choices:
                yield from edges(choice, last=last)
        case Sequence(parts):
            for part in reversed(parts) if last else parts:
                yield from edges(part, last=last)
                if shortest(part):
                    return
        case _:
            assert_never(node)


def fixed(node: Node, *, folded: bool = False) -> tuple[bytes, ...]:
    """Fixed texts of which every match holds at least one, the longest there are; () when there are none.

    Texts whose letters may be in any case count only with `folded`.
    """
    match node:
        case Literal(text, free):
            return (text,) if folded or not free or text.lower() == text.upper() else ()
        case Chars():
            return ()
        case Repeat(inner, least, _):
            return fixed(inner, folded=folded) if least else ()
        case Group(_, inner):
            return fixed(inner, folded=folded)
        case Sequence(parts):
            found = [texts for part in parts if (texts := fixed(part, folded=folded))]
            return max(found, key=lambda texts: min(map(len, texts)), default=())
        case Alternatives(choices):
            each = [fixed(choice, folded=folded) for choice in choices]
            return tuple(dict.fromkeys(text for texts in each for text in texts)) if all(each) else ()
        case _:
            assert_never(node)


def head(node: Node) -> bytes:
    """The fixed text that every match begins with; empty if there is none."""
    match node:
        case Literal(text, folded):
            return b"" if folded and text.lower() != text.upper() else text
        case Chars():
            return b""
        case Repeat(inner, least, _):
            return head(inner) if least else b""
        case Group(_, inner):
            return head(inner)
        case Sequence(parts):
            first = head(parts[0])
            return first + head(sequence(parts[1:])) if parts[1:] and parts[0] == Literal(first) else first
        case Alternatives(choices):
            heads = [head(choice) for choice in choices]
            low, high = min(heads), max(heads)
            same = next((i for i, byte in enumerate(low) if byte != high[i]), len(low))
            return low[:same]
        case _:
            assert_never(node)


def groups(node: Node) -> Iterator[Group]:
    """Every named part, outermost first."""
    match node:
        case Literal() | Chars():
            return
        case Repeat(inner, _, _):
            yield from groups(inner)
        case Group(_, inner):
            yield node
            yield from groups(inner)
        case Sequence(nodes) | Alternatives(nodes):
            for each in nodes:
                yield from groups(each)
        case _:
            assert_never(node)


def repeats(node: Node) -> Iterator[Repeat]:
    """Every repetition, outermost first."""
    match node:
        case Literal() | Chars():
            return
        case Repeat(inner, _, _):
            yield node
            yield from repeats(inner)
        case Group(_, inner):
            yield from repeats(inner)
        case Sequence(nodes) | Alternatives(nodes):
            for each in nodes:
                yield from repeats(each)
        case _:
            assert_never(node)


def runaway(node: Node) -> bool:
    """Whether a repetition of variable length holds another, with nothing between rounds to hold on to.

    Such a pattern takes exponential time. A round is safe when it has a part that must be there and shares no byte
    with the parts of variable length.
    """
    return any(
        outer.most != outer.least
        and any(inner.most != inner.least for inner in repeats(outer.node))
        and not _held(outer.node)
        for outer in repeats(node)
    )


def _held(node: Node) -> bool:
    inner = node.node if isinstance(node, Group) else node
    parts = parts_of(inner)
    loose: frozenset[int] = frozenset().union(*(alphabet(part) for part in parts if shortest(part) != longest(part)))
    return any(shortest(part) and not alphabet(part) & loose for part in parts)
