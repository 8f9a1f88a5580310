"""Incidents, their sightings and their actions in the database."""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from responders.errors import NoSuchRecord
from responders.incident import Action, ActionKind, ActionState, Incident, IncidentState, Sighting
from responders.registry import Sight
from responders.store.keysearch import within
from responders.store.schema import (
    actions,
    incidents,
    keys,
    maybe_micros,
    maybe_moment,
    micros,
    moment,
    sightings,
)
from scanner.errors import UsageError
from scanner.model import Fingerprint, Severity

SHOWN_SIGHTINGS = 1000
"""How many sightings a single incident is loaded with, the first ones; `sighting_count` counts all."""
LISTED_SIGHTINGS = 10
"""How many each incident of a list is loaded with."""


class SqlIncidents:
    """Incidents inside one transaction (see `responders.incident.Incidents`)."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock
        self._insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert

    def by_fingerprint(self, fingerprint: Fingerprint) -> Incident | None:
        """The incident of this secret, if there is one."""
        found = self._fetch([incidents.c.fingerprint == fingerprint], 1, SHOWN_SIGHTINGS)
        return found[0] if found else None

    def get(self, incident_id: str) -> Incident:
        """The incident with this id or unambiguous start of an id. Raises NoSuchRecord; UsageError if several."""
        found = self._fetch([incidents.c.id == incident_id], 1, SHOWN_SIGHTINGS)
        if not found and incident_id:
            found = self._fetch([incidents.c.id.startswith(incident_id, autoescape=True)], 2, SHOWN_SIGHTINGS)
        match found:
            case [incident]:
                return incident
            case []:
                raise NoSuchRecord(f"there is no incident {incident_id!r}; `keyfuse leaks list` shows all")
            case _:
                raise UsageError(f"several incidents begin with {incident_id!r}; write more of the id")

    def counts(self) -> Mapping[IncidentState, int]:
        """How many incidents there are in each state; states without any are left out."""
        counted = select(incidents.c.state, func.count()).group_by(incidents.c.state)
        return {IncidentState(state): int(count) for state, count in self._connection.execute(counted)}

    def list(self, *, states: Sequence[IncidentState] = (), limit: int = 1000) -> Sequence[Incident]:
        """Incidents, newest first, in these states, each with its first sightings."""
        wanted = [incidents.c.state.in_([state.value for state in states])] if states else []
        return self._fetch(wanted, limit, LISTED_SIGHTINGS)

    def search(
        self,
        sight: Sight,
        *,
        unregistered: bool = False,
        states: Sequence[IncidentState] = (),
        key_id: str = "",
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[Incident]:
        """One page, newest first, of the incidents whose key is seen, or that nobody registered."""
        seen: ColumnElement[bool] = incidents.c.key_id.in_(select(keys.c.id).where(within(sight)))
        wanted = [or_(seen, incidents.c.key_id.is_(None)) if unregistered else seen]
        if states:
            wanted.append(incidents.c.state.in_([state.value for state in states]))
        if key_id:
            wanted.append(incidents.c.key_id == key_id)
        if after is not None:
            order = (incidents.c.opened_at, incidents.c.seq)
            edge = self._connection.execute(select(*order).where(incidents.c.id == after)).first()
            if edge is None:
                raise NoSuchRecord(f"there is no incident {after!r}, so no page begins after it")
            wanted.append(tuple_(*order) < tuple_(*edge))
        return self._fetch(wanted, limit, LISTED_SIGHTINGS)

    def add(self, incident: Incident) -> None:
        """Stores a new incident, without its sightings."""
        self._connection.execute(
            insert(incidents).values(_incident_row(incident) | {"id": incident.id, "sighting_count": 0})
        )

    def put(self, incident: Incident) -> None:
        """Stores a changed incident, without its sightings."""
        changed = update(incidents).where(incidents.c.id == incident.id).values(_incident_row(incident))
        if self._connection.execute(changed).rowcount != 1:
            raise NoSuchRecord(f"there is no incident {incident.id!r}")

    def see(self, incident_id: str, sighting: Sighting) -> bool:
        """Joins a sighting to an incident; false if this very place was known already."""
        added = self._connection.execute(
            self._insert(sightings)
            .values(
                incident_id=incident_id,
                digest=_digest(sighting),
                where=sighting.where,
                place=sighting.place,
                repository=sighting.repository,
                commit=sighting.commit,
                author=sighting.author,
                date=sighting.date,
                line=sighting.line,
                seen_at=maybe_micros(sighting.seen_at),
                source=sighting.source,
            )
            .on_conflict_do_nothing()
            .inline()
            .execution_options(preserve_rowcount=True)
        )
        if added.rowcount != 1:
            return False
        counted = update(incidents).where(incidents.c.id == incident_id)
        self._connection.execute(counted.values(sighting_count=incidents.c.sighting_count + 1))
        return True

    def actions(self, incident_id: str) -> Sequence[Action]:
        """The actions of an incident, oldest first."""
        rows = select(actions).where(actions.c.incident_id == incident_id).order_by(actions.c.seq)
        return [_action(row) for row in self._connection.execute(rows)]

    def pending(self) -> Sequence[Action]:
        """Every action that has not ended, oldest first."""
        rows = select(actions).where(actions.c.state != ActionState.ENDED.value).order_by(actions.c.seq)
        return [_action(row) for row in self._connection.execute(rows)]

    def put_action(self, action: Action) -> None:
        """Stores an action, new or changed; one that has ended keeps no sealed secret."""
        row = _action_row(action)
        known = select(actions.c.sent_at).where(actions.c.id == action.id)
        before = self._connection.execute(known).first()
        sent_before = before.sent_at if before is not None else None
        is_sent = action.kind is not ActionKind.NONE and action.state in (ActionState.SENT, ActionState.PROVING)
        row["sent_at"] = sent_before or (micros(self._clock()) if is_sent else None)
        if before is None:
            self._connection.execute(insert(actions).values(row))
        else:
            self._connection.execute(update(actions).where(actions.c.id == action.id).values(row))

    def changes_since(self, moment: datetime) -> int:
        """How many changes were sent to providers since then: actions that were at least once `sent` or `proving`."""
        counted = select(func.count()).select_from(actions).where(actions.c.sent_at >= micros(moment))
        return int(self._connection.execute(counted).scalar_one())

    def _fetch(self, where: Iterable[ColumnElement[bool]], limit: int, seen: int) -> builtins.list[Incident]:
        query = select(incidents).where(*where).order_by(incidents.c.opened_at.desc(), incidents.c.seq.desc())
        rows = self._connection.execute(query.limit(limit)).all()
        places = self._sightings([row.id for row in rows], seen)
        return [_incident(row, tuple(places.get(row.id, ()))) for row in rows]

    def _sightings(self, ids: Sequence[str], most: int) -> dict[str, builtins.list[Sighting]]:
        if len(ids) == 1:  # a response asks for one incident again and again: ranking would cost most of the asking
            own = select(sightings).where(sightings.c.incident_id == ids[0]).order_by(sightings.c.seq).limit(most)
            return {ids[0]: [_sighting(row) for row in self._connection.execute(own)]}
        rank = func.row_number().over(partition_by=sightings.c.incident_id, order_by=sightings.c.seq).label("rank")
        found: dict[str, builtins.list[Sighting]] = {}
        for start in range(0, len(ids), 500):
            ranked = select(sightings, rank).where(sightings.c.incident_id.in_(ids[start : start + 500])).subquery()
            wanted = select(ranked).where(ranked.c.rank <= most).order_by(ranked.c.seq)
            for row in self._connection.execute(wanted):
                found.setdefault(row.incident_id, []).append(_sighting(row))
        return found


def _digest(sighting: Sighting) -> str:
    """What makes two sightings the same place: not who reported it, or when."""
    place = [sighting.where, sighting.place, sighting.repository, sighting.commit, sighting.line]
    return hashlib.sha256(json.dumps(place).encode()).hexdigest()


def _incident_row(incident: Incident) -> dict[str, object]:
    return {
        "fingerprint": incident.fingerprint,
        "state": incident.state.value,
        "rule": incident.rule,
        "kind_name": incident.kind_name,
        "provider": incident.provider,
        "severity": int(incident.severity),
        "masked": incident.masked,
        "opened_at": micros(incident.opened_at),
        "changed_at": micros(incident.changed_at),
        "key_id": incident.key_id,
        "reason": incident.reason,
        "evidence": incident.evidence,
        "outlives": incident.outlives,
        "outlives_until": maybe_micros(incident.outlives_until),
        "dismissed_until": maybe_micros(incident.dismissed_until),
        "approved": incident.approved,
    }


def _incident(row: Row[Any], places: tuple[Sighting, ...]) -> Incident:
    return Incident(
        id=row.id,
        fingerprint=Fingerprint(row.fingerprint),
        state=IncidentState(row.state),
        rule=row.rule,
        kind_name=row.kind_name,
        provider=row.provider,
        severity=Severity(row.severity),
        masked=row.masked,
        opened_at=moment(row.opened_at),
        changed_at=moment(row.changed_at),
        key_id=row.key_id,
        reason=row.reason,
        evidence=row.evidence,
        outlives=row.outlives,
        outlives_until=maybe_moment(row.outlives_until),
        dismissed_until=maybe_moment(row.dismissed_until),
        approved=row.approved,
        sightings=places,
        sighting_count=row.sighting_count,
    )


def _sighting(row: Row[Any]) -> Sighting:
    return Sighting(
        where=row.where,
        place=row.place,
        repository=row.repository,
        commit=row.commit,
        author=row.author,
        date=row.date,
        line=row.line,
        seen_at=maybe_moment(row.seen_at),
        source=row.source,
    )


def _action_row(action: Action) -> dict[str, object]:
    return {
        "id": action.id,
        "incident_id": action.incident_id,
        "kind": action.kind.value,
        "state": action.state.value,
        "idempotency_key": action.idempotency_key,
        "provider": action.provider,
        "created_at": micros(action.created_at),
        "ref_id": action.ref_id,
        "ref_details": json.dumps(dict(action.ref_details)),
        "outcome": action.outcome,
        "reason": action.reason,
        "attempts": action.attempts,
        "next_at": maybe_micros(action.next_at),
        "sealed": None if action.state is ActionState.ENDED else action.sealed,
    }


def _action(row: Row[Any]) -> Action:
    return Action(
        id=row.id,
        incident_id=row.incident_id,
        kind=ActionKind(row.kind),
        state=ActionState(row.state),
        idempotency_key=row.idempotency_key,
        provider=row.provider,
        created_at=moment(row.created_at),
        ref_id=row.ref_id,
        ref_details=json.loads(row.ref_details),
        outcome=row.outcome,
        reason=row.reason,
        attempts=row.attempts,
        next_at=maybe_moment(row.next_at),
        sealed=None if row.sealed is None else bytes(row.sealed),
    )
