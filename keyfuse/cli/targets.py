"""`keyfuse targets`: what the daemon looks at without being asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from keyfuse.exits import Exit
from keyfuse.session import Session
from scanner.errors import UsageError
from scanner.model import printable


@click.group("targets", short_help="What the daemon watches and scans: add, list, remove, scan.")
def command() -> None:
    """Directories, repositories and git URLs that `keyfuse daemon` watches, or scans on a schedule."""


@command.command("add")
@click.argument("name")
@click.argument("place", required=False)
@click.option(
    "--url-env", default="", metavar="NAME", help="The daemon's variable that holds a git URL with a password."
)
@click.option("--url-file", type=click.Path(path_type=Path), help="A file that holds such a URL.")
@click.option("--every", metavar="TIME", default="0s", help='Scan so often: "15m", "24h".')
@click.option("--cron", default="", metavar="FIELDS", help='Scan at these times: "30 4 * * *", local time.')
@click.option("--jitter", metavar="TIME", default="0s", help="Begin up to so much later.")
@click.option("--no-watch", is_flag=True, help="Do not look at changes as they happen.")
@click.pass_obj
def add(
    session: Session,
    name: str,
    place: str | None,
    url_env: str,
    url_file: Path | None,
    every: str,
    cron: str,
    jitter: str,
    no_watch: bool,
) -> int:
    """Add a target: PLACE is a path on this machine or a git URL without a password.

    Example: keyfuse targets add shop https://git.example.org/shop.git --every 15m
    """
    from keyfuse.config import Target  # noqa: PLC0415  (each command loads what it needs)
    from keyfuse.daemon.node import node_id  # noqa: PLC0415
    from keyfuse.daemon.targets import add_target, target_of  # noqa: PLC0415
    from keyfuse.kinds import duration  # noqa: PLC0415
    from keyfuse.settings import Unfit  # noqa: PLC0415
    from scanner.sources.target import is_git_url  # noqa: PLC0415

    values: dict[str, Any] = {"name": name, "watch": not no_watch, "cron": cron, "url_env": url_env}
    try:
        values |= {"every": duration(every), "jitter": duration(jitter)}
    except Unfit as unfit:
        raise UsageError(f"--every and --jitter: {unfit}") from None
    if place is not None:
        values |= {"url": place} if is_git_url(place) else {"path": Path(place)}
    if url_file is not None:
        values["url_file"] = url_file
    section = Target(values)
    if faults := list(section.faults()):
        raise UsageError(f"this target {faults[0]}")
    section = section.resolved(session.env)
    records = session.records()
    target = target_of(
        section, node=node_id(session.config.data_dir), now=session.clock(), origin="command", actor=session.actor
    )
    add_target(records, target, session.actor)
    click.echo(f"{printable(name)}: {printable(target.place)}; a running daemon takes it up within seconds")
    return Exit.OK


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to show it.")
@click.pass_obj
def list_targets(session: Session, form: str) -> int:
    """List all targets, with when they were and will be scanned."""
    with session.records().read() as tx:
        targets = tx.targets.list()
    if form == "json":
        rows = [
            {
                "name": t.name, "kind": t.kind.value, "place": t.place, "node": t.node, "origin": t.origin,
                "settings": dict(t.settings), "added_at": t.added_at.isoformat(), "added_by": t.added_by,
                "last_at": t.last_at.isoformat() if t.last_at else None,
                "next_at": t.next_at.isoformat() if t.next_at else None, "last_error": t.last_error,
            }
            for t in targets
        ]  # fmt: skip
        click.echo(json.dumps(rows, indent=2))
        return Exit.OK
    if not targets:
        click.echo("no targets; add one: keyfuse targets add NAME PLACE, or [[target]] in the configuration")
    for t in targets:
        last = f"{t.last_at:%Y-%m-%d %H:%M}Z" if t.last_at else "never"
        following = f"{t.next_at:%Y-%m-%d %H:%M}Z" if t.next_at else "no schedule"
        watched = "watched, " if t.kind == "path" and t.settings.get("watch", True) else ""
        trouble = f"; {t.last_error}" if t.last_error else ""
        click.echo(printable(f"{t.name}: {t.place} ({watched}scanned {last}, next {following}{trouble})"))
    return Exit.OK


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> int:
    """Remove a target. Incidents that came from it stay."""
    from keyfuse.daemon.targets import remove_target  # noqa: PLC0415

    remove_target(session.records(), name, session.actor)
    click.echo(f"{printable(name)} is removed")
    return Exit.OK


@command.command("scan")
@click.argument("name")
@click.option("--full", is_flag=True, help="Look again at what was seen already, history and all.")
@click.pass_obj
def scan(session: Session, name: str, full: bool) -> int:
    """Have the daemon scan a target now; what is new in it, or all of it."""
    from keyfuse.daemon.schedule import enqueue_scan  # noqa: PLC0415
    from keyfuse.daemon.targets import named  # noqa: PLC0415
    from keyfuse.daemon.work import Work  # noqa: PLC0415
    from responders.keyfile import sealer  # noqa: PLC0415

    records = session.records()
    target = named(records, name)
    work = Work(records, session.clock, lambda: sealer(session.config.data_dir))
    number = enqueue_scan(work, target, full=full)
    click.echo(f"queued as {number}; the daemon does it next")
    return Exit.OK
