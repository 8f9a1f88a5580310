"""`keyfuse keys import`: keys that were issued elsewhere, out of files."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from keyfuse.cli.keys_options import action_option, kind_option, owner_option, unsupported_option
from keyfuse.exits import Exit
from keyfuse.session import Session
from responders.enrolment import Defaults, Stored, enrol
from responders.imports import BadRow, Format, read_rows
from responders.registry import IfUnsupported, KeyKind, LeakAction
from scanner.errors import SourceError
from scanner.model import printable

_BUFFER = 1 << 16


@click.command("import", epilog="Example: keyfuse keys import keys.csv --provider github --owner team@example.org")
@click.argument("files", nargs=-1, required=True, metavar="FILE|-…")
@click.option(
    "--as", "form", type=click.Choice([form.value for form in Format]), help="What the files are; else by content."
)
@click.option("--provider", metavar="NAME", help="Who issued the keys, where a row does not say.")
@kind_option
@click.option("--iam-id", default="", metavar="ID", help="Whom the keys authenticate, where a row does not say.")
@click.option("--account-id", default="", metavar="ID", help="The account, where a row does not say.")
@owner_option
@action_option
@unsupported_option
@click.pass_obj
def import_keys(
    session: Session,
    *,
    files: tuple[str, ...],
    form: str | None,
    provider: str | None,
    kind: str | None,
    iam_id: str,
    account_id: str,
    owners: tuple[str, ...],
    action: str | None,
    if_unsupported: str | None,
) -> int:
    """Register keys out of files: CSV, JSON lines, .env, IBM's apikey.json, Yandex's api_key.yaml.

    CSV and JSON lines name their columns: value, name, provider, owners, expires_at, action_when_leaked and so on.
    Values are fingerprinted and forgotten. Rows that cannot be used are listed with their line number; the others are
    stored all the same, and the exit code is 4.
    """
    registry = session.config.registry
    defaults = Defaults(
        provider=provider or "other",
        kind=KeyKind(kind) if kind else KeyKind.OTHER,
        account_id=account_id,
        iam_id=iam_id,
        owners=owners,
        action_when_leaked=LeakAction(action or registry.action_when_leaked),
        if_unsupported=IfUnsupported(if_unsupported or registry.if_unsupported),
    )
    new = known = bad = shapeless = 0
    for name in files:
        with _opened(name) as reader:
            rows = read_rows(reader, Format(form) if form else None)
            where = "stdin" if name == "-" else printable(name)
            for event in enrol(
                session.records(),
                session.fingerprinter(),
                session.clock,
                rows,
                defaults,
                actor=session.actor,
                source=where,
            ):
                match event:
                    case BadRow(line=line, reason=reason):
                        bad += 1
                        click.echo(f"{where}:{line}: {printable(reason)}", err=True)
                    case Stored():
                        new, known, shapeless = new + event.new, known + event.known, shapeless + event.shapeless
                        if sys.stderr.isatty():
                            click.echo(f"\r{new + known:,} keys", nl=False, err=True)
    if sys.stderr.isatty():
        click.echo("", err=True)
    click.echo(f"{new} new, {known} known already, {bad} not usable")
    if shapeless:
        click.echo(f"{shapeless} hold spaces or characters beyond ASCII: only a rule can find those in files", err=True)
    return Exit.INCOMPLETE if bad else Exit.OK


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader[io.FileIO]]:
    if name == "-":
        yield io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False), _BUFFER)
        return
    try:
        file = io.FileIO(name)
    except OSError as error:
        raise SourceError(f"{name} cannot be read ({error.strerror})") from None
    with io.BufferedReader(file, _BUFFER) as reader:
        yield reader
