"""What a provider can do with keys beside answering leaks: list them, change their records, replace them.

Each is a protocol of its own, and a provider has those that its API allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from responders.provider import KeyRef, Receipt, Refused, Unsupported
from responders.registrar import Amendment
from responders.registry import KeyKind, KeyState, KnownKey, LeakAction
from scanner.model import Secret


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as its provider lists it. `value` only where the listing shows it: it is fingerprinted and forgotten.

    `action` and `locked` None: the provider keeps no leak action, or has no locks. `named`: the name is the provider's
    own, not one that was made up here.
    """

    provider_key_id: str
    name: str
    kind: KeyKind
    state: KeyState
    description: str = ""
    account_id: str = ""
    iam_id: str = ""
    owners: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    created_at: datetime | None = None
    created_by: str = ""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    locked: bool | None = None
    masked: str = ""
    action: LeakAction | None = None
    value: Secret | None = None
    named: bool = True


@dataclass(frozen=True, slots=True)
class NotListed:
    """A part of the listing that could not be read, and why: nothing follows from a key's absence then."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All keys of these kinds in this account were listed: one that the registry knows and that was not is gone."""

    kinds: frozenset[KeyKind]
    account_id: str


@runtime_checkable
class Lists(Protocol):
    """A provider that lists the keys of an account."""

    def listing(self) -> Iterator[Listed | NotListed | Whole]:
        """Every key that keyfuse may see. Raises ProviderError where it cannot even ask."""
        ...


@runtime_checkable
class Amends(Protocol):
    """A provider that keeps records which can be changed."""

    def amend(self, ref: KeyRef, amendment: Amendment, *, idempotency_key: str) -> Receipt:
        """Changes what of the amendment the provider keeps; Unsupported where it keeps nothing of it."""
        ...


@dataclass(frozen=True, slots=True)
class Replacement:
    """A new key in an old one's place. `old_ends_at` None: the old one lives on until somebody deletes it.

    `note` says what is left to do, where something is.
    """

    key: Listed
    secret: Secret
    old_ends_at: datetime | None = None
    note: str = ""


@runtime_checkable
class Replaces(Protocol):
    """A provider that can make a new key like an old one."""

    def successor(self, key: KnownKey, expires_at: datetime | None) -> Replacement | Refused | Unsupported:
        """Makes a new key with the old one's owner, name, scopes and leak action. The old one is not touched.

        A change that may or may not have been made is `Refused`, and its reason says how to find out.
        """
        ...

    def end_at(self, ref: KeyRef, moment: datetime, *, idempotency_key: str) -> Receipt:
        """Lets a key expire at that moment; Unsupported where keys of its kind have no expiry."""
        ...
