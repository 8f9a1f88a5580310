"""The API's users in the database."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from responders.errors import NoSuchRecord, Taken
from responders.store.schema import maybe_micros, maybe_moment, micros, moment, users
from responders.users import Role, User
from scanner.model import Fingerprint


class SqlUsers:
    """Users inside one transaction (see `responders.users.Users`)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, user: User) -> None:
        """Stores a new user. Raises Taken where the name or the identity is taken."""
        taken = self._fetch(select(users).where(or_(users.c.name == user.name, users.c.iam_id == user.iam_id)))
        for other in taken:
            what = f"name {user.name!r}" if other.name == user.name else f"identity {user.iam_id!r}"
            raise Taken(f"the {what} is taken, by user {other.name}; remove that one first, or choose another")
        self._connection.execute(
            insert(users).values(
                id=user.id,
                name=user.name,
                role=user.role.value,
                iam_id=user.iam_id,
                account_id=user.account_id,
                parent=user.parent,
                token=user.token,
                masked=user.masked,
                created_at=micros(user.created_at),
                created_by=user.created_by,
                expires_at=maybe_micros(user.expires_at),
                last_used_at=maybe_micros(user.last_used_at),
            )
        )

    def get(self, name: str) -> User:
        """The user with this name or id. Raises NoSuchRecord."""
        found = self._fetch(select(users).where(or_(users.c.name == name, users.c.id == name)))
        if not found:
            raise NoSuchRecord(f"there is no user {name!r}; `keyfuse users list` shows all")
        return next((user for user in found if user.name == name), found[0])

    def by_token(self, token: Fingerprint) -> User | None:
        """Whose token has this fingerprint."""
        found = self._fetch(select(users).where(users.c.token == token))
        return found[0] if found else None

    def list(self) -> Sequence[User]:
        """All users, in order of creation."""
        return self._fetch(select(users).order_by(users.c.seq))

    def below(self, iam_id: str) -> frozenset[str]:
        """The identities of everybody whom this one invited, and whom those invited, and so on."""
        if not iam_id:
            return frozenset()
        known = select(users.c.iam_id).where(users.c.parent == iam_id).cte("known", recursive=True)
        # UNION, not UNION ALL: a circle of users who invited each other comes to an end.
        known = known.union(select(users.c.iam_id).where(users.c.parent == known.c.iam_id))
        return frozenset(self._connection.execute(select(known.c.iam_id)).scalars()) - {iam_id}

    def remove(self, user: User) -> None:
        """Forgets a user; those whom it invited belong to its own parent from now on."""
        self._connection.execute(update(users).where(users.c.parent == user.iam_id).values(parent=user.parent))
        self._connection.execute(delete(users).where(users.c.id == user.id))

    def used(self, user_id: str, at: datetime) -> None:
        """Notes when a user's token was used."""
        self._connection.execute(update(users).where(users.c.id == user_id).values(last_used_at=micros(at)))

    def _fetch(self, query: Select[Any]) -> builtins.list[User]:
        return [_user(row) for row in self._connection.execute(query)]


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        iam_id=row.iam_id,
        token=Fingerprint(row.token),
        masked=row.masked,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        account_id=row.account_id,
        parent=row.parent,
        expires_at=maybe_moment(row.expires_at),
        last_used_at=maybe_moment(row.last_used_at),
    )
