"""The key registry in the database."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, insert, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from responders.errors import IllegalMove, NoSuchRecord, StaleRecord, Taken
from responders.registry import EXPIRED, Added, Change, KeyKind, KeyQuery, KeyState, KnownKey, Page, View
from responders.store.bulk import CHUNK, add_in_bulk, chunks
from responders.store.keyrows import change_of, change_row, key_of, key_row
from responders.store.keysearch import find
from responders.store.schema import history, keys, micros, registry_state
from responders.store.shapes import ShapeCounts
from scanner.errors import UsageError
from scanner.model import Fingerprint, Shape

_PAGE = 1000
_OF_SERVICES = (KeyKind.SERVICE_ID, KeyKind.SERVICE_SPECIFIC, KeyKind.API_KEY, KeyKind.STATIC, KeyKind.AUTHORIZED)


class SqlKeys:
    """The registry inside one transaction (see `responders.registry.KeyRegistry`)."""

    def __init__(self, connection: Connection, counts: ShapeCounts, new_token: Callable[[], str]) -> None:
        self._connection = connection
        self._counts = counts
        self._new_token = new_token
        self._insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert

    def lookup(self, fingerprints: Collection[Fingerprint]) -> dict[Fingerprint, KnownKey]:
        """The known keys among these, deleted ones too."""
        wanted = sorted(set(fingerprints))
        found: dict[Fingerprint, KnownKey] = {}
        for start in range(0, len(wanted), CHUNK):
            rows = select(keys).where(keys.c.fingerprint.in_(wanted[start : start + CHUNK]))
            found |= {key.fingerprint: key for key in self._fetch(rows) if key.fingerprint is not None}
        return found

    def get(self, key_id: str) -> KnownKey:
        """The record with this id, or the one that alone has this name; a deleted or replaced one if no other has."""
        found = self._fetch(select(keys).where(keys.c.id == key_id))
        if not found:
            named = self._fetch(select(keys).where(keys.c.name == key_id).order_by(keys.c.seq).limit(100))
            living = [key for key in named if key.state is not KeyState.DELETED] or named
            found = [key for key in living if not key.replaced_by] or living
        match found:
            case [key]:
                return key
            case []:
                raise NoSuchRecord(f"no key has the id or name {key_id!r}; `keyfuse keys list` shows all")
            case _:
                ids = ", ".join(key.id for key in found[:5])
                raise UsageError(f"{len(found)} keys have the name {key_id!r}; name one by its id: {ids}")

    def by_provider_id(self, provider: str, provider_key_id: str) -> KnownKey | None:
        """The record that a provider's own id names."""
        if not provider_key_id:
            return None
        meant = (keys.c.provider == provider) & (keys.c.provider_key_id == provider_key_id)
        found = self._fetch(select(keys).where(meant))
        return found[0] if found else None

    def list(
        self,
        view: View,
        *,
        iam_id: str = "",
        leaked: bool | None = None,
        page: Page = Page(),  # noqa: B008 - frozen
    ) -> Sequence[KnownKey]:
        """One page, in order of creation. `iam_id` narrows `mine`; deleted keys are left out unless leaked is true."""
        query = select(keys).where(_in_view(view, iam_id))
        if leaked is not None:
            query = query.where(keys.c.leaked if leaked else ~keys.c.leaked)
        if not leaked:
            query = query.where(keys.c.state != KeyState.DELETED.value)
        if page.after is not None:
            query = query.where(keys.c.seq > self._seq(page.after))
        return self._fetch(query.order_by(keys.c.seq).limit(page.limit))

    def search(self, query: KeyQuery) -> Sequence[KnownKey]:
        """One page of what is asked for. Raises NoSuchRecord when the page's edge is no key."""
        return self._with_history(find(self._connection, query))

    def all(self) -> Iterator[KnownKey]:
        """Every record, in order of creation, a page at a time."""
        after = 0
        while True:
            rows = self._connection.execute(
                select(keys).where(keys.c.seq > after).order_by(keys.c.seq).limit(_PAGE)
            ).all()
            if not rows:
                return
            yield from self._with_history(rows)
            after = rows[-1].seq

    def add(self, key: KnownKey, shape: Shape | None) -> None:
        """Stores a new record and counts its shape. Raises UsageError when fingerprint, id or provider id is taken."""
        self._counts.lock()
        self._refuse_taken(key)
        row = key_row(key) | {"id": key.id, "shape_id": self._counts.place_all({shape: 1})[shape] if shape else None}
        self._connection.execute(insert(keys).values(row))
        self._write_history(key.id, key.history)

    def add_many(self, new: Sequence[tuple[KnownKey, Shape | None]]) -> Added:
        """Stores records in bulk; see `Added` for what becomes of those that are not new."""
        return add_in_bulk(self._connection, self._counts, new, self._new_token())

    def put(self, key: KnownKey, change: Change, *, if_tag: str | None = None) -> KnownKey:
        """Stores a changed record with a new entity tag and history entry and returns it."""
        stored = self._connection.execute(select(keys).where(keys.c.id == key.id).with_for_update()).first()
        if stored is None:
            raise NoSuchRecord(f"no key has the id {key.id!r}; `keyfuse keys list` shows all")
        if if_tag is not None and if_tag != stored.entity_tag:
            raise StaleRecord(f"key {key.id} was changed meanwhile (it is now {stored.entity_tag}); read it and repeat")
        if stored.state == KeyState.DELETED.value and key.state is not KeyState.DELETED:
            raise IllegalMove(f"key {key.id} is deleted, and that is for ever; create or reissue another")
        tag = f"{int(stored.entity_tag.partition('-')[0] or 0) + 1}-{self._new_token()}"
        row = key_row(key) | {"entity_tag": tag, "modified_at": micros(change.timestamp)}
        if key.state is KeyState.DELETED and stored.shape_id is not None:
            self._counts.forget(stored.shape_id)
            row["shape_id"] = None
        self._connection.execute(update(keys).where(keys.c.id == key.id).values(row))
        self._write_history(key.id, [change])
        return self.get(key.id)

    def expired(self, now: datetime, limit: int = 1000) -> Sequence[KnownKey]:
        """Keys whose time has run out, and whose history does not say so yet."""
        told = exists().where(
            history.c.key_id == keys.c.id, history.c.action == EXPIRED, history.c.timestamp >= keys.c.expires_at
        )
        over = (keys.c.expires_at <= micros(now)) & (keys.c.state != KeyState.DELETED.value) & ~told
        return self._fetch(select(keys).where(over).order_by(keys.c.seq).limit(limit))

    def used(self, key_id: str, at: datetime) -> None:
        """Counts one use of a key; neither its entity tag nor its history changes."""
        counted = update(keys).where(keys.c.id == key_id)
        self._connection.execute(counted.values(authn_count=keys.c.authn_count + 1, last_used_at=micros(at)))

    def scopes(self) -> tuple[str, ...]:
        """Every scope that some key has which is not deleted, sorted."""
        wanted = select(keys.c.scopes).where(keys.c.state != KeyState.DELETED.value, keys.c.scopes != "[]").distinct()
        return tuple(sorted({scope for row in self._connection.execute(wanted) for scope in json.loads(row.scopes)}))

    def shapes(self) -> tuple[Shape, ...]:
        """The distinct shapes of all keys that have a fingerprint and are not deleted."""
        return self._counts.stored()

    def shapes_token(self) -> str:
        """What `shapes.json` names when it is current."""
        return str(self._connection.execute(select(registry_state.c.shapes_token)).scalar_one())

    def count(self, *, iam_id: str | None = None, kind: KeyKind | None = None) -> int:
        """How many keys are not deleted: all of them, or one identity's, or those of one kind."""
        query = select(func.count()).select_from(keys).where(keys.c.state != KeyState.DELETED.value)
        if iam_id is not None:
            query = query.where(keys.c.iam_id == iam_id)
        if kind is not None:
            query = query.where(keys.c.kind == kind.value)
        return int(self._connection.execute(query).scalar_one())

    def _seq(self, key_id: str) -> int:
        found = self._connection.execute(select(keys.c.seq).where(keys.c.id == key_id)).scalar()
        if found is None:
            raise NoSuchRecord(f"no key has the id {key_id!r}, so no page begins after it")
        return int(found)

    def _refuse_taken(self, key: KnownKey) -> None:
        if key.fingerprint is not None and (other := self.lookup([key.fingerprint]).get(key.fingerprint)):
            raise Taken(f"this value is registered already, as key {other.id} ({other.name})")
        if other_one := self.by_provider_id(key.provider, key.provider_key_id):
            raise Taken(f"{key.provider} key {key.provider_key_id} is registered already, as {other_one.id}")
        if self._connection.execute(select(keys.c.id).where(keys.c.id == key.id)).first():
            raise Taken(f"a key with the id {key.id} is registered already")

    def _write_history(self, key_id: str, changes: Sequence[Change]) -> None:
        if changes:
            self._connection.execute(insert(history), [change_row(key_id, change) for change in changes])

    def _fetch(self, query: Select[Any]) -> builtins.list[KnownKey]:
        return self._with_history(self._connection.execute(query).all())

    def _with_history(self, rows: Sequence[Row[Any]]) -> builtins.list[KnownKey]:
        changes: dict[str, builtins.list[Change]] = {}
        for chunk in chunks([row.id for row in rows]):
            wanted = select(history).where(history.c.key_id.in_(chunk)).order_by(history.c.seq)
            for row in self._connection.execute(wanted):
                changes.setdefault(row.key_id, []).append(change_of(row))
        return [key_of(row, tuple(changes.get(row.id, ()))) for row in rows]


def _in_view(view: View, iam_id: str) -> ColumnElement[bool]:
    match view:
        case View.ALL:
            return true()
        case View.MINE:
            return keys.c.iam_id == iam_id
        case View.USERS:
            return keys.c.kind == KeyKind.USER.value
        case View.SERVICE_IDS:
            return keys.c.kind.in_([kind.value for kind in _OF_SERVICES])
        case View.CLASSIC:
            return keys.c.kind == KeyKind.CLASSIC.value
