"""From the tree back to text that both engines read: expressions, and the boundaries around a match."""

from __future__ import annotations

from typing import assert_never

from scanner.notation.tree import (
    Alternatives,
    Chars,
    Group,
    Literal,
    Node,
    Repeat,
    Sequence,
    alphabet,
    choices_of,
    edges,
    groups,
    head,
    longest,
)

ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_JOINERS = ALNUM | frozenset(b"_-+/.~")
_DISTINCT = 4
_CONTROLS = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_ESCAPED = r"(?<=\\(?:[0bfnrtv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})|%[0-9A-Fa-f]{2}|\x1b\[[0-9;]{0,8}m"
_ESCAPED += r"|(?i:key|token|secret|access|private)-)"
"""What may stand before a value although it could belong to it: `\\n`, `\\x22`, `\\u0022`, `%3D`, a colour, `key-`."""


def expression(node: Node, *, names: bool = True) -> str:
    """The tree as a pattern; without `names`, groups lose theirs and repetitions the laziness that Hyperscan ignores.

    Alternatives come longest first, so that a match is never the beginning of a longer one.
    """
    match node:
        case Literal(text, folded):
            plain = "".join(map(byte, text))
            return f"(?i:{plain})" if folded and text.lower() != text.upper() else plain
        case Chars(members):
            return characters(members)
        case Repeat(inner, least, most, lazy):
            return _repeat(_atom(inner, names), least, most, lazy and names)
        case Sequence(parts):
            return "".join(
                f"(?:{expression(p, names=names)})" if isinstance(p, Alternatives) else expression(p, names=names)
                for p in parts
            )
        case Alternatives(choices):
            return "|".join(expression(choice, names=names) for choice in sorted(choices, key=longest, reverse=True))
        case Group(name, inner):
            return f"(?P<{name}>{expression(inner, names=names)})" if names else f"(?:{expression(inner, names=names)})"
        case _:
            assert_never(node)


def _atom(node: Node, names: bool) -> str:
    plain = expression(node, names=names)
    single = isinstance(node, Chars | Group) or (isinstance(node, Literal) and len(node.text) == 1 and plain[0] != "(")
    return plain if single else f"(?:{plain})"


def _repeat(atom: str, least: int, most: int, lazy: bool) -> str:
    if (least, most) == (1, 1):
        return atom
    count = "?" if (least, most) == (0, 1) else f"{{{least}}}" if least == most else f"{{{least},{most}}}"
    return atom + count + ("?" if lazy and least != most else "")


def byte(value: int, special: bytes = b".^$*+?{}[]|()\\") -> str:
    """One byte as it stands in a pattern; `special` are the characters that need a backslash there."""
    if value in _CONTROLS:
        return _CONTROLS[value]
    if not 0x20 <= value < 0x7F:
        return f"\\x{value:02x}"
    return ("\\" if value in special else "") + chr(value)


def _member(value: int) -> str:
    return byte(value, b"\\]^[-&|~#")


def characters(members: frozenset[int]) -> str:
    """A set of bytes as a class; the shorter of the class and its negation."""
    if len(members) == 1:
        return byte(min(members))
    if len(members) > 128:
        return f"[^{_ranges(frozenset(range(256)) - members)}]" if len(members) < 256 else "[\\x00-\\xff]"
    return f"[{_ranges(members)}]"


def _ranges(members: frozenset[int]) -> str:
    text = ""
    ordered = sorted(members)
    while ordered:
        low = high = ordered.pop(0)
        while ordered and ordered[0] == high + 1:
            high = ordered.pop(0)
        text += _member(low) + ("" if high == low else _member(high) if high == low + 1 else f"-{_member(high)}")
    return text


def fence_before(node: Node) -> frozenset[int]:
    """The bytes that may not stand before a match, since it would then be the end of a longer word.

    A long fixed text at the head speaks for itself and needs only letters and digits kept away; a value that begins
    with a run needs its own alphabet kept away.
    """
    fence: frozenset[int] = frozenset()
    for choice in choices_of(node):
        start = head(choice)
        if start:
            if start[0] in ALNUM:
                own = alphabet(choice) & _JOINERS - frozenset(b".") if len(start) < _DISTINCT else frozenset()
                fence |= ALNUM | own
            continue
        for edge in edges(choice, last=False):
            fence |= _fence(edge, frozenset(b"_-"))
    return fence


def fence_after(node: Node) -> frozenset[int]:
    """The bytes that may not stand behind a match, since it would then be the beginning of a longer word."""
    fence: frozenset[int] = frozenset()
    for choice in choices_of(node):
        loose = frozenset() if head(choice) else frozenset(b"_-")
        for edge in edges(choice, last=True):
            fence |= _fence(edge, loose, last=True)
    return fence


def _fence(edge: Literal | Chars, loose: frozenset[int], *, last: bool = False) -> frozenset[int]:
    if isinstance(edge, Literal):
        touching = edge.text[-1 if last else 0]
        return ALNUM if touching in ALNUM else frozenset(b"=") if last and touching in b"=" else frozenset()
    if not edge.members & ALNUM:
        return frozenset(b"=") if last and edge.members == frozenset(b"=") else frozenset()
    if len(edge.members) > len(_JOINERS) + 28:
        return frozenset()
    padding = frozenset(b"=") if last and edge.members >= frozenset(b"+/") else frozenset()
    return ALNUM | loose | padding | (edge.members & _JOINERS)


def bounded(node: Node, before: frozenset[int] | None = None, after: frozenset[int] | None = None) -> str:
    """The exact pattern: the tree between what may not stand before and behind it.

    A dot behind a match is a full stop unless the word goes on after it. Without a group named `secret`, all of the
    match is the secret.
    """
    before = fence_before(node) if before is None else before
    after = fence_after(node) if after is None else after
    named = node if any(group.name == "secret" for group in groups(node)) else Group("secret", node)
    body = expression(named)
    body = f"(?:{body})" if isinstance(named, Alternatives) else body
    return _look_behind(before) + body + _look_ahead(after, node)


def _look_behind(fence: frozenset[int]) -> str:
    if not fence:
        return ""
    plain = f"(?<!{characters(fence)})"
    return f"(?:{plain}|{_ESCAPED})" if fence & ALNUM else plain


def _look_ahead(fence: frozenset[int], node: Node) -> str:
    if not fence:
        return ""
    dot = ord(".")
    if dot not in fence:
        return f"(?!{characters(fence)})"
    core = characters(fence - {dot})
    trailing = (
        "(?<!\\.)" if any(isinstance(edge, Chars) and dot in edge.members for edge in edges(node, last=True)) else ""
    )
    return f"{trailing}(?!\\.?{core})"
