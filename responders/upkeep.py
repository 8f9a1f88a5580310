"""What time alone brings about: sealed secrets are erased, and incidents that stand too long are escalated."""

from __future__ import annotations

from dataclasses import replace

from responders.case import Casebook
from responders.incident import Incident, IncidentState
from responders.notify.notice import Event
from responders.policy import Policy
from responders.records import Transaction

ITSELF = "keyfuse"
"""The actor of what keyfuse does without being asked."""
UNFINISHED = (
    IncidentState.OPEN,
    IncidentState.ACTING,
    IncidentState.UNCONFIRMED,
    IncidentState.BLOCKED,
    IncidentState.FAILED,
)
MOST = 10_000
"""How many incidents are looked at in one go."""


def erase_sealed(cases: Casebook, policy: Policy) -> int:
    """Erases the secrets that have lain sealed for longer than `seal_for`. Returns how many."""
    old = cases.clock() - policy.seal_for
    with cases.read() as tx:
        stale = [action for action in tx.incidents.pending() if action.sealed is not None and action.created_at <= old]
    for action in stale:
        with cases.open(action.incident_id, ITSELF) as case:
            pending = case.pending()
            if pending is not None and pending.sealed is not None:
                case.keep(replace(pending, sealed=None), reason="the sealed secret was erased: it lay for too long")
    return len(stale)


def escalate(cases: Casebook, policy: Policy) -> int:
    """Tells the administrators of incidents that were not contained in time, once each. Returns how many are new."""
    limit = cases.clock() - policy.escalate_after
    with cases.read() as tx:
        late = [
            incident.id
            for incident in tx.incidents.list(states=UNFINISHED, limit=MOST)
            if incident.opened_at <= limit and not _is_escalated(tx, incident)
        ]
    told = 0
    for incident_id in late:
        with cases.open(incident_id, ITSELF) as case:
            told += case.incident.state in UNFINISHED and case.tell(Event.ESCALATED)
    return told


def _is_escalated(tx: Transaction, incident: Incident) -> bool:
    """Whether this has been done since the incident was (last) opened."""
    return any(
        delivery.notice.event is Event.ESCALATED
        and delivery.notice.created_at is not None
        and delivery.notice.created_at >= incident.opened_at
        for delivery in tx.notices.of_incident(incident.id)
    )
