"""One daemon per data directory: who holds it, and by what name this installation is known to its siblings."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from datetime import datetime
from pathlib import Path

from scanner.errors import CannotRun
from scanner.model import printable

LOCK_NAME = "daemon.lock"
NODE_NAME = "daemon.node"


class Hold:
    """A data directory, held until it is let go or the process ends, however it ends.

    The lock is the process's (POSIX record lock): forked workers and started programs do not keep it.
    """

    def __init__(self, data_dir: Path, now: datetime) -> None:
        """Raises CannotRun, which names the holder, when another process has it."""
        self._path = data_dir / LOCK_NAME
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotRun(f"the data directory {data_dir} cannot be used ({error.strerror})") from None
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _told(os.pread(self._file, 4096, 0))
            os.close(self._file)
            raise CannotRun(
                f"{data_dir} is held by another keyfuse daemon: {holder}; stop that one, or give this one a data "
                "directory of its own (KEYFUSE_DATA_DIR)"
            ) from None
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": now.isoformat(timespec="seconds")}
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(about).encode(), 0)

    def release(self) -> None:
        """Lets go."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def holder_of(data_dir: Path) -> str:
    """Who holds a data directory, in words; "" when nobody does."""
    try:
        file = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return _told(os.pread(file, 4096, 0))
    finally:
        os.close(file)
    return ""


def _told(content: bytes) -> str:
    try:
        about = json.loads(content)
        return printable(f"process {about['pid']} on {about['host']}, since {about['since']}")
    except (ValueError, KeyError, TypeError):
        return "a process that has not said who it is"


def node_id(data_dir: Path) -> str:
    """This installation's name among daemons that share a database; made once, and kept in the data directory."""
    path = data_dir / NODE_NAME
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    fresh = data_dir / f".{NODE_NAME}.{os.getpid()}"
    with open(fresh, "x", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(f"{secrets.token_hex(6)}\n")
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()
