"""The dialect: the part of regular expressions that Hyperscan and `regex` read alike, and no more.

Fixed text, `.`, classes, `\\d \\w \\s` and their opposites (ASCII), `(?:…)`, `(?i:…)`, `(?P<name>…)`, `|`, and the
bounded repetitions `?`, `{n}`, `{n,m}`, each also lazy. Everything else is refused with its position.
"""

from __future__ import annotations

import re
from typing import NoReturn

from scanner.notation.tree import Alternatives, Chars, Group, Literal, Node, NotationError, Repeat, sequence

_EVERY = frozenset(range(256))
_DIGIT = frozenset(b"0123456789")
_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_SPACE = frozenset(b" \t\n\r\x0b\x0c")
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE, "D": _EVERY - _DIGIT, "W": _EVERY - _WORD, "S": _EVERY - _SPACE}
_CONTROLS = {"t": 9, "n": 10, "r": 13, "f": 12, "v": 11}
_COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")
_OPEN_GROUP = re.compile(r"\(\?(?:(?P<free>i?):|P?<(?P<name>[a-z][a-z0-9_]*)>)")


def parse(text: str) -> Node:
    """The tree of a pattern. Raises NotationError that names what the dialect lacks and what to write instead."""
    reader = _Reader(text)
    node = reader.alternatives(folded=False)
    if reader.at < len(text):
        reader.refuse("a closing bracket without an opening one")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def refuse(self, why: str) -> NoReturn:
        raise NotationError(why, self.at + 1)

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def alternatives(self, folded: bool) -> Node:
        choices = [self.branch(folded)]
        while self.peek() == "|":
            self.at += 1
            choices.append(self.branch(folded))
        return choices[0] if len(choices) == 1 else Alternatives(tuple(choices))

    def branch(self, folded: bool) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.peek() not in "|)":
            parts.append(self.repeated(folded))
        if not parts:
            self.refuse("an empty alternative; write (?:…)? for what may be missing")
        return sequence(parts)

    def repeated(self, folded: bool) -> Node:
        node = self.atom(folded)
        mark = self.peek()
        if mark in ("*", "+") and mark:
            self.refuse(f"{mark!r} has no upper bound; write {{0,200}} or {{1,200}} with the bound you mean")
        if mark == "?":
            self.at += 1
            least, most = 0, 1
        elif mark == "{":
            least, most = self.count()
        else:
            return node
        lazy = self.peek() == "?"
        self.at += lazy
        if self.peek() in ("*", "+", "?", "{") and self.peek():
            self.refuse("a repetition of a repetition (or a possessive one); put the inner one in (?:…)")
        return Repeat(node, least, most, lazy)

    def count(self) -> tuple[int, int]:
        found = _COUNT.match(self.text, self.at)
        if not found:
            self.refuse("a brace that is no count; write \\{ for the character")
        if found[2] and not found[3]:
            self.refuse("a repetition without an upper bound; write {n,m}")
        least = int(found[1])
        most = int(found[3] or least)
        if most < least or most == 0:
            self.refuse("a count that runs backwards or is nothing")
        self.at = found.end()
        return least, most

    def atom(self, folded: bool) -> Node:
        character = self.peek()
        if character == "(":
            return self.group(folded)
        if character == "[":
            return Chars(self.character_class(folded))
        if character == "\\":
            return self.escape(folded)
        if character in "^$":
            self.refuse(f"the anchor {character!r}; say what may not stand around a match with 'before' and 'after'")
        if character in "*+?{":
            self.refuse(f"{character!r} with nothing to repeat; write \\{character} for the character")
        self.at += 1
        if character == ".":
            return Chars(_EVERY - frozenset(b"\n"))
        return Literal(character.encode(), folded)

    def group(self, folded: bool) -> Node:
        opening = _OPEN_GROUP.match(self.text, self.at)
        if not opening:
            start = self.peek(3)
            if start in ("(?=", "(?!", "(?<"):
                self.refuse("a look-around; say what may not stand around a match with 'before' and 'after'")
            self.refuse("a bracket without a name; write (?:…), (?i:…) or (?P<name>…)")
        self.at = opening.end()
        node = self.alternatives(folded or opening["free"] == "i")
        if self.peek() != ")":
            self.refuse("a bracket that is not closed")
        self.at += 1
        return Group(opening["name"], node) if opening["name"] else node

    def escape(self, folded: bool) -> Node:
        members = self.escaped()
        if len(members) > 1:
            return Chars(members)
        (byte,) = members
        return Literal(bytes((byte,)), folded)

    def escaped(self) -> frozenset[int]:
        self.at += 1
        letter = self.peek()
        if letter in _CLASSES:
            self.at += 1
            return _CLASSES[letter]
        if letter in _CONTROLS:
            self.at += 1
            return frozenset((_CONTROLS[letter],))
        if found := re.compile(r"x([0-9A-Fa-f]{2})").match(self.text, self.at):
            self.at = found.end()
            return frozenset((int(found[1], 16),))
        if not letter or letter.isalnum() or not letter.isascii():
            what = "a back-reference" if letter.isdigit() else f"the escape \\{letter}"
            self.refuse(f"{what}; the dialect has \\d \\w \\s \\t \\n \\r \\xNN and escaped punctuation")
        self.at += 1
        return frozenset(letter.encode())

    def character_class(self, folded: bool) -> frozenset[int]:
        start = self.at
        self.at += 1
        negated = self.peek() == "^"
        self.at += negated
        members: set[int] = set()
        while self.peek() != "]":
            if self.at >= len(self.text):
                self.at = start
                self.refuse("a class that is not closed")
            members |= self.class_item()
        self.at += 1
        if folded:
            members |= set(bytes(members).lower() + bytes(members).upper())
        if not members:
            self.at = start
            self.refuse("an empty class")
        return _EVERY - members if negated else frozenset(members)

    def class_item(self) -> frozenset[int]:
        first = self.class_member()
        if self.peek() != "-" or self.peek(2) in ("-]", "-"):
            return first
        self.at += 1
        last = self.class_member()
        if len(first) != 1 or len(last) != 1 or min(last) < min(first):
            self.refuse("a range that runs backwards or is none; write \\- for the character")
        return frozenset(range(min(first), min(last) + 1))

    def class_member(self) -> frozenset[int]:
        character = self.peek()
        if character == "\\":
            return self.escaped()
        if character == "[":
            self.refuse("a bracket inside a class; write \\[ for the character")
        if not character or not character.isascii():
            self.refuse("a class of bytes cannot hold this; write an alternative (?:…|…)")
        self.at += 1
        return frozenset(character.encode())
