"""`keyfuse demo`: the whole loop in half a minute, with no account anywhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from keyfuse import demo
from keyfuse.exits import Exit
from keyfuse.session import Session
from scanner.errors import CannotRun


@click.command("demo", epilog="Example: keyfuse demo --keep")
@click.option("--keep", is_flag=True, help="Keep the scratch directory, to look around in it.")
def command(keep: bool) -> int:
    """Issue keys, leak them, find them, blow their fuse, prove it, tell people: in a scratch directory.

    Nothing outside that directory is read or changed, and no network is used.
    """
    stage = demo.Stage(Path(tempfile.mkdtemp(prefix="keyfuse-demo-")))
    try:
        with stage.session() as session:
            _tell(stage, session)
    finally:
        if keep:
            click.echo(f"\nKept: {stage.place}")
            click.echo(f"  export KEYFUSE_CONFIG={stage.config} KEYFUSE_DATA_DIR={stage.place / 'data'}")
            click.echo("  keyfuse leaks list; keyfuse keys list; keyfuse log show")
        else:
            demo.clear(stage)
    return Exit.OK


def _tell(stage: demo.Stage, session: Session) -> None:
    _chapter(1, "The embedded provider issues four keys. Each owner decides what shall happen if theirs leaks.")
    keys = demo.issue(session)
    for planted, key in zip(demo.CAST, keys, strict=True):
        locked = ", locked" if planted.locked else ""
        click.echo(f"  {planted.name:<21} {key.key.masked:<12} {planted.owner:<17} {planted.action.value}{locked}")

    _chapter(2, "They leak, as keys do: into a git repository.")
    demo.plant(stage, keys)
    for planted in demo.CAST:
        click.echo(f"  {planted.name:<21} {planted.where}")

    _chapter(3, "keyfuse audit shop --respond")
    demo.audit(stage, session)

    _chapter(4, "Is it true? Every key is tried once more.")
    for line in demo.proofs(session, keys):
        click.echo(f"  {line}")

    _chapter(5, "Who has been told")
    for line in demo.notices(stage):
        click.echo(f"  {line}")

    _chapter(6, "What stays behind")
    click.echo(f"  audit log: {demo.checked_log(session)}")
    if spilled := demo.values_in(stage, keys):
        raise CannotRun(
            f"a plaintext was stored in {', '.join(spilled)}; this is a defect of keyfuse, please report it"
        )
    click.echo("  plaintext: in no database, log, notice or configuration; only fingerprints are kept")


def _chapter(number: int, text: str) -> None:
    click.echo("\n" + click.style(f"{number}. {text}", bold=True) + "\n")
