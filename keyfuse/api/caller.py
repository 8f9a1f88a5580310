"""Who asks, and what that user may see and do: the table of required access, for the roles there are.

Own keys need no right. All keys of users and services need the role `admin`. Classic keys are seen and deleted, and
nothing else, by those they belong to and by everybody above in the hierarchy of invitations; an administrator whom
nobody invited stands above all (IBM Cloud, required access for managing API keys). A `viewer` sees what a `member`
sees and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request

from keyfuse.api.problems import forbidden, not_found
from responders.incident import Incident
from responders.records import Transaction
from responders.registrar import By
from responders.registry import KeyKind, KnownKey, Sight
from responders.users import Role, User

PERSONAL = frozenset({KeyKind.USER, KeyKind.CLASSIC, KeyKind.OTHER})
"""Kinds of key that authenticate a person, who alone creates them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user; `below` are the identities that it invited, directly or not."""

    user: User
    below: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_admin(self) -> bool:
        """Whether all keys are within reach."""
        return self.user.role is Role.ADMIN

    @property
    def sight(self) -> Sight:
        """Which keys the caller may see."""
        everyone = self.is_admin and not self.user.parent
        return Sight(
            self.user.iam_id,
            everybody=self.is_admin,
            account_id=self.user.account_id if self.is_admin else "",
            classic_of=None if everyone else self.below | {self.user.iam_id},
        )

    def by(self, if_tag: str | None = None) -> By:
        """Who changes something, for the record."""
        return By(self.user.iam_id, if_tag=if_tag)

    def must(self, *roles: Role) -> None:
        """Raises Refusal unless the caller has one of these roles."""
        if self.user.role not in roles:
            raise forbidden(f"this needs the role {' or '.join(roles)}; yours is {self.user.role}")

    def must_change(self) -> None:
        """Raises Refusal for those who may only look."""
        self.must(Role.ADMIN, Role.MEMBER)

    def seen(self, key: KnownKey) -> KnownKey:
        """The key, if the caller may see it. Raises Refusal as if there were none."""
        if not self.sight.covers(key):
            raise not_found("key")
        return key

    def may_edit(self, key: KnownKey) -> KnownKey:
        """The key, if the caller may change it. Raises Refusal."""
        self.seen(key)
        self.must_change()
        if key.kind is KeyKind.CLASSIC:
            raise forbidden("classic keys can be viewed and deleted, not changed")
        return key

    def may_delete(self, key: KnownKey) -> KnownKey:
        """The key, if the caller may delete it. Raises Refusal."""
        self.seen(key)
        self.must_change()
        return key

    def may_create(self, iam_id: str, kind: KeyKind, account_id: str) -> None:
        """Raises Refusal unless the caller may create such a key."""
        self.must_change()
        if self.user.account_id and account_id != self.user.account_id:
            raise forbidden("you may create keys in your own account only")
        if iam_id == self.user.iam_id:
            return
        if kind in PERSONAL:
            raise forbidden("a key of a user is created by that user alone; use its own token")
        if not self.is_admin:
            raise forbidden("keys of services are created by administrators; yours is another role")

    @property
    def sees_unregistered(self) -> bool:
        """Whether leaks of keys that nobody registered are shown too."""
        return self.is_admin and not self.user.account_id

    def incident(self, tx: Transaction, incident_id: str) -> tuple[Incident, KnownKey | None]:
        """An incident and its key, if the caller may see it. Raises Refusal as if there were none."""
        found = tx.incidents.get(incident_id)
        known = tx.keys.get(found.key_id) if found.key_id else None
        seen = self.sees_unregistered if known is None else self.sight.covers(known)
        if found.id != incident_id or not seen:
            raise not_found("leak")
        return found, known


def caller_of(request: Request) -> Caller:
    """The caller that the gate let in."""
    caller: Caller = request.state.caller
    return caller
