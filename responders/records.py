"""The transaction in which registry, incidents, audit log and notices change together, or not at all."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from responders.arrivals import Arrivals
from responders.auditlog import AuditLog
from responders.incident import Incidents
from responders.notify.queue import Notices
from responders.registry import KeyRegistry
from responders.targets import Targets
from responders.users import Users
from responders.work import WorkQueue


class Transaction(Protocol):
    """One all-or-nothing change. It is over when its `with` block ends; an exception undoes all of it."""

    @property
    def keys(self) -> KeyRegistry:
        """The key registry."""
        ...

    @property
    def incidents(self) -> Incidents:
        """Incidents and their actions."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The audit log."""
        ...

    @property
    def notices(self) -> Notices:
        """The queue of notices."""
        ...

    @property
    def work(self) -> WorkQueue:
        """The queue of work."""
        ...

    @property
    def targets(self) -> Targets:
        """What is watched or scanned on a schedule."""
        ...

    @property
    def users(self) -> Users:
        """The users of the API."""
        ...

    @property
    def arrivals(self) -> Arrivals:
        """Which signed reports came in lately."""
        ...


class Records(Protocol):
    """Where everything is kept. Thread-safe; a transaction belongs to one thread."""

    def begin(self, *, alone: bool = True) -> AbstractContextManager[Transaction]:
        """Starts a transaction that may write. Raises StoreError with the next step in its text.

        Not `alone` is for what touches nothing but the queue of work and targets: where the database can, it waits
        for no other writer.
        """
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """Starts a transaction that only reads and never waits for a writer."""
        ...

    def sync_shapes(self) -> None:
        """Brings the file of shapes up to date when another machine changed the registry."""
        ...

    def snapshot(self, path: Path) -> bool:
        """Writes one moment of the database into a new SQLite file; false where the database is a server's.

        Others go on writing meanwhile. Raises StoreError.
        """
        ...

    def close(self) -> None:
        """Lets go of the database."""
        ...
