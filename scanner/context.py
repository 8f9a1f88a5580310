"""Which keyword a value stands near. A contextual value says nothing by itself; the nearest name before it does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scanner.record import Record

REACH = 96
"""The most bytes between the end of a keyword and the value; line ends may lie in them."""
NEAR = 40
"""The same where a run of white space counts as one byte: indentation separates nothing."""
DEEPEST = 3
"""The most lines between a keyword and a value that is nested under it."""

_JOINTS = ("", "_", "-", " ", ".")
_JOINED = 5
"""Words of fewer letters together are not written as one."""
_SEPARATOR = re.compile(r"[ _.\-]+")
_GOES_ON = re.compile(
    rb"s?(?:[^a-z]|$|api|app|auth|access|account|admin|bearer|bot|cert|client|config|cred|dev|email|host|id|key|live|login|oauth|org|pass|personal|pat|prod|private|pwd"
    rb"|refresh|rest|secret|server|service|sid|sk|test|token|url|user|webhook|write|read)",
    re.IGNORECASE,
)
_OTHER = re.compile(
    rb"(?:^|[^a-z])(md5|sha[_-]?\d*|sha\d+(?:sum)?|checksum|digest|hash(?:es)?|integrity|commit|revision|rev|etag"
    rb"|fingerprint|thumbprint|version|signature|h1|crc\d*|blob|tree|object|(?:request|trace|span|build)[_-]?id|image|ref)"
    rb"[\"'\]]*\s*(?:=>|[=:@/-])[=:@/\s\"'-]*$",
    re.IGNORECASE,
)
"""A name that a value is assigned to, and that says it is something else than a secret."""
_BLANK = re.compile(rb"\s{2,}")
_INDENTED = re.compile(rb"\n([ \t]*)(?=[^\s}\])])")
_ESCAPES = (b"n", b"r", b"t")
"""Letters that are a line's end or a gap behind a backslash."""
LONGEST_KEYWORD = 64
"""Keywords are no longer than this."""
LONG = 7
"""A keyword of so many letters is no accident inside a longer word."""


class Nearness(Record):
    """How near a keyword is: lines first, then bytes; the longer keyword wins what is left."""

    lines: int
    gap: int
    shorter: int


class Keywords:
    """The keywords of some rules, by the rule's number."""

    __slots__ = ("_owners", "_search")

    def __init__(self, words: Mapping[int, Sequence[str]]) -> None:
        self._owners: dict[bytes, list[int]] = {}
        for number, keywords in words.items():
            for keyword in keywords:
                for spelling in spellings(keyword.lower()):
                    self._owners.setdefault(spelling.encode(), []).append(number)
        longest_first = sorted(self._owners, key=len, reverse=True)
        self._search = re.compile(b"(?=(" + b"|".join(map(re.escape, longest_first)) + b"))", re.IGNORECASE)

    def between(self, data: bytes, value: int, end: int) -> bool:
        """Whether a keyword stands before or between these offsets: a cheap look before an exact one."""
        start = max(0, value - REACH - LONGEST_KEYWORD)
        return any(
            stands_alone(data, start + hit.start(), start + hit.end(1))
            for hit in self._search.finditer(data[start:end])
        )

    def near(self, data: bytes, value: int) -> dict[int, Nearness]:
        """The rules that have a keyword before the value at this offset, and how near it is."""
        start = max(0, value - REACH - LONGEST_KEYWORD)
        before = data[start:value]
        other = _OTHER.search(before)
        found: dict[int, Nearness] = {}
        for hit in self._search.finditer(before):
            word = hit[1]
            end = hit.start() + len(word)
            gap = len(_BLANK.sub(b" ", before[end:]))
            lines = before.count(b"\n", end)
            if not 0 < gap <= NEAR or (other is not None and end <= other.start(1)):
                continue
            if lines > 1 and not _nested(data, start + end, value):
                continue
            if not stands_alone(data, start + hit.start(), start + end):
                continue
            nearness = Nearness(lines, gap, -len(word))
            for number in self._owners[word.lower()]:
                if number not in found or nearness < found[number]:
                    found[number] = nearness
        return found


def spellings(keyword: str) -> tuple[str, ...]:
    """A keyword of several words with each way of joining them: nothing, `_`, `-`, a space, a dot."""
    words = [word for word in _SEPARATOR.split(keyword) if word]
    if len(words) < 2:
        return (keyword,)
    short = sum(map(len, words)) < _JOINED  # `t.ly` is not `tly`
    joined = [joint.join(words) for joint in _JOINTS[short:]]
    if len(words) > 2 and words[-1] == "key":  # `acme-apikey` for `acme_api_key`
        joined += [joint.join((*words[:-2], words[-2] + words[-1])) for joint in _JOINTS[1:]]
    return tuple(dict.fromkeys((keyword, *joined)))


def _nested(data: bytes, keyword: int, value: int) -> bool:
    """Whether a value's line, and all before it, is indented deeper than its keyword's, some lines above."""
    line = data.rfind(b"\n", max(0, keyword - 256), keyword)
    below = [len(found[1]) for found in _INDENTED.finditer(data, keyword, value)]
    head = _INDENTED.match(data, line) if line >= 0 else None
    depth = len(head[1]) if head else 0
    return 0 < len(below) <= DEEPEST and min(below) > depth


def stands_alone(data: bytes, start: int, end: int) -> bool:
    """Whether a keyword is a word of its own, or a part of `camelCase`, and not letters inside another word."""
    word = data[start:end]
    before, after = data[max(0, start - 1) : start], data[end : end + 12]
    if before in _ESCAPES and data[max(0, start - 2) : start - 1] == b"\\":
        before = b""
    if before.isalpha() and word[:1].isalpha() and not (before.islower() and word[:1].isupper()):
        return False
    if len(word) >= LONG or not word[-1:].isalpha() or not after[:1].isalpha():
        return True
    if after[:1].isupper() and word[-1:].islower():
        return True
    return _GOES_ON.match(after) is not None
