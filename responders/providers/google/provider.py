"""The provider over its two parts: service accounts' keys, and API keys."""

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
from responders.providers.google import ABOUT, API_KINDS, FILE_KINDS, NAME
from responders.providers.google.api_keys import ApiKeys
from responders.providers.google.login import GoogleLogin
from responders.providers.google.service_accounts import ServiceAccountKeys
from responders.providers.once import Once
from responders.registry import KeyState, KnownKey


class GoogleProvider:
    """Answers for Google's keys (see `responders.provider.Provider`)."""

    def __init__(self, login: GoogleLogin, files: ServiceAccountKeys, api_keys: ApiKeys) -> None:
        self._login = login
        self._files = files
        self._api_keys = api_keys
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
        """By the id in the file, or by the value."""
        if leak.kind.id in FILE_KINDS or self._files.is_one(leak, known):
            return self._files.identify(leak, known)
        if leak.kind.id in API_KINDS or self._api_keys.is_one(leak, known):
            return self._api_keys.identify(leak, known)
        return out_of_reach(NAME, known, f"keyfuse knows no way to end a {leak.kind.name} of Google")

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Service accounts' keys can be; API keys cannot."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        if self._api_keys.has(ref):
            return Unsupported("Google cannot disable an API key, only delete it (and bring it back within 30 days)")
        return self._once.do(idempotency_key, lambda: self._files.change(ref, "disable"))

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Switches a service account's key on again."""
        if BEYOND in ref.details or self._api_keys.has(ref):
            return Unsupported("only keys of service accounts can be switched on again")
        return self._once.do(idempotency_key, lambda: self._files.change(ref, "enable"))

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Removes the key: a file's for ever, an API key for 30 days and then for ever."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        if self._api_keys.has(ref):
            return self._once.do(idempotency_key, lambda: self._api_keys.delete(ref))
        return self._once.do(idempotency_key, lambda: self._files.change(ref, "delete"))

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("Google has no locks on keys")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the key's record back."""
        if BEYOND in ref.details:
            return Unknown(ref.details[BEYOND])
        return self._api_keys.prove(ref) if self._api_keys.has(ref) else self._files.prove(ref, wanted)

    def trials(self) -> Sequence[Trial]:
        """Logs in as the service account."""
        return [self._login.trial()]

    def needs_secret(self) -> bool:
        """An API key is found by its value."""
        return True
