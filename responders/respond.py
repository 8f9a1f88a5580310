"""The coordinator: the only place where the steps meet.

    report -> identify -> plan -> intent -> change -> outcome -> prove -> outcome

Each step that writes is one transaction, and between two of them the process may die: what is intended is written
before it is sent, and whoever comes after reads the state at the provider before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from responders.case import Case, Casebook, known_key, pending_action
from responders.errors import IllegalMove, KeyFileError, ProviderError, StoreError
from responders.execution import LEASE, Execution, later
from responders.expiry import end_dismissals, note_expired_keys
from responders.incident import CLOSED, Action, ActionKind, ActionState, Incident, IncidentState
from responders.keyfile import Sealer
from responders.leakreport import LeakReport
from responders.notify.notice import Event
from responders.notify.telling import Telling
from responders.policy import (
    Act,
    AlreadyDead,
    AskAgain,
    Block,
    Blocked,
    Decision,
    NotConnected,
    Note,
    Policy,
    plan,
)
from responders.provider import Identified, Identity, KeyRef, Leak, Provider
from responders.reception import Reception
from responders.records import Records
from responders.registry import KnownKey
from responders.sealing import unseal_leak
from responders.upkeep import ITSELF, erase_sealed, escalate
from scanner.errors import KeyfuseError
from scanner.model import Fingerprint, TokenKind

S = IncidentState
UNDER_WAY = (ActionState.SENT, ActionState.PROVING)


def no_checkpoint(_step: str) -> None:
    """Does nothing between the steps."""


class Responder:
    """Answers leaks: opens incidents, does what the keys' owners decided, proves it, and has people told.

    `own` holds the fingerprints of the credentials that keyfuse itself works with; `sealer` is asked for only when a
    provider needs the secret again. `checkpoint` is called between the steps with the name of the one just done.
    """

    def __init__(
        self,
        records: Records,
        providers: Mapping[str, Provider],
        policy: Policy,
        telling: Telling,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], str],
        sealer: Callable[[], Sealer],
        own: Collection[Fingerprint] = (),
        checkpoint: Callable[[str], None] = no_checkpoint,
    ) -> None:
        self._cases = Casebook(records, telling, clock)
        self._reception = Reception(self._cases, providers, ids=ids, sealer=sealer)
        self._execution = Execution(self._cases, providers, policy, checkpoint)
        self._providers = providers
        self._policy = policy
        self._clock = clock
        self._sealer = sealer
        self._own = frozenset(own)
        self._checkpoint = checkpoint

    def report(self, found: LeakReport, *, actor: str, act: bool = True) -> Incident:
        """Opens an incident for this secret, or joins what was seen to the one there is, reopening it where due.

        `act` writes down that a response is wanted, so that a process that dies before `respond` has one given later.
        """
        incident = self._reception.report(found, actor=actor, act=act)
        self._checkpoint("reported")
        return incident

    def report_all(self, found: Sequence[LeakReport], *, actor: str) -> list[Incident]:
        """The same for many leaks in one write, each of which wants a response."""
        return self._reception.report_all(found, actor=actor, act=True)

    # --- responding -------------------------------------------------------------------------------------------------

    def respond(
        self,
        incident_id: str,
        leak: Leak | None = None,
        *,
        actor: str,
        asked: bool = False,
        dry_run: bool | None = None,
    ) -> Incident:
        """Does what the key's owner decided, as far as policy allows, and returns the incident as it stands then.

        `leak` carries the secret while the finder still has it. `asked` says that a person wants it: then a failed
        incident is tried again, and one over the hourly limit is looked at anew. `dry_run` overrides the policy's.
        """
        with self._cases.read() as tx:
            incident = tx.incidents.get(incident_id)
            known = known_key(tx, incident)
            action = pending_action(tx, incident.id)
        if asked and incident.state in CLOSED:
            raise IllegalMove(f"the incident is {incident.state}; reopen it first: keyfuse leaks reopen {incident.id}")
        if asked and action is not None and action.state in UNDER_WAY:
            return self._go_on(action, actor)
        if not _may_start(incident, action, asked):
            return incident
        leak = leak or self._leak(incident, action)
        identity = self._identify(incident, known, leak)
        self._checkpoint("identified")
        begun = self._decide(incident.id, identity, leak, actor, asked, dry_run)
        self._checkpoint("decided")
        return begun if isinstance(begun, Incident) else self._execution.run(begun, leak, actor)

    def what_if(self, found: LeakReport) -> tuple[KnownKey | None, Decision]:
        """Whose key this is, and what a response would decide by the registry's word alone; asks and writes nothing."""
        with self._cases.read() as tx:
            known = tx.keys.lookup([found.fingerprint]).get(found.fingerprint)
            incident = tx.incidents.by_fingerprint(found.fingerprint)
            changes = tx.incidents.changes_since(self._clock() - timedelta(hours=1))
        if incident is None:
            incident = _imagined(found, self._clock())
        identity: Identified | NotConnected = NotConnected("nobody has registered it")
        if known is not None:
            ref = KeyRef(known.provider, known.provider_key_id or known.id)
            identity = Identified(ref, known.effective_state(self._clock()), known.locked)
            if known.provider not in self._providers:
                identity = NotConnected(f"keyfuse has no connection to {known.provider}")
        provider = self._providers.get(known.provider) if known else None
        capabilities = provider.capabilities if provider else None
        return known, plan(incident, known, identity, capabilities, self._policy, changes, self._own)

    def _identify(self, incident: Incident, known: KnownKey | None, leak: Leak) -> Identity | NotConnected:
        name = known.provider if known else incident.provider
        provider = self._providers.get(name)
        if provider is None:
            return NotConnected(f"keyfuse has no connection to {name}")
        try:
            return provider.identify(leak, known)
        except ProviderError as error:
            return NotConnected(str(error))

    def _decide(
        self,
        incident_id: str,
        identity: Identity | NotConnected,
        leak: Leak,
        actor: str,
        asked: bool,
        dry_run: bool | None,
    ) -> Incident | Action:
        """Plans and writes the decision. Returns the action whose intent is written now, or where the incident stands.

        The hourly limit is counted in the transaction that writes the intent, so that two processes cannot both be
        the last one under it.
        """
        with self._cases.open(incident_id, actor) as case:
            action = case.pending()
            if not _may_start(case.incident, action, asked):
                return case.incident
            if not isinstance(identity, NotConnected):
                case.join(identity)
            provider = self._providers.get(case.known.provider if case.known else case.incident.provider)
            changes = case.tx.incidents.changes_since(case.now - timedelta(hours=1))
            capabilities = provider.capabilities if provider else None
            decision = plan(case.incident, case.known, identity, capabilities, self._policy, changes, self._own)
            if isinstance(decision, Act) and (self._policy.dry_run if dry_run is None else dry_run):
                decision = Block(Blocked.DRY_RUN, decision.reason)
            return self._write(case, action, decision, leak)

    def _write(self, case: Case, action: Action | None, decision: Decision, leak: Leak) -> Incident | Action:
        if decision.reason != case.incident.reason:
            case.log("decided", decision=type(decision).__name__.lower(), reason=decision.reason)
        match decision:
            case Note(reason):
                case.end(action, "noted", reason)
                case.move(S.NOTED, reason)
            case Block():
                case.end(action, "blocked", decision.reason)
                case.move(S.BLOCKED, decision.reason)
            case AskAgain(reason):
                self._ask_again(case, action or self._reception.want(case, leak), reason)
            case AlreadyDead(target=target):
                if target is not None:
                    return self._intend(case, action, leak, target, ActionKind.NONE, decision.reason)
                case.end(action, "contained", decision.reason)
                case.move(S.CONTAINED, decision.reason)
            case Act(kind, target):
                return self._intend(case, action, leak, target, kind, decision.reason)
            case _:
                assert_never(decision)
        return case.incident

    def _intend(
        self, case: Case, action: Action | None, leak: Leak, target: Identified, kind: ActionKind, reason: str
    ) -> Action:
        """Writes the intent: from now on somebody has to find out how it ended."""
        intended = replace(
            action or self._reception.want(case, leak),
            kind=kind,
            state=ActionState.PROVING if kind is ActionKind.NONE else ActionState.SENT,
            provider=target.ref.provider,
            ref_id=target.ref.id,
            ref_details=dict(target.ref.details),
            reason=reason,
            attempts=1,
            next_at=case.now + LEASE,
        )
        case.keep(intended, reason=reason, target=target.ref.id, evidence=target.evidence)
        case.move(S.ACTING, reason)
        return intended

    def _ask_again(self, case: Case, action: Action, reason: str) -> None:
        """Nobody could tell, so nothing is done; the provider is asked again later, and people know of the leak."""
        if case.now - action.created_at >= self._policy.prove_for:
            case.end(action, "failed", reason)
            case.move(S.FAILED, f"{action.provider} could never be asked: {reason}")
            return
        tries = action.attempts + 1
        next_at = case.now + later(self._policy.retry_after, tries)
        case.keep(replace(action, attempts=tries, reason=reason, next_at=next_at), reason=reason)
        case.move(case.incident.state, f"asking {action.provider} again, since it could not be asked: {reason}")
        case.tell(Event.LEAKED)

    # --- what people decide -----------------------------------------------------------------------------------------

    def approve(self, incident_id: str, *, actor: str) -> Incident:
        """Lets a blocked incident through the hourly limit and responds. Raises IllegalMove if it is not blocked."""
        with self._cases.open(incident_id, actor) as case:
            if case.incident.state is not S.BLOCKED:
                raise IllegalMove(f"the incident is {case.incident.state}; only a blocked one can be approved")
            case.approve()
        return self.respond(case.incident.id, actor=actor, asked=True)

    def retry(self, incident_id: str, *, actor: str) -> Incident:
        """Responds because a person asks for it, also to an incident that has failed."""
        return self.respond(incident_id, actor=actor, asked=True)

    def resolve(self, incident_id: str, reason: str, *, actor: str) -> Incident:
        """Closes an incident that is dealt with. Raises IllegalMove from a state that it cannot be closed from."""
        return self._close(incident_id, S.RESOLVED, reason, None, actor)

    def dismiss(self, incident_id: str, reason: str, until: datetime, *, actor: str) -> Incident:
        """Closes an incident that is no concern, until then. A registered, active key reopens it all the same."""
        return self._close(incident_id, S.DISMISSED, reason, until, actor)

    def reopen(self, incident_id: str, reason: str, *, actor: str) -> Incident:
        """Opens an incident again. Raises IllegalMove where it is open already."""
        with self._cases.open(incident_id, actor) as case:
            case.reopen(reason)
            return case.incident

    def _close(self, incident_id: str, to: IncidentState, reason: str, until: datetime | None, actor: str) -> Incident:
        with self._cases.open(incident_id, actor) as case:
            case.move(to, reason, dismissed_until=until)
            case.end(case.pending(), to.value, reason)
            return case.incident

    # --- going on with what was begun -------------------------------------------------------------------------------

    def recover(self) -> int:
        """After a restart, when no other process responds: finishes every action that has not ended. Returns how many.

        The state at the provider is read first; a change is sent again only to a key that is seen alive.
        """
        return self._go_on_with(None)

    def prove_pending(self, now: datetime | None = None) -> int:
        """Goes on with every action whose time has come: further proofs, further questions. Returns how many."""
        return self._go_on_with(now or self._clock())

    def tend(self) -> None:
        """What is to be done again and again: goes on with actions, ends what has run out, erases, escalates."""
        erase_sealed(self._cases, self._policy)
        note_expired_keys(self._cases)
        for incident_id in end_dismissals(self._cases):
            self.respond(incident_id, actor=ITSELF)
        self.prove_pending()
        escalate(self._cases, self._policy)

    def _go_on_with(self, due_at: datetime | None) -> int:
        with self._cases.read() as tx:
            pending = tx.incidents.pending()
        actions = [a for a in pending if due_at is None or a.next_at is None or a.next_at <= due_at]
        for action in actions:
            try:
                self._go_on(action, ITSELF)
            except StoreError:
                raise
            except Exception as error:  # one that cannot be finished must not keep the others from being finished
                text = str(error) if isinstance(error, KeyfuseError) else type(error).__name__
                self._set_aside(action, text)
        return len(actions)

    def _go_on(self, action: Action, actor: str) -> Incident:
        with self._cases.open(action.incident_id, actor) as case:
            pending = case.pending()
            if pending is None or pending != action:
                return case.incident  # another process ended it or took it meanwhile
            taken = case.keep(replace(pending, next_at=case.now + LEASE))
            incident = case.incident
        leak = self._leak(incident, taken)
        if taken.state is ActionState.PLANNED:
            return self.respond(incident.id, leak, actor=actor, asked=incident.state is not S.OPEN)
        return self._execution.resume(taken, leak, actor)

    def _set_aside(self, action: Action, reason: str) -> None:
        with self._cases.open(action.incident_id, ITSELF) as case:
            pending = case.pending()
            if pending is not None:
                next_at = case.now + later(self._policy.retry_after, pending.attempts)
                case.keep(replace(pending, next_at=next_at), interrupted=reason)

    def _leak(self, incident: Incident, action: Action | None) -> Leak:
        """What is still known of what leaked; the secret only where it was sealed."""
        kind = TokenKind(incident.rule, incident.kind_name, incident.provider, incident.severity)
        if action is None or action.sealed is None:
            return Leak(kind, None)
        try:
            return unseal_leak(self._sealer(), kind, action.sealed, action.id)
        except KeyFileError:
            return Leak(kind, None)  # the provider then says what it cannot do without the secret


def _may_start(incident: Incident, action: Action | None, asked: bool) -> bool:
    """Whether a response may begin now: nobody else is at it, and a person was asked where one has to be."""
    if action is not None and action.state in UNDER_WAY:
        return False
    match incident.state:
        case S.OPEN | S.NOTED:
            return True
        case S.BLOCKED:
            return asked or Blocked.of(incident.reason) is not Blocked.LIMIT
        case S.FAILED:
            return asked
        case _:
            return False


def _imagined(found: LeakReport, now: datetime) -> Incident:
    """The incident that a report would open."""
    kind = found.leak.kind
    return Incident(
        "", found.fingerprint, S.OPEN, kind.id, kind.name, kind.provider, kind.severity, found.masked, now, now
    )
