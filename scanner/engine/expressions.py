"""What the first pass is given: rules and shapes as expressions, and what each pattern number stands for.

Used only when a database is compiled. Knows the notation that rules are written in, and nothing of Hyperscan itself.

A rule with fixed text goes in as its own trigger. A contextual rule's value says nothing by itself, and its keywords
turn up thousands of times in a megabyte; what is rare is one with the other. Where the value alone looks like a
machine's (`scanner.engine.telling`), one expression finds the values of all such rules, and keywords are looked for
only before them. Of the other rules each keyword goes in with the value behind it, a few keywords to an expression,
because Hyperscan looks for fixed texts at the head of an expression only while there are few of them, and otherwise
walks every byte (measured: 13 MB/s for one wide alternation a form, 440 MB/s for the same in eights).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from scanner.context import REACH, spellings
from scanner.cues import NAMED
from scanner.cues import TRIGGER as NAMES
from scanner.engine.engine import TELLS
from scanner.engine.nearby import EXPRESSION as TELLING
from scanner.engine.telling import by_value
from scanner.engine.wrappings import wrappings
from scanner.model import ALPHABETS, Shape
from scanner.notation import dialect
from scanner.notation.trigger import trigger
from scanner.record import Record
from scanner.rule import Family, Rule

KEYWORDS_TOGETHER = 8
"""How many keywords share an expression."""
VALUE_REACH = 32
"""How much of a long run a contextual value's expression asks for: enough to be rare, and quick to compile."""
ANCHOR = 3
"""Values with so much fixed text in them are found by it, and their keywords by the second pass."""

_LONG_RUN = re.compile(r"\]\{(\d+)\}$")
_FENCE = re.compile(r"\(\?:\(\?<!(\[(?:\\.|[^\]\\])*\])\)\|.*?\)\(\?P<secret>", re.DOTALL)
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_START = "[^0-9A-Za-z][0-9A-Za-z]{0,5}"
"""What stands before a value that may not follow a letter: a sign, or one that begins an escape such as `\\u0022`."""


Meaning = tuple[str, tuple[int, ...]]
"""What a pattern number stands for: the encoding of its text ("" for none), and rules by their places in the book."""


Expression = tuple[bytes, int]
"""An expression and its pattern number, which others may share."""


class Plan(Record):
    """Expressions for the first step, keywords for the second, and what the pattern numbers of both mean."""

    expressions: tuple[Expression, ...]
    words: tuple[tuple[str, int], ...]
    meanings: tuple[Meaning, ...]


def plan(rules: Sequence[Rule]) -> Plan:
    """The first pass of a book."""
    expressions: list[Expression] = []
    meanings: list[Meaning] = []
    for index, rule in enumerate(rules):
        if rule.trigger:
            expressions.append((rule.trigger.encode("latin-1"), len(meanings)))
            meanings.append(("", (index,)))
    for name, places, texts in wrappings(rules):
        expressions += [(text.encode("ascii"), len(meanings)) for text in texts]
        meanings.append((name, places))
    telling, others = _contextual(rules)
    words: list[tuple[str, int]] = []
    for owners, texts in _owned(rules, telling).items():
        words += [(text, len(meanings)) for text in texts]
        meanings.append(("", owners))
    if telling:
        expressions.append((TELLING, len(meanings)))
        meanings.append((TELLS, ()))
    for (value, anchored), members in _forms(rules, others).items():
        if anchored:
            expressions.append((value.encode("latin-1"), len(meanings)))
            meanings.append(("", tuple(members)))
            continue
        for owners, texts in _owned(rules, members).items():
            for head in _heads(texts):
                expressions.append((f"{head}(?s:.{{0,{REACH}}}?){value}".encode("latin-1"), len(meanings)))
            meanings.append(("", owners))
    if named := tuple(index for index, rule in enumerate(rules) if rule.family is Family.GENERIC):
        expressions += [(text.encode("ascii"), len(meanings)) for text in NAMES]
        meanings.append((NAMED, named))
    return Plan(tuple(expressions), tuple(words), tuple(meanings))


def shape_plan(shapes: Iterable[Shape]) -> tuple[bytes, ...]:
    """One expression for each shape; what they find is judged by fingerprint alone."""
    return tuple(_shape(shape).encode("ascii") for shape in shapes)


def _contextual(rules: Sequence[Rule]) -> tuple[list[int], list[int]]:
    """The contextual rules whose values tell by themselves, and the others."""
    telling: list[int] = []
    others: list[int] = []
    for index, rule in enumerate(rules):
        if rule.family is Family.CONTEXTUAL and not rule.trigger:
            (telling if by_value(rule) else others).append(index)
    return telling, others


def _owned(rules: Sequence[Rule], members: Iterable[int]) -> dict[tuple[int, ...], list[str]]:
    """The spellings of keywords, by the rules that have them."""
    owners: dict[str, list[int]] = {}
    for index in members:
        for text in dict.fromkeys(spelling for word in rules[index].keywords for spelling in spellings(word)):
            owners.setdefault(text, []).append(index)
    owned: dict[tuple[int, ...], list[str]] = {}
    for text in sorted(owners):
        owned.setdefault(tuple(owners[text]), []).append(text)
    return owned


def _forms(rules: Sequence[Rule], members: Iterable[int]) -> dict[tuple[str, bool], list[int]]:
    """Contextual rules by the expression of their value, up to where it is certain, and whether fixed text is in it."""
    forms: dict[tuple[str, bool], list[int]] = {}
    for index in members:
        rule = rules[index]
        value = trigger(dialect.parse(rule.value), whole_head=True)
        anchored = value.anchor >= ANCHOR
        text = _LONG_RUN.sub(lambda run: f"]{{{min(VALUE_REACH, int(run[1]))}}}", value.text)
        start = _START if not anchored and _follows_no_letter(rule) else ""
        forms.setdefault((f"{start}(?:{text})", anchored), []).append(index)
    return forms


def _follows_no_letter(rule: Rule) -> bool:
    """Whether the pattern begins with the secret, before which no letter or digit may stand but at an escape's end."""
    fence = _FENCE.match(rule.pattern)
    return fence is not None and all(map(re.compile(fence[1]).fullmatch, _LETTERS))


def _heads(words: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(words), KEYWORDS_TOGETHER):
        yield "(?i:" + "|".join(map(escaped, words[start : start + KEYWORDS_TOGETHER])) + ")"


def escaped(text: str) -> str:
    """Fixed text as it stands in an expression."""
    return "".join(
        c if (c.isalnum() and c.isascii()) or c == "_" else "".join(f"\\x{b:02x}" for b in c.encode()) for c in text
    )


def _shape(shape: Shape) -> str:
    """A registered key's form: anywhere behind its prefix, or between two signs where it has none."""
    members = ALPHABETS[shape.alphabet]
    least = shape.length - len(shape.prefix)
    if shape.prefix:
        return f"{escaped(shape.prefix)}[{members}]{{{least}}}"
    lengths = f"{least},{shape.longest}" if shape.longest else f"{least}"
    return rf"(?:\A|{_START})[{members}]{{{lengths}}}(?:[^0-9A-Za-z]|\z)"
