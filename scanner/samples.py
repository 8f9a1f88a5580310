"""Made-up values of a kind, from its rule alone: text that its pattern matches, with the checksum completed.

No sample is ever stored. The random source is the caller's, so the same seed gives the same samples.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import assert_never

import regex

from scanner.checks import CHECKS
from scanner.engine.telling import by_value, tells
from scanner.errors import UsageError
from scanner.notation.tree import Alternatives, Chars, Group, Literal, Node, Repeat, Sequence
from scanner.rule import Rule
from scanner.rulefile import tree_of

_TRIES = 200
_STRETCH = 24
"""How far above its least count a run goes; samples need not be as long as they could be."""
_READABLE = frozenset(range(0x21, 0x7F))
_PLAIN = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True, repr=False)
class Sample:
    """Text that holds one match, and the secret in it."""

    text: bytes
    secret: bytes


def sample(rule: Rule, rng: random.Random) -> Sample:
    """A sample of the rule. Contextual kinds come as an assignment to one of their keywords.

    Raises UsageError when none could be made: a check that cannot be completed, or boundaries that refuse the form.
    """
    tree = tree_of(rule)
    pattern = regex.compile(rule.pattern.encode())
    telling = by_value(rule)
    for _ in range(_TRIES):
        text = text_of(tree, rng)
        found = pattern.fullmatch(text)
        if not found:
            continue
        secret = found["secret"]
        if telling and not tells(secret):
            continue
        for name in rule.checks:
            if complete := CHECKS[name].complete:
                secret = complete(secret)
        text = text[: found.start("secret")] + secret + text[found.end("secret") :]
        again = pattern.fullmatch(text)
        if again and again["secret"] == secret and all(CHECKS[name].passes(secret) for name in rule.checks):
            return Sample(_placed(rule, text, rng), secret)
    raise UsageError(f"no sample of {rule.kind.id} can be made; its checks or boundaries refuse what its form gives")


def _placed(rule: Rule, text: bytes, rng: random.Random) -> bytes:
    if not rule.keywords:
        return text
    word = rng.choice(rule.keywords).encode()
    return word + b' = "' + text + b'"'


def text_of(node: Node, rng: random.Random) -> bytes:
    """Random text that a tree matches, boundaries and checks aside."""
    match node:
        case Literal(text, _):
            return text
        case Chars(members):
            return bytes((rng.choice(sorted(_pleasant(members))),))
        case Repeat(Chars(members), least, most):
            letters = sorted(_pleasant(members))
            return bytes(rng.choices(letters, k=rng.randint(least, min(most, least + _STRETCH))))
        case Repeat(inner, least, most):
            return b"".join(text_of(inner, rng) for _ in range(rng.randint(least, min(most, least + _STRETCH))))
        case Sequence(parts):
            return b"".join(text_of(part, rng) for part in parts)
        case Alternatives(choices):
            return text_of(rng.choice(choices), rng)
        case Group(_, inner):
            return text_of(inner, rng)
        case _:
            assert_never(node)


def _pleasant(members: frozenset[int]) -> frozenset[int]:
    """Of a set that takes nearly any byte, the letters and digits; of others, what can be read; else all of it."""
    if len(members) > 96 and members & _PLAIN:
        return members & _PLAIN
    return members & _READABLE or members
