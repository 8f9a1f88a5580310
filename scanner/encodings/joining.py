"""Texts in pieces, or with a few characters escaped: what a fixed prefix begins that nothing was confirmed at.

Strings put together, values folded over lines, lists that are joined, and values whose signs are written as escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scanner.decode import Text
from scanner.encodings import names
from scanner.encodings.escapes import ESCAPES
from scanner.encodings.mending import without

REACH = 2048
"""How far behind its prefix a text in pieces is followed, in bytes."""
PIECES = 48
"""How many pieces are put together at most."""

_LEAD = 6
"""How much is looked at before the prefix: its boundary."""
_SHORTER = 6
"""How many shorter texts are tried when all that can be put together makes none."""

_PADDING = 2
"""How many equals signs may end it, which at a line's end would be taken for a soft one."""

_QUOTE = rb"\\{0,3}[\"'`]"
_REMARK = rb"(?:(?://|#|--)[^\n]{0,120}+(?=\n))?+"
_OPERATOR = (
    rb"(?:\+\+?|\.\.?|&&?|\|\|?|~|<>|<<|\^|(?P<comma>,)|\\|_"
    rb"|;?\s{0,40}+[\w$>\[\]-]{1,60}+\s{0,8}+(?:\+=|\.=|&=|\.\.=|<<)"  # x += "…"
    rb"|\)\s{0,40}+[;.]{0,2}\s{0,40}+[\w.>:-]{0,60}+\((?:\s{0,8}+\w{1,40}+,)?)"  # .append("…")
)
_JOINT = (
    _QUOTE + rb"\)?[ \t]{0,16}+" + _REMARK + rb"\s{0,80}+(?:" + _OPERATOR + rb")?[ \t]{0,16}+(?:[_\\](?=\s))?"
    + rb"[ \t]{0,16}+" + _REMARK + rb"\s{0,80}+\(?\$?@?[A-Za-z]{0,2}#{0,2}" + _QUOTE
)  # fmt: skip
_FOLD = (
    rb"(?P<fold>[ \t]{0,8}+[\\=_`^]?\r?\n(?P<indent>[ \t]{0,80}+(?:(?:[>#*|]|//)[ \t]{0,4}+){0,3}+)"
    rb"|\\{1,3}(?:r\\{1,3})?n[ \t]{0,40}+)"
)
_JOIN = re.compile(rb"(?:" + _JOINT + rb"|" + _FOLD + rb")")
_BODY = re.compile(rb"(?:[\w\-.+/~:%$!*@^]|=(?!\r?\n))++")
_LINE_END = re.compile(rb"[ \t]{0,8}(?:[\\=_^]?\r?\n|\\{1,3}[rn]|[\"'`,;)\]}]|\\{1,3}[\"']|\Z)")
_JOINS_LISTS = re.compile(rb"(?i:join|concat|implode|strcat|append|cat\(|sprint|format|paste0?\(|string\.|write)")
_PREFIX = re.compile(rb"[A-Za-z0-9]{0,15}[-_.:]")
"""Three pieces of a list in a row that look like this are several beginnings, not one value."""
_WORD = re.compile(rb"[A-Za-z]?[a-z]*[.,:!?-]*")
_VALUE = re.compile(rb"[^\s\"'`<>]{0,1024}")


def alternatives(data: bytes, at: int) -> Iterator[Sequence[Text]]:
    """What a prefix at an offset may begin when its pieces are put together, or its escapes are read; often nothing.

    Of each group the first that makes sense counts.
    """
    start = max(0, at - _LEAD)
    joints = _joints(data, at)
    if joints:
        cuts = [*range(len(joints), max(0, len(joints) - _SHORTER), -1)]
        cuts += [cut for cut in range(min(_SHORTER, len(joints)), 0, -1) if cut < cuts[-1]]
        yield [_joined(data, start, joints[:cut]) for cut in cuts]
    value = _VALUE.match(data, at)
    if value is not None:
        for escape in ESCAPES:
            if escape.pattern.search(data, at, value.end()):
                yield list(escape.read(data, start, value.end(), ()))


def _joints(data: bytes, at: int) -> Sequence[tuple[int, int, int]]:
    """Where the pieces behind a prefix are joined, and where the piece behind each joint ends."""
    body = _BODY.match(data, at, at + REACH)
    joints: list[tuple[int, int, int]] = []
    indent: bytes | None = None
    beginnings = 0
    while body is not None and len(joints) < PIECES:
        beginnings = beginnings + 1 if _PREFIX.fullmatch(body[0]) else 0
        join = _JOIN.match(data, body.end(), at + REACH)
        if join is None or (join["comma"] and not _lists_are_joined(data, at)):
            break
        body = _BODY.match(data, join.end(), at + REACH)
        if body is None or (join["comma"] and beginnings > 1 and _PREFIX.fullmatch(body[0])):
            break
        if join["fold"]:
            if indent is None:
                indent = join["indent"]
            if join["indent"] != indent or not _LINE_END.match(data, body.end()) or _WORD.fullmatch(body[0]):
                break
        joints.append((*join.span(), body.end()))
    return joints


def _lists_are_joined(data: bytes, at: int) -> bool:
    return _JOINS_LISTS.search(data, max(0, at - 200), at + REACH) is not None


def _joined(data: bytes, start: int, joints: Sequence[tuple[int, int, int]]) -> Text:
    end = joints[-1][2]
    while data[end : end + 1] == b"=" and end < joints[-1][2] + _PADDING:
        end += 1
    text = without(data, start, end, [joint[:2] for joint in joints])
    return Text(text.data, (names.JOINED,), text.locate, own_lines=False, unchanged=text.unchanged)
