"""Which values look like a machine's by themselves, and can be looked for before their keywords.

A book has thousands of keywords, and looking for them all in every byte is slow to do and slow to compile. Long values
of random characters have something that words and most names in programs have not: a digit, or two capitals close
together beside a small one, with a stretch of further characters behind it. That is one small expression, whatever the
number of rules; only where it hits are the keywords looked for (`scanner.engine.nearby`).

Used only when a database is compiled.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.engine.nearby import BEHIND, HEAD, TELLING
from scanner.notation import dialect
from scanner.notation.tree import (
    Alternatives,
    Chars,
    Group,
    Literal,
    Node,
    Repeat,
    alphabet,
    choices_of,
    longest,
    parts_of,
    shortest,
)
from scanner.rule import Family, Rule

RARELY = 0.025
"""The share of values that may lack them; rules of which more do are looked for by their keywords."""

_MEMBERS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/+-")
_DIGITS = frozenset(b"0123456789")
_CASES = {"a": frozenset(b"abcdefghijklmnopqrstuvwxyz"), "A": frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_SIGNS = ("aAA", "AaA")
_PLAIN = frozenset(b"_")
_BREAK = frozenset(b"\0")
"""What stands for parts of which no more is known than that they lie within a run, or may end one."""


def by_value(rule: Rule) -> bool:
    """Whether a rule's values are looked for before its keywords."""
    if rule.family is not Family.CONTEXTUAL or rule.trigger:
        return False
    return untold(dialect.parse(rule.value)) <= RARELY


def tells(secret: bytes) -> bool:
    """Whether a value looks like a machine's."""
    return TELLING.search(secret, 0, HEAD) is not None


def untold(value: Node) -> float:
    """The share of a form's values (of the least telling of its alternatives) in whose head `TELLING` finds nothing."""
    return max(map(_untold, choices_of(value)))


def _untold(value: Node) -> float:
    """A walk over the characters with the chances of what has been seen so far: the cases of the last two letters, or a
    sign and how many characters behind it."""
    cases = {"  ": 1.0}
    behind = [0.0] * BEHIND
    for members in _characters(value):
        chances = {case: len(members & those) / len(members) for case, those in _CASES.items()}
        inside = len(members & _MEMBERS) / len(members)
        digit = len(members & _DIGITS) / len(members)
        other = inside - digit - sum(chances.values())
        begun = digit * sum(cases.values())
        after = {"  ": (1 - inside) * (sum(cases.values()) + sum(behind)) + other * sum(cases.values())}
        for seen, chance in cases.items():
            for case, share in chances.items():
                if seen + case in _SIGNS:
                    begun += chance * share
                else:
                    after[seen[1] + case] = after.get(seen[1] + case, 0.0) + chance * share
        cases, behind = after, [begun, *(chance * inside for chance in behind[:-1])]
    return sum(cases.values()) + sum(behind)


def _characters(value: Node) -> list[frozenset[int]]:
    """The sets of the first characters that every value has, as far as their places are known."""
    known: list[frozenset[int]] = []
    room = HEAD
    for part in _flat(value):
        match part:
            case Literal(text, folded):
                known += [
                    frozenset((byte, *bytes((byte,)).swapcase())) if folded else frozenset((byte,)) for byte in text
                ]
            case Chars(members):
                known.append(members)
            case Repeat(Chars(members), least, most) if least == most or members <= _MEMBERS:
                known += [members] * min(least, HEAD)
            case _:
                known += [_PLAIN if alphabet(part) <= _MEMBERS else _BREAK] * min(shortest(part) or 1, HEAD)
        del known[max(room, 0) :]
        room -= longest(part) - shortest(part)
        if room <= len(known):
            break
    return known


def _flat(node: Node) -> Iterator[Node]:
    for part in parts_of(node):
        match part:
            case Group(_, inner):
                yield from _flat(inner)
            case Repeat(Literal() | Chars() as inner, least, most) if least == most == 1:
                yield inner
            case Alternatives((only,)):
                yield from _flat(only)
            case _:
                yield part
