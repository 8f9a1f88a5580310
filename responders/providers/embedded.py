"""The embedded provider: keyfuse's own keys, over the same protocol as everybody else's.

It shares the registry with the responder, so that the whole loop runs on one machine with no account anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from responders.about import Ability, About
from responders.errors import IllegalMove, Locked, NoSuchRecord
from responders.issuer import PROVIDER, Invalid, Issuer, Valid
from responders.provider import (
    Alive,
    Capabilities,
    Dead,
    DisableKind,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    Lookup,
    NotFound,
    Proof,
    ProveKind,
    Receipt,
    Refused,
    Unknown,
)
from responders.registrar import By
from responders.registry import KeyState, KnownKey
from scanner.errors import UsageError

if TYPE_CHECKING:
    from responders.catalog import Desk

CAPABILITIES = Capabilities(
    lookup=Lookup.BY_VALUE_ADMIN,
    disable=DisableKind.NATIVE,
    reversible=True,
    delete=True,
    prove=ProveKind.BOTH,
    authoriser="none: it is part of keyfuse",
)

ABOUT = About(
    PROVIDER,
    "keyfuse's own keys",
    (Ability("keys that `keyfuse keys create` issued or took in", CAPABILITIES),),
    notes=("It shares the registry with the responder: no network, no credential, nothing to configure.",),
)


def make(desk: Desk) -> EmbeddedProvider:
    """The provider over the registry at hand."""
    around = desk.surroundings
    return EmbeddedProvider(Issuer(around.records, around.fingerprinter, around.clock, rules=around.rules))


class EmbeddedProvider:
    """Answers for the keys that `issuer` issues (see `responders.provider.Provider`)."""

    def __init__(self, issuer: Issuer, *, actor: str = "keyfuse-responder") -> None:
        self._issuer = issuer
        self._actor = actor

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return PROVIDER

    @property
    def capabilities(self) -> Capabilities:
        """It can do everything."""
        return CAPABILITIES

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By fingerprint, else by the record that the caller found already."""
        if leak.secret is not None:
            found = self._issuer.lookup(leak.secret)
            evidence = "the value's fingerprint is the record's"
        elif known is not None and known.provider == PROVIDER:
            found = self._issuer.get(known.id)
            evidence = "the registry's record"
        else:
            return Unknown("neither the value nor a record of it is at hand")
        if found is None:
            return NotFound("no key with this value was issued or registered here", sees_all=True)
        if found.provider != PROVIDER:
            return NotFound(f"the value is registered as a key of {found.provider}, not issued here", sees_all=True)
        return Identified(
            KeyRef(PROVIDER, found.id),
            found.effective_state(self._issuer.now()),
            locked=found.locked,
            action=found.action_when_leaked,
            evidence=evidence,
            owners=found.owners,
        )

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Switches the key off; a deleted one needs it no more."""
        try:
            if self._issuer.get(ref.id).state is KeyState.DELETED:
                return Done(f"key {ref.id} is deleted already")
        except NoSuchRecord as error:
            return Refused(str(error))
        return self._change(self._issuer.disable, ref, idempotency_key)

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Switches the key on again."""
        return self._change(self._issuer.enable, ref, idempotency_key)

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Ends the key for ever."""
        return self._change(self._issuer.delete, ref, idempotency_key)

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Takes the lock off."""
        return self._change(self._issuer.unlock, ref, idempotency_key)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the record back and, when the value is at hand, tries it without counting a use."""
        try:
            key = self._issuer.get(ref.id)
        except NoSuchRecord as error:
            return Unknown(str(error))
        state = key.effective_state(self._issuer.now())
        evidence = f"the record of {key.id} reads {state}"
        if state is KeyState.ACTIVE:
            return Alive(evidence)
        if wanted is KeyState.DELETED and state is not KeyState.DELETED:
            return Alive(f"{evidence}, not deleted")
        if leak.secret is None:
            return Dead(evidence, state)
        match self._issuer.verify(leak.secret, count=False):
            case Valid(key=other):
                return Alive(f"{evidence}, but the value still works, as key {other.id}")
            case Invalid(reason=reason):
                return Dead(f"{evidence}, and the value was tried and refused: {reason}", state)

    def needs_secret(self) -> bool:
        """The record alone is enough."""
        return False

    def _change(self, change: Callable[[str, By], KnownKey], ref: KeyRef, idempotency_key: str) -> Receipt:
        try:
            key = change(ref.id, By(self._actor, idempotency_key=idempotency_key))
        except Locked as error:
            return Refused(str(error), locked=True, for_good=False)
        except (IllegalMove, NoSuchRecord, UsageError) as error:
            return Refused(str(error))
        lock = ", locked" if key.locked else ""
        return Done(f"the record of {key.id} reads {key.state}{lock} (entity tag {key.entity_tag})")
