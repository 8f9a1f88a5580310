"""`keyfuse config`: check the configuration file, show what is in force, print the example."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from keyfuse import configtext
from keyfuse.config import Config, load
from keyfuse.session import Session
from scanner.model import printable


@click.group(epilog="Example: keyfuse config check ./keyfuse.toml")
def command() -> None:
    """Check and show the configuration."""


@command.command(epilog="Example: keyfuse config check ./keyfuse.toml")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check(session: Session, file: Path | None) -> None:
    """Say what is wrong with FILE, or with the configuration in force: all of it at once, with exit code 2."""
    config = load(file, os.environ) if file else session.config
    where = printable(str(config.path)) if config.path else "no configuration file; the defaults are in force"
    click.echo(f"OK: {where}")
    for item in configtext.in_force(config):
        if item.origin not in {"default", "found"}:
            click.echo(f"  {printable(item.name)} = {printable(item.text)}")


@command.command(epilog="Example: keyfuse config show --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def show(session: Session, form: str) -> None:
    """Show every setting in force and where it came from. Passwords are never shown."""
    if form == "json":
        click.echo(json.dumps(_as_json(session.config), indent=2))
        return
    items = [(printable(i.name), printable(i.text), i.origin) for i in configtext.in_force(session.config)]
    width = max(len(name) for name, _, _ in items)
    for name, value, origin in items:
        click.echo(f"{name:<{width}}  {value}  ({printable(origin)})")


@command.command(epilog="Example: keyfuse config example > keyfuse.toml")
def example() -> None:
    """Print a file with every setting, its default and a line of why."""
    click.echo(configtext.example(), nl=False)


def _as_json(config: Config) -> object:
    settings = {item.name: {"value": item.value, "origin": item.origin} for item in configtext.in_force(config)}
    return {"version": 1, "settings": settings}
