"""`keyfuse keys verify`: may this value be used now?"""

from __future__ import annotations

import json

import click

from keyfuse.cli.keys_options import form_option, issuer_of, read_value
from keyfuse.exits import Exit
from keyfuse.keyrecord import as_json
from keyfuse.session import Session
from responders.issuer import Invalid, Valid
from scanner.model import printable


@click.command(epilog="Example: keyfuse keys verify - < value.txt")
@click.argument("source", metavar="FILE|-")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="It must also have this scope; repeatable.")
@form_option
@click.pass_obj
def verify(session: Session, source: str, scopes: tuple[str, ...], form: str) -> int:
    """Check a value, read from a file or stdin: exit code 0 if it is valid, 1 with the reason if not.

    A valid use is counted in the key's activity.
    """
    verdict = issuer_of(session).verify(read_value(source), scopes)
    key = verdict.key
    reason = verdict.reason if isinstance(verdict, Invalid) else ""
    if form == "json":
        record = None if key is None else as_json(key, session.clock())
        click.echo(json.dumps({"version": 1, "valid": not reason, "reason": reason or None, "key": record}, indent=2))
    else:
        named = f": {printable(key.name)} ({key.id})" if key is not None else ""
        click.echo(f"invalid{named}: {printable(reason)}" if reason else f"valid{named}")
    return Exit.OK if isinstance(verdict, Valid) else Exit.LEAKS
