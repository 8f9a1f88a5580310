"""Takes in what was found: one incident per secret, and every place where it was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from responders.case import TELLS, Case, Casebook, alive
from responders.execution import LEASE
from responders.incident import Action, ActionKind, ActionState, Incident, IncidentState
from responders.keyfile import Sealer
from responders.leakreport import LeakReport
from responders.notify.notice import Event
from responders.provider import Leak, Provider
from responders.records import Transaction
from responders.sealing import seal_leak

S = IncidentState
STILL_A_CONCERN = frozenset({S.NOTED, S.BLOCKED, S.FAILED, S.UNCONFIRMED})


class Reception:
    """Opens incidents and joins sightings to them; writes down that a response is wanted."""

    def __init__(
        self,
        cases: Casebook,
        providers: Mapping[str, Provider],
        *,
        ids: Callable[[], str],
        sealer: Callable[[], Sealer],
    ) -> None:
        self._cases = cases
        self._providers = providers
        self._ids = ids
        self._sealer = sealer

    def report(self, found: LeakReport, *, actor: str, act: bool) -> Incident:
        """Opens an incident for this secret, or joins what was seen to the one there is, reopening it where due.

        With `act` a response is wanted, and people are told how it ends; without it they are told of the leak now.
        """
        return self.report_all((found,), actor=actor, act=act)[0]

    def report_all(self, found: Sequence[LeakReport], *, actor: str, act: bool) -> list[Incident]:
        """The same for several, all of them or none."""
        with self._cases.begin() as tx:
            return [self._report(tx, each, actor, act=act) for each in found]

    def _report(self, tx: Transaction, found: LeakReport, actor: str, *, act: bool) -> Incident:
        incident = tx.incidents.by_fingerprint(found.fingerprint)
        case = self._open(tx, found, actor) if incident is None else self._cases.of(tx, incident, actor)
        new = [place for place in found.sightings if tx.incidents.see(case.incident.id, place)]
        if new:
            case.log("incident.sighted", where=new[0].where, places=str(len(new)), source=found.source)
        case.incident = tx.incidents.get(case.incident.id)
        case.mark_leaked()
        if incident is not None:
            _reopen_or_repeat(case, seen_anew=bool(new))
        if case.incident.state is S.OPEN and case.pending() is None:
            if act:
                self.want(case, found.leak)
            else:
                case.tell(Event.LEAKED)
        return case.incident

    def want(self, case: Case, leak: Leak) -> Action:
        """Writes that a response is wanted; seals the secret where the provider will need it again."""
        provider = self._providers.get(case.incident.provider)
        needed = provider is not None and provider.needs_secret()
        action_id = self._ids()
        return case.keep(
            Action(
                id=action_id,
                incident_id=case.incident.id,
                kind=ActionKind.NONE,
                state=ActionState.PLANNED,
                idempotency_key=action_id,
                provider=case.incident.provider,
                created_at=case.now,
                next_at=case.now + LEASE,
                sealed=seal_leak(self._sealer(), leak, action_id) if needed else None,
            )
        )

    def _open(self, tx: Transaction, found: LeakReport, actor: str) -> Case:
        now, kind = self._cases.clock(), found.leak.kind
        known = tx.keys.lookup([found.fingerprint]).get(found.fingerprint)
        incident = Incident(
            id=self._ids(),
            fingerprint=found.fingerprint,
            state=S.OPEN,
            rule=kind.id,
            kind_name=kind.name,
            provider=known.provider if known else kind.provider,
            severity=kind.severity,
            masked=found.masked,
            opened_at=now,
            changed_at=now,
            key_id=known.id if known else None,
        )
        tx.incidents.add(incident)
        case = self._cases.of(tx, incident, actor)
        case.log("incident.opened", rule=kind.id, key=incident.key_id or "not registered", source=found.source)
        return case


def _reopen_or_repeat(case: Case, *, seen_anew: bool) -> None:
    """What a report means for an incident that was there before.

    A registered key that is active reopens whatever was closed or contained. Else a resolved incident reopens when
    it is seen in a new place, a dismissed one when the dismissal has run out.
    """
    incident, lives = case.incident, alive(case.known, case.now)
    match incident.state:
        case S.CONTAINED if lives:
            case.reopen("the key was seen again and is active again")
        case S.RESOLVED if lives or seen_anew:
            case.reopen("seen again after it was resolved")
        case S.DISMISSED if lives:
            case.reopen("seen again, and the key is registered and active, which no dismissal covers")
        case S.DISMISSED if incident.dismissed_until is not None and incident.dismissed_until <= case.now:
            case.reopen("seen again after its dismissal ran out")
        case state if seen_anew and state in STILL_A_CONCERN:
            case.tell(TELLS[state])
        case _:
            pass
