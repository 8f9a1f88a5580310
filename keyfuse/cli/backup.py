"""`keyfuse backup`: registry, incidents, audit log and key file as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from keyfuse.exits import Exit
from keyfuse.session import Session
from scanner.model import printable


@click.group("backup", short_help="Back up registry, incidents, audit log and key file; restore them.")
def command() -> None:
    """Take a backup while the daemon runs, and restore one where none does.

    A backup holds the key file beside the database: keep it where secrets are kept.
    """


@command.command("create", epilog="Example: keyfuse backup create /srv/backup/keyfuse.tar.gz")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def create(session: Session, file: Path) -> int:
    """Write a backup to a new FILE, readable by you alone."""
    from keyfuse.backup import create  # noqa: PLC0415  (each command loads what it needs)

    manifest = create(session, file)
    click.echo(f"{printable(str(file))} holds {', '.join(manifest.parts)}")
    if not manifest.whole:
        click.echo("the database is a server's and is not in it; back that up with its own tool, such as pg_dump")
    return Exit.OK


@command.command("restore", epilog="Example: keyfuse backup restore /srv/backup/keyfuse.tar.gz")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Move what is in the data directory aside; nothing is deleted.")
@click.pass_obj
def restore(session: Session, file: Path, replace: bool) -> int:
    """Put FILE's content into the data directory, once it has been checked; then check the audit log."""
    from keyfuse.backup import restore  # noqa: PLC0415
    from responders.auditlog import verify  # noqa: PLC0415

    names = restore(file, session.config.data_dir, session.clock, replace=replace)
    click.echo(f"restored into {printable(str(session.config.data_dir))}: {', '.join(names)}")
    with session.records().read() as tx:
        verified = verify(tx.audit.read(), tx.audit.head())
    click.echo(f"the audit log is intact: {verified.records} records")
    return Exit.OK
