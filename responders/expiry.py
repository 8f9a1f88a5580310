"""What ends by itself: keys past their time, and dismissals that have run out."""

from __future__ import annotations

from responders.auditlog import Entry
from responders.case import Casebook
from responders.incident import IncidentState
from responders.registry import EXPIRED, Change
from responders.upkeep import ITSELF, MOST


def note_expired_keys(cases: Casebook) -> int:
    """Writes into the histories of keys past their `expires_at` that they have expired. Returns how many are new.

    A key is refused from that moment on in any case (`effective_state`); this says so where people look.
    """
    now = cases.clock()
    with cases.read() as tx:
        over = [key.id for key in tx.keys.expired(now)]
    for key_id in over:
        with cases.begin() as tx:
            if any(key.id == key_id for key in tx.keys.expired(now)):  # no other process was quicker
                change = Change(now, ITSELF, EXPIRED, {})
                tx.keys.put(tx.keys.get(key_id), change)
                tx.audit.append(Entry(ITSELF, "key.expired", f"key:{key_id}", {}))
    return len(over)


def end_dismissals(cases: Casebook) -> list[str]:
    """Opens incidents again whose dismissal has run out, so that somebody looks. Returns their ids."""
    now = cases.clock()
    with cases.read() as tx:
        dismissed = tx.incidents.list(states=[IncidentState.DISMISSED], limit=MOST)
    over = [each.id for each in dismissed if each.dismissed_until is not None and each.dismissed_until <= now]
    reopened = []
    for incident_id in over:
        with cases.open(incident_id, ITSELF) as case:
            until = case.incident.dismissed_until
            if case.incident.state is IncidentState.DISMISSED and until is not None and until <= case.now:
                case.reopen("its dismissal ran out")
                reopened.append(incident_id)
    return reopened
