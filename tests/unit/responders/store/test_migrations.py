"""The migrations make what the tables say, and the list of revisions is the one that Alembic finds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from responders.errors import StoreError
from responders.store import open_store
from responders.store.migrate import MIGRATIONS
from responders.store.schema import HEAD, REVISIONS, metadata
from tests.support.stores import Clock, postgresql_schema, unreachable


def test_the_list_of_revisions_is_complete() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS
    assert scripts.get_heads() == [HEAD]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_tables_and_migrations_agree(kind: str, tmp_path: Path, worker_id: str) -> None:
    if kind == "sqlite":
        _compare(f"sqlite:///{tmp_path / 'keyfuse.db'}", tmp_path)
    elif reason := unreachable():
        pytest.skip(reason)
    else:
        with postgresql_schema(f"migrations_{worker_id}") as url:
            _compare(url, tmp_path)


def _compare(url: str, data_dir: Path) -> None:
    open_store(url, clock=Clock(), data_dir=data_dir).close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [(HEAD,)]
        assert connection.execute(text("SELECT id, seq FROM audit_head")).all() == [(1, 0)]
        assert len(connection.execute(text("SELECT id FROM registry_state")).all()) == 1
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "keyfuse.db") as connection:
        connection.execute("CREATE TABLE notices (other TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="refused the work"):
        open_store("", clock=Clock(), data_dir=tmp_path)
    with sqlite3.connect(tmp_path / "keyfuse.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("notices",)]
    connection.close()
