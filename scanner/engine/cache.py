"""Compiled rules on disk. A cache, never an authority: whatever is not exactly what was written is built again.

A file holds named sections behind a head of text: a line for the format, then name, length and CRC-32 of each, then
an empty line. It is written beside its place and renamed into it, so that readers see all or nothing. A directory or
file that belongs to somebody else, or that others may write to, is not used: loading a database is running its data.
So the sums are there for damage, not for forgery, and need not take longer than the scan of a small file.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_FORMAT = b"keyfuse-cache-2"
_LONGEST_HEAD = 4096
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
        temporary = self._directory / f".new-{os.getpid()}-{os.urandom(6).hex()}"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _private(self._directory.stat()):
                return False
            with open(temporary, "xb", opener=_owner_only) as file:
                file.write(_head(sections))
                file.writelines(sections.values())
            temporary.replace(self._directory / key)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
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


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _private(status: os.stat_result) -> bool:
    """Whether only this user can have written it."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _head(sections: Mapping[str, bytes]) -> bytes:
    lines = [f"{name} {len(data)} {zlib.crc32(data):08x}\n" for name, data in sections.items()]
    return _FORMAT + b"\n" + "".join(lines).encode("ascii") + b"\n"


def _sections(data: bytes) -> Mapping[str, bytes] | None:
    end = data.find(b"\n\n", 0, _LONGEST_HEAD)
    first, *lines = data[: max(end, 0)].split(b"\n")
    if first != _FORMAT:
        return None
    sections: dict[str, bytes] = {}
    at = end + 2
    for line in lines:
        try:
            name, length, digest = line.decode("ascii").split(" ")
            section = data[at : at + int(length)]
        except ValueError:
            return None
        if len(section) != int(length) or f"{zlib.crc32(section):08x}" != digest:
            return None
        sections[name] = section
        at += len(section)
    return sections if at == len(data) else None
