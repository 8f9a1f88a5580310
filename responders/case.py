"""One incident inside one transaction: its record, its key's record, its action, the log, and who is told.

Whatever changes an incident goes through here, so that state, audit record and notices are written together or not at
all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from responders.auditlog import Entry
from responders.incident import Action, ActionState, Incident, IncidentState, move
from responders.notify.notice import Event
from responders.notify.telling import Telling
from responders.provider import ITSELF, Dead, Identified, Identity
from responders.records import Records, Transaction
from responders.registry import Change, KeyState, KnownKey

TELLS: Mapping[IncidentState, Event] = {
    IncidentState.CONTAINED: Event.CONTAINED,
    IncidentState.UNCONFIRMED: Event.UNCONFIRMED,
    IncidentState.BLOCKED: Event.BLOCKED,
    IncidentState.FAILED: Event.FAILED,
    IncidentState.NOTED: Event.NOTED,
}
"""The states that people are told of. An incident that is open or acted on is told of only when that takes long."""


class Case:
    """The file on one incident, open for writing. `owners` are those the provider named."""

    def __init__(self, tx: Transaction, incident: Incident, *, telling: Telling, actor: str, now: datetime) -> None:
        self.tx = tx
        self.incident = incident
        self.known = known_key(tx, incident)
        self.now = now
        self.owners: tuple[str, ...] = ()
        self._telling = telling
        self._actor = actor

    def log(self, event: str, **details: str) -> None:
        """Writes one audit record about this incident."""
        self.tx.audit.append(Entry(self._actor, event, f"incident:{self.incident.id}", details))

    def move(
        self,
        to: IncidentState,
        reason: str,
        *,
        proof: Dead | None = None,
        dismissed_until: datetime | None = None,
    ) -> None:
        """Moves the incident, writes why, and tells people where the new state is one they are told of.

        Where it stands there already for the same reason, nothing is written.
        """
        before = self.incident
        if before.state is to and before.reason == reason:
            return
        self.incident = replace(
            before,
            state=to if before.state is to else move(before.state, to),
            reason=reason,
            evidence=proof.evidence if proof else "",
            outlives=proof.outlives if proof else "",
            outlives_until=proof.until if proof else None,
            dismissed_until=dismissed_until,
            approved=before.approved and to is not IncidentState.CONTAINED,
            changed_at=self.now,
        )
        self.tx.incidents.put(self.incident)
        details = {"from": before.state.value, "reason": reason} | ({"evidence": proof.evidence} if proof else {})
        self.log(f"incident.{to.value}", **details)
        if to in TELLS:
            self.tell(TELLS[to])

    def reopen(self, reason: str) -> None:
        """Opens the incident anew: what is told from now on is told as news."""
        self.incident = replace(self.incident, opened_at=self.now, approved=False)
        self.move(IncidentState.OPEN, reason)

    def approve(self) -> None:
        """Lets this one through the hourly limit."""
        self.incident = replace(self.incident, approved=True, changed_at=self.now)
        self.tx.incidents.put(self.incident)
        self.log("incident.approved")

    def tell(self, event: Event) -> bool:
        """Queues the notices of this event and writes who will hear of it; false if everybody has heard already."""
        told = self._telling.queue(self.tx.notices, event, self.incident, self.known, self.now, self.owners)
        if told:
            self.log("notices.queued", telling=event.value, to=", ".join(told))
        return bool(told)

    def keep(self, action: Action, **changes: str) -> Action:
        """Stores an action; with `changes`, as one step in the log."""
        self.tx.incidents.put_action(action)
        if changes:
            self.log(f"action.{action.state.value}", action=action.id, kind=action.kind.value, **changes)
        return action

    def end(self, action: Action | None, outcome: str, reason: str) -> None:
        """Ends an action, if there is one, and erases what was sealed in it."""
        if action is not None and action.state is not ActionState.ENDED:
            ended = replace(action, state=ActionState.ENDED, outcome=outcome, reason=reason, sealed=None, next_at=None)
            self.keep(ended, outcome=outcome, reason=reason)

    def pending(self) -> Action | None:
        """The incident's action that has not ended."""
        return pending_action(self.tx, self.incident.id)

    def join(self, identity: Identity) -> None:
        """Joins the incident to the registry's record of the key that the provider identified.

        A record that names no owner gets those that the provider names: later on somebody has to be told. One that
        does not have the provider's own id gets it: without it nobody could switch the key on again.
        """
        if not isinstance(identity, Identified):
            return
        self.owners = identity.owners
        if self.known is None:
            self.known = self.tx.keys.by_provider_id(identity.ref.provider, identity.ref.id)
        if self.known is not None and self.incident.key_id != self.known.id:
            self.incident = replace(self.incident, key_id=self.known.id, provider=self.known.provider)
            self.tx.incidents.put(self.incident)
            self.log("incident.identified", key=self.known.id, evidence=identity.evidence)
        if self.known is not None and _tells_id(identity, self.known):
            said = {"provider_key_id": identity.ref.id}
            change = Change(self.now, self._actor, "identified", said, "as its provider says")
            if self.tx.keys.by_provider_id(self.known.provider, identity.ref.id) is None:
                self.known = self.tx.keys.put(replace(self.known, provider_key_id=identity.ref.id), change)
        if self.known is not None and identity.owners and not self.known.owners:
            change = Change(
                self.now, self._actor, "owners", {"owners": ", ".join(identity.owners)}, "as its provider says"
            )
            self.known = self.tx.keys.put(replace(self.known, owners=identity.owners), change)
        self.mark_leaked()

    def mark_leaked(self) -> None:
        """Notes in the key's record that it leaked."""
        if self.known is not None and not self.known.leaked:
            change = Change(self.now, self._actor, "leaked", {"incident": self.incident.id})
            self.known = self.tx.keys.put(replace(self.known, leaked=True), change)

    def record_state(self, state: KeyState, evidence: str) -> None:
        """Brings the registry's copy up to what the provider proved; a provider that shares the registry did it."""
        known = known_key(self.tx, self.incident)
        if known is not None and known.state is not state and known.effective_state(self.now) is not state:
            change = Change(self.now, self._actor, state.value, {"incident": self.incident.id}, evidence)
            known = self.tx.keys.put(replace(known, state=state), change)
        self.known = known


def _tells_id(identity: Identified, known: KnownKey) -> bool:
    """Whether the provider named an id that the record does not have yet."""
    named = identity.asked and identity.ref.id not in ("", ITSELF, known.id)
    return named and not known.provider_key_id and identity.ref.provider == known.provider


def pending_action(tx: Transaction, incident_id: str) -> Action | None:
    """The incident's action that has not ended; there is one at most."""
    actions = tx.incidents.actions(incident_id)
    return next((action for action in reversed(actions) if action.state is not ActionState.ENDED), None)


def known_key(tx: Transaction, incident: Incident) -> KnownKey | None:
    """The registry's record of the incident's key: by the id it was joined on, else by fingerprint."""
    if incident.key_id is not None:
        return tx.keys.get(incident.key_id)
    return tx.keys.lookup([incident.fingerprint]).get(incident.fingerprint)


def alive(known: KnownKey | None, now: datetime) -> bool:
    """Whether the registry says that the key still works."""
    return known is not None and known.effective_state(now) is KeyState.ACTIVE


class Casebook:
    """Opens cases, each in a transaction of its own."""

    def __init__(self, records: Records, telling: Telling, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._telling = telling
        self.clock = clock

    @contextmanager
    def open(self, incident_id: str, actor: str) -> Iterator[Case]:
        """One incident, open for writing. Raises NoSuchRecord."""
        with self._records.begin() as tx:
            yield self.of(tx, tx.incidents.get(incident_id), actor)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction in which a case may yet have to be found or made."""
        with self._records.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads."""
        with self._records.read() as tx:
            yield tx

    def of(self, tx: Transaction, incident: Incident, actor: str) -> Case:
        """The case of an incident that was found or made in this transaction."""
        return Case(tx, incident, telling=self._telling, actor=actor, now=self.clock())
