"""Every implementation of Records, for the suites that run over all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from responders.store import SqlRecords, open_store
from tests.support.stores import Clock, emptied, postgresql_schema, sqlite_template, unreachable


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    return sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgresql_url(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL schema of this worker's own."""
    if reason := unreachable():
        pytest.skip(reason)
    with postgresql_schema(worker_id) as url:
        open_store(url, clock=Clock(), data_dir=tmp_path_factory.mktemp("postgresql")).close()
        yield url


@pytest.fixture
def clock() -> Clock:
    """The time, as the test wants it."""
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty, migrated database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "keyfuse.db")
        return f"sqlite:///{tmp_path / 'keyfuse.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    emptied(url)
    return url


@pytest.fixture
def records(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[SqlRecords]:
    """An empty store."""
    store = open_store(database_url, clock=clock, data_dir=tmp_path, busy_seconds=5)
    yield store
    store.close()


@pytest.fixture
def second(database_url: str, records: SqlRecords, tmp_path: Path, clock: Clock) -> Iterator[SqlRecords]:
    """The same database, opened once more, as another process would."""
    store = open_store(database_url, clock=clock, data_dir=tmp_path, busy_seconds=5)
    yield store
    store.close()
