"""`keyfuse keys list`, `show` and `scopes`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import click

from keyfuse.cli.keys_options import form_option
from keyfuse.cli.keys_output import shown, state_words
from keyfuse.cli.tables import table
from keyfuse.keyrecord import as_json, instant
from keyfuse.session import Session
from responders.records import Transaction
from responders.registry import KnownKey, Page, View
from responders.scopes import YANDEX
from scanner.model import printable

PAGE = 1000


@click.command("list", epilog="Example: keyfuse keys list --view service-ids --leaked --format json")
@click.option(
    "--view",
    type=click.Choice([view.value for view in View]),
    default=View.ALL.value,
    show_default=True,
    help="Which keys: your own, those of all users, of services, classic ones, or all.",
)
@click.option("--iam-id", metavar="ID", help="Whose keys are `mine`; you, where nothing else is said.")
@click.option("--leaked", is_flag=True, help="Only keys that leaked, deleted ones too.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")
@form_option
@click.pass_obj
def list_keys(session: Session, *, view: str, iam_id: str | None, leaked: bool, limit: int | None, form: str) -> None:
    """List keys in order of creation. Values are never shown."""
    now = session.clock()
    whose = iam_id if iam_id is not None else session.actor
    with session.records().read() as transaction:
        found = islice(_pages(transaction, View(view), whose, True if leaked else None), limit)
        if form == "json":
            _print_json(as_json(key, now) for key in found)
            return
        count = 0
        while page := list(islice(found, PAGE)):
            heads = ("ID", "NAME", "PROVIDER", "KIND", "STATE", "IF LEAKED", "MASKED", "EXPIRES")
            rows = (
                (
                    key.id,
                    key.name,
                    key.provider,
                    key.kind.value,
                    state_words(key, now),
                    key.action_when_leaked.value,
                    key.masked,
                    instant(key.expires_at) or "never",
                )
                for key in page
            )
            click.echo(table(heads, rows))
            count += len(page)
    if not count:
        click.echo(
            "no keys; create one with `keyfuse keys create`, or bring yours in with `keyfuse keys import`", err=True
        )


@click.command(epilog="Example: keyfuse keys show ci --format json")
@click.argument("key")
@form_option
@click.pass_obj
def show(session: Session, key: str, form: str) -> None:
    """Show the record of KEY (id or name), with its history and activity."""
    with session.records().read() as transaction:
        found = transaction.keys.get(key)
    now = session.clock()
    click.echo(json.dumps(as_json(found, now), indent=2) if form == "json" else shown(found, now))


@click.command(epilog="Example: keyfuse keys scopes --format json")
@form_option
@click.pass_obj
def scopes(session: Session, form: str) -> None:
    """List scopes: those that registered keys have, and those that providers document."""
    with session.records().read() as transaction:
        used = transaction.keys.scopes()
    if form == "json":
        click.echo(json.dumps({"version": 1, "used": list(used), "documented": {"yandex": list(YANDEX)}}, indent=2))
        return
    for scope in sorted({*used, *YANDEX}):
        words = [*(["in use"] if scope in used else []), *(["Yandex Cloud"] if scope in YANDEX else [])]
        click.echo(f"- {printable(scope)}  ({', '.join(words)})")


def _pages(transaction: Transaction, view: View, iam_id: str, leaked: bool | None) -> Iterator[KnownKey]:
    after = None
    while page := transaction.keys.list(view, iam_id=iam_id, leaked=leaked, page=Page(PAGE, after)):
        yield from page
        after = page[-1].id


def _print_json(records: Iterator[dict[str, object]]) -> None:
    """One JSON document, written as it is made: a registry may hold a million keys."""
    click.echo('{"version": 1, "apikeys": [', nl=False)
    for number, record in enumerate(records):
        click.echo(("," if number else "") + "\n  " + json.dumps(record), nl=False)
    click.echo("\n]}")
