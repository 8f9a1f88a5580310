"""One store: engine, transactions, and the shapes file that is kept in step with them."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from responders.errors import StoreError
from responders.shapes import DATABASE_NAME, token_of
from responders.store.arrivals import SqlArrivals
from responders.store.audit import SqlAuditLog
from responders.store.engine import BUSY_SECONDS, WRITES, connectable, explained
from responders.store.incidents import SqlIncidents
from responders.store.keys import SqlKeys
from responders.store.migrate import ensure_current
from responders.store.notices import SqlNotices
from responders.store.shapes import ShapeCounts
from responders.store.targets import SqlTargets
from responders.store.users import SqlUsers
from responders.store.work import SqlWork

Clock = Callable[[], datetime]

ONE_WRITER = text("SELECT pg_advisory_xact_lock(1801876083, hashtext(current_schema()))")
"""What SQLite does by itself: whoever writes next waits until this transaction ends.

Nearly every change is in the audit log, whose chain lets only one at a time through anyway. Waiting at the beginning
means that what a transaction has read still holds when it writes (is there an incident yet, how many changes were
made within the hour), and that no two wait for each other.
"""


class SqlTransaction:
    """One transaction over one connection; its parts see each other's changes."""

    __slots__ = ("_counts", "arrivals", "audit", "incidents", "keys", "notices", "targets", "users", "work")

    def __init__(self, connection: Connection, clock: Clock, data_dir: Path) -> None:
        self._counts = ShapeCounts(connection, data_dir, lambda: secrets.token_hex(16))
        self.keys = SqlKeys(connection, self._counts, lambda: secrets.token_hex(16))
        self.incidents = SqlIncidents(connection, clock)
        self.audit = SqlAuditLog(connection, clock)
        self.notices = SqlNotices(connection)
        self.users = SqlUsers(connection)
        self.arrivals = SqlArrivals(connection)
        self.work = SqlWork(connection)
        self.targets = SqlTargets(connection)

    def before_commit(self) -> None:
        """Writes what has to be on disk before the commit: a key must never be stored that the scanner cannot find."""
        self._counts.publish()

    def publish_shapes(self) -> None:
        """Writes the shapes file anew from the database."""
        self._counts.publish(always=True)


class SqlRecords:
    """Where everything is kept (see `responders.records.Records`)."""

    def __init__(self, engine: Engine, clock: Clock, data_dir: Path) -> None:
        self._engine = engine
        self._clock = clock
        self._data_dir = data_dir
        self._busy = threading.local()
        # SQLite lets one writer in and has the others look again and again; a lock wakes the next thread at once.
        self._turn: AbstractContextManager[object] = (
            threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
        )

    @contextmanager
    def begin(self, *, alone: bool = True) -> Iterator[SqlTransaction]:
        """Starts a transaction that may write: commits at the end of the block, undoes everything on an exception."""
        if getattr(self._busy, "writing", False):
            raise RuntimeError("a writing transaction is open in this thread already; pass that one on")
        self._busy.writing = True
        try:
            with self._turn, explained(self._engine), self._writing() as connection, connection.begin():
                if alone and connection.dialect.name == "postgresql":
                    connection.execute(ONE_WRITER)
                transaction = SqlTransaction(connection, self._clock, self._data_dir)
                yield transaction
                transaction.before_commit()
        finally:
            self._busy.writing = False

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Starts a transaction that sees one moment of the database, and waits for no writer."""
        with explained(self._engine), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin() as begun:
                yield SqlTransaction(connection, self._clock, self._data_dir)
                begun.rollback()

    def _writing(self) -> Connection:
        return self._engine.connect().execution_options(**{WRITES: True})

    def sync_shapes(self) -> None:
        """Brings `shapes.json` up to date when another machine changed the registry, or the file is gone.

        Opening the store does this too; a long-running process over a shared database does it from time to time.
        """
        with self.read() as transaction:
            token = transaction.keys.shapes_token()
        if token != token_of(self._data_dir):
            with self.begin() as transaction:
                transaction.publish_shapes()

    def snapshot(self, path: Path) -> bool:
        """Writes one moment of the database into a new SQLite file; false where the database is a server's."""
        if self._engine.dialect.name != "sqlite":
            return False
        with explained(self._engine), self._engine.connect() as connection:
            copy = sqlite3.connect(path)
            try:
                source = connection.connection.driver_connection
                if not isinstance(source, sqlite3.Connection):
                    raise StoreError(
                        "this database cannot be copied while it is used; stop the daemon and copy the file"
                    )
                source.backup(copy)
                if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    raise StoreError("the database is damaged, and so would be its backup; restore an older one")
            except sqlite3.Error as error:
                raise StoreError(f"the database cannot be copied to {path} ({error})") from None
            finally:
                copy.close()
        return True

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()


def open_store(url: str, *, clock: Clock, data_dir: Path, busy_seconds: float = BUSY_SECONDS) -> SqlRecords:
    """Opens (makes, migrates) the database at `url`; an empty URL is `keyfuse.db` in the data directory.

    `clock` gives aware moments; `busy_seconds` is how long to wait for another process's lock. Raises StoreError with
    the next step in its text, and ConfigError for a URL or driver that cannot be used.
    """
    engine = connectable(url or f"sqlite:///{data_dir / DATABASE_NAME}", busy_seconds=busy_seconds)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with explained(engine):
            ensure_current(engine)
        records = SqlRecords(engine, clock, data_dir)
        records.sync_shapes()
    except OSError as error:
        engine.dispose()
        raise StoreError(f"the data directory {data_dir} cannot be made ({error.strerror}); name another one") from None
    except BaseException:
        engine.dispose()
        raise
    return records
