"""`keyfuse keys sync`: a provider's own listing, taken into the registry."""

from __future__ import annotations

import json

import click

from keyfuse.cli.keys_options import action_option, form_option, owner_option, unsupported_option
from keyfuse.exits import Exit
from keyfuse.session import Session
from responders.enrolment import Defaults
from responders.registry import IfUnsupported, LeakAction
from scanner.errors import UsageError
from scanner.model import printable


@click.command(epilog="Example: keyfuse keys sync ibm")
@click.argument("provider", required=False)
@click.option("--provider", "named", metavar="NAME", help="The same as PROVIDER.")
@owner_option
@action_option
@unsupported_option
@form_option
@click.pass_obj
def sync(
    session: Session,
    *,
    provider: str | None,
    named: str | None,
    owners: tuple[str, ...],
    action: str | None,
    if_unsupported: str | None,
    form: str,
) -> int:
    """Take over the listing of PROVIDER: ids, owners, states and leak actions of its keys, without their values.

    Keys that the registry has are brought up to date; what it alone knows of them stays. The options hold for keys
    that are new, where the provider itself does not say. Where a part could not be listed, the exit code is 4.
    """
    from responders.issuer import PROVIDER  # noqa: PLC0415  (only this command asks)
    from responders.listing import Lists  # noqa: PLC0415
    from responders.sync import Problem, Sync  # noqa: PLC0415

    if provider is not None and named is not None:
        raise UsageError("the provider is named twice")
    provider = provider or named
    if provider is None:
        raise UsageError("which provider? For example: keyfuse keys sync ibm")
    if provider == PROVIDER:
        raise UsageError(f"the keys of {provider} are in the registry already; there is nothing to take over")
    asked = session.catalog().of(provider)
    if not isinstance(asked, Lists):
        raise UsageError(
            f"keyfuse cannot list the keys of {printable(provider)}; export them there and use `keyfuse keys import`"
        )
    registry = session.config.registry
    defaults = Defaults(
        provider=provider,
        owners=owners,
        action_when_leaked=LeakAction(action or registry.action_when_leaked),
        if_unsupported=IfUnsupported(if_unsupported or registry.if_unsupported),
    )
    run = Sync(session.records(), session.fingerprinter(), session.clock, asked, defaults, actor=session.actor)
    counts = {"new": 0, "changed": 0, "same": 0, "gone": 0}
    problems = []
    for event in run.run(asked.listing()):
        if isinstance(event, Problem):
            problems.append({"what": event.what, "reason": event.reason})
            click.echo(f"{printable(event.what)}: {printable(event.reason)}", err=True)
        else:
            counts = {name: count + int(getattr(event, name)) for name, count in counts.items()}
    if form == "json":
        click.echo(json.dumps(counts | {"problems": problems}, indent=2))
    else:
        click.echo(
            "{new} new, {changed} changed, {same} as they were, {gone} deleted at their provider".format(**counts)
        )
    return Exit.INCOMPLETE if problems else Exit.OK
