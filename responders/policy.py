"""What shall be done about a leak. Pure: values in, one decision out; no clock, no network, no database.

The order of the questions is the order of the function: identity first, then everything that forbids an action, and
only then the action itself. `disable` never becomes `delete` unless the key says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from responders.incident import ActionKind, Incident
from responders.provider import (
    Ambiguous,
    Capabilities,
    DisableKind,
    Identified,
    Identity,
    NotFound,
    Unknown,
)
from responders.registry import IfUnsupported, KeyState, KnownKey, LeakAction
from scanner.model import Fingerprint


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of `[response]` and `[limits]`.

    dry_run: everything but the change itself is done, and the incident says what would have been done.
    unlock_leaked_keys: a locked key is unlocked and acted on; otherwise a lock blocks.
    protected: keys that are never acted on: each entry is a registry id, a name, a provider's id or a fingerprint.
    actions_per_hour: at most so many changes are sent to providers in any hour; 0 makes every action wait for approval.
    escalate_after: an incident that is not contained by then is told to the administrators once more.
    prove_after: how long to wait before each further proof of an accepted change; the last one repeats.
    prove_after_at: the same for single providers, by name, where they are slow or their own settings say so.
    prove_for: after so long without a proof the incident has failed.
    retry_after: how long to wait before asking a provider again that could not be reached; the last one repeats.
    seal_for: how long a secret that a provider's call needs again may lie sealed in a pending action.
    repeat_after: people are told again of an incident that is seen again only after so long.
    """

    dry_run: bool = False
    unlock_leaked_keys: bool = False
    protected: tuple[str, ...] = ()
    actions_per_hour: int = 20
    escalate_after: timedelta = timedelta(hours=1)
    prove_after: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    prove_after_at: Mapping[str, tuple[timedelta, ...]] = field(default_factory=dict)
    prove_for: timedelta = timedelta(hours=24)
    retry_after: tuple[timedelta, ...] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    seal_for: timedelta = timedelta(hours=24)
    repeat_after: timedelta = timedelta(hours=24)


class Blocked(StrEnum):
    """What stands in the way of an action. An incident's `reason` begins with this word and a colon."""

    OWN = "own credential"
    PROTECTED = "protected"
    LOCKED = "locked"
    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"
    UNSEEN = "not seen"
    NOT_CONNECTED = "not connected"
    LIMIT = "over the hourly limit"
    DRY_RUN = "dry run"

    @staticmethod
    def of(reason: str) -> Blocked | None:
        """The word that an incident's reason begins with."""
        word = reason.partition(":")[0]
        return next((blocked for blocked in Blocked if blocked.value == word), None)


@dataclass(frozen=True, slots=True)
class NotConnected:
    """There is nobody to ask: the provider is not known here or lacks its settings."""

    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Tell people and touch nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """Do this to exactly this key; take its lock off first where `unlock` says so."""

    kind: ActionKind
    target: Identified
    unlock: bool = False

    @property
    def reason(self) -> str:
        """What is about to be done, in words."""
        unlocked = "be unlocked and then " if self.unlock else ""
        return f"the key is to {unlocked}{VERBS[self.kind]}"


@dataclass(frozen=True, slots=True)
class Block:
    """Touch nothing though an action was wanted, and say why."""

    by: Blocked
    detail: str

    @property
    def reason(self) -> str:
        """The word that names the obstacle, then the sentence that explains it."""
        return f"{self.by.value}: {self.detail}"


@dataclass(frozen=True, slots=True)
class AlreadyDead:
    """There is nothing left to do but to prove it. `target` is None where the provider has no such key any more."""

    evidence: str
    target: Identified | None = None

    @property
    def reason(self) -> str:
        """Why nothing needs doing."""
        return f"the key was dead already: {self.evidence}"


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Nobody could tell which key this is or how it is; unreachable is not inactive, so ask again later."""

    reason: str


Decision = Note | Act | Block | AlreadyDead | AskAgain

VERBS = {
    ActionKind.NONE: "be left alone",
    ActionKind.DISABLE: "be disabled",
    ActionKind.DELETE: "be deleted",
    ActionKind.SUSPEND_OWNER: "be stopped by suspending its owner",
}


def plan(
    incident: Incident,
    known: KnownKey | None,
    identity: Identity | NotConnected,
    capabilities: Capabilities | None,
    policy: Policy,
    changes_in_last_hour: int,
    own: Collection[Fingerprint] = (),
) -> Decision:
    """What shall be done about this leak.

    `known` is the registry's record, `identity` the provider's word, `own` the fingerprints of the credentials that
    keyfuse itself works with. A dry run has the same plan; it is for the caller not to carry it out.
    """
    if incident.fingerprint in own or (known is not None and known.fingerprint in own):
        return Block(Blocked.OWN, "keyfuse itself works with this credential; replace it, then disable it by hand")
    if known is None:
        return Note("not registered: nobody has said what shall be done with this key")
    if wanted_action(known, identity) is LeakAction.NONE:
        return Note("the key's leak action is none")
    match identity:
        case Identified():
            return _plan_identified(incident, known, identity, capabilities, policy, changes_in_last_hour)
        case NotFound(evidence, sees_all=True):
            return AlreadyDead(evidence)
        case NotFound(evidence):
            return Block(Blocked.UNSEEN, f"{evidence}; that is no proof, since keyfuse may not see every key there")
        case Ambiguous(candidates, reason):
            return Block(Blocked.AMBIGUOUS, f"{reason} ({len(candidates)} keys come into question)")
        case Unknown(reason):
            return AskAgain(reason)
        case NotConnected(reason) if known.if_unsupported is IfUnsupported.NONE:
            return Note(f"{reason}, and the key's record says to do nothing then")
        case NotConnected(reason):
            return Block(Blocked.NOT_CONNECTED, reason)
        case _:
            assert_never(identity)


def wanted_action(known: KnownKey, identity: Identity | NotConnected) -> LeakAction:
    """The key's leak action: the provider's fresh word where it keeps one, else the registry's."""
    if isinstance(identity, Identified) and identity.action is not None:
        return identity.action
    return known.action_when_leaked


def _plan_identified(
    incident: Incident,
    known: KnownKey,
    target: Identified,
    capabilities: Capabilities | None,
    policy: Policy,
    changes_in_last_hour: int,
) -> Decision:
    wanted = wanted_action(known, target)
    if _is_dead(target.state, wanted):
        return AlreadyDead(target.evidence or f"its provider says that it is {target.state.value}", target)
    if _names(incident, known, target) & set(policy.protected):
        return Block(Blocked.PROTECTED, "the configuration protects this key")
    locked = target.locked or known.locked
    if locked and not policy.unlock_leaked_keys:
        return Block(Blocked.LOCKED, "the key is locked, and locked keys are not touched")
    step = _possible(wanted, known.if_unsupported, capabilities)
    if not isinstance(step, ActionKind):
        return step
    if changes_in_last_hour >= policy.actions_per_hour and not incident.approved:
        return Block(Blocked.LIMIT, f"{changes_in_last_hour} changes were made within an hour; this one needs approval")
    return Act(step, target, unlock=locked)


def _is_dead(state: KeyState, wanted: LeakAction) -> bool:
    """A deleted key is as good as disabled; a disabled or expired one is not as good as deleted."""
    return state is KeyState.DELETED or (wanted is LeakAction.DISABLE and state is not KeyState.ACTIVE)


def _names(incident: Incident, known: KnownKey, target: Identified) -> set[str]:
    names = {known.id, known.name, known.provider_key_id, target.ref.id, incident.fingerprint, known.fingerprint or ""}
    return names - {""}


def _possible(
    wanted: LeakAction, fallback: IfUnsupported, capabilities: Capabilities | None
) -> ActionKind | Note | Block:
    """The step that the provider can do. Suspending an owner stops more than one key, so the record must ask for it."""
    if capabilities is None:
        return Block(Blocked.NOT_CONNECTED, "nothing is known of what the provider can do")
    can_disable = capabilities.disable in (DisableKind.NATIVE, DisableKind.EMULATED)
    if wanted is LeakAction.DISABLE and can_disable:
        return ActionKind.DISABLE
    if wanted is LeakAction.DELETE and capabilities.delete:
        return ActionKind.DELETE
    missing = f"the provider cannot {wanted.value} this key"
    match fallback:
        case IfUnsupported.NONE:
            return Note(f"{missing}, and its record says to do nothing then")
        case IfUnsupported.DELETE if capabilities.delete:
            return ActionKind.DELETE
        case IfUnsupported.SUSPEND_OWNER if capabilities.disable is DisableKind.OWNER:
            return ActionKind.SUSPEND_OWNER
        case IfUnsupported.BLOCK:
            return Block(Blocked.UNSUPPORTED, f"{missing}, and its record names no other way (if_unsupported)")
        case IfUnsupported.DELETE:
            return Block(Blocked.UNSUPPORTED, f"{missing}, and cannot delete it either")
        case IfUnsupported.SUSPEND_OWNER:
            return Block(Blocked.UNSUPPORTED, f"{missing}, and cannot suspend its owner either")
        case _:
            assert_never(fallback)


def instead(kind: ActionKind, known: KnownKey, capabilities: Capabilities) -> ActionKind | Note | Block:
    """What to do when the provider, asked for `kind`, says that it cannot do that to this very key."""
    if kind is ActionKind.DISABLE:
        owner = DisableKind.OWNER if capabilities.disable is DisableKind.OWNER else DisableKind.NONE
        return _possible(LeakAction.DISABLE, known.if_unsupported, replace(capabilities, disable=owner))
    if kind is ActionKind.DELETE and known.action_when_leaked is LeakAction.DELETE:
        return _possible(LeakAction.DELETE, known.if_unsupported, replace(capabilities, delete=False))
    return Block(Blocked.UNSUPPORTED, "the provider cannot do what the key's record names either (if_unsupported)")
