"""`keyfuse keys update`, `disable`, `enable`, `lock`, `unlock` and `delete`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import click

from keyfuse.cli.keys_options import (
    action_option,
    by,
    form_option,
    issuer_of,
    moment,
    owner_option,
    registrar_of,
    scope_option,
    tag_option,
    unsupported_option,
)
from keyfuse.cli.keys_output import shown, state_words
from keyfuse.keyrecord import as_json
from keyfuse.session import Session
from responders.provider import KeyRef, Leak, Provider, Receipt
from responders.registrar import Amendment
from responders.registry import IfUnsupported, KeyState, KnownKey, LeakAction
from scanner.errors import UsageError
from scanner.model import REGISTERED, printable

suspend_option = click.option(
    "--suspend-owner", is_flag=True, help="Where no single key can be disabled: suspend or reactivate its owner."
)
record_only_option = click.option(
    "--record-only", is_flag=True, help="Only note it in the registry: it was done at the provider by hand."
)


@click.command(epilog="Example: keyfuse keys update ci --action-when-leaked delete --expires-at 2026-12-31")
@click.argument("key")
@click.option("--name", help="A new name.")
@click.option("--description", help="A new description.")
@owner_option
@scope_option
@click.option("--expires-at", metavar="TIME", help="When it ends, or `never`.")
@action_option
@unsupported_option
@record_only_option
@tag_option
@form_option
@click.pass_obj
def update(
    session: Session,
    *,
    key: str,
    name: str | None,
    description: str | None,
    owners: tuple[str, ...],
    scopes: tuple[str, ...],
    expires_at: str | None,
    action: str | None,
    if_unsupported: str | None,
    record_only: bool,
    tag: str | None,
    form: str,
) -> None:
    """Change the record of KEY (id or name). Owners and scopes that are given replace all earlier ones.

    Where the key's provider keeps what is changed (IBM: name, description, expiry, leak action), it is asked first.
    """
    never = expires_at == "never"
    amendment = Amendment(
        name=name,
        description=description,
        owners=tuple(owner for owner in owners if owner) if owners else None,
        scopes=tuple(scope for scope in scopes if scope) if scopes else None,
        expires_at=None if never else moment(session, expires_at),
        never_expires=never,
        action_when_leaked=LeakAction(action) if action else None,
        if_unsupported=IfUnsupported(if_unsupported) if if_unsupported else None,
    )
    if amendment == Amendment():
        raise UsageError("nothing to change was named; see keyfuse keys update --help")
    issuer = issuer_of(session)
    found = issuer.get(key)
    if not record_only and not issuer.issued(found) and not found.locked:
        from keyfuse.cli.keys_provider import amend  # noqa: PLC0415  (only keys of other providers need it)

        amend(session, found, amendment)
    changed = registrar_of(session).amend(found.id, amendment, by(session, tag))
    click.echo(
        json.dumps(as_json(changed, session.clock()), indent=2) if form == "json" else shown(changed, session.clock())
    )


@click.command(epilog="Example: keyfuse keys disable ci")
@click.argument("key")
@record_only_option
@suspend_option
@tag_option
@form_option
@click.pass_obj
def disable(session: Session, *, key: str, record_only: bool, suspend_owner: bool, tag: str | None, form: str) -> None:
    """Switch KEY (id or name) off until it is enabled again."""

    def ask(provider: Provider, ref: KeyRef, once: str) -> Receipt:
        return provider.disable(ref, Leak(REGISTERED, None), idempotency_key=once)

    _move(session, key, KeyState.DISABLED, ask, record_only, tag, form, suspend_owner=suspend_owner)


@click.command(epilog="Example: keyfuse keys enable ci")
@click.argument("key")
@record_only_option
@suspend_option
@tag_option
@form_option
@click.pass_obj
def enable(session: Session, *, key: str, record_only: bool, suspend_owner: bool, tag: str | None, form: str) -> None:
    """Switch a disabled KEY (id or name) on again."""

    def ask(provider: Provider, ref: KeyRef, once: str) -> Receipt:
        return provider.enable(ref, idempotency_key=once)

    _move(session, key, KeyState.ACTIVE, ask, record_only, tag, form, suspend_owner=suspend_owner)


@click.command(epilog="Example: keyfuse keys delete ci --yes")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@record_only_option
@tag_option
@form_option
@click.pass_obj
def delete(session: Session, *, key: str, yes: bool, record_only: bool, tag: str | None, form: str) -> None:
    """End KEY (id or name) for ever. Its record stays, so that a leak of it is still recognised."""
    with session.records().read() as transaction:
        found = transaction.keys.get(key)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("deleting cannot be undone; say --yes where nobody can be asked")
        click.confirm(f"Delete {found.id} ({printable(found.name)}) for ever?", abort=True, err=True)

    def ask(provider: Provider, ref: KeyRef, once: str) -> Receipt:
        return provider.delete(ref, Leak(REGISTERED, None), idempotency_key=once)

    _move(session, found.id, KeyState.DELETED, ask, record_only, tag, form)


@click.command(epilog="Example: keyfuse keys lock ci")
@click.argument("key")
@tag_option
@form_option
@click.pass_obj
def lock(session: Session, key: str, tag: str | None, form: str) -> None:
    """Lock KEY (id or name): nothing about it can change until it is unlocked."""
    _say(session, registrar_of(session).lock(key, by(session, tag)), form)


@click.command(epilog="Example: keyfuse keys unlock ci")
@click.argument("key")
@tag_option
@form_option
@click.pass_obj
def unlock(session: Session, key: str, tag: str | None, form: str) -> None:
    """Take the lock off KEY (id or name)."""
    _say(session, registrar_of(session).unlock(key, by(session, tag)), form)


def _move(
    session: Session,
    name: str,
    state: KeyState,
    ask: Callable[[Provider, KeyRef, str], Receipt],
    record_only: bool,
    tag: str | None,
    form: str,
    *,
    suspend_owner: bool | None = None,
) -> None:
    """Own keys and mere records change here; for others the provider is asked first."""
    issuer = issuer_of(session)
    key = issuer.get(name)
    if not record_only and not issuer.issued(key):
        if key.locked:
            raise UsageError(f"key {key.id} ({key.name}) is locked; unlock it first: keyfuse keys unlock {key.id}")
        from keyfuse.cli.keys_provider import change, mind_owner  # noqa: PLC0415  (only keys of other providers need it)

        if suspend_owner is not None:
            mind_owner(session, key, suspend_owner=suspend_owner)
        change(session, key, ask)
    _say(session, registrar_of(session).set_state(key.id, state, by(session, tag)), form)


def _say(session: Session, key: KnownKey, form: str) -> None:
    now = session.clock()
    if form == "json":
        click.echo(json.dumps(as_json(key, now), indent=2))
    else:
        click.echo(f"{key.id} ({printable(key.name)}): {state_words(key, now)}")
