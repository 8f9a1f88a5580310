"""Which keys somebody may see, and a page of them, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, false, func, or_, select, true, tuple_

from responders.errors import NoSuchRecord
from responders.registry import KeyKind, KeyQuery, KeyState, Sight, SortBy
from responders.store.schema import keys

_COLUMNS = {
    SortBy.CREATED_AT: keys.c.created_at,
    SortBy.NAME: keys.c.name,
    SortBy.DESCRIPTION: keys.c.description,
    SortBy.CREATED_BY: keys.c.created_by,
}


def within(sight: Sight) -> ColumnElement[bool]:
    """What `Sight.covers` says of one key, for all rows."""
    mine = keys.c.iam_id == sight.own if sight.own else false()
    classic = true() if sight.classic_of is None else keys.c.iam_id.in_(sorted(sight.classic_of))
    is_classic = keys.c.kind == KeyKind.CLASSIC.value
    seen = or_(and_(is_classic, classic), and_(~is_classic, true() if sight.everybody else mine))
    if sight.account_id:
        return and_(seen, or_(keys.c.account_id == sight.account_id, keys.c.iam_id == sight.own))
    return seen


def find(connection: Connection, query: KeyQuery) -> Sequence[Row[Any]]:
    """The rows of one page, in the order that is asked for; equal ones in order of creation."""
    wanted = [keys.c.state != KeyState.DELETED.value, within(query.sight)]
    if query.iam_id is not None:
        wanted.append(keys.c.iam_id == query.iam_id)
    if query.account_id is not None:
        wanted.append(keys.c.account_id == query.account_id)
    if query.kinds is not None:
        wanted.append(keys.c.kind.in_(sorted(kind.value for kind in query.kinds)))
    if query.leaked is not None:
        wanted.append(keys.c.leaked if query.leaked else ~keys.c.leaked)
    if query.contains:
        wanted.append(func.lower(keys.c.name).contains(query.contains.lower(), autoescape=True))
    order = (_COLUMNS[query.sort], keys.c.seq)
    edge = query.after or query.before
    backwards = query.after is None and query.before is not None
    falling = query.descending != backwards
    if edge is not None:
        found = connection.execute(select(*order).where(keys.c.id == edge)).first()
        if found is None:
            raise NoSuchRecord(f"no key has the id {edge!r}, so no page begins or ends there")
        here, there = tuple_(*order), tuple_(*found)
        wanted.append(here < there if falling else here > there)
    sorted_by = [column.desc() if falling else column.asc() for column in order]
    rows = connection.execute(select(keys).where(*wanted).order_by(*sorted_by).limit(query.limit)).all()
    return rows[::-1] if backwards else rows
