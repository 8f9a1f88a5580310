"""Files and directories, as they lie on disk.

Everything is read: hidden files, dependencies, lock files. Symbolic links are never followed (their text is scanned),
but for a target that is named explicitly. A repository's own directory is left to `scanner.sources.git`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from scanner.model import Blob, Origin, Place, Skipped, printable
from scanner.record import Record
from scanner.sources.git.pointers import pointed_to
from scanner.sources.git.repository import repository_at
from scanner.sources.windows import windows

WHOLE_LIMIT = 32 << 20
"""Files of at most so many bytes are read whole; larger ones come in windows."""

UNIT_WEIGHT = 2 << 20
_FILE_WEIGHT = 16 << 10  # opening, matching and closing a small file takes about as long as scanning so many bytes
NAME_LENGTH = 20
"""Names shorter than this hold no credential."""

_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class Frame(Record):
    """What the files of one walk have in common: how their paths are opened and how they are shown.

    A path in a walk is relative to `root`; it is shown below `label`, as part of `repository` if there is one.
    """

    root: str
    label: str = ""
    repository: str | None = None
    place: Place = Place.FILE

    def origin(self, path: str, place: Place | None = None) -> Origin:
        """The origin of one path."""
        shown = os.path.join(self.label, path)
        base = len(shown) - len(path) if os.path.isabs(self.label) else 0
        return Origin(place or self.place, shown, repository=self.repository, base=base)

    def skipped(self, path: str, reason: str) -> Skipped:
        """That one path could not be looked into."""
        shown = os.path.join(self.repository or "", self.label, path).rstrip(os.sep) or self.root
        return Skipped(printable(shown), reason)


class FileBatch(Record):
    """Unit: some files of one walk, and names and links' texts that are scanned as content of their own."""

    frame: Frame
    files: tuple[str, ...]
    names: tuple[str, ...]
    links: tuple[str, ...]
    weight: int
    follow: bool = False

    def blobs(self) -> Iterator[Blob | Skipped]:
        """Reads the files; what cannot be read is Skipped."""
        for path in self.files:
            yield from _file(self.frame, path, self.follow)
        for path in self.links:
            yield from _link(self.frame, path)
        for path in self.names:
            name = os.fsencode(os.path.basename(path))
            yield Blob(name, self.frame.origin(path, Place.FILE_NAME))


class Nested(Record):
    """A repository met on a walk: `path` opens it, `shown` is how it is shown."""

    path: str
    shown: str


def single_file(path: str) -> FileBatch:
    """The unit of one file that was named explicitly; a symbolic link is followed."""
    directory, name = os.path.split(path)
    names = (name,) if len(name) >= NAME_LENGTH else ()
    weight = os.stat(path).st_size + _FILE_WEIGHT
    return FileBatch(Frame(directory, directory), (name,), names, (), weight, follow=True)


def walk(frame: Frame, skip: frozenset[str] = frozenset()) -> Iterator[FileBatch | Skipped | Nested]:
    """Everything below a directory, in the order of names.

    `skip` holds relative paths that are left out since another source reads them. Repositories below the root are not
    entered but named; so is none at the root itself, whose `.git` is the caller's.
    """
    batch = _Batch(frame)
    waiting = [""]
    seen: set[tuple[int, int]] = set()
    while waiting:
        below = waiting.pop()
        directory = os.path.join(frame.root, below)
        try:
            about = os.stat(directory, follow_symlinks=not below)
            if (about.st_dev, about.st_ino) in seen:
                continue  # mounted twice; it was walked the first time
            seen.add((about.st_dev, about.st_ino))
            with os.scandir(directory or ".") as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield frame.skipped(below, f"the directory cannot be read: {error.strerror}")
            continue
        if below and _is_repository(directory, listed):
            yield Nested(directory, os.path.normpath(os.path.join(frame.repository or "", frame.label, below)))
            continue
        yield from _unusable(frame, below, listed)
        directories: list[str] = []
        for entry in listed:
            path = os.path.join(below, entry.name)
            if path in skip:
                continue
            if problem := batch.add(entry, path, directories):
                yield problem
            if batch.weight >= UNIT_WEIGHT:
                yield batch.take()
        waiting.extend(reversed(directories))
    if batch.weight:
        yield batch.take()


class _Batch:
    """Collects what a walk meets until it is worth a unit."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._files: list[str] = []
        self._names: list[str] = []
        self._links: list[str] = []
        self.weight = 0

    def add(self, entry: os.DirEntry[str], path: str, directories: list[str]) -> Skipped | None:
        if len(entry.name) >= NAME_LENGTH:
            self._names.append(path)
            self.weight += len(entry.name)
        try:
            if entry.is_symlink():
                self._links.append(path)
                self.weight += NAME_LENGTH
            elif entry.is_dir(follow_symlinks=False):
                directories.append(path)
            elif entry.is_file(follow_symlinks=False):
                self._files.append(path)
                self.weight += entry.stat(follow_symlinks=False).st_size + _FILE_WEIGHT
        except OSError as error:
            return self._frame.skipped(path, f"it cannot be looked at: {error.strerror}")
        return None  # FIFOs, sockets and devices hold nothing that could be left out

    def take(self) -> FileBatch:
        unit = FileBatch(self._frame, tuple(self._files), tuple(self._names), tuple(self._links), self.weight)
        self._files, self._names, self._links, self.weight = [], [], [], 0
        return unit


def _is_repository(directory: str, entries: Sequence[os.DirEntry[str]]) -> bool:
    names = {entry.name for entry in entries}
    if ".git" in names or names >= {"HEAD", "objects", "refs"}:
        return repository_at(directory) is not None
    return False


def _unusable(frame: Frame, below: str, entries: Sequence[os.DirEntry[str]]) -> Iterator[Skipped]:
    """Says so where something calls itself a repository and cannot be read as one."""
    dot = next((entry for entry in entries if entry.name == ".git"), None)
    if dot is None or repository_at(os.path.join(frame.root, below)) is not None:
        return
    if dot.is_file() or os.path.lexists(os.path.join(dot.path, "objects")):
        yield frame.skipped(
            os.path.join(below, ".git"), "it is not a usable repository: its files were read, its history was not"
        )


def _link(frame: Frame, path: str) -> Iterator[Blob | Skipped]:
    try:
        target = os.readlink(os.path.join(frame.root, path))
    except OSError as error:
        yield frame.skipped(path, f"the link cannot be read: {error.strerror}")
        return
    if len(target) >= NAME_LENGTH:
        yield Blob(os.fsencode(target), frame.origin(path))


def _file(frame: Frame, path: str, follow: bool) -> Iterator[Blob | Skipped]:
    flags = _OPEN & ~getattr(os, "O_NOFOLLOW", 0) if follow else _OPEN
    origin = frame.origin(path)
    try:
        descriptor = os.open(os.path.join(frame.root, path), flags)
        with open(descriptor, "rb", buffering=0) as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                yield frame.skipped(path, f"it is {special(about.st_mode)}, not a file")
                return
            if about.st_size > WHOLE_LIMIT:
                yield from windows(file, origin)
                return
            data = _whole(file, about.st_size)
            if len(data) > WHOLE_LIMIT:
                yield frame.skipped(path, f"it grew while being read; only its first {WHOLE_LIMIT >> 20} MB were read")
            if data:
                yield Blob(data, origin)
            if pointed_to(data) is not None:
                yield frame.skipped(path, "it is a pointer of Git LFS, its content is elsewhere: run git lfs pull")
    except OSError as error:
        yield frame.skipped(path, f"it cannot be read: {error.strerror}")


def _whole(file: BinaryIO, size: int) -> bytes:
    """All of a file that is about `size` bytes long; files of /proc and /sys say 0 and hold something."""
    data = file.read(size + 1) or b""
    if len(data) <= size and size:
        return data
    pieces = [data]
    room = WHOLE_LIMIT + 1 - len(data)
    while data and room > 0:
        data = file.read(min(room, 1 << 20)) or b""
        pieces.append(data)
        room -= len(data)
    return b"".join(pieces)


def special(mode: int) -> str:
    """What a file is that is neither a file nor a directory, in words."""
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    if stat.S_ISSOCK(mode):
        return "a socket"
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return "a device"
    if stat.S_ISDIR(mode):
        return "a directory"
    return "something else"
