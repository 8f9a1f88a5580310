"""What is done to keys of other providers, by commands and over the API: there first, then in the registry."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from responders.catalog import Catalog
from responders.errors import Locked
from responders.issuer import PROVIDER
from responders.listing import Amends
from responders.provider import Accepted, DisableKind, Done, Identified, KeyRef, Leak, Provider, Receipt, Unsupported
from responders.registrar import Amendment, By, Registrar
from responders.registry import KeyState, KnownKey
from scanner.errors import CannotRun, UsageError
from scanner.model import REGISTERED, printable

Ask = Callable[[Provider, KeyRef, str], Receipt]


def known_there(provider: Provider, key: KnownKey) -> Identified:
    """What the provider says of this key now. Raises CannotRun when it does not know it, or could not be asked."""
    identity = provider.identify(Leak(REGISTERED, None), key)
    if isinstance(identity, Identified):
        return identity
    said = getattr(identity, "evidence", "") or getattr(identity, "reason", "")
    raise CannotRun(f"{printable(said)} (and note it here with --record-only, once it is done)")


def change(provider: Provider, key: KnownKey, ask: Ask) -> str:
    """Has the provider change this key; returns its evidence. Raises CannotRun when it did not take the change."""
    if not key.provider_key_id:
        raise CannotRun(
            f"nobody knows yet which key of {printable(key.provider)} {key.id} is there; do it there, and note it "
            "here with --record-only"
        )
    return _taken(ask(provider, known_there(provider, key).ref, secrets.token_hex(16)))


def amend(provider: Provider, key: KnownKey, amendment: Amendment) -> str:
    """Has the provider change its own record, where it keeps one of what is changed; returns its evidence."""
    if not isinstance(provider, Amends):
        return ""
    receipt = provider.amend(known_there(provider, key).ref, amendment, idempotency_key=secrets.token_hex(16))
    return "" if isinstance(receipt, Unsupported) else _taken(receipt)


def set_state(
    key: KnownKey, state: KeyState, by: By, *, registrar: Registrar, catalog: Callable[[], Catalog]
) -> KnownKey:
    """Brings a key into a state: at its provider, if that is not the embedded one, and in the registry.

    Raises Locked, IllegalMove, StaleRecord; UsageError where an owner would have to be suspended; CannotRun where the
    provider did not do it.
    """
    if key.provider != PROVIDER:
        mind_lock(key)
        provider = catalog().of(key.provider)
        if state is not KeyState.DELETED and provider.capabilities.disable is DisableKind.OWNER:
            raise UsageError(
                f"{key.provider} disables no single key: its service account would be suspended or reactivated, with "
                f"everything that works as it; if that is meant: keyfuse keys disable {key.id} --suspend-owner"
            )
        change(provider, key, lambda asked, ref, once: _ask(asked, ref, state, once))
    return registrar.set_state(key.id, state, by)


def mind_lock(key: KnownKey) -> None:
    """Raises Locked for a locked key, before anybody is asked to change it."""
    if key.locked:
        raise Locked(f"key {key.id} ({key.name}) is locked; unlock it first: keyfuse keys unlock {key.id}")


def _taken(receipt: Receipt) -> str:
    if not isinstance(receipt, Done | Accepted):
        raise CannotRun(f"{printable(receipt.reason)} (and note it here with --record-only, once it is done)")
    return receipt.evidence


def _ask(provider: Provider, ref: KeyRef, state: KeyState, once: str) -> Receipt:
    match state:
        case KeyState.ACTIVE:
            return provider.enable(ref, idempotency_key=once)
        case KeyState.DISABLED:
            return provider.disable(ref, Leak(REGISTERED, None), idempotency_key=once)
        case KeyState.DELETED:
            return provider.delete(ref, Leak(REGISTERED, None), idempotency_key=once)
        case KeyState.EXPIRED:
            raise UsageError("a key expires by its date; set that instead")
