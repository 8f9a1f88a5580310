"""The queue of work in the database. On PostgreSQL two daemons never wait for each other's claims."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from responders.store.schema import maybe_moment, micros, moment, work
from responders.work import WorkItem, WorkState

_WAITING = WorkState.WAITING.value
_RUNNING = WorkState.RUNNING.value


class SqlWork:
    """The queue inside one transaction (see `responders.work.WorkQueue`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert

    def add(self, item: WorkItem) -> str:
        """Puts an item in the queue and returns its id, or the id of the one that waits under the same key."""
        while True:
            added = self._connection.execute(
                self._insert(work)
                .values(
                    id=item.id,
                    kind=item.kind,
                    payload=json.dumps(dict(item.payload), sort_keys=True),
                    sealed=item.sealed,
                    dedupe=item.dedupe,
                    node=item.node,
                    state=_WAITING,
                    attempts=0,
                    created_at=micros(item.created_at),
                    not_before=micros(item.not_before),
                    holder="",
                    result="{}",
                    last_error="",
                )
                .on_conflict_do_nothing()
                .inline()
                .execution_options(preserve_rowcount=True)
            )
            if added.rowcount == 1:
                return item.id
            twin = self._twin(item.kind, item.dedupe) if item.dedupe else None
            if twin is not None:
                return twin
            if self.get(item.id) is not None:
                return item.id  # it was put there before

    def claim(
        self, now: datetime, until: datetime, *, holder: str, node: str, kinds: Collection[str], limit: int
    ) -> Sequence[WorkItem]:
        """Gives what is due, oldest first, to this holder until then; nobody else gets it at the same time."""
        at = micros(now)
        due = or_(
            and_(work.c.state == _WAITING, work.c.not_before <= at),
            and_(work.c.state == _RUNNING, work.c.leased_until <= at),
        )
        wanted = (
            select(work)
            .where(due, _mine(node, kinds))
            .order_by(work.c.not_before, work.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True)  # SQLite knows no such thing, and lets one writer in anyway
        )
        rows = list(self._connection.execute(wanted))
        if rows:
            self._connection.execute(
                update(work)
                .where(work.c.seq.in_([row.seq for row in rows]))
                .values(state=_RUNNING, holder=holder, leased_until=micros(until), attempts=work.c.attempts + 1)
            )
        return [_item(row, state=WorkState.RUNNING, holder=holder, until=until, more=1) for row in rows]

    def prolong(self, item_id: str, holder: str, until: datetime) -> bool:
        """Moves the end of a lease; false when this holder has lost the item."""
        return self._change(item_id, holder, leased_until=micros(until))

    def end(self, item_id: str, holder: str, state: WorkState, at: datetime, result: str, error: str) -> bool:
        """Ends an item and erases what was sealed in it; false when this holder has lost it."""
        return self._change(
            item_id,
            holder,
            state=state.value,
            ended_at=micros(at),
            result=result,
            last_error=error,
            sealed=None,
            leased_until=None,
        )

    def put_back(self, item_id: str, holder: str, not_before: datetime, error: str, *, attempted: bool) -> bool:
        """Lets an item wait again; false when this holder has lost it. Where its key waits already, it has ended."""
        item = self.get(item_id)
        if item is not None and item.dedupe and self._twin(item.kind, item.dedupe) is not None:
            twin_waits = "the same work waits anew"
            return self.end(item_id, holder, WorkState.DONE, not_before, "{}", twin_waits)
        return self._change(
            item_id,
            holder,
            state=_WAITING,
            not_before=micros(not_before),
            last_error=error,
            holder="",
            leased_until=None,
            attempts=work.c.attempts - (0 if attempted else 1),
        )

    def release(self, node: str) -> int:
        """Lets everything wait again that a node holds, since its process is gone. Returns how many."""
        held = select(work).where(work.c.state == _RUNNING, work.c.holder.startswith(f"{node}:", autoescape=True))
        rows = list(self._connection.execute(held.with_for_update(skip_locked=True)))
        for row in rows:
            self.put_back(row.id, row.holder, moment(row.not_before), row.last_error, attempted=True)
        return len(rows)

    def get(self, item_id: str) -> WorkItem | None:
        """One item, whatever its state."""
        row = self._connection.execute(select(work).where(work.c.id == item_id)).one_or_none()
        return None if row is None else _item(row)

    def next_time(self, node: str, kinds: Collection[str]) -> datetime | None:
        """When the next waiting item is due."""
        first = select(func.min(work.c.not_before)).where(work.c.state == _WAITING, _mine(node, kinds))
        return maybe_moment(self._connection.execute(first).scalar())

    def counts(self) -> Mapping[tuple[str, WorkState], int]:
        """How many items there are of each kind in each state."""
        counted = select(work.c.kind, work.c.state, func.count()).group_by(work.c.kind, work.c.state)
        return {(kind, WorkState(state)): int(count) for kind, state, count in self._connection.execute(counted)}

    def purge(self, before: datetime) -> int:
        """Forgets what ended before this moment. Returns how many items that were."""
        gone = delete(work).where(
            work.c.state.in_([WorkState.DONE.value, WorkState.DEAD.value]), work.c.ended_at < micros(before)
        )
        return self._connection.execute(gone.execution_options(preserve_rowcount=True)).rowcount

    def _twin(self, kind: str, dedupe: str) -> str | None:
        waiting = select(work.c.id).where(work.c.kind == kind, work.c.dedupe == dedupe, work.c.state == _WAITING)
        found: str | None = self._connection.execute(waiting).scalar()
        return found

    def _change(self, item_id: str, held_by: str, **values: Any) -> bool:
        held = update(work).where(work.c.id == item_id, work.c.holder == held_by, work.c.state == _RUNNING)
        changed = self._connection.execute(held.values(**values).execution_options(preserve_rowcount=True))
        return changed.rowcount == 1


def _mine(node: str, kinds: Collection[str]) -> ColumnElement[bool]:
    """What a node may do, of the kinds that it knows."""
    return and_(work.c.kind.in_(sorted(kinds)), or_(work.c.node == "", work.c.node == node))


def _item(
    row: Row[Any],
    *,
    state: WorkState | None = None,
    holder: str | None = None,
    until: datetime | None = None,
    more: int = 0,
) -> WorkItem:
    return WorkItem(
        id=row.id,
        kind=row.kind,
        payload=json.loads(row.payload),
        created_at=moment(row.created_at),
        not_before=moment(row.not_before),
        state=state or WorkState(row.state),
        dedupe=row.dedupe,
        node=row.node,
        attempts=row.attempts + more,
        holder=row.holder if holder is None else holder,
        leased_until=moment(micros(until)) if until else maybe_moment(row.leased_until),
        ended_at=maybe_moment(row.ended_at),
        result=json.loads(row.result),
        last_error=row.last_error,
        sealed=row.sealed,
    )
