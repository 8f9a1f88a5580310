"""The Provider protocol: everything keyfuse knows of one vendor's API, and the closed set of answers it may give.

A provider answers with values. It raises `ProviderError` only when it cannot even ask (no settings). A network
failure is `Unknown` or `Uncertain`, never "dead" and never "not found".

The rules that every implementation obeys, and that the contract suite checks:

- `disable` never deletes. Where there is no disable the answer is `Unsupported`.
- A change is sent at most once per call. After a time-out the answer is `Uncertain`; the caller reads the state next.
- `prove` reads the provider's record back, or tries the key until it is refused. "No such key" proves death only when
  the caller is able to see the key were it alive.
- No secret goes into a URL, a log, an exception, or an answer's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from responders.registry import KeyState, KnownKey, LeakAction
from scanner.model import Secret, TokenKind


@dataclass(frozen=True, slots=True)
class Leak:
    """What was found, as a provider sees it. `secret` is None after a restart when it was not sealed."""

    kind: TokenKind
    secret: Secret | None
    parts: Mapping[str, Secret] = field(default_factory=dict)


ITSELF = "self"
"""The id of a key that is known by its value alone, and acts on itself."""


@dataclass(frozen=True, slots=True)
class KeyRef:
    """Which key to act on at the provider: its id there, and what an API needs to name it (account, owner, …).

    `details` holds no secret. It is stored with the action, so that a restart acts on the same key.
    """

    provider: str
    id: str
    details: Mapping[str, str] = field(default_factory=dict)


# --- identify -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identified:
    """Exactly one key is meant. `state` is what the provider says of it now; `locked` only where it has locks.

    `action` is the leak action read fresh from the provider, where it keeps one; it wins over the registry's copy.
    `asked` is false where this is the registry's word alone: that says whose key it is, not whether it lives.
    """

    ref: KeyRef
    state: KeyState
    locked: bool = False
    action: LeakAction | None = None
    evidence: str = ""
    owners: tuple[str, ...] = ()
    asked: bool = True


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider knows no such key. `sees_all` says that the caller would have seen it if it were there.

    `works` says that the value opens something all the same: it is alive, but not a key that keyfuse could act on.
    """

    evidence: str
    sees_all: bool
    works: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several keys may be meant (a mask fits them all), so none is touched. `works`: the value was tried, and opens."""

    candidates: tuple[str, ...]
    reason: str
    works: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Could not tell, and why: unreachable, not authorised, an answer nobody understands.

    `works` says that the value was tried and opens something, though nobody can tell which key it is.
    """

    reason: str
    works: bool = False


Identity = Identified | NotFound | Ambiguous | Unknown


# --- act ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """The provider says that it is done. Still to be proven."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the request (a 202) and will do it some time. `look_again_after` seconds is its own word."""

    evidence: str
    look_again_after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will not do it. `locked` tells a lock from other reasons; `for_good` that asking again is no use.

    `again_after` is the provider's own word (`Retry-After`, in seconds) on when to ask again, where it is not for good.
    """

    reason: str
    locked: bool = False
    for_good: bool = True
    again_after: float | None = None


@dataclass(frozen=True, slots=True)
class Unsupported:
    """This provider cannot do that to a key of this kind."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request may or may not have taken effect (time-out, dropped connection, 5xx): read the state, then decide."""

    reason: str


Receipt = Done | Accepted | Refused | Unsupported | Uncertain


# --- prove ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dead:
    """Proven: the record was read back as disabled or gone, or the key was tried and refused.

    `outlives` names what still works (tokens minted from the key) and `until` when at the latest it ends.
    """

    evidence: str
    state: KeyState
    outlives: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alive:
    """The key still works, or its record still says active."""

    evidence: str


Proof = Dead | Alive | Unknown


# --- what a provider can do -----------------------------------------------------------------------------------------


class Lookup(StrEnum):
    """How a key is identified."""

    BY_VALUE_ADMIN = "by value, asked by an administrator"
    BY_VALUE_SELF = "by value, asked with the key itself"
    BY_ID = "by an id inside what leaked"
    BY_MASK = "by mask over a listing"
    NONE = "not possible"


class DisableKind(StrEnum):
    """What `disable` does at this provider."""

    NATIVE = "native"
    OWNER = "suspends the owner"
    EMULATED = "emulated by narrowing"
    NONE = "none"


class ProveKind(StrEnum):
    """How death is proven."""

    READ_BACK = "record read back"
    TRY_KEY = "key tried until refused"
    BOTH = "read back and tried"
    NONE = "not possible"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One row of `keyfuse providers list`."""

    lookup: Lookup
    disable: DisableKind
    reversible: bool
    delete: bool
    prove: ProveKind
    authoriser: str


class Provider(Protocol):
    """One vendor's API, or the embedded provider."""

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do at all; a single key may still be refused."""
        ...

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """Which key is this, and in what state is it? Changes nothing."""
        ...

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Switches the key off, reversibly. Never deletes."""
        ...

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Switches a disabled key on again."""
        ...

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Removes the key for ever."""
        ...

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Takes a lock off, where the provider has locks (only asked for with `unlock_leaked_keys = true`)."""
        ...

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Is it dead? `wanted` is DISABLED or DELETED; a deleted key satisfies a wish for disabled, not the reverse."""
        ...

    def needs_secret(self) -> bool:
        """Whether acting or proving needs the plaintext, which is then sealed in the pending action."""
        ...
