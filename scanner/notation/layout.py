"""Layouts: `ghp_ + base62{36}`, fixed texts and runs of named alphabets joined by ` + `, alternatives by ` or `.

    layout  = parts [" or " parts]…
    parts   = part [" + " part]…
    part    = run | uuid | "(" layout ")" ["?"] | "(" text "|" text… ")" | "i:" text | "'" text "'" | text
    run     = [alphabet] ["[" characters "]"] "{" count ["-" count] "}"

The whole of a layout is the secret. A run is bounded; `?` makes a bracket optional; `i:` takes letters in any case;
quotes hold a text that would read as something else.
"""

from __future__ import annotations

import re
import string
from difflib import get_close_matches

from scanner.notation.tree import Alternatives, Chars, Literal, Node, NotationError, Repeat, sequence

_BASE62 = string.ascii_letters + string.digits
ALPHABETS: dict[str, frozenset[int]] = {
    name: frozenset(members.encode())
    for name, members in {
        "digit": string.digits,
        "hex": string.digits + "abcdef",
        "HEX": string.digits + "ABCDEF",
        "hexi": string.hexdigits,
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "alpha": string.ascii_letters,
        "base36": string.digits + string.ascii_lowercase,
        "BASE36": string.digits + string.ascii_uppercase,
        "base62": _BASE62,
        "word": _BASE62 + "_",
        "base64": _BASE62 + "+/",
        "base64url": _BASE62 + "-_",
        "base32": string.ascii_uppercase + "234567",
        "base32l": string.ascii_lowercase + "234567",
        "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        "bech32": "qpzry9x8gf2tvdw0s3jn54khce6mua7l",
        "BECH32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        "any": "".join(map(chr, range(0x21, 0x7F))),
    }.items()
}
"""The named alphabets; `any` is every printable ASCII character but the space."""

_UUIDS = {"uuid": "hex", "UUID": "HEX", "uuidi": "hexi"}
_RUN = re.compile(r"(?P<name>[A-Za-z0-9]*)(?:\[(?P<extra>(?:\\.|[^\]\\])+)\])?\{(?P<least>\d+)(?:-(?P<most>\d+))?\}")
_PART_BEGINS = re.compile(r"(?:^|\(| \+ | or |\|)\s*\Z")
_RUN_LIKE = re.compile(r"[A-Za-z0-9+]*(?:\[.*\])?\{.*\}?")


def parse(text: str) -> Node:
    """The tree of a layout. Raises NotationError with the position of what is wrong."""
    return _layout(text, 1)


def characters(text: str) -> frozenset[int]:
    """A set of characters: `word`, `base62[-_]` or `[=]`; nothing for an empty text."""
    node = parse(text + "{1}") if text else Repeat(Chars(frozenset()), 1, 1)
    if not isinstance(node, Repeat) or not isinstance(node.node, Chars):
        raise NotationError(f"{text!r} is no set of characters; write word, base62[-_] or [=]")
    return node.node.members


def _layout(text: str, position: int) -> Node:
    choices = [_parts(piece, at) for piece, at in _split(text, " or ", position)]
    return choices[0] if len(choices) == 1 else Alternatives(tuple(choices))


def _parts(text: str, position: int) -> Node:
    return sequence(_part(piece, at) for piece, at in _split(text, " + ", position))


def _split(text: str, separator: str, position: int) -> list[tuple[str, int]]:
    """Cuts at separators outside of brackets and quotes; yields each piece, stripped, and where it begins."""
    pieces: list[tuple[str, int]] = []
    depth, quoted, start, index = 0, False, 0, 0
    while index < len(text):
        opens = _PART_BEGINS.search(text, 0, index) is not None
        if text[index] == "'" and (quoted or opens):
            quoted = not quoted
        elif text[index] == "[" and not quoted and (end := _class_end(text, index)):
            index = end
        elif text[index] == "(" and not quoted and opens:
            depth += 1
        elif text[index] == ")" and not quoted and depth:
            depth -= 1
        elif not depth and not quoted and text.startswith(separator, index):
            pieces.append((text[start:index], start))
            start = index + len(separator)
            index = start
            continue
        index += 1
    if quoted or depth > 0:
        raise NotationError("a quote or bracket is not closed", position + start)
    pieces.append((text[start:], start))
    stripped = [(piece.strip(), position + at + len(piece) - len(piece.lstrip())) for piece, at in pieces]
    for piece, at in stripped:
        if not piece:
            raise NotationError(f"nothing between two {separator.strip()!r}", at)
    return stripped


def _class_end(text: str, index: int) -> int:
    """Where a `[…]` that a count follows ends; 0 if it is no such class."""
    found = re.compile(r"\[(?:\\.|[^\]\\])+\](?=\{)").match(text, index)
    return found.end() - 1 if found else 0


def _part(text: str, position: int) -> Node:
    if text.startswith("'") and text.endswith("'") and len(text) > 2:
        return Literal(text[1:-1].encode())
    if text.startswith("i:"):
        return Literal(text[2:].encode(), folded=True)
    if text.startswith("("):
        return _bracket(text, position)
    if text in _UUIDS:
        run = Chars(ALPHABETS[_UUIDS[text]])
        lengths = (8, 4, 4, 4, 12)
        nodes: list[Node] = []
        for length in lengths:
            nodes += [Literal(b"-"), Repeat(run, length, length)]
        return sequence(nodes[1:])
    if found := _RUN.fullmatch(text):
        return _run(found, position)
    if _RUN_LIKE.fullmatch(text):
        raise NotationError(
            f"cannot read the run {text!r}; write it as base62{{36}}, hex{{32-40}}, base62[-_]{{20-400}} or "
            "[xyz]{{1}}, always with an upper bound, or put a fixed text in single quotes",
            position,
        )
    return Literal(text.encode())


def _bracket(text: str, position: int) -> Node:
    optional = text.endswith(")?")
    if not optional and not text.endswith(")"):
        raise NotationError("text behind a closing bracket; join parts with ' + '", position)
    inside = text[1 : -2 if optional else -1]
    if "|" in inside and " + " not in inside and " or " not in inside:
        words = inside.split("|")
        if not all(words):
            raise NotationError("an empty word between '|'", position)
        node: Node = Alternatives(tuple(Literal(word.encode()) for word in words))
    else:
        node = _layout(inside, position + 1)
    return Repeat(node, 0, 1) if optional else node


def _run(found: re.Match[str], position: int) -> Node:
    name, extra = found["name"], found["extra"]
    if name and name not in ALPHABETS:
        near = get_close_matches(name, ALPHABETS, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; the alphabets are {', '.join(ALPHABETS)}"
        raise NotationError(f"unknown alphabet {name!r}{hint}", position)
    if not name and not extra:
        raise NotationError("a count without an alphabet before it", position)
    members = ALPHABETS.get(name, frozenset()) | frozenset(re.sub(r"\\(.)", r"\1", extra or "").encode())
    least = int(found["least"])
    most = int(found["most"] or least)
    if most < least or most == 0:
        raise NotationError(f"the count {{{found['least']}-{found['most']}}} runs backwards or is nothing", position)
    return Repeat(Chars(members), least, most)
