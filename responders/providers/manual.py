"""The stand-ins for vendors that keyfuse cannot talk to: they say so, and change nothing."""

from __future__ import annotations

from responders.errors import ProviderError
from responders.provider import (
    Capabilities,
    DisableKind,
    Identified,
    Identity,
    KeyRef,
    Leak,
    Lookup,
    Proof,
    ProveKind,
    Receipt,
    Unknown,
    Unsupported,
)
from responders.registry import KeyState, KnownKey

CAPABILITIES = Capabilities(
    lookup=Lookup.NONE,
    disable=DisableKind.NONE,
    reversible=False,
    delete=False,
    prove=ProveKind.NONE,
    authoriser="a person, at the provider's own console",
)


class ManualProvider:
    """A provider known by name only; whatever is to be done there is done by a person."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """None."""
        return CAPABILITIES

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """The registry's record, where there is one: nobody else can be asked."""
        if known is None or known.provider != self._name:
            return Unknown(f"keyfuse cannot ask {self._name}, and the registry does not know the key")
        ref = KeyRef(self._name, known.provider_key_id or known.id)
        return Identified(
            ref, known.state, locked=known.locked, evidence="the registry's record", owners=known.owners, asked=False
        )

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Not from here."""
        return self._unsupported("disable")

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Not from here."""
        return self._unsupported("enable")

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Not from here."""
        return self._unsupported("delete")

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Not from here."""
        return self._unsupported("unlock")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Nobody can tell from here."""
        return Unknown(f"keyfuse cannot ask {self._name} whether the key still works")

    def needs_secret(self) -> bool:
        """There is nothing to do with it."""
        return False

    def _unsupported(self, verb: str) -> Receipt:
        return Unsupported(f"keyfuse cannot {verb} keys of {self._name}; do it in the provider's own console")


class UnusableProvider:
    """A provider that cannot be made for want of a setting or a package: says which, whatever it is asked."""

    def __init__(self, name: str, capabilities: Capabilities, reason: str) -> None:
        self._name = name
        self._capabilities = capabilities
        self._reason = reason

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """What it could do."""
        return self._capabilities

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """Raises ProviderError."""
        raise ProviderError(self._reason)

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Raises ProviderError."""
        raise ProviderError(self._reason)

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Raises ProviderError."""
        raise ProviderError(self._reason)

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Raises ProviderError."""
        raise ProviderError(self._reason)

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Raises ProviderError."""
        raise ProviderError(self._reason)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Raises ProviderError."""
        raise ProviderError(self._reason)

    def needs_secret(self) -> bool:
        """There is nothing to do with it."""
        return False
