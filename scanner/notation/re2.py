"""RE2, the regular expressions of Go, as far as they can be read over bytes: text in, a tree out.

Rules of our own are written in the dialect, which is smaller; this is what configurations of other tools hold. The tree
keeps what `scanner.notation.tree` has no word for: unbounded loops, numbered groups, places between characters.

Facts: the syntax as the documentation of Go's package regexp/syntax has it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NoReturn

from scanner.notation.tree import Chars, Literal, NotationError

MOST = 1000
"""The highest count that the syntax allows."""

_EVERY = frozenset(range(256))
_ASCII = frozenset(range(128))
_BEYOND = frozenset(range(128, 256))
_DIGIT = frozenset(b"0123456789")
_UPPER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = frozenset(b"abcdefghijklmnopqrstuvwxyz")
_ALPHA = _UPPER | _LOWER
_WORD = _ALPHA | _DIGIT | frozenset(b"_")
_SPACE = frozenset(b"\t\n\f\r ")
_PERL = {"d": _DIGIT, "w": _WORD, "s": _SPACE, "D": _EVERY - _DIGIT, "W": _EVERY - _WORD, "S": _EVERY - _SPACE}
_POSIX = {
    "alnum": _ALPHA | _DIGIT,
    "alpha": _ALPHA,
    "ascii": _ASCII,
    "blank": frozenset(b"\t "),
    "cntrl": frozenset(range(0x20)) | {0x7F},
    "digit": _DIGIT,
    "graph": frozenset(range(0x21, 0x7F)),
    "lower": _LOWER,
    "print": frozenset(range(0x20, 0x7F)),
    "punct": frozenset(range(0x21, 0x7F)) - _ALPHA - _DIGIT,
    "space": _SPACE | {0x0B},
    "upper": _UPPER,
    "word": _WORD,
    "xdigit": frozenset(b"0123456789ABCDEFabcdef"),
}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")
_FLAGS = re.compile(r"\(\?([imsU]*)(-[imsU]+)?([:)])")
_NAMED = re.compile(r"\(\?P?<(\w+)>")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_UNICODE = re.compile(r"\\([pP])(?:\{(\^?)(\w+)\}|([A-Z]))")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_OCTAL = re.compile(r"[1-7][0-7]{1,2}|0[0-7]{0,2}")
_ENUMERATED = 64
"""So many characters beyond ASCII a class may list; more are taken for any of them."""


class Edge(StrEnum):
    """A place between two characters."""

    TEXT_START = r"\A"
    TEXT_END = r"\Z"
    LINE_START = r"(?<![^\n])"
    LINE_END = r"(?![^\n])"
    WORD = r"\b"
    NO_WORD = r"\B"


@dataclass(frozen=True, slots=True)
class Loop:
    """`least` to `most` times the node; `most` None is without an end."""

    node: Node
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Capture:
    """A group, by its number."""

    number: int
    node: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """One node after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several nodes, the first that fits."""

    options: tuple[Node, ...]


Node = Literal | Chars | Edge | Loop | Capture | Chain | Choice


@dataclass(frozen=True, slots=True)
class Expression:
    """A whole expression. `wide` says that it was read as taking more than it does, and where."""

    node: Node
    groups: int
    wide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mode:
    """The flags in force."""

    i: bool = False
    m: bool = False
    s: bool = False
    U: bool = False


def parse(text: str) -> Expression:
    """The tree of an expression. Raises NotationError, with the position, for what Go would refuse too."""
    reader = _Reader(text)
    node, _ = reader.choice(_Mode())
    if reader.at < len(text):
        reader.refuse("a closing bracket without an opening one")
    return Expression(node, reader.groups, tuple(dict.fromkeys(reader.wide)))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.groups = 0
        self.wide: list[str] = []

    def refuse(self, why: str) -> NoReturn:
        raise NotationError(why, self.at + 1)

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def choice(self, mode: _Mode) -> tuple[Node, _Mode]:
        """Alternatives up to a closing bracket, and the flags as they are then."""
        options: list[Node] = []
        parts: list[Node] = []
        while self.at < len(self.text) and self.peek() != ")":
            if self.peek() == "|":
                self.at += 1
                options.append(chain(parts))
                parts = []
            elif (flags := _FLAGS.match(self.text, self.at)) and flags[3] == ")":
                self.at = flags.end()
                mode = _changed(mode, flags)
            elif self.peek(2) == "\\Q":
                parts.extend(self.quoted(mode))
            else:
                parts.append(self.repeated(mode))
        options.append(chain(parts))
        return (options[0] if len(options) == 1 else Choice(tuple(options))), mode

    def quoted(self, mode: _Mode) -> Iterator[Node]:
        end = self.text.find("\\E", self.at)
        words = self.text[self.at + 2 : end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.text)
        for character in words:
            yield Literal(character.encode(), mode.i)

    def repeated(self, mode: _Mode) -> Node:
        node = self.atom(mode)
        looped = False
        while (bounds := self.bounds()) is not None:
            if looped:
                self.refuse("a repetition of a repetition")
            looped = True
            lazy = self.peek() == "?"
            self.at += lazy
            node = Loop(node, *bounds, lazy != mode.U)
        return node

    def bounds(self) -> tuple[int, int | None] | None:
        """The counts of a repetition, when one stands here."""
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if (mark := self.peek()) in simple:
            self.at += 1
            return simple[mark]
        found = _COUNT.match(self.text, self.at)
        if not found:
            return None
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > MOST or (most is not None and most < least):
            self.refuse(f"a count that runs backwards or goes beyond {MOST}")
        self.at = found.end()
        return least, most

    def atom(self, mode: _Mode) -> Node:
        character = self.peek()
        if character in "*+?":
            self.refuse(f"{character!r} with nothing to repeat")
        if character == "(":
            return self.group(mode)
        if character == "[":
            return self.character_class(mode)
        if character == "\\":
            return self.escape(mode)
        self.at += 1
        match character:
            case ".":
                return Chars(_EVERY if mode.s else _EVERY - frozenset(b"\n"))
            case "^":
                return Edge.LINE_START if mode.m else Edge.TEXT_START
            case "$":
                return Edge.LINE_END if mode.m else Edge.TEXT_END
            case _:
                return Literal(character.encode(), mode.i)

    def group(self, mode: _Mode) -> Node:
        number = 0
        if flags := _FLAGS.match(self.text, self.at):
            self.at = flags.end()
            mode = _changed(mode, flags)
        elif named := _NAMED.match(self.text, self.at):
            self.at = named.end()
            number = self.groups = self.groups + 1
        elif self.peek(2) == "(?":
            self.refuse("a look-around or a group that Go does not know")
        else:
            self.at += 1
            number = self.groups = self.groups + 1
        node, _ = self.choice(mode)
        if self.peek() != ")":
            self.refuse("a bracket that is not closed")
        self.at += 1
        return Capture(number, node) if number else node

    def escape(self, mode: _Mode) -> Node:
        places = {"A": Edge.TEXT_START, "z": Edge.TEXT_END, "b": Edge.WORD, "B": Edge.NO_WORD}
        place = places.get(self.text[self.at + 1 : self.at + 2])
        if place is not None:
            self.at += 2
            return place
        points, beyond = self.escaped()
        return self.chosen(points, beyond, negated=False, mode=mode)

    def escaped(self) -> tuple[frozenset[int], bool]:
        """The characters that an escape stands for, and whether any beyond ASCII is among them."""
        if found := _UNICODE.match(self.text, self.at):
            self.at = found.end()
            return _unicode(found, self)
        self.at += 1
        letter = self.peek()
        if letter in _PERL and letter:
            self.at += 1
            return _PERL[letter] & _ASCII, bool(_PERL[letter] & _BEYOND)
        if letter in _CONTROLS and letter:
            self.at += 1
            return frozenset((_CONTROLS[letter],)), False
        if found := _HEX.match(self.text, self.at):
            self.at = found.end()
            return frozenset((int(found[1] or found[2], 16),)), False
        if found := _OCTAL.match(self.text, self.at):
            self.at = found.end()
            return frozenset((int(found[0], 8),)), False
        if not letter or (letter.isalnum() and letter.isascii()):
            self.refuse(f"the escape \\{letter}, which Go does not know")
        self.at += 1
        return frozenset((ord(letter),)), False

    def character_class(self, mode: _Mode) -> Node:
        start = self.at
        self.at += 1
        negated = self.peek() == "^"
        self.at += negated
        points: set[int] = set()
        beyond = False
        first = True
        while first or self.peek() != "]":
            if self.at >= len(self.text):
                self.at = start
                self.refuse("a class that is not closed")
            more, wide = self.class_item()
            points.update(more)
            beyond |= wide
            first = False
        self.at += 1
        return self.chosen(points, beyond, negated=negated, mode=mode)

    def class_item(self) -> tuple[Iterable[int], bool]:
        if found := _POSIX_CLASS.match(self.text, self.at):
            if found[2] not in _POSIX:
                self.refuse(f"the class {found[0]}, which Go does not know")
            self.at = found.end()
            members = _POSIX[found[2]]
            return (_ASCII - members, True) if found[1] else (members, False)
        low, wide = self.class_member()
        if self.peek() != "-" or self.peek(2) in ("-]", "-"):
            return low, wide
        self.at += 1
        high, _ = self.class_member()
        if len(low) != 1 or len(high) != 1 or min(high) < min(low):
            self.refuse("a range that runs backwards or is none")
        return range(min(low), min(high) + 1), wide

    def class_member(self) -> tuple[frozenset[int], bool]:
        if self.peek() == "\\":
            return self.escaped()
        if not self.peek():
            self.refuse("a class that is not closed")
        self.at += 1
        return frozenset((ord(self.text[self.at - 1]),)), False

    def chosen(self, points: Iterable[int], beyond: bool, *, negated: bool, mode: _Mode) -> Node:
        """One character out of a set of code points (`beyond`: and any that is not ASCII), in bytes."""
        points = set(points)
        ascii_part = frozenset(points) & _ASCII
        far = sorted(points - _ASCII)
        if len(points) == 1 and not negated and not beyond:
            return Literal(chr(min(points)).encode("utf-8", "replace"), mode.i)
        if mode.i:
            ascii_part |= frozenset(bytes(ascii_part).lower() + bytes(ascii_part).upper())
        if negated:
            if far and not beyond:
                self.wide.append("a class that leaves out characters beyond ASCII leaves none of them out")
            members = _ASCII - ascii_part
            return Chars(members | _BEYOND if not beyond else members)
        if beyond:
            return Chars(ascii_part | _BEYOND)
        if len(far) > _ENUMERATED:
            self.wide.append("a class with many characters beyond ASCII takes all of them")
            return Chars(ascii_part | _BEYOND)
        if not far:
            if not ascii_part:
                self.refuse("a class of no characters")
            return Chars(ascii_part)
        listed: list[Node] = [Literal(chr(point).encode("utf-8", "replace")) for point in far]
        return Choice((*([Chars(ascii_part)] if ascii_part else []), *listed))


def chain(parts: Iterable[Node]) -> Node:
    """A sequence in which fixed texts that touch are one."""
    flat: list[Node] = []
    for part in parts:
        before = flat[-1] if flat else None
        if isinstance(part, Literal) and isinstance(before, Literal) and part.folded == before.folded:
            flat[-1] = Literal(before.text + part.text, part.folded)
        else:
            flat.append(part)
    return flat[0] if len(flat) == 1 else Chain(tuple(flat))


def _changed(mode: _Mode, flags: re.Match[str]) -> _Mode:
    on = dict.fromkeys(flags[1], True)
    return replace(mode, **on, **dict.fromkeys((flags[2] or "-")[1:], False))


def _unicode(found: re.Match[str], reader: _Reader) -> tuple[frozenset[int], bool]:
    """A class of Unicode: what of ASCII is in it, and any character beyond, which is more than it says."""
    name = found[3] or found[4]
    categories = {"L", "M", "N", "P", "S", "Z", "C"}
    if name == "Any":
        members = _ASCII
    elif name == "Latin":
        members = _ALPHA
    elif name[:1] in categories and len(name) <= 2:
        members = frozenset(point for point in _ASCII if unicodedata.category(chr(point)).startswith(name))
    else:
        members = frozenset()
    if (found[1] == "P") != bool(found[2]):
        members = _ASCII - members
    reader.wide.append(f"{found[0]} takes any character beyond ASCII")
    return members, True
