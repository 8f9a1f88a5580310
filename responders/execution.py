"""Carries out one action: sends the change once, writes what came of it, and proves it.

After a time-out or a crash nobody knows whether a change was sent. So whoever takes an action up again reads the state
at the provider first, and sends the change again, under the same idempotency key, only to a key that is seen alive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from responders.case import Case, Casebook
from responders.errors import ProviderError
from responders.incident import Action, ActionKind, ActionState, Incident, IncidentState
from responders.notify.notice import Event
from responders.policy import Block, Blocked, NotConnected, Note, Policy, instead
from responders.provider import (
    Accepted,
    Alive,
    Dead,
    Done,
    KeyRef,
    Leak,
    Proof,
    Provider,
    Receipt,
    Refused,
    Uncertain,
    Unknown,
    Unsupported,
)
from responders.registry import KeyState

S = IncidentState
LEASE = timedelta(minutes=5)
"""How long whoever took an action has it to itself; after that another process may go on with it."""

DONE = {
    ActionKind.NONE: "the key was dead already",
    ActionKind.DISABLE: "the key was disabled",
    ActionKind.DELETE: "the key was deleted",
    ActionKind.SUSPEND_OWNER: "the key was stopped by suspending its owner",
}


def later(delays: tuple[timedelta, ...], tries: int) -> timedelta:
    """How long to wait after so many tries; the last delay repeats."""
    return delays[min(max(tries - 1, 0), len(delays) - 1)]


class Execution:
    """Knows how to get one action from its intent to its end."""

    def __init__(
        self, cases: Casebook, providers: Mapping[str, Provider], policy: Policy, checkpoint: Callable[[str], None]
    ) -> None:
        self._cases = cases
        self._providers = providers
        self._policy = policy
        self._checkpoint = checkpoint

    def run(self, action: Action, leak: Leak, actor: str) -> Incident:
        """Sends the change whose intent has just been written, then proves it."""
        if action.state is ActionState.SENT:
            receipt = self._send(action, leak)
            self._checkpoint("sent")
            following = self._settle_receipt(action, receipt, actor)
            self._checkpoint("receipt written")
            if following is None:
                return self._incident(action)
            if following.kind is not action.kind:
                return self.run(following, leak, actor)
            action = following
        return self._prove(action, leak, actor)

    def resume(self, action: Action, leak: Leak, actor: str) -> Incident:
        """Goes on with an action of which nobody knows how far it got: reads the state first."""
        if action.state is not ActionState.SENT:
            return self._prove(action, leak, actor)
        proof = self._proof(action, leak)
        if not isinstance(proof, Alive):
            return self._settle_proof(action, proof, actor)
        again = self._intend_again(action, proof, actor)
        return self._incident(action) if again is None else self.run(again, leak, actor)

    def _incident(self, action: Action) -> Incident:
        with self._cases.read() as tx:
            return tx.incidents.get(action.incident_id)

    def _send(self, action: Action, leak: Leak) -> Receipt | NotConnected:
        provider = self._providers.get(action.provider)
        if provider is None:
            return NotConnected(f"keyfuse has no connection to {action.provider}")
        try:
            receipt = self._change(provider, action, leak)
            if isinstance(receipt, Refused) and receipt.locked and self._policy.unlock_leaked_keys:
                unlocked = provider.unlock(ref_of(action), idempotency_key=f"{action.idempotency_key}/unlock")
                if isinstance(unlocked, Done):
                    return self._change(provider, action, leak)
        except ProviderError as error:
            return NotConnected(str(error))
        return receipt

    def _change(self, provider: Provider, action: Action, leak: Leak) -> Receipt:
        match action.kind:
            case ActionKind.DISABLE | ActionKind.SUSPEND_OWNER:
                return provider.disable(ref_of(action), leak, idempotency_key=action.idempotency_key)
            case ActionKind.DELETE:
                return provider.delete(ref_of(action), leak, idempotency_key=action.idempotency_key)
            case ActionKind.NONE:
                return Done("there was nothing to change")
            case _:
                assert_never(action.kind)

    def _settle_receipt(self, action: Action, receipt: Receipt | NotConnected, actor: str) -> Action | None:
        """Writes what the provider said. Returns the action to go on with at once, if any."""
        with self._cases.open(action.incident_id, actor) as case:
            if not _still_ours(case, action):
                return None
            match receipt:
                case Done(evidence):
                    return _keep(case, action, ActionState.PROVING, "done", evidence)
                case Accepted(evidence, look_again_after):
                    proving = _keep(case, action, ActionState.PROVING, "accepted", evidence)
                    if not look_again_after:
                        return proving
                    case.keep(replace(proving, next_at=case.now + timedelta(seconds=look_again_after)))
                    case.move(S.UNCONFIRMED, f"{action.provider} accepted it: {evidence}")
                case Uncertain(reason):
                    return _keep(case, action, ActionState.SENT, "uncertain", reason)
                case Refused(reason, locked=True):
                    _stop(case, action, S.BLOCKED, Block(Blocked.LOCKED, reason).reason)
                case Refused(reason, for_good=True):
                    _stop(case, action, S.FAILED, f"{action.provider} refused: {reason}")
                case Refused(reason, again_after=wait):
                    self._postpone(case, action, reason, timedelta(seconds=wait or 0))
                case Unsupported(reason):
                    return self._do_instead(case, action, reason)
                case NotConnected(reason):
                    _stop(case, action, S.BLOCKED, Block(Blocked.NOT_CONNECTED, reason).reason)
                case _:
                    assert_never(receipt)
        return None

    def _postpone(self, case: Case, action: Action, reason: str, least: timedelta) -> None:
        """The provider would not take the change now; nothing was changed, and it is asked again after `least`."""
        if self._too_late(case, action):
            _stop(case, action, S.FAILED, f"{action.provider} refused every time: {reason}")
            return
        next_at = case.now + max(least, later(self._policy.retry_after, action.attempts))
        _keep(case, replace(action, next_at=next_at), ActionState.SENT, "refused for now", reason)
        case.tell(Event.LEAKED)

    def _do_instead(self, case: Case, action: Action, reason: str) -> Action | None:
        """The provider cannot do this to a key of this kind: what the key's record says to do then."""
        provider = self._providers[action.provider]
        step = instead(action.kind, case.known, provider.capabilities) if case.known else Note(reason)
        match step:
            case ActionKind():
                key = f"{action.idempotency_key}/{step.value}"
                return _keep(
                    case, replace(action, kind=step, idempotency_key=key), ActionState.SENT, "unsupported", reason
                )
            case Note():
                _stop(case, action, S.NOTED, f"{step.reason} ({reason})")
            case Block():
                _stop(case, action, S.BLOCKED, f"{step.reason} ({reason})")
            case _:
                assert_never(step)
        return None

    def _intend_again(self, action: Action, proof: Alive, actor: str) -> Action | None:
        """Writes that the change is sent once more, since the key was seen alive after all."""
        with self._cases.open(action.incident_id, actor) as case:
            if not _still_ours(case, action):
                return None
            if self._too_late(case, action):
                _stop(case, action, S.FAILED, f"what was sent took no effect: {proof.evidence}")
                return None
            if case.incident.state is not S.ACTING:
                case.move(S.ACTING, f"the key is still alive ({proof.evidence}), so the change is sent once more")
            again = replace(action, attempts=action.attempts + 1, next_at=case.now + LEASE)
            return _keep(case, again, ActionState.SENT, "sent again", proof.evidence)

    def _prove(self, action: Action, leak: Leak, actor: str) -> Incident:
        proof = self._proof(action, leak)
        self._checkpoint("proof asked for")
        incident = self._settle_proof(action, proof, actor)
        self._checkpoint("proof written")
        return incident

    def _proof(self, action: Action, leak: Leak) -> Proof:
        provider = self._providers.get(action.provider)
        if provider is None:
            return Unknown(f"keyfuse has no connection to {action.provider} any more")
        wanted = KeyState.DELETED if action.kind is ActionKind.DELETE else KeyState.DISABLED
        try:
            return provider.prove(ref_of(action), leak, wanted)
        except ProviderError as error:
            return Unknown(str(error))

    def _settle_proof(self, action: Action, proof: Proof, actor: str) -> Incident:
        with self._cases.open(action.incident_id, actor) as case:
            if not _still_ours(case, action):
                return case.incident
            match proof:
                case Dead(evidence):
                    case.record_state(proof.state, evidence)
                    case.end(action, "contained", evidence)
                    case.move(S.CONTAINED, DONE[action.kind], proof=proof)
                case Alive(reason) | Unknown(reason):
                    self._unproven(case, action, reason)
                case _:
                    assert_never(proof)
            return case.incident

    def _unproven(self, case: Case, action: Action, reason: str) -> None:
        if action.outcome == "uncertain":
            told = f"nobody can tell yet whether it took effect: {action.reason}; {reason}"
        else:
            told = f"{DONE[action.kind]}, as {action.provider} says, but that is not proven: {reason}"
        if self._too_late(case, action):
            _stop(case, action, S.FAILED, told)
            return
        next_at = case.now + later(self._prove_after(action), action.attempts)
        case.keep(replace(action, attempts=action.attempts + 1, next_at=next_at), proof=reason)
        case.move(S.UNCONFIRMED, told)

    def _prove_after(self, action: Action) -> tuple[timedelta, ...]:
        return self._policy.prove_after_at.get(action.provider, self._policy.prove_after)

    def _too_late(self, case: Case, action: Action) -> bool:
        return case.now - action.created_at >= self._policy.prove_for


def ref_of(action: Action) -> KeyRef:
    """The key that an action is about."""
    return KeyRef(action.provider, action.ref_id, action.ref_details)


def _still_ours(case: Case, action: Action) -> bool:
    """Whether nobody else has ended the action or gone on with it meanwhile."""
    pending = case.pending()
    return pending is not None and (pending.id, pending.attempts) == (action.id, action.attempts)


def _keep(case: Case, action: Action, state: ActionState, outcome: str, reason: str) -> Action:
    changed = replace(action, state=state, outcome=outcome, reason=reason)
    return case.keep(changed, outcome=outcome, reason=reason)


def _stop(case: Case, action: Action, state: IncidentState, reason: str) -> None:
    case.end(action, state.value, reason)
    case.move(state, reason)
