"""Compiled rules on disk. A cache, never an authority: whatever is not exactly what was written is built again.

A file holds named sections behind a head of one JSON line with the length and SHA-256 of each. It is written beside its
place and renamed into it, so that readers see all or nothing. A directory or file that belongs to somebody else, or
that others may write to, is not used: loading a database is running somebody's data.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_MAGIC = "keyfuse-cache-1"
_LONGEST_HEAD = 64 * 1024
_KEPT = 6
"""How many compiled books stay in the directory: a few sets of rules, a few versions."""


class Cache:
    """A directory of section files."""

    __slots__ = ("_directory",)

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, key: str) -> Mapping[str, bytes] | None:
        """The sections stored under a key, or None when there are none that can be trusted."""
        try:
            with open(self._directory / key, "rb", opener=_no_follow) as file:
                if not _private(os.fstat(file.fileno())) or not _private(self._directory.stat()):
                    return None
                data = file.read()
        except OSError:
            return None
        return _sections(data)

    def write(self, key: str, sections: Mapping[str, bytes]) -> bool:
        """Stores sections under a key; False when the directory does not allow it. Work goes on without."""
        head = json.dumps(
            {
                "magic": _MAGIC,
                "sections": [[name, len(data), hashlib.sha256(data).hexdigest()] for name, data in sections.items()],
            }
        )
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _private(self._directory.stat()):
                return False
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self._directory)
        except OSError:
            return False
        try:
            with open(handle, "wb") as file:
                file.write(head.encode("ascii") + b"\n")
                file.writelines(sections.values())
            Path(temporary).replace(self._directory / key)
        except OSError:
            with suppress(OSError):
                Path(temporary).unlink()
            return False
        self._tidy()
        return True

    def _tidy(self) -> None:
        """Drops all but the newest files, so that upgrades do not fill the disk."""
        with suppress(OSError):
            files = sorted(self._directory.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for path in files[_KEPT:]:
                path.unlink()


def _no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _private(status: os.stat_result) -> bool:
    """Whether only this user can have written it."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _sections(data: bytes) -> Mapping[str, bytes] | None:
    end = data.find(b"\n", 0, _LONGEST_HEAD)
    try:
        head = json.loads(data[: max(end, 0)])
        if head["magic"] != _MAGIC:
            return None
        sections: dict[str, bytes] = {}
        at = end + 1
        for name, length, digest in head["sections"]:
            section = data[at : at + length]
            if len(section) != length or hashlib.sha256(section).hexdigest() != digest:
                return None
            sections[name] = section
            at += length
    except (ValueError, KeyError, TypeError):
        return None
    return sections if at == len(data) else None
