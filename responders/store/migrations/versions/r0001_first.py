"""The first schema: keys, incidents, audit log and notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes all tables, and the single rows that are locked later."""
    _create_keys()
    _create_history()
    _create_shapes()
    _create_registry_state()
    _create_incidents()
    _create_sightings()
    _create_actions()
    _create_audit_log()
    _create_audit_head()
    _create_notices()
    _create_deliveries()


def downgrade() -> None:
    """There is nothing older to go back to."""
    raise NotImplementedError("this is the first schema; restore a backup instead")


def _create_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_key_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("iam_id", sa.Text(), nullable=False),
        sa.Column("owners", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("authn_count", sa.BigInteger(), nullable=False),
        sa.Column("entity_tag", sa.Text(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("masked", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("action_when_leaked", sa.Text(), nullable=False),
        sa.Column("if_unsupported", sa.Text(), nullable=False),
        sa.Column("leaked", sa.Boolean(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("replaced_by", sa.Text(), nullable=False),
        sa.Column("shape_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_keys"),
        sa.UniqueConstraint("fingerprint", name="uq_keys_fingerprint"),
        sa.UniqueConstraint("id", name="uq_keys_id"),
    )
    op.create_index("ix_keys_iam_id", "keys", ["iam_id"], unique=False)
    op.create_index(
        "ix_keys_leaked",
        "keys",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("leaked"),
        postgresql_where=sa.text("leaked"),
    )
    op.create_index("ix_keys_name", "keys", ["name"], unique=False)
    op.create_index(
        "uq_keys_provider_provider_key_id",
        "keys",
        ["provider", "provider_key_id"],
        unique=True,
        sqlite_where=sa.text("provider_key_id <> ''"),
        postgresql_where=sa.text("provider_key_id <> ''"),
    )


def _create_history() -> None:
    op.create_table(
        "history",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_history_key_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_history"),
    )
    op.create_index("ix_history_key_id", "history", ["key_id"], unique=False)


def _create_shapes() -> None:
    op.create_table(
        "shapes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("alphabet", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("longest", sa.Integer(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shapes"),
        sa.UniqueConstraint("prefix", "alphabet", "length", "longest", name="uq_shapes_prefix_alphabet_length_longest"),
    )


def _create_registry_state() -> None:
    op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shapes_token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registry_state"),
    )
    op.execute("INSERT INTO registry_state (id, shapes_token) VALUES (1, '')")


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("kind_name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("masked", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("outlives", sa.Text(), nullable=False),
        sa.Column("outlives_until", sa.BigInteger(), nullable=True),
        sa.Column("dismissed_until", sa.BigInteger(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("sighting_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_incidents"),
        sa.UniqueConstraint("fingerprint", name="uq_incidents_fingerprint"),
        sa.UniqueConstraint("id", name="uq_incidents_id"),
    )
    op.create_index("ix_incidents_key_id", "incidents", ["key_id"], unique=False)
    op.create_index("ix_incidents_state", "incidents", ["state"], unique=False)


def _create_sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("where", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_sightings_incident_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_sightings"),
        sa.UniqueConstraint("incident_id", "digest", name="uq_sightings_incident_id_digest"),
    )


def _create_actions() -> None:
    op.create_table(
        "actions",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.Column("ref_details", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_actions_incident_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_actions"),
        sa.UniqueConstraint("id", name="uq_actions_id"),
    )
    op.create_index("ix_actions_incident_id", "actions", ["incident_id"], unique=False)
    op.create_index(
        "ix_actions_pending",
        "actions",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index("ix_actions_sent_at", "actions", ["sent_at"], unique=False)


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"], unique=False)


def _create_audit_head() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_incident_id", "notices", ["incident_id"], unique=False)


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_deliveries_notice_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_deliveries"),
        sa.UniqueConstraint("notice_id", "channel", "recipient", name="uq_deliveries_notice_id_channel_recipient"),
    )
    op.create_index("ix_deliveries_state_next_at", "deliveries", ["state", "next_at"], unique=False)
