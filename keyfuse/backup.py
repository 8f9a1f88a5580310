"""Backups: the data directory as one file, taken while the daemon runs, and put back where none does.

A backup holds the database and the key file: whoever has it can test guesses against every fingerprint in it. So it is
written for its owner alone, and belongs where secrets are kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from keyfuse import __version__
from keyfuse.daemon.node import Hold
from keyfuse.session import Session
from responders.keyfile import FILE_NAME
from responders.shapes import DATABASE_NAME
from scanner.errors import CannotRun, UsageError

MANIFEST = "manifest.json"
FORM = 1
PARTS = (DATABASE_NAME, FILE_NAME, "daemon.node")
LARGEST = 1 << 40


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds, and whether that is all there is: a server's database is not in it."""

    parts: tuple[str, ...]
    whole: bool


def create(session: Session, path: Path) -> Made:
    """Writes a backup to a new file (mode 0600) and says what it holds.

    Of a PostgreSQL registry it holds the key file alone. Raises UsageError for a file that is there already.
    """
    if path.exists():
        raise UsageError(f"{path} exists; choose another name")
    session.fingerprinter()
    data_dir = session.config.data_dir
    with TemporaryDirectory(prefix=".backup-", dir=data_dir) as scratch:
        parts = {name: data_dir / name for name in PARTS[1:] if (data_dir / name).exists()}
        copy = Path(scratch) / DATABASE_NAME
        copy.touch(0o600)
        whole = session.records().snapshot(copy)
        if whole:
            parts = {DATABASE_NAME: copy, **parts}
        manifest: dict[str, object] = {
            "form": FORM,
            "keyfuse": __version__,
            "made_at": session.clock().isoformat(timespec="seconds"),
            "database": "sqlite" if whole else "not included: it is a server's; use its own tool, such as pg_dump",
            "parts": {name: {"bytes": part.stat().st_size, "sha256": _digest(part)} for name, part in parts.items()},
        }
        _write(path, manifest, parts)
    return Made(tuple(parts), whole)


def restore(path: Path, data_dir: Path, clock: Callable[[], datetime], *, replace: bool) -> list[str]:
    """Puts a backup into a data directory that no daemon holds; returns the names of what was put there.

    With `replace`, what is there is moved aside into a directory beside it, never deleted. Raises UsageError for what
    is no backup or would overwrite something, CannotRun where a daemon runs.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".restore-", dir=data_dir) as scratch:
        parts = _unpacked(path, Path(scratch))
        hold = Hold(data_dir, clock())
        try:
            present = [name for name in (*PARTS, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", "shapes.json")
                       if (data_dir / name).exists()]  # fmt: skip
            if present and not replace:
                raise UsageError(
                    f"{data_dir} holds {', '.join(present)}; --replace moves that aside, or name another directory "
                    "(KEYFUSE_DATA_DIR)"
                )
            if present:
                aside = data_dir / f"replaced-{clock():%Y%m%dT%H%M%SZ}"
                aside.mkdir(mode=0o700)
                for name in present:
                    (data_dir / name).rename(aside / name)
            for name in parts:
                (Path(scratch) / name).rename(data_dir / name)
        finally:
            hold.release()
    return list(parts)


def _write(path: Path, manifest: dict[str, object], parts: dict[str, Path]) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(fresh, "xb", opener=_private) as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
                text = json.dumps(manifest, indent=2).encode()
                about = tarfile.TarInfo(MANIFEST)
                about.size, about.mode = len(text), 0o600
                archive.addfile(about, io.BytesIO(text))
                for name, part in parts.items():
                    archive.add(part, arcname=name, recursive=False)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except OSError as error:
        raise CannotRun(f"the backup {path} cannot be written ({error.strerror})") from None
    finally:
        fresh.unlink(missing_ok=True)


def _unpacked(path: Path, scratch: Path) -> list[str]:
    """Takes the parts out, each checked against the manifest, and the database as a database."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            manifest = json.loads(_member(archive, MANIFEST, 1 << 20).read(1 << 20))
            parts: dict[str, dict[str, object]] = manifest["parts"]
            if manifest["form"] != FORM or not set(parts) <= set(PARTS):
                raise UsageError(f"{path} was made by another version of keyfuse ({manifest['keyfuse']}); use that one")
            for name, about in parts.items():
                _take(_member(archive, name, LARGEST), scratch / name)
                if _digest(scratch / name) != about["sha256"]:
                    raise UsageError(f"{path} is damaged: {name} is not what was backed up; use another backup")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or 'it is cut off'})") from None
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is not a backup of keyfuse, or is damaged") from None
    if DATABASE_NAME in parts:
        with closing(sqlite3.connect(scratch / DATABASE_NAME)) as database:
            if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise UsageError(f"the database in {path} is damaged; use another backup")
    return list(parts)


def _member(archive: tarfile.TarFile, name: str, most: int) -> io.BufferedReader:
    about = archive.getmember(name)
    file = archive.extractfile(about) if about.isfile() and about.size <= most else None
    if file is None:
        raise UsageError(f"the backup holds no usable {name}")
    return file  # type: ignore[return-value]


def _take(source: io.BufferedReader, path: Path) -> None:
    with open(path, "xb", opener=_private) as file:
        while piece := source.read(1 << 20):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
