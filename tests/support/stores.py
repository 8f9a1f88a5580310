"""Real databases for tests: SQLite files, and a PostgreSQL schema of one's own; builders of what goes in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from responders.registry import KnownKey
from responders.store import open_store
from responders.store.schema import metadata
from scanner.model import Fingerprinter

POSTGRESQL = os.environ.get("KEYFUSE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
START = datetime(2026, 3, 1, 12, 0, 0, 250001, tzinfo=UTC)
FINGERPRINTER = Fingerprinter(bytes(range(32)))


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self.now

    def forward(self, **step: float) -> None:
        """Moves it, in the words of `timedelta`."""
        self.now += timedelta(**step)


def known_key(number: int, **changes: object) -> KnownKey:
    """A registry record that differs from those with other numbers."""
    key = KnownKey(
        id=f"ApiKey-{number:04d}",
        name=f"key {number}",
        provider="keyfuse",
        created_at=START,
        modified_at=START,
        entity_tag=f"1-{number:032x}",
        fingerprint=FINGERPRINTER.of(f"value {number}".encode()),
    )
    return replace(key, **changes)  # type: ignore[arg-type]


def sqlite_template(directory: Path) -> Path:
    """An empty, migrated database to be copied, since migrating takes long."""
    store = open_store("", clock=Clock(), data_dir=directory)
    store.close()
    return directory / "keyfuse.db"


def unreachable() -> str:
    """Why there is no PostgreSQL to test with; "" if there is."""
    try:
        psycopg.connect(POSTGRESQL, connect_timeout=3).close()
    except psycopg.Error as error:
        return f"no PostgreSQL at {POSTGRESQL.rpartition('@')[2]}: {type(error).__name__}"
    return ""


@contextmanager
def postgresql_schema(worker: str) -> Iterator[str]:
    """The URL of a schema that exists only for this worker process of the test run."""
    schema = f"keyfuse_test_{worker}_{os.getpid()}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        try:
            yield f"{POSTGRESQL}?options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


def emptied(url: str) -> None:
    """Takes all rows out of a migrated PostgreSQL schema."""
    tables = ", ".join(f'"{table}"' for table in metadata.tables if table not in ("registry_state", "audit_head"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE".encode())
        connection.execute(b"UPDATE audit_head SET seq = 0, hash = repeat('0', 64)")
        connection.execute(b"UPDATE registry_state SET shapes_token = ''")
