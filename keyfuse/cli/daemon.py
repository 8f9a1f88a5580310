"""`keyfuse daemon`: watch, fetch, respond, until it is stopped."""

from __future__ import annotations

import click

from keyfuse.exits import Exit
from keyfuse.session import Session


@click.command("daemon", short_help="Watch targets, scan on schedules, respond, deliver notices; until stopped.")
@click.pass_context
def command(ctx: click.Context) -> int:
    """Run in the foreground: watch the targets, respond to leaks, look after what was begun.

    Targets come from [[target]] in the configuration and from `keyfuse targets`. SIGHUP reads the configuration again;
    one with faults is refused, and the old one stays in force. SIGTERM ends what is under way and stops.

    Example: keyfuse daemon
    """
    from keyfuse.daemon.run import Daemon  # noqa: PLC0415  (its parts take a second to load)

    session: Session = ctx.obj
    Daemon(session, session.renewed).run()
    return Exit.OK
