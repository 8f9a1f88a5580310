"""Opens a database: URLs, drivers, pragmas, transactions, and what the drivers' errors mean to a person."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from responders.errors import StoreError
from scanner.errors import ConfigError

WRITES = "keyfuse_writes"
BUSY_SECONDS = 15.0


def connectable(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://user@host/database`.

    Raises ConfigError for other URLs and for a driver that is not installed, StoreError for a file that cannot be used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "the database URL cannot be read; write sqlite:///path or postgresql://user@host/database"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, busy_seconds)
        case "postgresql" | "postgres":
            return _postgresql(parsed, busy_seconds)
        case other:
            raise ConfigError(f"databases of the kind {other!r} are not supported; use sqlite:/// or postgresql://")


def shown(engine: Engine) -> str:
    """The database as messages name it: a path, or a URL without its password."""
    if engine.dialect.name == "sqlite":
        return engine.url.database or ""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=True)


# --- SQLite ---------------------------------------------------------------------------------------------------------


# 64 MB: fingerprints are random, so a bulk import touches all of their index.
_CACHE = "cache_size=-65536"


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ConfigError("the database URL names no file; write sqlite:///path/to/keyfuse.db")
    path = Path(url.database)
    _prepare(path)
    engine = create_engine(url, connect_args={"timeout": busy_seconds})

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", _CACHE):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _prepare(path: Path) -> None:
    """Makes the file with mode 0600 (SQLite gives its journals the same mode), or looks whether it can be used."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            _inspect(path)
    except OSError as error:
        raise StoreError(
            f"the database {path} cannot be opened ({error.strerror}); check that the directory exists and is yours"
        ) from None


def _inspect(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"{path} is not a file; name another place in [database]")
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK)):
        raise StoreError(
            f"the database {path} or its directory cannot be written; run keyfuse as its owner, or give "
            f"that right back (chmod u+w {path})"
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
    with path.open("rb") as file:
        header = file.read(100)
    size = path.stat().st_size
    if not header:
        return
    if not header.startswith(b"SQLite format 3\x00") or len(header) < 100:
        raise StoreError(f"{path} is not a keyfuse database, or it is damaged; {_RESTORE}")
    journal = path.with_name(path.name + "-wal")
    if journal.exists() and journal.stat().st_size:
        return  # what the file lacks may still lie there
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    if size < page * int.from_bytes(header[28:32], "big"):
        raise StoreError(f"the database {path} is cut off (its end is missing); {_RESTORE}")


_RESTORE = "restore it from a backup, or move it away together with its key file to start afresh"

# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _postgresql(url: URL, busy_seconds: float) -> Engine:
    waits = f"-c lock_timeout={int(busy_seconds * 1000)} -c timezone=UTC"
    url = url.set(drivername="postgresql+psycopg")
    given = url.query.get("options")
    options = f"{given} {waits}" if isinstance(given, str) else waits
    try:
        return create_engine(
            url.difference_update_query(["options"]),
            connect_args={"options": options, "connect_timeout": int(max(2, busy_seconds))},
            pool_pre_ping=True,
        )
    except ModuleNotFoundError:
        raise ConfigError(
            "the database URL is PostgreSQL's, but its driver is not installed; run: pip install 'keyfuse[postgresql]'"
        ) from None


# --- errors ---------------------------------------------------------------------------------------------------------


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turns the drivers' errors into StoreError, with the next step in the text and no values of any row."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(_meaning(engine, error)) from None
    except PoolTimeout:
        raise StoreError(f"the database {shown(engine)} is busy with this process's other work; repeat") from None


def _meaning(engine: Engine, error: DBAPIError) -> str:
    name = shown(engine)
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _sqlite_meaning(name, cause)
    state = getattr(cause, "sqlstate", None) or ""
    match state:
        case "55P03" | "57014":
            return f"the database {name} is locked by another process; wait until that is done, and repeat"
        case "53100":
            return f"the disk under the database {name} is full; make room and repeat (nothing was changed)"
        case "42501" | "25006":
            return f"the database {name} may not be written by this user; grant it the right to"
        case "40001" | "40P01":
            return (
                f"the database {name} was changed by another process at the same moment; repeat (nothing was changed)"
            )
        case "":
            return (
                f"the database {name} cannot be reached; check that it runs, and the address and password in [database]"
            )
        case _:
            return f"the database {name} refused the work (SQLSTATE {state}, {type(cause).__name__})"


def _sqlite_meaning(name: str, cause: sqlite3.Error) -> str:
    code = (getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"the database {name} is locked by another process; wait until that is done (or end it), and repeat"
        case sqlite3.SQLITE_FULL:
            return f"the disk under the database {name} is full; make room and repeat (nothing was changed)"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return f"the database {name} cannot be written; run keyfuse as its owner, or give that right back"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"the database {name} is damaged; {_RESTORE}"
        case sqlite3.SQLITE_CANTOPEN:
            return f"the database {name} cannot be opened; check that the directory exists and is yours"
        case sqlite3.SQLITE_IOERR:
            return f"the disk under the database {name} fails (I/O error); check free space, quota and hardware"
        case _:
            return f"the database {name} refused the work ({getattr(cause, 'sqlite_errorname', type(cause).__name__)})"
