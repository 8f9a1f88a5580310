"""Terms: what must hold for a match to count, beside its pattern. Foreign configurations set them; few rules have any.

A word in the text, the file's path, the secret's entropy; and nobody's `Allow` may name the match.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import regex

from scanner.confirm import Match
from scanner.decode import Text
from scanner.model import Blob, Origin
from scanner.rule import Allow

LINE_REACH = 4096
"""How far to either side of a match its line is looked at."""


class Terms:
    """The terms of a book's rules. An expression that takes too long counts as one that does not match."""

    __slots__ = ("_allow", "_held", "_patterns", "_seconds", "_text")

    def __init__(self, allow: Sequence[Allow], seconds: float) -> None:
        self._allow = allow
        self._seconds = seconds
        self._patterns: dict[str, regex.Pattern[bytes]] = {}
        self._text = b""
        self._held: dict[tuple[str, ...], bool] = {}

    def met(self, match: Match, text: Text, blob: Blob) -> bool:
        """Whether a match in a text of a blob counts."""
        rule = match.rule
        if rule.whole and (blob.offset or text.wrapped):
            return False
        if rule.entropy and entropy(text.data[match.start : match.end]) <= rule.entropy:
            return False
        if rule.path and not self._found(rule.path, _path(blob.origin)):
            return False
        if rule.words and not self._holds(rule.words, match, text.data):
            return False
        return not any(self._names(allow, match, text, blob) for allow in self._allow)

    def _names(self, allow: Allow, match: Match, text: Text, blob: Blob) -> bool:
        """Whether an allowlist names the match."""
        if allow.rules and match.rule.kind.id not in allow.rules:
            return False
        judged: list[bool] = []
        if allow.paths:
            judged.append(self._any(allow.paths, _path(blob.origin)))
        if allow.regexes:
            judged.append(self._any(allow.regexes, _target(allow.target, match, text.data)))
        if allow.words:
            secret = text.data[match.start : match.end].lower()
            judged.append(any(word.encode() in secret for word in allow.words))
        return all(judged) if allow.every else any(judged)

    def _holds(self, words: tuple[str, ...], match: Match, data: bytes) -> bool:
        """Whether one of the words stands in the match, where it mostly does, or anywhere in the text."""
        near = data[slice(*match.whole)].lower()
        if any(word.encode() in near for word in words):
            return True
        if self._text is not data:
            self._text = data
            self._held.clear()
        held = self._held.get(words)
        if held is None:
            lower = data.lower()
            held = self._held[words] = any(word.encode() in lower for word in words)
        return held

    def _any(self, patterns: Iterable[str], subject: bytes) -> bool:
        return any(self._found(pattern, subject) for pattern in patterns)

    def _found(self, pattern: str, subject: bytes) -> bool:
        compiled = self._patterns.get(pattern)
        if compiled is None:
            compiled = self._patterns[pattern] = regex.compile(pattern.encode("latin-1"))
        try:
            return compiled.search(subject, timeout=self._seconds) is not None
        except TimeoutError:
            return False


def entropy(value: bytes) -> float:
    """Shannon's entropy, in bits a byte."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in map(value.count, set(value)))


def _path(origin: Origin) -> bytes:
    """The path of a file with slashes, and of a member of an archive behind it."""
    path = "!".join((origin.path, *origin.inside)).replace("\\", "/")
    return path.encode("utf-8", "surrogateescape")


def _target(target: str, match: Match, data: bytes) -> bytes:
    match target:
        case "match":
            return data[slice(*match.whole)]
        case "line":
            low, high = match.whole
            first = data.rfind(b"\n", max(0, low - LINE_REACH), low) + 1 or max(0, low - LINE_REACH)
            last = data.find(b"\n", high, high + LINE_REACH)
            return data[first : last if last >= 0 else high + LINE_REACH]
        case _:
            return data[match.start : match.end]
