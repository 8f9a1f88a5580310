"""`keyfuse log`: the audit log, and whether its chain holds."""

from __future__ import annotations

import json
from typing import Any

import click

from keyfuse.session import Session
from responders.auditlog import AuditRecord, verify
from scanner.model import printable


@click.group(epilog="Example: keyfuse log verify")
def command() -> None:
    """The audit log: show it, verify its chain."""


@command.command("show", epilog="Example: keyfuse log show --subject incident:3f2a --format json")
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Only records after this number.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--subject", metavar="TEXT", help="Only records whose subject begins so: incident:…, key:…, notice:…")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def show(session: Session, after: int, limit: int | None, subject: str | None, form: str) -> None:
    """Show what was decided and done, by whom and when, oldest first. JSON comes one record a line."""
    shown = 0
    with session.records().read() as tx:
        for record in tx.audit.read(after=after):
            if subject and not record.subject.startswith(subject):
                continue
            click.echo(_line(record) if form == "text" else json.dumps(as_json(record), ensure_ascii=False))
            shown += 1
            if shown == limit:
                break


@command.command("verify", epilog="Example: keyfuse log verify && echo unchanged")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def verify_log(session: Session, form: str) -> None:
    """Walk the chain of hashes: finds a gap, an edit or a cut-off tail, and then exits with 3."""
    with session.records().read() as tx:
        verified = verify(tx.audit.read(), tx.audit.head())
    if form == "json":
        click.echo(json.dumps({"version": 1, "intact": True, "records": verified.records, "head": verified.head}))
    else:
        click.echo(f"the audit log is intact: {verified.records} records, head {verified.head}")


def as_json(record: AuditRecord) -> dict[str, Any]:
    """One record as programs get it."""
    return {
        "seq": record.seq,
        "at": record.at.isoformat(),
        "actor": record.actor,
        "event": record.event,
        "subject": record.subject,
        "details": dict(record.details),
        "previous": record.previous,
        "hash": record.hash,
    }


def _line(record: AuditRecord) -> str:
    details = " ".join(f"{name}={json.dumps(text, ensure_ascii=False)}" for name, text in record.details.items())
    at = record.at.strftime("%Y-%m-%d %H:%M:%S")
    return printable(f"{record.seq:>6}  {at}  {record.actor}  {record.event}  {record.subject}  {details}".rstrip())
