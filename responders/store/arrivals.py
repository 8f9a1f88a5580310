"""Which signed reports came in lately, in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete
from sqlalchemy.dialects import postgresql, sqlite

from responders.store.schema import arrivals, micros


class SqlArrivals:
    """Reports that came, inside one transaction (see `responders.arrivals.Arrivals`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert

    def first(self, digest: str, at: datetime, *, forget_before: datetime) -> bool:
        """Notes that this came; false when it had come already."""
        self._connection.execute(delete(arrivals).where(arrivals.c.arrived_at < micros(forget_before)))
        added = self._connection.execute(
            self._insert(arrivals)
            .values(digest=digest, arrived_at=micros(at))
            .on_conflict_do_nothing()
            .inline()
            .execution_options(preserve_rowcount=True)
        )
        return added.rowcount == 1
