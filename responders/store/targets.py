"""The targets in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from responders.store.schema import maybe_micros, maybe_moment, micros, moment, targets
from responders.targets import Target, TargetKind


class SqlTargets:
    """The targets inside one transaction (see `responders.targets.Targets`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Sequence[Target]:
        """All of them, by name."""
        return [_target(row) for row in self._connection.execute(select(targets).order_by(targets.c.name))]

    def get(self, name: str) -> Target | None:
        """One of them."""
        row = self._connection.execute(select(targets).where(targets.c.name == name)).one_or_none()
        return None if row is None else _target(row)

    def put(self, target: Target) -> None:
        """Stores a target; one of the same name keeps what was seen of it, unless its kind or place changed."""
        values = {
            "node": target.node,
            "kind": target.kind.value,
            "place": target.place,
            "settings": json.dumps(dict(target.settings), sort_keys=True),
            "origin": target.origin,
            "added_by": target.added_by,
            "next_at": maybe_micros(target.next_at),
        }
        before = self.get(target.name)
        if before is not None and (before.kind, before.place, before.node) == (target.kind, target.place, target.node):
            self._connection.execute(update(targets).where(targets.c.name == target.name).values(**values))
            return
        self.remove(target.name)
        self._connection.execute(
            insert(targets).values(
                name=target.name,
                added_at=micros(target.added_at),
                last_at=maybe_micros(target.last_at),
                last_error=target.last_error,
                seen=json.dumps(dict(target.seen)),
                **values,
            )
        )

    def remove(self, name: str) -> bool:
        """Forgets a target; false when there is none of that name."""
        gone = delete(targets).where(targets.c.name == name).execution_options(preserve_rowcount=True)
        return self._connection.execute(gone).rowcount == 1

    def plan(self, name: str, before: datetime | None, after: datetime | None) -> bool:
        """Moves a target's next scan from one time to another; false when another daemon moved it first."""
        at = targets.c.next_at
        as_before = at.is_(None) if before is None else at == micros(before)
        moved = update(targets).where(targets.c.name == name, as_before).values(next_at=maybe_micros(after))
        return self._connection.execute(moved.execution_options(preserve_rowcount=True)).rowcount == 1

    def due(self, now: datetime) -> Sequence[Target]:
        """Targets whose next scan is due."""
        wanted = select(targets).where(targets.c.next_at <= micros(now)).order_by(targets.c.next_at)
        return [_target(row) for row in self._connection.execute(wanted)]

    def scanned(self, name: str, at: datetime, error: str) -> None:
        """Notes that a target was looked at as a whole, and what could not be done."""
        self._connection.execute(
            update(targets).where(targets.c.name == name).values(last_at=micros(at), last_error=error)
        )

    def saw(self, name: str, seen: Mapping[str, Any]) -> None:
        """Notes what has been looked at."""
        text = json.dumps(dict(seen))
        self._connection.execute(update(targets).where(targets.c.name == name).values(seen=text))


def _target(row: Row[Any]) -> Target:
    return Target(
        name=row.name,
        kind=TargetKind(row.kind),
        place=row.place,
        added_at=moment(row.added_at),
        node=row.node,
        settings=json.loads(row.settings),
        origin=row.origin,
        added_by=row.added_by,
        next_at=maybe_moment(row.next_at),
        last_at=maybe_moment(row.last_at),
        last_error=row.last_error,
        seen=json.loads(row.seen),
    )
