"""The tables. Moments are microseconds since 1970 (UTC), lists and maps are JSON text, enums are their values.

`REVISIONS` lists every schema revision of `migrations/versions`, oldest first, so that opening a database need not
import Alembic to know whether it is current.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISIONS = ("0001", "0002", "0003")
HEAD = REVISIONS[-1]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Sequence = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only in INTEGER PRIMARY KEY

keys = Table(
    "keys",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_key_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("iam_id", Text, nullable=False, index=True),
    Column("owners", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("authn_count", BigInteger, nullable=False),
    Column("entity_tag", Text, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("masked", Text, nullable=False),
    Column("fingerprint", Text, unique=True),
    Column("action_when_leaked", Text, nullable=False),
    Column("if_unsupported", Text, nullable=False),
    Column("leaked", Boolean, nullable=False),
    Column("replaces", Text, nullable=False),
    Column("replaced_by", Text, nullable=False),
    # No foreign key: shapes are merged and dropped, and each drop would search all keys for a reference.
    Column("shape_id", Integer),
)
Index(
    "uq_keys_provider_provider_key_id",
    keys.c.provider,
    keys.c.provider_key_id,
    unique=True,
    sqlite_where=text("provider_key_id <> ''"),
    postgresql_where=text("provider_key_id <> ''"),
)
Index("ix_keys_leaked", keys.c.seq, sqlite_where=text("leaked"), postgresql_where=text("leaked"))

history = Table(
    "history",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("key_id", Text, ForeignKey("keys.id"), nullable=False, index=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("message", Text, nullable=False),
)

shapes = Table(
    "shapes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("prefix", Text, nullable=False),
    Column("alphabet", Text, nullable=False),
    Column("length", Integer, nullable=False),
    Column("longest", Integer, nullable=False),
    Column("held", BigInteger, nullable=False),
    UniqueConstraint("prefix", "alphabet", "length", "longest"),
)

# One row.
registry_state = Table(
    "registry_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Changes whenever the set of shapes does; `shapes.json` holds the same token when it is current.
    Column("shapes_token", Text, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("kind_name", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("masked", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("key_id", Text, index=True),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("outlives", Text, nullable=False),
    Column("outlives_until", BigInteger),
    Column("dismissed_until", BigInteger),
    Column("approved", Boolean, nullable=False),
    Column("sighting_count", Integer, nullable=False),
)

sightings = Table(
    "sightings",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("where", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("repository", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("date", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("seen_at", BigInteger),
    Column("source", Text, nullable=False),
    UniqueConstraint("incident_id", "digest"),
)

actions = Table(
    "actions",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ref_id", Text, nullable=False),
    Column("ref_details", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("sealed", LargeBinary),
    # When the change was first sent to the provider: what the hourly limit counts.
    Column("sent_at", BigInteger, index=True),
)
Index(
    "ix_actions_pending",
    actions.c.seq,
    sqlite_where=text("state <> 'ended'"),
    postgresql_where=text("state <> 'ended'"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("details", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row, locked by whoever appends.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("incident_id", Text, index=True),
    Column("data", Text, nullable=False),
    Column("created_at", BigInteger),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("notice_id", Text, ForeignKey("notices.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False),
    UniqueConstraint("notice_id", "channel", "recipient"),
    Index("ix_deliveries_state_next_at", "state", "next_at"),
)

work = Table(
    "work",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("dedupe", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("leased_until", BigInteger),
    Column("ended_at", BigInteger),
    Column("result", Text, nullable=False),
    Column("last_error", Text, nullable=False),
    Index("ix_work_state_not_before", "state", "not_before"),
)
Index(
    "uq_work_kind_dedupe",
    work.c.kind,
    work.c.dedupe,
    unique=True,
    sqlite_where=text("state = 'waiting' AND dedupe <> ''"),
    postgresql_where=text("state = 'waiting' AND dedupe <> ''"),
)

targets = Table(
    "targets",
    metadata,
    Column("name", Text, primary_key=True),
    # The node whose files these are; empty where any daemon can reach it.
    Column("node", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("last_at", BigInteger),
    Column("last_error", Text, nullable=False),
    # What has been looked at already: refs and their commits, or the moment up to which files were.
    Column("seen", Text, nullable=False),
    Index("ix_targets_next_at", "next_at"),
)

users = Table(
    "users",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("iam_id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("parent", Text, nullable=False),
    # The fingerprint of the API token, never the token.
    Column("token", Text, nullable=False, unique=True),
    Column("masked", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
)

# Signed reports that came in lately, so that one that is sent again does no more than it did.
arrivals = Table(
    "arrivals",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("arrived_at", BigInteger, nullable=False, index=True),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """An aware moment as the database keeps it."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_micros(moment: datetime | None) -> int | None:
    """The same, where there may be none."""
    return None if moment is None else micros(moment)


def moment(value: int) -> datetime:
    """A stored moment, aware and in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def maybe_moment(value: int | None) -> datetime | None:
    """The same, where there may be none."""
    return None if value is None else moment(value)
