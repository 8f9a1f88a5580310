"""`keyfuse keys create` and `reissue`: new keys of the embedded provider."""

from __future__ import annotations

from pathlib import Path

import click

from keyfuse.cli.keys_options import (
    action_option,
    by,
    form_option,
    issuer_of,
    kind_option,
    moment,
    owner_option,
    read_value,
    scope_option,
    unsupported_option,
)
from keyfuse.cli.keys_output import Delivery
from keyfuse.kinds import duration
from keyfuse.session import Session
from keyfuse.settings import Unfit
from responders.issuer import Issued, NewKey
from responders.registry import IfUnsupported, KeyKind, LeakAction
from scanner.errors import UsageError

output_option = click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the answer to this new file (mode 0600): YAML where the name ends so, JSON otherwise.",
)
command_option = click.option(
    "--to-command",
    "command",
    metavar="COMMAND",
    help="Give the value to this command on its standard input (no shell), and do not print it.",
)
pgp_option = click.option(
    "--pgp-key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Show the value only encrypted to this PGP public key.",
)


@click.command(epilog="Example: keyfuse keys create --name ci --owner me@example.org --expires-at 90d --output ci.yaml")
@click.option("--name", required=True, help="What it is called; need not be unique.")
@click.option("--description", default="", help="What it is for.")
@kind_option
@click.option("--iam-id", metavar="ID", help="Whom it authenticates; user keys: you, where nothing else is said.")
@click.option("--account-id", default="", metavar="ID", help="The account it belongs to.")
@owner_option
@scope_option
@click.option("--expires-at", metavar="TIME", help="When it ends: 2026-12-31, 2026-12-31T18:30Z, or 90d from now.")
@action_option
@unsupported_option
@click.option("--locked", is_flag=True, help="Nothing about it can change until it is unlocked.")
@click.option("--disabled", is_flag=True, help="It cannot be used until it is enabled.")
@click.option("--value-from", metavar="FILE|-", help="Register a value made elsewhere (at least 32 characters).")
@output_option
@command_option
@pgp_option
@form_option
@click.pass_obj
def create(
    session: Session,
    *,
    name: str,
    description: str,
    kind: str | None,
    iam_id: str | None,
    account_id: str,
    owners: tuple[str, ...],
    scopes: tuple[str, ...],
    expires_at: str | None,
    action: str | None,
    if_unsupported: str | None,
    locked: bool,
    disabled: bool,
    value_from: str | None,
    output: Path | None,
    command: str | None,
    pgp_key: Path | None,
    form: str,
) -> None:
    """Issue a key. Its value is shown once, and only its fingerprint is kept."""
    defaults = session.config.registry
    wanted_kind = KeyKind(kind) if kind else KeyKind.USER
    personal = wanted_kind in (KeyKind.USER, KeyKind.CLASSIC)
    wanted = NewKey(
        name=name,
        description=description,
        kind=wanted_kind,
        account_id=account_id,
        iam_id=iam_id if iam_id is not None else session.actor if personal else "",
        owners=owners,
        scopes=scopes,
        expires_at=moment(session, expires_at),
        action_when_leaked=LeakAction(action or defaults.action_when_leaked),
        if_unsupported=IfUnsupported(if_unsupported or defaults.if_unsupported),
        locked=locked,
        disabled=disabled,
    )
    value = read_value(value_from) if value_from else None
    issuer = issuer_of(session)
    delivery = Delivery(form, output, pgp_key, command)
    try:
        issued: Issued = issuer.create(wanted, by(session), value)
    except BaseException:
        delivery.give_up()
        raise
    delivery.hand_over(issued, session.clock())


@click.command(epilog="Example: keyfuse keys reissue ci --overlap 24h --output ci-new.yaml")
@click.argument("key")
@click.option("--overlap", default="24h", show_default=True, metavar="TIME", help="How long the old one lives on.")
@click.option(
    "--expires-at", metavar="TIME", help="When the new one ends; without it, it lives as long as the old one."
)
@output_option
@command_option
@pgp_option
@form_option
@click.pass_obj
def reissue(
    session: Session,
    *,
    key: str,
    overlap: str,
    expires_at: str | None,
    output: Path | None,
    command: str | None,
    pgp_key: Path | None,
    form: str,
) -> None:
    """Issue a new key in place of KEY (id or name), which dies when the overlap is over.

    A key of another provider is made anew there (IBM Cloud, Yandex Cloud); the old one is given an expiry, or deleted
    at once with `--overlap 0s`.
    """
    try:
        length = duration(overlap)
    except Unfit:
        raise UsageError("--overlap is a length of time such as 30m, 24h or 7d") from None
    ends = moment(session, expires_at)
    issuer = issuer_of(session)
    old = issuer.get(key)
    delivery = Delivery(form, output, pgp_key, command)
    if not issuer.issued(old):
        from keyfuse.cli.keys_provider import Wanted, replace_key  # noqa: PLC0415  (only keys of other providers)

        try:
            replace_key(session, old, Wanted(length, ends, by(session)), delivery)
        finally:
            delivery.give_up()
        return
    try:
        issued = issuer.reissue(key, length, by(session), expires_at=ends)
    except BaseException:
        delivery.give_up()
        raise
    delivery.hand_over(issued, session.clock())
    old = issuer.get(issued.key.replaces)
    click.echo(f"{old.id} is replaced, and ends {old.expires_at}", err=True)
