"""Options and values that the `keyfuse keys` commands share."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from keyfuse.kinds import duration
from keyfuse.session import Session
from keyfuse.settings import Unfit
from responders.issuer import Issuer
from responders.registrar import By, Registrar
from responders.registry import IfUnsupported, KeyKind, LeakAction
from scanner.errors import UsageError
from scanner.model import Secret

MOST_VALUE = 1 << 16

form_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
tag_option = click.option(
    "--if-match", "tag", metavar="TAG", help="Only if the record still has this entity tag; otherwise nothing changes."
)
kind_option = click.option(
    "--kind", type=click.Choice([kind.value for kind in KeyKind]), help="What kind of key it is."
)
action_option = click.option(
    "--action-when-leaked",
    "action",
    type=click.Choice([action.value for action in LeakAction], case_sensitive=False),
    help="What happens when it leaks.",
)
unsupported_option = click.option(
    "--if-unsupported",
    type=click.Choice([choice.value for choice in IfUnsupported]),
    help="What happens instead where the provider cannot do that.",
)
owner_option = click.option("--owner", "owners", multiple=True, metavar="ADDRESS", help="Whom to tell; repeatable.")
scope_option = click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="What it may do; repeatable.")


def issuer_of(session: Session) -> Issuer:
    """The embedded provider's issuing side."""
    from keyfuse.wiring import build_issuer  # noqa: PLC0415  (keeps SQLAlchemy off the way of `--help`)

    return build_issuer(session.config, session.records(), session.fingerprinter(), session.clock)


def registrar_of(session: Session) -> Registrar:
    """What changes records."""
    return Registrar(session.records(), session.clock)


def by(session: Session, tag: str | None = None, message: str = "") -> By:
    """Who is asking, and on what terms."""
    return By(session.actor, if_tag=tag, message=message)


def moment(session: Session, text: str | None) -> datetime | None:
    """A moment out of ISO 8601 (UTC where nothing else is said), or a length of time from now such as 90d.

    Raises UsageError.
    """
    if text is None:
        return None
    try:
        return session.clock() + duration(text)
    except Unfit:
        pass
    except OverflowError:
        raise UsageError(f"{text} from now is beyond the calendar") from None
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip()))
    except ValueError:
        raise UsageError("a time is written like 2026-12-31, 2026-12-31T18:30Z, or as a length from now: 90d") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def read_value(source: str) -> Secret:
    """A key's value from a file or, for `-`, from stdin (asked for without echo on a terminal).

    Raises UsageError. What stands in `source` is never repeated: it may be the value itself, put in the wrong place.
    """
    if source == "-":
        if sys.stdin.isatty():
            return Secret(click.prompt("Value", hide_input=True, err=True).encode("utf-8", "surrogateescape"))
        data = sys.stdin.buffer.read(MOST_VALUE + 1)
    else:
        try:
            with Path(source).open("rb") as file:
                data = file.read(MOST_VALUE + 1)
        except (OSError, ValueError):
            raise UsageError(
                "there is no readable file of that name; values come from a file or, with '-', from stdin, and never "
                "from an argument (other users can read those)"
            ) from None
    if len(data) > MOST_VALUE:
        raise UsageError(f"a value has at most {MOST_VALUE} bytes")
    value = data.strip(b"\r\n")
    if not value:
        raise UsageError("the value is empty")
    return Secret(value)
