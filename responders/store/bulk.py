"""Many new records at once: which of them are new, which are known, and which contradict what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from responders.registry import Added, Change, KnownKey
from responders.store.keyrows import change_row, key_row
from responders.store.schema import history, keys
from responders.store.shapes import ShapeCounts
from scanner.model import Shape

CHUNK = 500
New = Sequence[tuple[KnownKey, Shape | None]]


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values, so many at a time as one query takes."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


class _Holder(NamedTuple):
    """Who has a provider's id."""

    id: str
    fingerprint: str | None
    tag: str

    def next_tag(self, token: str) -> str:
        """The entity tag after one more change."""
        return f"{int(self.tag.partition('-')[0]) + 1}-{token}"


@dataclass(slots=True)
class _Sorted:
    """New records, by what is to be done with them."""

    fresh: list[tuple[KnownKey, Shape | None]] = field(default_factory=list)
    completing: list[tuple[_Holder, KnownKey, Shape | None]] = field(default_factory=list)
    clashing: list[str] = field(default_factory=list)
    known: int = 0


def add_in_bulk(connection: Connection, counts: ShapeCounts, new: New, tag: str) -> Added:
    """Stores what is new; gives records from a listing their value. `tag` is the random part of changed entity tags."""
    counts.lock()
    parts = _sort(connection, new)
    wanted = [shape for _, shape in parts.fresh] + [shape for _, _, shape in parts.completing]
    rows = counts.place_all(Counter(shape for shape in wanted if shape is not None)) if wanted else {}
    if parts.fresh:
        connection.execute(
            insert(keys),
            [key_row(key) | {"id": key.id, "shape_id": rows[shape] if shape else None} for key, shape in parts.fresh],
        )
    made = [change_row(key.id, change) for key, _ in parts.fresh for change in key.history]
    for holder, key, shape in parts.completing:
        connection.execute(
            update(keys)
            .where(keys.c.id == holder.id)
            .values(
                fingerprint=key.fingerprint,
                masked=key.masked,
                shape_id=rows[shape] if shape else None,
                entity_tag=holder.next_tag(tag),
            )
        )
        made.append(change_row(holder.id, Change(key.modified_at, key.created_by, "value registered")))
    if made:
        connection.execute(insert(history), made)
    return Added(len(parts.fresh), parts.known, len(parts.completing), tuple(parts.clashing))


def _sort(connection: Connection, new: New) -> _Sorted:
    prints = _stored_fingerprints(connection, new)
    holders = _stored_holders(connection, new)
    parts = _Sorted()
    for key, shape in new:
        name = (key.provider, key.provider_key_id)
        holder = holders.get(name) if key.provider_key_id else None
        if key.fingerprint in prints or (holder is not None and key.fingerprint is None):
            parts.known += 1
            continue
        if holder is None:
            parts.fresh.append((key, shape))
        elif holder.fingerprint is None:
            parts.completing.append((holder, key, shape))
        else:
            parts.clashing.append(key.id)
            continue
        if key.fingerprint is not None:
            prints.add(key.fingerprint)
        if key.provider_key_id:
            holders[name] = (holder or _Holder(key.id, None, key.entity_tag))._replace(fingerprint=key.fingerprint)
    return parts


def _stored_fingerprints(connection: Connection, new: New) -> set[str]:
    found: set[str] = set()
    for chunk in chunks([key.fingerprint for key, _ in new if key.fingerprint is not None]):
        rows = connection.execute(select(keys.c.fingerprint).where(keys.c.fingerprint.in_(chunk)))
        found.update(row.fingerprint for row in rows)
    return found


def _stored_holders(connection: Connection, new: New) -> dict[tuple[str, str], _Holder]:
    found: dict[tuple[str, str], _Holder] = {}
    providers = sorted({key.provider for key, _ in new})
    columns = (keys.c.provider, keys.c.provider_key_id, keys.c.id, keys.c.fingerprint, keys.c.entity_tag)
    for provider in providers:
        ids = [key.provider_key_id for key, _ in new if key.provider == provider and key.provider_key_id]
        for chunk in chunks(ids):
            wanted = select(*columns).where(keys.c.provider == provider, keys.c.provider_key_id.in_(chunk))
            for row in connection.execute(wanted):
                found[row.provider, row.provider_key_id] = _Holder(row.id, row.fingerprint, row.entity_tag)
    return found
