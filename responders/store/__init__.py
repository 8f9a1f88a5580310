"""Where registry, incidents, audit log and notices are kept: the only room that knows SQLAlchemy and Alembic.

`open_store` is the door. SQLite and PostgreSQL obey the same protocols (`responders.records`) and the same contract
suite. Nothing here knows providers, policies or the terminal, and no plaintext ever gets here.
"""

from responders.store.records import SqlRecords, open_store

__all__ = ["SqlRecords", "open_store"]
