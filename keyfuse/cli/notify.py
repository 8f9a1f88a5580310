"""`keyfuse notify`: try the notification channels."""

from __future__ import annotations

import json
import uuid

import click

from keyfuse.cli.tables import table
from keyfuse.exits import Exit
from keyfuse.session import Session
from responders.notify.channels import Channel, NotSent, Sent
from responders.notify.notice import Notice
from responders.notify.wording import trial
from scanner.errors import UsageError


@click.group(epilog="Example: keyfuse notify test")
def command() -> None:
    """Try the notification channels."""


@command.command("test", epilog="Example: keyfuse notify test --to me@example.org")
@click.option(
    "--channel", "names", multiple=True, metavar="NAME", help="Only this channel; may be given several times."
)
@click.option("--to", "address", metavar="ADDRESS", help="Whom personal channels tell; else the administrators.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def test(session: Session, names: tuple[str, ...], address: str | None, form: str) -> int:
    """Send one test notice over each configured channel, at once and only once. Exits with 3 if one fails."""
    channels = session.channels()
    for name in names:
        if channels.get(name) is None:
            known = ", ".join(channel.name for channel in channels) or "none"
            raise UsageError(f"there is no channel {name}; configured are: {known}")
    chosen = [channel for channel in channels if not names or channel.name in names]
    if not chosen:
        raise UsageError("no channel is configured; add [notify.channel.NAME], see: keyfuse config example")
    people = (address,) if address else session.config.notify.administrators or session.config.notify.default
    notice = trial(uuid.uuid4().hex, session.clock())
    results = [
        (channel.name, to, _outcome(channel, to, notice)) for channel in chosen for to in _recipients(channel, people)
    ]
    if form == "json":
        listed = [
            {"channel": name, "recipient": to or None, "sent": not bad, "error": bad} for name, to, bad in results
        ]
        click.echo(json.dumps({"version": 1, "notice": notice.id, "deliveries": listed}, indent=2))
    else:
        click.echo(table(("CHANNEL", "TO", "RESULT"), ((name, to or "-", bad or "sent") for name, to, bad in results)))
    return Exit.CANNOT_RUN if any(bad for _, _, bad in results) else Exit.OK


def _recipients(channel: Channel, people: tuple[str, ...]) -> tuple[str, ...]:
    if channel.personal and not people:
        raise UsageError(f"channel {channel.name} tells people one by one, and nobody is named: give --to ADDRESS")
    return people if channel.personal else ("",)


def _outcome(channel: Channel, recipient: str, notice: Notice) -> str | None:
    """What went wrong, or nothing."""
    match channel.send(notice, recipient):
        case Sent():
            return None
        case NotSent(reason):
            return reason
