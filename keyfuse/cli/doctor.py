"""`keyfuse doctor`: what is wrong with this installation, and the next step for each."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from keyfuse.doctor import Level, Verdict, examine
from keyfuse.exits import Exit
from keyfuse.session import Session
from scanner.model import printable


@click.command(epilog="Example: keyfuse doctor --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(session: Session, form: str) -> int:
    """Look at this installation: one line for each thing, with the next step where something is wrong.

    Exit code 0 when nothing fails (warnings do not count), 3 when something does.
    """
    verdicts = []
    for verdict in examine(session):
        verdicts.append(verdict)
        if form == "text":
            _show(verdict)
    healthy = all(verdict.level is not Level.FAIL for verdict in verdicts)
    if form == "json":
        click.echo(
            json.dumps({"version": 1, "healthy": healthy, "checks": [asdict(each) for each in verdicts]}, indent=2)
        )
    return Exit.OK if healthy else Exit.CANNOT_RUN


def _show(verdict: Verdict) -> None:
    first, *more = verdict.said.splitlines() or [""]
    click.echo(f"{verdict.level.value:<4}  {verdict.check}: {printable(first)}")
    for line in more:
        click.echo(f"      {printable(line)}")
    if verdict.next_step:
        click.echo(f"      next: {printable(verdict.next_step)}")
