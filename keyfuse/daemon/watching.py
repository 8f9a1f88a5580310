"""Hears of changes in directories: from the system where it tells (inotify through watchdog), else by listing them.

Whatever may have been missed (a queue that overflowed, a root that was deleted and made again, watches that the system
would not give) is reported as `lost`: then somebody lists what changed.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from keyfuse.daemon.ground import is_noise
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal

NETWORK = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre", "afs", "ncpfs", "vboxsf",
        "prl_fs", "beegfs", "gpfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone",
    }
)  # fmt: skip
"""File systems whose other users' changes the system does not tell of (inotify(7), under limitations)."""
_EVENTS: list[type[FileSystemEvent]] = [
    FileClosedEvent, FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent, DirCreatedEvent,
    DirMovedEvent,
]  # fmt: skip
LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")


NOBODY = (-1, -1)
"""The identity of a root that nobody has looked at yet."""


@dataclass(slots=True)
class _Watched:
    root: str
    file: str = ""
    identity: tuple[int, int] | None = NOBODY
    handle: Any = None
    polled: str = ""


class Told:
    """What a watcher tells of; each call may come from any thread and returns at once."""

    def __init__(
        self,
        wrote: Callable[[str, str, bool], None],
        gone: Callable[[str, str], None],
        lost: Callable[[str, bool], None],
    ) -> None:
        self.wrote = wrote
        """(target, path, closed): a file was written; `closed` when its writer is done."""
        self.gone = gone
        """(target, path): a file is no more."""
        self.lost = lost
        """(target, all): changes may have been missed; all: whatever is there now is new."""


class Watcher:
    """Watches the roots it is given. `check` is to be called about once a second."""

    def __init__(self, told: Told, journal: Journal, health: Health) -> None:
        self._told = told
        self._journal = journal
        self._health = health
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._observer = Observer()
        self._overflow = _Overflow(self._overflowed)
        self._logger = logging.getLogger("watchdog")

    def start(self) -> None:
        """Begins to listen."""
        # watchdog says so of each new directory that is met twice, which is how it makes sure of meeting it.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        self._logger.addHandler(self._overflow)
        self._logger.propagate = False
        self._observer.start()

    def stop(self) -> None:
        """Ends listening; nothing is told after this."""
        with suppress(RuntimeError):
            self._observer.stop()
            self._observer.join(5)
        self._logger.removeHandler(self._overflow)

    def settle(self, roots: Mapping[str, str]) -> None:
        """Watches these roots (by target) and no others."""
        with self._lock:
            for name in [name for name, each in self._watched.items() if roots.get(name) != each.root]:
                self._end(self._watched.pop(name))
                self._health.trouble(f"target {name}", "")
            fresh = [name for name in roots if name not in self._watched]
            for name in fresh:
                self._watched[name] = _Watched(roots[name])
        self.check(quietly=set(fresh))

    def idle(self) -> bool:
        """Whether nothing that the system told of is still to be passed on."""
        return self._observer.event_queue.empty()

    def polled(self) -> dict[str, str]:
        """The targets that have to be listed from time to time, and why."""
        with self._lock:
            return {name: each.polled for name, each in self._watched.items() if each.polled}

    def check(self, quietly: set[str] | None = None) -> None:
        """Looks whether each root is still the one that is watched, and watches what has come (back).

        Of those named in `quietly` it is not told that anything was lost.
        """
        with self._lock:
            self._mend()
            for name, each in self._watched.items():
                found = _identity(each.root)
                if found == each.identity and not self._is_deaf(each):
                    continue
                self._end(each)
                each.identity = found
                if found is None:
                    self._say_missing(name, each.root)
                    continue
                self._health.trouble(f"target {name}", "")
                self._begin(name, each)
                if quietly is None or name not in quietly:
                    self._journal.info("a root is there again", target=name, root=each.root)
                    self._told.lost(name, True)

    def _mend(self) -> None:
        """A listener whose thread has died is replaced, and every root looked at anew."""
        reader = getattr(self._observer, "_inotify_fd", None)
        if self._observer.is_alive() and (reader is None or reader.is_alive()):
            return
        self._journal.error("listening for changes broke down; it is begun anew")
        with suppress(RuntimeError, OSError):
            self._observer.stop()
        self._observer = Observer()
        self._observer.start()
        for each in self._watched.values():
            each.handle, each.identity = None, NOBODY

    def _is_deaf(self, each: _Watched) -> bool:
        """Whether a root's own thread has ended, as it does when the root is deleted, and be it made again at once."""
        emitters = {emitter.watch: emitter for emitter in self._observer.emitters}
        return each.handle is not None and not (each.handle in emitters and emitters[each.handle].is_alive())

    def _say_missing(self, name: str, root: str) -> None:
        self._journal.warning("a root is not there; waiting for it", target=name, root=root)
        self._health.trouble(f"target {name}", f"{root} is not there")

    def _begin(self, name: str, each: _Watched) -> None:
        kind = file_system(each.root)
        if kind in NETWORK:
            each.polled = f"{kind} does not tell of changes made elsewhere"
            self._journal.info("listing instead of watching", target=name, reason=each.polled)
            return
        is_file = os.path.isfile(each.root)
        directory = os.path.dirname(each.root) if is_file else each.root
        each.file = each.root if is_file else ""
        before = watches()
        try:
            handler = _Handler(name, each.file, self._told)
            each.handle = self._observer.schedule(handler, directory, recursive=not is_file, event_filter=_EVENTS)
        except OSError as error:
            self._fall_back(name, each, str(error.strerror or error))
            return
        wanted = 1 if is_file else _directories(directory)
        missing = wanted - (watches() - before)
        if missing > max(2, wanted // 100):
            self._fall_back(name, each, f"{missing} of {wanted} directories could not be watched")
        else:
            each.polled = ""

    def _fall_back(self, name: str, each: _Watched, reason: str) -> None:
        limit = _number(LIMIT)
        each.polled = reason
        self._journal.warning(
            "not all of a target can be watched: it is listed from time to time instead",
            target=name,
            reason=reason,
            next_step=f"raise the limit of {limit}: sysctl fs.inotify.max_user_watches={max(limit * 4, 1 << 20)}",
        )

    def _end(self, each: _Watched) -> None:
        if each.handle is not None:
            with suppress(KeyError, OSError):
                self._observer.unschedule(each.handle)
            each.handle = None
        each.identity, each.polled = None, ""

    def _overflowed(self) -> None:
        self._journal.warning("the system lost events; listing what changed")
        with self._lock:
            names = list(self._watched)
        for name in names:
            self._told.lost(name, False)


class _Handler(FileSystemEventHandler):
    def __init__(self, name: str, file: str, told: Told) -> None:
        self._name = name
        self._file = file
        self._told = told

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        if (self._file and path != self._file) or is_noise(path):
            return
        match event:
            case DirMovedEvent():
                self._told.lost(self._name, False)
            case FileDeletedEvent():
                self._told.gone(self._name, path)
            case FileMovedEvent():
                self._told.gone(self._name, os.fsdecode(event.src_path))
                self._told.wrote(self._name, path, True)
            case FileClosedEvent():
                self._told.wrote(self._name, path, True)
            case FileCreatedEvent() | FileModifiedEvent():
                self._told.wrote(self._name, path, False)
            case _:
                pass


class _Overflow(logging.Handler):
    """watchdog says in its log, and nowhere else, that the system's queue overflowed."""

    def __init__(self, overflowed: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._overflowed = overflowed

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._overflowed()


def file_system(path: str, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that a path lies on; "" where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    real = os.path.realpath(path)
    for line in lines:
        fields, _, rest = line.partition(" - ")
        point = fields.split(" ")[4].replace("\\040", " ")
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= best:
            best, kind = len(point), rest.split(" ")[0]
    return kind


def watches() -> int:
    """How many directories this process watches, as the kernel counts them."""
    count = 0
    for info in Path("/proc/self/fdinfo").glob("*"):
        with suppress(OSError):
            text = info.read_text(encoding="ascii", errors="replace")
            count += text.count("inotify wd:")
    return count


def _identity(root: str) -> tuple[int, int] | None:
    try:
        about = os.stat(root)
    except OSError:
        return None
    return about.st_dev, 0 if os.path.isfile(root) else about.st_ino


def _directories(root: str) -> int:
    return sum(1 for _ in os.walk(root))


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
