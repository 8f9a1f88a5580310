"""`keyfuse users`: who may use the API of the daemon."""

from __future__ import annotations

import json

import click

from keyfuse.cli.keys_options import form_option, moment
from keyfuse.cli.tables import table
from keyfuse.keyrecord import instant
from keyfuse.session import Session
from responders.gatekeeper import Gatekeeper, NewUser
from responders.users import Role, User
from scanner.model import printable


@click.group(epilog="Example: keyfuse users add ada --role admin")
def command() -> None:
    """Who may use the daemon's API: users, roles, tokens."""


@command.command("add", epilog="Example: keyfuse users add ci --role member --iam-id iam-ServiceId-ci --expires-at 90d")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.MEMBER.value,
    show_default=True,
    help="admin: everything; member: own keys and their leaks; viewer: sees those, changes nothing.",
)
@click.option("--iam-id", default="", metavar="ID", help="The identity that the user acts for; else the name.")
@click.option("--account-id", default="", metavar="ID", help="The account; an administrator of one sees no other.")
@click.option("--parent", default="", metavar="ID", help="Who invited the user (for classic keys): an identity.")
@click.option("--expires-at", metavar="TIME", help="When the token ends: 2026-12-31, or 90d from now.")
@form_option
@click.pass_obj
def add(
    session: Session,
    *,
    name: str,
    role: str,
    iam_id: str,
    account_id: str,
    parent: str,
    expires_at: str | None,
    form: str,
) -> None:
    """Add a user and print the API token: once, as the last word of the last line. Only its fingerprint is kept."""
    wanted = NewUser(name, Role(role), iam_id, account_id, parent, moment(session, expires_at))
    user, secret = _gatekeeper(session).add(wanted, actor=session.actor)
    token = secret.reveal().decode("ascii")
    if form == "json":
        click.echo(json.dumps(_as_json(user) | {"token": token}, indent=2))
        return
    click.echo(f"{printable(user.name)} ({user.role.value}, {printable(user.iam_id)}) may use the API.")
    click.echo("This token is shown once; send it as `Authorization: Bearer …`:")
    click.echo(token)


@command.command("list", epilog="Example: keyfuse users list --format json")
@form_option
@click.pass_obj
def list_users(session: Session, form: str) -> None:
    """List users, without their tokens."""
    found = _gatekeeper(session).all()
    if form == "json":
        click.echo(json.dumps({"version": 1, "users": [_as_json(user) for user in found]}, indent=2))
        return
    if not found:
        click.echo("no users; add one with `keyfuse users add NAME --role admin`", err=True)
        return
    heads = ("NAME", "ROLE", "IDENTITY", "ACCOUNT", "INVITED BY", "TOKEN", "CREATED", "EXPIRES", "LAST USED")
    click.echo(table(heads, (_row(user) for user in found)))


@command.command("remove", epilog="Example: keyfuse users remove ci")
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Remove a user: the token is refused from this moment on."""
    user = _gatekeeper(session).remove(name, actor=session.actor)
    click.echo(f"{printable(user.name)} may no longer use the API")


def _gatekeeper(session: Session) -> Gatekeeper:
    return Gatekeeper(session.records(), session.fingerprinter(), session.clock)


def _row(user: User) -> tuple[str, ...]:
    return (
        user.name,
        user.role.value,
        user.iam_id,
        user.account_id or "any",
        user.parent or "-",
        user.masked,
        instant(user.created_at) or "",
        instant(user.expires_at) or "never",
        instant(user.last_used_at) or "never",
    )


def _as_json(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role.value,
        "iam_id": user.iam_id,
        "account_id": user.account_id,
        "parent": user.parent,
        "masked": user.masked,
        "created_at": instant(user.created_at),
        "created_by": user.created_by,
        "expires_at": instant(user.expires_at),
        "last_used_at": instant(user.last_used_at),
    }
