"""The provider over its two parts: client secrets, and storage keys."""

from __future__ import annotations

from collections.abc import Sequence

from responders.about import Trial
from responders.provider import (
    Capabilities,
    Identity,
    KeyRef,
    Leak,
    Proof,
    Receipt,
    Unknown,
    Unsupported,
)
from responders.providers.asking import BEYOND, out_of_reach
from responders.providers.azure import ABOUT, NAME, SECRET_KINDS, STORAGE_KINDS
from responders.providers.azure.secrets import ClientSecrets
from responders.providers.azure.storage import StorageKeys
from responders.providers.once import Once
from responders.registry import KeyState, KnownKey


class AzureProvider:
    """Answers for Azure's keys (see `responders.provider.Provider`)."""

    def __init__(self, secrets: ClientSecrets, storage: StorageKeys) -> None:
        self._secrets = secrets
        self._storage = storage
        self._once = Once()

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return NAME

    @property
    def capabilities(self) -> Capabilities:
        """What can be done with one sort of key or the other."""
        return ABOUT.capabilities

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By the application beside the secret and the secret's beginning; or by value."""
        if leak.kind.id in STORAGE_KINDS or self._storage.is_one(leak, known):
            return self._storage.identify(leak, known)
        if leak.kind.id in SECRET_KINDS or self._secrets.is_one(leak, known):
            return self._secrets.identify(leak, known)
        return out_of_reach(NAME, known, f"keyfuse knows no way to end a {leak.kind.name} of Azure")

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Stops the owner, since a single secret or key cannot be: only asked for with `suspend-owner`."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        return self._once.do(idempotency_key, lambda: self._sort(ref).set_owner(ref, enabled=False))

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Lets the owner go on."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        return self._once.do(idempotency_key, lambda: self._sort(ref).set_owner(ref, enabled=True))

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Removes the secret, or regenerates the key."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        return self._once.do(idempotency_key, lambda: self._sort(ref).delete(ref, leak))

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Locks of Azure's keep resources, not keys."""
        return Unsupported("Azure has no locks on keys")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the record back."""
        if BEYOND in ref.details:
            return Unknown(ref.details[BEYOND])
        return self._sort(ref).prove(ref, leak, wanted)

    def trials(self) -> Sequence[Trial]:
        """Logs in as keyfuse's own application."""
        return [self._secrets.trial()]

    def needs_secret(self) -> bool:
        """Storage keys are compared by value, so that the wrong one is never regenerated."""
        return True

    def _sort(self, ref: KeyRef) -> ClientSecrets | StorageKeys:
        return self._storage if self._storage.has(ref) else self._secrets
