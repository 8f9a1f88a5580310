"""`keyfuse providers`: what each vendor's API allows, what keyfuse needs for it, and whether that works."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from keyfuse.cli.tables import fields, table
from keyfuse.exits import Exit
from keyfuse.session import Session
from scanner.errors import UsageError

if TYPE_CHECKING:
    from responders.about import About, Trial

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group(epilog="Example: keyfuse providers show openai")
def command() -> None:
    """What each provider can do: look up, disable, delete, prove."""


@command.command("list", epilog="Example: keyfuse providers list --format json")
@click.option("--connected", is_flag=True, help="Only those that the configuration connects.")
@FORMAT
@click.pass_obj
def list_providers(session: Session, connected: bool, form: str) -> None:
    """List every provider, a line for each sort of key."""
    from keyfuse import providertext as text  # noqa: PLC0415  (the recipes are read for this)

    wanted = [each for each in _all(session) if not connected or _connected(session, each.name)]
    if form == "json":
        listed = [text.as_json(each, connected=_connected(session, each.name)) for each in wanted]
        click.echo(json.dumps({"version": 1, "providers": listed}, indent=2, ensure_ascii=False))
        return
    rows = (
        (
            each.name,
            row.what,
            text.look_up(row.capabilities),
            text.disable(row.capabilities),
            text.delete(row.capabilities),
            text.prove(row.capabilities),
            row.capabilities.authoriser,
        )
        for each in wanted
        for row in each.abilities
    )
    click.echo(table(("PROVIDER", "KEYS", "LOOK UP", "DISABLE", "DELETE", "PROOF", "WHO MUST AUTHORISE"), rows))


@command.command(epilog="Example: keyfuse providers show cloudflare")
@click.argument("name")
@FORMAT
@click.pass_obj
def show(session: Session, name: str, form: str) -> None:
    """Show one provider: what can be done with which keys, its settings, and the least permissions that suffice."""
    from keyfuse import providertext as text  # noqa: PLC0415  (as above)

    described = _named(session, name)
    if form == "json":
        said = text.as_json(described, connected=_connected(session, name))
        click.echo(json.dumps({"version": 1, "provider": said}, indent=2, ensure_ascii=False))
        return
    state = "yes" if _connected(session, name) else f"no; add [provider.{name}] to the configuration"
    pairs = [("name", name), ("title", described.title), ("connected", state), ("docs", described.docs)]
    for row in described.abilities:
        able = row.capabilities
        pairs += [
            ("keys", row.what),
            ("  rules", ", ".join(row.kinds)),
            ("  look up", text.look_up(able)),
            ("  disable", text.disable(able)),
            ("  delete", text.delete(able)),
            ("  proof", text.prove(able)),
            ("  authorised by", able.authoriser),
            ("  note", row.note),
            ("  by hand", row.by_hand),
            ("  evidence", row.evidence),
        ]
    for need in described.credentials:
        pairs += [("credential", f"{need.name}_env, {need.name}_file or {need.name}_keyring: {need.why}")]
        pairs += [("  permissions", need.permissions)]
    pairs += [("setting", f"{each.setting}: {each.why} ({each.url or text.want(each)})") for each in described.services]
    pairs += [("setting", f"{each.name}: {each.why}") for each in described.options]
    pairs += [("outlives", described.outlives), *(("note", note) for note in described.notes)]
    click.echo(fields(pairs))


@command.command(epilog="Example: keyfuse providers test openai")
@click.argument("name")
@FORMAT
@click.pass_obj
def test(session: Session, name: str, form: str) -> int:
    """Try the configured credentials of one provider without changing anything there. Exits with 3 if one fails."""
    from responders.about import Triable, Worth  # noqa: PLC0415  (as above)

    described = _named(session, name)
    if name not in session.config.provider:
        raise UsageError(f"{described.title} is not configured; add a section [provider.{name}]")
    provider = session.catalog()[name]
    trials = list(provider.trials()) if isinstance(provider, Triable) else []
    _say(described, trials, form)
    required = {need.name for need in described.credentials if need.required}
    bad = [
        trial
        for trial in trials
        if trial.worth in (Worth.REFUSED, Worth.UNKNOWN)
        or (trial.worth is Worth.MISSING and trial.credential in required)
    ]
    return Exit.CANNOT_RUN if bad else Exit.OK


def _connected(session: Session, name: str) -> bool:
    """Whether it is spoken to: the embedded provider always is."""
    from responders.issuer import PROVIDER  # noqa: PLC0415  (as above)

    return name == PROVIDER or name in session.config.provider


def _say(described: About, trials: list[Trial], form: str) -> None:
    if form == "json":
        tried = [{"credential": t.credential, "result": t.worth.value, "detail": t.detail} for t in trials]
        click.echo(json.dumps({"version": 1, "provider": described.name, "credentials": tried}, indent=2))
    elif trials:
        click.echo(table(("CREDENTIAL", "RESULT", "DETAIL"), ((t.credential, t.worth.value, t.detail) for t in trials)))
    else:
        click.echo(f"{described.title} needs no credential of keyfuse's own; there is nothing to try.")


def _all(session: Session) -> list[About]:
    """What keyfuse brings, then the services of one's own."""
    from keyfuse.policies import providers_of  # noqa: PLC0415  (as above)
    from responders.catalog import about, names  # noqa: PLC0415

    own = {name: settings for name, settings in providers_of(session.config).items() if settings.type}
    found = [about(name) for name in names()] + [about(name, settings) for name, settings in own.items()]
    return [each for each in found if each is not None]


def _named(session: Session, name: str) -> About:
    found = {each.name: each for each in _all(session)}
    if name not in found:
        from difflib import get_close_matches  # noqa: PLC0415  (only for a mistyped name)

        near = get_close_matches(name, found, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`keyfuse providers list` shows all of them"
        raise UsageError(f"there is no provider {name!r}; {hint}")
    return found[name]
