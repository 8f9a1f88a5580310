"""Brings a database to the newest schema: looks cheaply, and imports Alembic only when there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from responders.errors import StoreError
from responders.store.engine import WRITES, shown
from responders.store.schema import HEAD, REVISIONS

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6B66_7573  # an arbitrary number that all keyfuse processes share


def ensure_current(engine: Engine) -> None:
    """Migrates if needed; safe when several processes start at once. Raises StoreError for a newer schema."""
    with engine.connect() as connection:
        if _is_current(connection, engine):
            return
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not _is_current(connection, engine):
            _upgrade(connection)


def _is_current(connection: Connection, engine: Engine) -> bool:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise StoreError(
            f"the database {shown(engine)} was written by a newer keyfuse (schema {found}, this one knows {HEAD}); "
            "upgrade keyfuse, or name another database in [database]"
        )
    return bool(found == HEAD)


def _upgrade(connection: Connection) -> None:
    # Alembic costs 0.4 s and is needed once per schema version.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
