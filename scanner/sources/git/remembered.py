"""What was scanned before: of each repository the ids of objects that hold nothing, under one set of rules.

Kept in one file a repository. Ids of objects that hold something are kept apart, and nothing of what they hold: they
are scanned again. Where nothing at all has changed in the repository, they are all that is.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from scanner.model import Finding, ScanEvent, Skipped, Suppressed, printable
from scanner.sources.git.repository import Repository

_FORMAT = 1
_TOP = ("HEAD", "packed-refs", "shallow", "index", "config", "refs", "reftable", "logs", "worktrees", "objects")
_HISTORY = (" (blob)", " (commit-message)", " (tag-message)")
_WHOLE = ("blob", "commit-message", "tag-message", "a batch of content")

Row = tuple[str, str, str | None, int, bool | None, str | None]
"""Where an object was met first: place, path and commit, a number that orders such rows in time, whether a ref leads
to it, and which one if it is no branch."""

_NOWHERE: Row = ("", "", None, 0, None, None)


class Memory:
    """A directory of such files. `key` stands for the rules and all else that decides what is found."""

    def __init__(self, directory: str, key: str) -> None:
        self.directory = directory
        self.key = key

    def of(self, repository: Repository, name: str) -> Remembered:
        """What is known of a repository that is shown under this name."""
        return Remembered(self, repository, name)


class Remembered:
    """What is known of one repository, and what one scan adds to that."""

    def __init__(self, memory: Memory, repository: Repository, name: str) -> None:
        self._memory = memory
        self._name = printable(name)
        common = os.path.realpath(repository.common_dir)
        self._path = os.path.join(memory.directory, hashlib.sha256(os.fsencode(common)).hexdigest()[:32])
        self._state = _state(common)
        head, self.known = _read(self._path, memory.key)
        self._rows: dict[str, Row] = {id: tuple(row) for id, row in head.get("told", {}).items()}
        self.fresh = head.get("state") == self._state
        self._hits: set[str] = set()
        self._seen: dict[str, Row] = {}
        self._whole = True
        self._expected: set[Skipped] = set()

    @property
    def told(self) -> Sequence[str]:
        """The objects that hold something."""
        return list(self._rows)

    def row(self, blob: str) -> Row | None:
        """Where a blob was met first, if that was noted and still holds."""
        row = self._rows.get(blob) if self.fresh else None
        return row if row and row[0] else None

    def expect(self, skipped: Skipped) -> None:
        """Something is not looked into that has nothing to do with the objects that are here."""
        self._expected.add(skipped)

    def note(self, event: ScanEvent) -> None:
        """Takes notice of what came out of the scan, before anything is left out of it."""
        if isinstance(event, Skipped):
            at = event.origin
            history = at in _WHOLE or at.endswith(_HISTORY) or at == self._name or at.startswith(f"{self._name} object")
            self._whole &= event in self._expected or not history
            return
        finding = event.finding if isinstance(event, Suppressed) else event
        if isinstance(finding, Finding) and finding.origin.repository is not None:
            origin = finding.origin
            if origin.blob is not None and printable(finding.origin.repository) == self._name:
                self._hits.add(origin.blob)

    def report(self, rows: Mapping[str, Row]) -> None:
        """Takes notice of where objects were met first."""
        self._seen.update(rows)

    def save(self, ids: Iterable[bytes]) -> None:
        """Keeps what is known now; `ids` are those of all objects there are. Nothing is kept of a scan with gaps."""
        if self.fresh or not self._whole:
            return
        hits = {bytes.fromhex(id) for id in self._hits}
        known = b"".join(id for id in ids if id not in hits)
        told = {id: self._seen.get(id, _NOWHERE) for id in sorted(self._hits)}
        head = {
            "format": _FORMAT,
            "key": self._memory.key,
            "state": self._state,
            "told": told,
            "sum": zlib.crc32(known),
        }
        _write(self._path, json.dumps(head).encode("ascii") + b"\n" + known)


class AllBut:
    """Everything but some ids."""

    def __init__(self, ids: frozenset[str]) -> None:
        self._ids = ids

    def __contains__(self, id: object) -> bool:
        return id not in self._ids


def _state(common: str) -> str:
    """Changes whenever an object, a ref or a log is added to a repository, or one goes."""
    seen = hashlib.sha256()
    waiting = [(name, os.path.join(common, name)) for name in reversed(_TOP)]
    waiting += (("alternate", path) for path in _alternates(common))
    while waiting:
        name, path = waiting.pop()
        try:
            about = os.lstat(path)
            names = sorted(os.listdir(path)) if os.path.isdir(path) and not os.path.islink(path) else []
        except OSError:
            continue
        # A directory of objects changes when one is added; looking at each of them is not needed.
        seen.update(
            f"{name!r} {about.st_ino} {about.st_mtime_ns} {about.st_size}\n".encode("ascii", "backslashreplace")
        )
        if len(name) != len("objects/00") or not name.startswith("objects/"):
            waiting += ((f"{name}/{each}", os.path.join(path, each)) for each in reversed(names))
    return seen.hexdigest()


def _alternates(common: str) -> Iterator[str]:
    with suppress(OSError), open(os.path.join(common, "objects", "info", "alternates"), "rb") as file:
        for line in file.read(1 << 16).splitlines():
            path = os.path.join(common, "objects", os.fsdecode(line))
            yield from (os.path.join(path, name) for name in ("pack", "info"))


def _read(path: str, key: str) -> tuple[dict[str, Any], bytes]:
    """What a file holds, if it can be trusted and was written under this key."""
    try:
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))) as file:
            about = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
                return {}, b""
            line, _, known = file.read().partition(b"\n")
        head = json.loads(line)
        if (head["format"], head["key"], head["sum"]) == (_FORMAT, key, zlib.crc32(known)):
            return head, known
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}, b""


def _write(path: str, content: bytes) -> None:
    """Writes a file that only its owner may read, all of it or nothing; where that is not allowed nothing is kept."""
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
