"""What the `keyfuse keys` commands ask of other providers: changes of a key, and a new key in an old one's place."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import click

from keyfuse import keychange
from keyfuse.cli.keys_output import Delivery
from keyfuse.keychange import Ask, known_there
from keyfuse.session import Session
from responders.auditlog import Entry
from responders.enrolment import Defaults
from responders.issuer import Issued
from responders.listing import Replacement, Replaces
from responders.provider import Accepted, DisableKind, Done, KeyRef, Leak, Provider
from responders.registrar import Amendment, By, Registrar
from responders.registry import KeyState, KnownKey
from responders.shapes import derive
from responders.sync import Sync
from scanner.errors import CannotRun, UsageError
from scanner.model import REGISTERED, printable


def provider_of(session: Session, key: KnownKey) -> Provider:
    """Whoever issued the key."""
    return session.catalog().of(key.provider)


def change(session: Session, key: KnownKey, ask: Ask) -> None:
    """Has the provider change this key. Raises CannotRun with its reason when it did not take the change."""
    click.echo(printable(keychange.change(provider_of(session, key), key, ask)), err=True)


def mind_owner(session: Session, key: KnownKey, *, suspend_owner: bool) -> None:
    """Where a key cannot be disabled alone, its owner is suspended only if the person says so. Raises UsageError."""
    if not suspend_owner and provider_of(session, key).capabilities.disable is DisableKind.OWNER:
        raise UsageError(
            f"{key.provider} disables no single key: its service account would be suspended or reactivated, with "
            "everything that works as it; say --suspend-owner if that is meant, or delete the key"
        )


def amend(session: Session, key: KnownKey, amendment: Amendment) -> None:
    """Has the provider change its own record first, where it keeps one of what is changed."""
    if evidence := keychange.amend(provider_of(session, key), key, amendment):
        click.echo(printable(evidence), err=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a key is to be replaced."""

    overlap: timedelta
    expires_at: datetime | None
    by: By


def replace_key(session: Session, old: KnownKey, wanted: Wanted, delivery: Delivery) -> None:
    """Has the provider make a new key, hands its value over, and lets the old one end when the overlap is over.

    The value is handed over before anything else, since nobody can ask for it again.
    """
    provider = provider_of(session, old)
    if not isinstance(provider, Replaces):
        raise UsageError(f"key {old.id} ({old.name}) was issued by {old.provider}, not here; reissue it there")
    if old.locked:
        raise UsageError(f"key {old.id} ({old.name}) is locked; unlock it first: keyfuse keys unlock {old.id}")
    there = known_there(provider, old)
    if there.locked:
        raise UsageError(f"key {old.id} ({old.name}) is locked at {old.provider}; unlock it there first")
    now = session.clock()
    lifetime = None if old.expires_at is None else now + (old.expires_at - old.created_at)
    made = provider.successor(old, wanted.expires_at or lifetime)
    if not isinstance(made, Replacement):
        raise CannotRun(printable(made.reason))
    new = _record(session, provider, old, made, wanted.by)
    delivery.hand_over(Issued(new, made.secret), now)
    with session.records().begin() as tx:
        tx.keys.add(new, derive(made.secret.reveal()))
        details = {"name": new.name, "provider": new.provider, "replaces": old.id}
        tx.audit.append(Entry(wanted.by.actor, "key.create", f"key:{new.id}", details))
        Registrar(session.records(), session.clock).edit_in(
            tx, old.id, "replaced", lambda key: replace(key, replaced_by=new.id), wanted.by
        )
    if made.note:
        click.echo(printable(made.note), err=True)
    _end(session, provider, there.ref, old, wanted)


def _record(session: Session, provider: Provider, old: KnownKey, made: Replacement, by: By) -> KnownKey:
    defaults = Defaults(provider=old.provider)
    sync = Sync(session.records(), session.fingerprinter(), session.clock, provider, defaults, actor=by.actor)
    return replace(
        sync.new_key(replace(made.key, value=made.secret)),
        name=old.name,
        owners=old.owners,
        account_id=made.key.account_id or old.account_id,
        action_when_leaked=made.key.action or old.action_when_leaked,
        if_unsupported=old.if_unsupported,
        replaces=old.id,
    )


def _end(session: Session, provider: Provider, ref: KeyRef, old: KnownKey, wanted: Wanted) -> None:
    """The old key's end, at the provider: at once, or by its expiry."""
    by_hand = f"delete it once everybody has the new one: keyfuse keys delete {old.id}"
    if not isinstance(provider, Replaces):
        return
    ends = session.clock() + wanted.overlap
    once = secrets.token_hex(16)
    if wanted.overlap:
        receipt = provider.end_at(ref, ends, idempotency_key=once)
    else:
        receipt = provider.delete(ref, Leak(REGISTERED, None), idempotency_key=once)
    if not isinstance(receipt, Done | Accepted):
        click.echo(f"{old.id} is replaced and lives on ({printable(receipt.reason)}); {by_hand}", err=True)
        return
    registrar = Registrar(session.records(), session.clock)
    if wanted.overlap:
        registrar.edit(old.id, "update", lambda key: replace(key, expires_at=ends), wanted.by)
        click.echo(f"{old.id} is replaced, and ends {ends}: {printable(receipt.evidence)}", err=True)
    else:
        registrar.set_state(old.id, KeyState.DELETED, wanted.by)
        click.echo(f"{old.id} is replaced and deleted: {printable(receipt.evidence)}", err=True)
