"""What somebody has silenced: marks on the line itself, and a baseline of fingerprints. It stays visible as Suppressed.

A baseline is one JSON object a line, sorted by fingerprint, so that two people's changes merge:
`{"fingerprint": "kfp1:…", "rule": "…", "path": "…", "reason": "…", "author": "…", "expires": "2027-01-31"}`.
Only `fingerprint` is needed. It is never looked for in what is scanned: the caller names the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Self

from scanner.errors import ConfigError
from scanner.model import Finding, Fingerprint, Suppressed, printable
from scanner.record import Record

_OWN = re.compile(rb"keyfuse:allow\b(?:[ \t]*[:(-]?[ \t]*([^\r\n]{0,200}))?")
_FOREIGN = re.compile(
    rb"gitleaks:allow|betterleaks:allow|trufflehog:ignore|kingfisher:(?:ignore|allow)|ggignore"
    rb"|pragma: ?(?:allowlist|whitelist)[ -]secret|leakkill:ignore|nosec\b|noqa: ?S10[567]"
    rb"|secretlint-disable(?:-line)?|keyhog:ignore|skip-secret-scan",
    re.IGNORECASE,
)
_COMMENT_END = re.compile(rb"(?:\s|\*/|-->|%>|--\}\}|[\"'`)\]},;])+$")
_FIELDS = ("fingerprint", "rule", "path", "reason", "author", "expires")
_FINGERPRINT = re.compile(r"kfp1:[0-9a-f]{64}")


def marked(lines: bytes, foreign: bool) -> str | None:
    """The reason given by a mark in these lines ("" when it gives none), or None when there is no mark."""
    if b"allow" not in lines and not foreign:
        return None
    own = _OWN.search(lines)
    if own is not None:
        reason = _COMMENT_END.sub(b"", own[1] or b"")
        return printable(reason.decode("utf-8", "replace").strip())
    if foreign and (mark := _FOREIGN.search(lines)):
        return mark[0].decode("ascii", "replace")
    return None


class Entry(Record):
    """One silenced fingerprint. `expires` is the last day on which it counts; without a day it always does."""

    fingerprint: Fingerprint
    rule: str = ""
    path: str = ""
    reason: str = ""
    author: str = ""
    expires: date | None = None

    def line(self) -> str:
        """The entry as it stands in a file."""
        values = {
            "fingerprint": self.fingerprint,
            "rule": self.rule,
            "path": self.path,
            "reason": self.reason,
            "author": self.author,
            "expires": self.expires.isoformat() if self.expires else "",
        }
        return json.dumps({name: value for name, value in values.items() if value}, ensure_ascii=True)


class Baseline:
    """The entries of a file that count today."""

    __slots__ = ("_entries", "_today")

    def __init__(self, entries: Iterable[Entry], today: date) -> None:
        self._today = today
        self._entries: Mapping[Fingerprint, Entry] = {entry.fingerprint: entry for entry in entries}

    @classmethod
    def load(cls, path: Path, today: date) -> Self:
        """A baseline file. Raises ConfigError with the line that cannot be used."""
        return cls(read_entries(path), today)

    def judge(self, finding: Finding) -> Suppressed | None:
        """The finding as suppressed, or None when no entry that counts silences it."""
        entry = self._entries.get(finding.fingerprint)
        if entry is None or (entry.expires is not None and entry.expires < self._today):
            return None
        return Suppressed(finding, "baseline", entry.reason)


def read_entries(path: Path) -> list[Entry]:
    """All entries of a file, expired ones too. Raises ConfigError with the line that cannot be used."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the baseline {printable(str(path))} cannot be read: {error}; `keyfuse baseline create` writes one"
        ) from error
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                entries.append(_entry(line))
            except (ValueError, TypeError) as error:
                raise ConfigError(f"{printable(str(path))}:{number}: not a baseline entry: {error}") from error
    return entries


def write_entries(path: Path, entries: Iterable[Entry]) -> None:
    """Writes a baseline, one entry a line, in an order that does not depend on when they were added."""
    unique = {entry.fingerprint: entry for entry in entries}
    lines = [unique[fingerprint].line() for fingerprint in sorted(unique)]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _entry(line: str) -> Entry:
    values = json.loads(line)
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise TypeError("a JSON object of texts is needed")
    unknown = [name for name in values if name not in _FIELDS]
    if unknown:
        raise ValueError(f"unknown field {printable(unknown[0])!r}; there are {', '.join(_FIELDS)}")
    fingerprint = values.get("fingerprint", "")
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError("fingerprint must be kfp1: and 64 hex digits")
    expires = values.get("expires", "")
    rest = {name: values[name] for name in ("rule", "path", "reason", "author") if name in values}
    return Entry(Fingerprint(fingerprint), **rest, expires=date.fromisoformat(expires) if expires else None)
