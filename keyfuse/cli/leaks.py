"""`keyfuse leaks`: what leaked, what was done about it, and what waits for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from keyfuse.cli.tables import fields, table
from keyfuse.exits import Exit
from keyfuse.leakrecord import as_json, in_full, parse_until
from keyfuse.session import Session
from responders.foreign import read_report
from responders.incident import Action, Incident, IncidentState
from responders.notify.queue import Delivery
from responders.notify.wording import moment, where
from responders.registry import KnownKey
from scanner.errors import UsageError
from scanner.model import printable

SHORT_ID = 12
MOST_BYTES = 256 * 1024**2
SETTLED = frozenset({IncidentState.CONTAINED, IncidentState.NOTED, IncidentState.RESOLVED, IncidentState.DISMISSED})

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; it goes to the audit log.")


@click.group(epilog="Example: keyfuse leaks list --state blocked")
def command() -> None:
    """Incidents: what leaked, what was done, what waits for you."""


@command.command("list", epilog="Example: keyfuse leaks list --state blocked --state failed")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in IncidentState]),
    help="Only incidents in this state; may be given several times.",
)
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many, newest first.")
@format_option
@click.pass_obj
def list_leaks(session: Session, states: tuple[str, ...], limit: int, form: str) -> None:
    """List incidents, newest first, each with its state."""
    with session.records().read() as tx:
        found = tx.incidents.list(states=[IncidentState(state) for state in states], limit=limit)
    _print_all(session, found, form)


@command.command("show", epilog="Example: keyfuse leaks show 3f2a")
@click.argument("incident")
@format_option
@click.pass_obj
def show(session: Session, incident: str, form: str) -> None:
    """Show one incident: where it was seen, what was done, who was told. INCIDENT may be the start of its id."""
    with session.records().read() as tx:
        found = tx.incidents.get(incident)
        known = _known(tx.keys.get, found)
        actions = tx.incidents.actions(found.id)
        deliveries = tx.notices.of_incident(found.id)
    if form == "json":
        _print_json(in_full(found, known, actions, deliveries))
        return
    click.echo(_shown(found, known, actions, deliveries))


@command.command("approve", epilog="Example: keyfuse leaks approve 3f2a")
@click.argument("incident")
@format_option
@click.pass_obj
def approve(session: Session, incident: str, form: str) -> int:
    """Let a blocked incident through the hourly limit, and respond to it."""
    return _finish(session, session.responder().approve(incident, actor=session.actor), form)


@command.command("respond", epilog="Example: keyfuse leaks respond 3f2a --dry-run")
@click.argument("incident")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@format_option
@click.pass_obj
def respond(session: Session, incident: str, dry_run: bool, form: str) -> int:
    """Apply the key's leak action to an incident that is open, blocked, noted or failed, or prove it once more."""
    responder = session.responder()
    after = responder.respond(incident, actor=session.actor, asked=True, dry_run=True if dry_run else None)
    return _finish(session, after, form)


@command.command("resolve", epilog='Example: keyfuse leaks resolve 3f2a --reason "replaced everywhere"')
@click.argument("incident")
@reason_option
@format_option
@click.pass_obj
def resolve(session: Session, incident: str, reason: str, form: str) -> None:
    """Close an incident that is dealt with. Seen in a new place, it opens again."""
    _print(session, session.responder().resolve(incident, reason, actor=session.actor), form)


@command.command("dismiss", epilog='Example: keyfuse leaks dismiss 3f2a --until 90d --reason "a sample, never valid"')
@click.argument("incident")
@reason_option
@click.option("--until", required=True, metavar="TIME", help="When it ends: 2027-01-31, 2027-01-31T12:00Z, 90d or 12h.")
@format_option
@click.pass_obj
def dismiss(session: Session, incident: str, reason: str, until: str, form: str) -> None:
    """Close an incident that is no concern, for a time. A registered, active key opens it again all the same."""
    end = parse_until(until, session.clock())
    _print(session, session.responder().dismiss(incident, reason, end, actor=session.actor), form)


@command.command("reopen", epilog='Example: keyfuse leaks reopen 3f2a --reason "it still works"')
@click.argument("incident")
@click.option("--reason", default="reopened by hand", show_default=True, metavar="TEXT", help="Why.")
@format_option
@click.pass_obj
def reopen(session: Session, incident: str, reason: str, form: str) -> None:
    """Open a closed, contained or noted incident again."""
    _print(session, session.responder().reopen(incident, reason, actor=session.actor), form)


@command.command("report", epilog="Example: keyfuse leaks report gitleaks.json --respond")
@click.argument("file", metavar="FILE")
@click.option("--respond", "act", is_flag=True, help="Apply each registered key's leak action.")
@click.option("--source", default="report", show_default=True, metavar="NAME", help="Who found them, for the record.")
@format_option
@click.pass_obj
def report(session: Session, file: str, act: bool, source: str, form: str) -> int:
    """Take in another scanner's report, - is stdin: SARIF, or JSON of gitleaks, betterleaks, trufflehog, kingfisher,
    detect-secrets or keyfuse.

    An incident is opened for every value that the report holds. Exits with 1 when there were any, with 5 when a leak
    action was wanted and is not proven done, and with 4 when there were none but some finding could not be used.
    """
    read = read_report(_content(file), session.fingerprinter(), source=source, seen_at=session.clock())
    responder, actor = session.responder(), session.actor
    incidents = [responder.report(leak, actor=actor, act=act) for leak in read.leaks]
    if act:
        pairs = zip(incidents, read.leaks, strict=True)
        incidents = [responder.respond(incident.id, leak.leak, actor=actor) for incident, leak in pairs]
    _tend(session)
    for skipped in read.skipped:
        click.echo(printable(f"not usable: {skipped.origin}: {skipped.reason}"), err=True)
    _print_all(session, incidents, form)
    if act and any(incident.state not in SETTLED for incident in incidents):
        return Exit.UNPROVEN
    if incidents:
        return Exit.LEAKS
    return Exit.INCOMPLETE if read.skipped else Exit.OK


def _content(file: str) -> bytes:
    with click.open_file(file, "rb") as opened:
        content = opened.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"the report has more than {MOST_BYTES // 1024**2} MiB; split it")
    return bytes(content)


def _finish(session: Session, incident: Incident, form: str) -> int:
    """Prints where the incident stands after a response, sends what is to be told, and says whether it is proven."""
    _print(session, incident, form)
    _tend(session)
    return Exit.OK if incident.state in SETTLED else Exit.UNPROVEN


def _tend(session: Session) -> None:
    """Goes on with what an earlier command left unfinished, and sends what is to be told."""
    session.responder().tend()
    session.courier().deliver()


def _print(session: Session, incident: Incident, form: str) -> None:
    if form == "json":
        with session.records().read() as tx:
            _print_json(as_json(incident, _known(tx.keys.get, incident)))
    else:
        evidence = f" ({incident.evidence})" if incident.evidence else ""
        click.echo(printable(f"{incident.id[:SHORT_ID]} {incident.state.value}: {incident.reason}{evidence}"))


def _print_all(session: Session, found: Sequence[Incident], form: str) -> None:
    with session.records().read() as tx:
        known = {incident.id: _known(tx.keys.get, incident) for incident in found}
    if form == "json":
        _print_json({"version": 1, "leaks": [as_json(incident, known[incident.id]) for incident in found]})
    elif found:
        heads = ("INCIDENT", "STATE", "SEVERITY", "KEY", "PROVIDER", "MASKED", "PLACES", "OPENED", "WHY")
        click.echo(table(heads, (_row(incident, known[incident.id]) for incident in found)))
    else:
        click.echo("no incidents", err=True)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _known(get: Callable[[str], KnownKey], incident: Incident) -> KnownKey | None:
    return get(incident.key_id) if incident.key_id else None


def _row(incident: Incident, known: KnownKey | None) -> Sequence[str]:
    return (
        incident.id[:SHORT_ID],
        incident.state.value,
        incident.severity.label,
        known.name if known else f"({incident.kind_name})",
        incident.provider,
        incident.masked,
        str(max(incident.sighting_count, len(incident.sightings))),
        moment(incident.opened_at),
        incident.reason,
    )


def _shown(
    incident: Incident, known: KnownKey | None, actions: Sequence[Action], deliveries: Sequence[Delivery]
) -> str:
    until = f", until {moment(incident.outlives_until)} at the latest" if incident.outlives_until else ""
    parts = [
        fields(
            (
                ("Incident", incident.id),
                ("State", incident.state.value),
                ("Why", incident.reason),
                ("Proof", incident.evidence),
                ("Lives on", incident.outlives + until if incident.outlives else ""),
                ("Dismissed until", moment(incident.dismissed_until)),
                ("Key", f"{known.name} (id {known.id})" if known else "not registered"),
                ("Leak action", known.action_when_leaked.value if known else ""),
                ("Owners", ", ".join(known.owners) if known else ""),
                ("Kind", f"{incident.kind_name} ({incident.rule})"),
                ("Provider", incident.provider),
                ("Masked", incident.masked),
                ("Fingerprint", incident.fingerprint),
                ("Severity", incident.severity.label),
                ("Opened", moment(incident.opened_at)),
                ("Changed", moment(incident.changed_at)),
            )
        ),
        "Seen in\n" + "\n".join(f"  {where(sighting)}" for sighting in incident.sightings),
    ]
    if actions:
        heads = ("ACTION", "STATE", "OUTCOME", "TRIES", "BEGUN", "WHY")
        parts.append(table(heads, (_action_row(action) for action in actions)))
    if deliveries:
        heads = ("NOTICE", "CHANNEL", "TO", "STATE", "TRIES", "ERROR")
        parts.append(table(heads, (_delivery_row(delivery) for delivery in deliveries)))
    return "\n\n".join(parts)


def _action_row(action: Action) -> Sequence[str]:
    tries = str(action.attempts)
    return action.kind.value, action.state.value, action.outcome, tries, moment(action.created_at), action.reason


def _delivery_row(delivery: Delivery) -> Sequence[str]:
    to, tries = delivery.recipient or "-", str(delivery.attempts)
    return delivery.notice.event.value, delivery.channel, to, delivery.state.value, tries, delivery.last_error
