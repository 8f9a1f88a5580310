"""Who may use the API: users, their roles and their tokens, of which only a fingerprint is kept.

A user acts for one identity (`iam_id`), as IBM Cloud's users do: it is whom a user's own keys authenticate, and the
name under which all that the user does is written down. `parent` is the identity that invited the user; a user manages
the classic keys of everybody below (IBM Cloud, required access for managing API keys).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scanner.model import Fingerprint


class Role(StrEnum):
    """What a user may do. `docs/api.md` has the whole table."""

    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class User:
    """One user. `token` is the fingerprint of the token, `masked` its prefix and last four characters."""

    id: str
    name: str
    role: Role
    iam_id: str
    token: Fingerprint
    masked: str
    created_at: datetime
    created_by: str
    account_id: str = ""
    parent: str = ""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class Users(Protocol):
    """What is stored of users, inside one transaction (see `records`)."""

    def add(self, user: User) -> None:
        """Stores a new user. Raises Taken where the name or the identity is taken."""
        ...

    def get(self, name: str) -> User:
        """The user with this name or id. Raises NoSuchRecord."""
        ...

    def by_token(self, token: Fingerprint) -> User | None:
        """Whose token has this fingerprint."""
        ...

    def list(self) -> Sequence[User]:
        """All users, in order of creation."""
        ...

    def below(self, iam_id: str) -> frozenset[str]:
        """The identities of everybody whom this one invited, and whom those invited, and so on."""
        ...

    def remove(self, user: User) -> None:
        """Forgets a user; those whom it invited belong to its own parent from now on."""
        ...

    def used(self, user_id: str, at: datetime) -> None:
        """Notes when a user's token was used."""
        ...
