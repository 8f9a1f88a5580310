"""The words of a notice: which key, whose, where seen, since when, what was done and proven, what lives on, what next.

Pure. What comes from scanned content, from the registry or from a provider passes through `printable`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from responders.incident import Incident, IncidentState, Sighting
from responders.notify.nextsteps import next_steps
from responders.notify.notice import Event, Notice
from responders.registry import KnownKey
from scanner.model import printable

HEADLINES = {
    Event.LEAKED: "{key} leaked and may STILL WORK: nothing was done to it yet",
    Event.CONTAINED: "{key} leaked and is now dead, which is proven",
    Event.UNCONFIRMED: "{key} leaked; its end was accepted but is not yet proven",
    Event.BLOCKED: "{key} leaked and may STILL WORK: nothing was done to it, and somebody has to decide",
    Event.FAILED: "{key} leaked and may STILL WORK: what was tried has failed",
    Event.NOTED: "{key} leaked and was left as it is; it may STILL WORK",
    Event.ESCALATED: "{key} leaked and is NOT CONTAINED in time",
}
SHOWN_PLACES = 5
DONE = (IncidentState.CONTAINED, IncidentState.UNCONFIRMED, IncidentState.ACTING)


def compose(
    event: Event,
    incident: Incident,
    known: KnownKey | None,
    told: Sequence[str],
    now: datetime,
    *,
    repeat: int = 0,
) -> Notice:
    """The notice of one event of an incident. `told` are all who hear of it; `repeat` counts the times told again."""
    headline = HEADLINES[event].format(key=named(incident, known))
    headline = headline[0].upper() + headline[1:]
    steps = next_steps(event, incident, known)
    paragraphs = [
        f"{headline}.",
        "\n".join(f"{label + ':':<12}{text}" for label, text in _facts(incident, known, told) if text),
        "What to do next:\n" + "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)),
    ]
    notice_id = identify(event, incident, repeat)
    return Notice(
        id=notice_id,
        event=event,
        subject=f"[keyfuse] {headline}",
        body="\n\n".join(paragraphs) + f"\n\nIncident {incident.id} · notice {notice_id}\n",
        incident_id=incident.id,
        data=_data(incident, known, told, steps),
        created_at=now,
    )


def identify(event: Event, incident: Incident, repeat: int) -> str:
    """The notice's id: the same for every repeat of the same telling, another after the incident was reopened."""
    obstacle = incident.reason.partition(":")[0] if event is Event.BLOCKED else ""
    text = "\n".join((incident.id, event.value, obstacle, incident.opened_at.isoformat(), str(repeat)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest(notices: Sequence[Notice], channel: str, recipient: str, now: datetime) -> Notice:
    """Many notices folded into one. Its id follows from theirs, so that a repeat after a crash is the same digest."""
    ids = sorted(notice.id for notice in notices)
    digest_id = hashlib.sha256("\n".join(("digest", channel, recipient, *ids)).encode()).hexdigest()[:32]
    lines = [f"- {notice.subject.removeprefix('[keyfuse] ')} (incident {notice.incident_id})" for notice in notices]
    return Notice(
        id=digest_id,
        event=Event.DIGEST,
        subject=f"[keyfuse] {len(notices)} notices about leaked keys",
        body=(
            f"{len(notices)} notices came up at once, so they are told together:\n\n"
            + "\n".join(lines)
            + "\n\nWhat to do next:\n1. See what was done to each:  keyfuse leaks show INCIDENT\n"
            + f"2. See what still waits for somebody:  keyfuse leaks list --state blocked\n\nNotice {digest_id}\n"
        ),
        incident_id=None,
        data={"count": str(len(notices)), "incidents": " ".join(dict.fromkeys(n.incident_id or "" for n in notices))},
        created_at=now,
    )


def trial(notice_id: str, now: datetime) -> Notice:
    """What `keyfuse notify test` sends."""
    return Notice(
        id=notice_id,
        event=Event.TEST,
        subject="[keyfuse] Test notice",
        body="This is a test. Whoever reads it would have been told of a leaked key.\n",
        incident_id=None,
        created_at=now,
    )


def named(incident: Incident, known: KnownKey | None) -> str:
    """The key in a few words: by its name where it has one, else by its kind."""
    if known is not None:
        return f'the key "{printable(known.name)}" ({printable(incident.masked)})'
    return f"an unregistered {printable(incident.kind_name)} ({printable(incident.masked)})"


def moment(at: datetime | None) -> str:
    """A time as people read it, always in UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else ""


def where(sighting: Sighting) -> str:
    """One place in one line."""
    line = f":{sighting.line}" if sighting.line else ""
    commit = f", commit {sighting.commit[:10]}" if sighting.commit else ""
    author = f" by {sighting.author}" if sighting.commit and sighting.author else ""
    repository = f"{sighting.repository}: " if sighting.repository else ""
    return printable(f"{repository}{sighting.where}{line} ({sighting.place}{commit}{author})")


def first_seen(incident: Incident) -> datetime:
    """When any of its places was first seen."""
    return min((s.seen_at for s in incident.sightings if s.seen_at), default=incident.opened_at)


def _facts(incident: Incident, known: KnownKey | None, told: Sequence[str]) -> Iterable[tuple[str, str]]:
    yield "Key", f"{printable(known.name)}, id {printable(known.id)}" if known else printable(incident.kind_name)
    yield "Masked", printable(incident.masked)
    yield "Provider", printable(incident.provider) + (f", {known.kind.value} key" if known else "")
    yield "Owner", _joined(known.owners) if known and known.owners else "nobody is registered as its owner"
    yield "Account", printable(known.account_id) if known else ""
    yield "Severity", incident.severity.label
    yield "Seen in", _places(incident)
    yield "Since", moment(first_seen(incident))
    yield "State", incident.state.value
    yield ("Done" if incident.state in DONE else "Why"), printable(incident.reason)
    yield "Proof", printable(incident.evidence)
    yield "Lives on", _outliving(incident)
    yield "Told", _joined(told)


def _places(incident: Incident) -> str:
    shown = [where(sighting) for sighting in incident.sightings[:SHOWN_PLACES]]
    more = max(incident.sighting_count, len(incident.sightings)) - len(shown)
    return ("\n" + " " * 12).join([*shown, *([f"and {more} more places"] if more > 0 else [])])


def _outliving(incident: Incident) -> str:
    until = f", until {moment(incident.outlives_until)} at the latest" if incident.outlives_until else ""
    return printable(incident.outlives) + until if incident.outlives else ""


def _joined(names: Iterable[str]) -> str:
    return ", ".join(map(printable, names))


def _data(incident: Incident, known: KnownKey | None, told: Sequence[str], steps: Sequence[str]) -> dict[str, str]:
    data = {
        "incident": incident.id,
        "state": incident.state.value,
        "rule": incident.rule,
        "kind": printable(incident.kind_name),
        "provider": printable(incident.provider),
        "severity": incident.severity.label,
        "masked": printable(incident.masked),
        "fingerprint": incident.fingerprint,
        "reason": printable(incident.reason),
        "evidence": printable(incident.evidence),
        "outlives": printable(incident.outlives),
        "outlives_until": incident.outlives_until.isoformat() if incident.outlives_until else "",
        "first_seen": first_seen(incident).isoformat(),
        "places": "\n".join(where(sighting) for sighting in incident.sightings[:SHOWN_PLACES]),
        "sightings": str(max(incident.sighting_count, len(incident.sightings))),
        "told": _joined(told),
        "next_steps": "\n".join(steps),
    }
    if known is not None:
        data |= {
            "key_id": printable(known.id),
            "key_name": printable(known.name),
            "owners": _joined(known.owners),
            "account_id": printable(known.account_id),
            "action_when_leaked": known.action_when_leaked.value,
        }
    return {name: text for name, text in data.items() if text}
