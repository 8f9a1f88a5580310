"""Whose key is this, and what did its owner allow: the registry's records and what one may ask of it.

Field names and meanings are IBM Cloud's (IAM Identity API, API keys), and Yandex Cloud's where IBM has none. No
record holds a plaintext; a key's only identity here is its fingerprint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from scanner.model import Fingerprint, Shape


class LeakAction(StrEnum):
    """What the owner decided shall happen when the key leaks. IBM's default is `disable`."""

    NONE = "none"
    DISABLE = "disable"
    DELETE = "delete"


class IfUnsupported(StrEnum):
    """What to do where the provider has no way to do the leak action; `block` asks a person."""

    BLOCK = "block"
    NONE = "none"
    DELETE = "delete"
    SUSPEND_OWNER = "suspend-owner"


class KeyState(StrEnum):
    """A key's state. Expired is derived from `expires_at`; deleted is for ever."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    DELETED = "deleted"


class KeyKind(StrEnum):
    """The kinds of key that IBM Cloud and Yandex Cloud tell apart."""

    USER = "user"
    SERVICE_ID = "service-id"
    CLASSIC = "classic"
    SERVICE_SPECIFIC = "service-specific"
    API_KEY = "api-key"
    STATIC = "static"
    AUTHORIZED = "authorized"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a key's history."""

    timestamp: datetime
    who: str
    action: str
    params: Mapping[str, str] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A registry entry. All times are aware and in UTC.

    `fingerprint` is None for keys that a provider's listing told us of without their values; those are matched at
    leak time by the provider's own lookup, joined on `provider_key_id`. `masked` shows the last four characters.
    `state` is what was last known; `effective_state` also minds the clock. `replaces` and `replaced_by` are ids of
    records that a reissue links.
    """

    id: str
    name: str
    provider: str
    created_at: datetime
    modified_at: datetime
    entity_tag: str
    description: str = ""
    provider_key_id: str = ""
    kind: KeyKind = KeyKind.USER
    account_id: str = ""
    iam_id: str = ""
    owners: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    created_by: str = ""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    authn_count: int = 0
    locked: bool = False
    state: KeyState = KeyState.ACTIVE
    masked: str = "***"
    fingerprint: Fingerprint | None = None
    action_when_leaked: LeakAction = LeakAction.DISABLE
    if_unsupported: IfUnsupported = IfUnsupported.BLOCK
    leaked: bool = False
    history: tuple[Change, ...] = ()
    replaces: str = ""
    replaced_by: str = ""

    @property
    def disabled(self) -> bool:
        """IBM's flag: whether the key was switched off."""
        return self.state is KeyState.DISABLED

    def effective_state(self, now: datetime) -> KeyState:
        """The state at `now`: an active or disabled key past its `expires_at` is expired."""
        if self.state is not KeyState.DELETED and self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return self.state


EXPIRED = "expired"
"""What a key's history says once its time has run out."""


class View(StrEnum):
    """IBM's views on the list of keys."""

    ALL = "all"
    MINE = "mine"
    USERS = "users"
    SERVICE_IDS = "service-ids"
    CLASSIC = "classic"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most `limit` records after the one with id `after`."""

    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of many new records.

    `known` had a fingerprint that is stored (or came without one, under a provider's id that is). `completed` gave a
    record that a provider's listing had made its value. `clashing` are the ids of those given records that were not
    stored, because their provider's id is registered with another value.
    """

    new: int
    known: int
    completed: int
    clashing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """Which keys somebody may see (IBM Cloud, required access for managing API keys).

    `own` is the identity whose keys are one's own. `everybody` says that all keys of users and services are seen too,
    within `account_id` where that is named. Classic keys are seen of the identities in `classic_of`; None means all.
    """

    own: str
    everybody: bool = False
    account_id: str = ""
    classic_of: frozenset[str] | None = frozenset()

    def covers(self, key: KnownKey) -> bool:
        """Whether this key may be seen."""
        if self.account_id and key.account_id != self.account_id and key.iam_id != self.own:
            return False
        if key.kind is KeyKind.CLASSIC:
            return self.classic_of is None or key.iam_id in self.classic_of
        return self.everybody or (bool(self.own) and key.iam_id == self.own)


class SortBy(StrEnum):
    """What a list of keys may be sorted by, as at IBM."""

    CREATED_AT = "created_at"
    NAME = "name"
    DESCRIPTION = "description"
    CREATED_BY = "created_by"


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """One page of the keys that are not deleted and meet every condition that is named.

    `contains` is text within the name, whatever its case. `after` and `before` are ids of keys: the page begins after
    the one, or ends before the other.
    """

    sight: Sight
    iam_id: str | None = None
    account_id: str | None = None
    kinds: frozenset[KeyKind] | None = None
    leaked: bool | None = None
    contains: str = ""
    sort: SortBy = SortBy.CREATED_AT
    descending: bool = False
    limit: int = 20
    after: str | None = None
    before: str | None = None


class KeyRegistry(Protocol):
    """What one may ask of the registry inside one transaction (see `records`)."""

    def lookup(self, fingerprints: Collection[Fingerprint]) -> dict[Fingerprint, KnownKey]:
        """The known keys among these; absence is an answer too. Deleted keys are known as well."""
        ...

    def get(self, key_id: str) -> KnownKey:
        """The record with this id, or the one that alone has this name. Raises NoSuchRecord; UsageError if several."""
        ...

    def by_provider_id(self, provider: str, provider_key_id: str) -> KnownKey | None:
        """The record that a provider's own id names."""
        ...

    def list(self, view: View, *, iam_id: str = "", leaked: bool | None = None, page: Page = ...) -> Sequence[KnownKey]:
        """One page, in order of creation. `iam_id` narrows `mine`; deleted keys are left out unless leaked is true."""
        ...

    def search(self, query: KeyQuery) -> Sequence[KnownKey]:
        """One page of what is asked for. Raises NoSuchRecord when the page's edge is no key."""
        ...

    def all(self) -> Iterator[KnownKey]:
        """Every record, in order of creation, a page at a time."""
        ...

    def add(self, key: KnownKey, shape: Shape | None) -> None:
        """Stores a new record and counts its shape. Raises UsageError when the fingerprint or provider id is taken."""
        ...

    def add_many(self, keys: Sequence[tuple[KnownKey, Shape | None]]) -> Added:
        """Stores records in bulk, passing over those that are known already; says what became of them."""
        ...

    def put(self, key: KnownKey, change: Change, *, if_tag: str | None = None) -> KnownKey:
        """Stores a changed record with a new entity tag and history entry and returns it.

        `if_tag` (None: whatever it is) must be the tag that is stored, else StaleRecord. The caller minds locks.
        """
        ...

    def shapes(self) -> tuple[Shape, ...]:
        """The distinct shapes of all keys that have a fingerprint and are not deleted."""
        ...

    def scopes(self) -> tuple[str, ...]:
        """Every scope that some key has which is not deleted, sorted."""
        ...

    def expired(self, now: datetime, limit: int = 1000) -> Sequence[KnownKey]:
        """Keys whose time has run out, and whose history does not say so yet."""
        ...

    def used(self, key_id: str, at: datetime) -> None:
        """Counts one use of a key; neither its entity tag nor its history changes."""
        ...

    def count(self, *, iam_id: str | None = None, kind: KeyKind | None = None) -> int:
        """How many keys are not deleted: all of them, or one identity's, or those of one kind."""
        ...
