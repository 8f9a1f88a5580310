"""What was decided or done, by whom, when: append-only, each record chained to the one before by its hash.

`hash = SHA-256(canonical JSON of seq, at, actor, event, subject, details, previous hash)`. The newest sequence number
and hash are also kept beside the table (`head`), so that a cut-off tail shows, not only an edit or a gap.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from responders.errors import LogBroken

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry. `subject` names what it is about (`key:…`, `incident:…`); `details` are short texts, never secrets."""

    seq: int
    at: datetime
    actor: str
    event: str
    subject: str
    details: Mapping[str, str]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written; sequence number, time and hashes are the log's to add."""

    actor: str
    event: str
    subject: str
    details: Mapping[str, str] = field(default_factory=dict)


def chain_hash(seq: int, at: datetime, entry: Entry, previous: str) -> str:
    """The hash that binds a record to all before it."""
    body = [seq, at.isoformat(), entry.actor, entry.event, entry.subject, dict(entry.details), previous]
    text = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain holds: so many records, the newest with this hash."""

    records: int
    head: str


def verify(records: Iterable[AuditRecord], head: tuple[int, str]) -> Verified:
    """Walks the chain. Raises LogBroken at the first gap, edit or cut-off tail, naming the record."""
    previous, count = GENESIS, 0
    for record in records:
        count += 1
        if record.seq != count:
            raise LogBroken(f"the audit log has a gap: record {count} is missing")
        entry = Entry(record.actor, record.event, record.subject, record.details)
        if record.previous != previous or record.hash != chain_hash(record.seq, record.at, entry, previous):
            raise LogBroken(
                f"the audit log was changed at record {record.seq} ({record.event}, {record.at.isoformat()})"
            )
        previous = record.hash
    if (count, previous) != head:
        raise LogBroken(f"the audit log was cut off: it holds {count} records, but {head[0]} were written")
    return Verified(count, previous)


class AuditLog(Protocol):
    """The log inside one transaction (see `records`)."""

    def append(self, entry: Entry) -> AuditRecord:
        """Chains one more record to the log."""
        ...

    def read(self, *, after: int = 0, limit: int | None = None) -> Iterator[AuditRecord]:
        """Records in order, those after sequence number `after`."""
        ...

    def head(self) -> tuple[int, str]:
        """The newest sequence number and hash, as kept beside the table; (0, GENESIS) when nothing was written."""
        ...
