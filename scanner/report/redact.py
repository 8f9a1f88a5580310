"""The last gate: no text from outside leaves in a report that holds a found secret.

A secret may also stand in a file's name, a branch's, an author's or an archive member's, and that of one finding in the
path of another. keyfuse's own words (ids and names of rules) are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from scanner.model import Finding, Secret, printable
from scanner.report.model import Report

SHORTEST = 12
"""Secrets shorter than this are looked for only where they are no ordinary words (see `_telling`): a path in which
every `test` is hidden, since somebody's password is `test`, leads nowhere and hides nothing."""
SHORTEST_MIXED = 8
"""Shorter ones never are."""
SHORTEST_PART = 16
"""What was found beside a secret and is shorter is a user's or a host's name, not a key; it may well stand in paths."""


class Cleaner:
    """Makes text fit to be shown: secrets as ***, control characters as escapes.

    It looks at each position of a text once, however many secrets there are: `begins` maps the first characters of
    all secrets, as many as the shortest has, to those that begin so.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        plain = {text for text in map(decoded, secrets) if _telling(text)}
        self._width = min(16, min(map(len, plain), default=SHORTEST))
        self._begins: dict[str, list[str]] = {}
        for text in sorted(plain, key=len, reverse=True):
            self._begins.setdefault(text[: self._width], []).append(text)
        self.clean = lru_cache(maxsize=4096)(self._clean)

    def _clean(self, text: str) -> str:
        return printable(self.redacted(text))

    def redacted(self, text: str) -> str:
        """The text with every secret as ***, and all else as it was."""
        begins, width = self._begins, self._width
        kept, start, at = [], 0, 0
        last = len(text) - width
        while at <= last:
            known = begins.get(text[at : at + width])
            secret = next((each for each in known if text.startswith(each, at)), None) if known else None
            if secret is None:
                at += 1
                continue
            kept += [text[start:at], "***"]
            start = at = at + len(secret)
        return text if not kept else "".join([*kept, text[start:]])


def _telling(text: str) -> bool:
    """Whether a secret says anything where it stands in a path: it is long, or mixes kinds of characters."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    mixed = sum(any(map(kind, text)) for kind in kinds) >= 3
    return len(text) >= SHORTEST or (len(text) >= SHORTEST_MIXED and mixed)


def cleaner(report: Report) -> Cleaner:
    """The cleaner for all texts of a report; with `reveal` it only makes them harmless."""
    if report.reveal:
        return Cleaner(())
    findings = [*(reported.finding for reported in report.findings), *(item.finding for item in report.suppressed)]
    return cleaner_of(findings)


def cleaner_of(findings: Iterable[Finding]) -> Cleaner:
    """The cleaner that hides what these findings hold: their secrets, and those of their parts that may be keys."""
    return Cleaner(
        secret
        for finding in findings
        for secret in (finding.secret, *(part for part in finding.parts.values() if len(part) >= SHORTEST_PART))
    )


def decoded(secret: Secret) -> str:
    """A secret's characters, as they would stand in a path: undecodable bytes as surrogates."""
    return secret.reveal().decode("utf-8", "surrogateescape")


def revealed(secret: Secret) -> str:
    """A secret's plaintext for a report that may show it; undecodable bytes as escapes."""
    return secret.reveal().decode("utf-8", "backslashreplace")
