"""The audit log in the database: appended under a lock on its head, read a page at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from responders.auditlog import AuditRecord, Entry, chain_hash
from responders.store.schema import audit_head, audit_log, micros, moment

_PAGE = 1000


class SqlAuditLog:
    """The log inside one transaction (see `responders.auditlog.AuditLog`)."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def append(self, entry: Entry) -> AuditRecord:
        """Chains one more record; whoever appends at the same time waits for the end of this transaction."""
        locked = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1).with_for_update()
        last = self._connection.execute(locked).one()
        at = self._clock().astimezone(UTC)
        seq = last.seq + 1
        digest = chain_hash(seq, at, entry, last.hash)
        record = AuditRecord(seq, at, entry.actor, entry.event, entry.subject, dict(entry.details), last.hash, digest)
        self._connection.execute(
            insert(audit_log).values(
                seq=seq,
                at=micros(at),
                actor=record.actor,
                event=record.event,
                subject=record.subject,
                details=json.dumps(record.details),
                previous=record.previous,
                hash=digest,
            )
        )
        self._connection.execute(update(audit_head).values(seq=seq, hash=digest))
        return record

    def read(self, *, after: int = 0, limit: int | None = None) -> Iterator[AuditRecord]:
        """Records in order, those after sequence number `after`."""
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = select(audit_log).where(audit_log.c.seq > after).order_by(audit_log.c.seq).limit(size)
            rows = self._connection.execute(page).all()
            for row in rows:
                yield AuditRecord(
                    row.seq,
                    moment(row.at),
                    row.actor,
                    row.event,
                    row.subject,
                    json.loads(row.details),
                    row.previous,
                    row.hash,
                )
            if len(rows) < size:
                return
            after = rows[-1].seq
            left = None if left is None else left - len(rows)

    def head(self) -> tuple[int, str]:
        """The newest sequence number and hash, as kept beside the table."""
        row = self._connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one()
        return row.seq, row.hash
