"""What the provider suite needs from each provider under test: a world of keys in which things can be looked up.

A new provider joins the suite with one Harness: a fake on loopback (or, for the embedded provider, the registry)
that can be put into every state, and that counts what was changed. Vendors' harnesses begin with
`tests.contract.vendor`, and their modules are named in `WORLDS` of `provider_worlds`.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from responders.provider import Capabilities, Leak, Provider
from responders.registry import KeyState, KnownKey


class Before(Enum):
    """What the leaked key is before anything is done."""

    ACTIVE = "active"
    DISABLED = "disabled"
    LOCKED = "locked"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    SOMEONE_ELSES = "someone else's"


class Harness(Protocol):
    """One provider, and the other side of it."""

    @property
    def provider(self) -> Provider:
        """The provider under test."""
        ...

    @property
    def able(self) -> Capabilities:
        """What can be done with the keys of this harness: the provider's own word, or that for one sort of key."""
        ...

    def can_be(self, before: Before) -> bool:
        """Whether this provider has that state at all (locks, disabled keys)."""
        ...

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        """Puts a key into that state; what leaks of it, and what the registry knows of it."""
        ...

    def state(self, leak: Leak) -> KeyState | None:
        """What became of the leaked key, seen from the other side; None when there is no such key."""
        ...

    def works(self, leak: Leak) -> bool:
        """Whether the leaked value still opens anything."""
        ...

    def changes(self) -> int:
        """How many changes the other side has made for the provider so far."""
        ...

    def enable_again(self, leak: Leak) -> None:
        """A person switches the key on again, at the provider's own console."""
        ...
