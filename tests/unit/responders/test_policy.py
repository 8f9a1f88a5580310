"""The plan: every row of its table, and what must hold for all inputs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.incident import ActionKind, Incident, IncidentState
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
    instead,
    plan,
    wanted_action,
)
from responders.provider import (
    Ambiguous,
    Capabilities,
    DisableKind,
    Identified,
    Identity,
    KeyRef,
    Lookup,
    NotFound,
    ProveKind,
    Unknown,
)
from responders.registry import IfUnsupported, KeyState, KnownKey, LeakAction
from scanner.model import Fingerprint, Severity
from tests.support.stores import START, known_key

MARK = Fingerprint("kfp1:" + "a" * 64)
INCIDENT = Incident(
    "incident", MARK, IncidentState.OPEN, "rule", "a key", "vendor", Severity.HIGH, "…last", START, START
)
KEY = replace(known_key(1), provider="vendor", provider_key_id="vendor-1", fingerprint=MARK)
ACTIVE = Identified(KeyRef("vendor", "vendor-1"), KeyState.ACTIVE)
ABLE = Capabilities(Lookup.BY_ID, DisableKind.NATIVE, True, True, ProveKind.READ_BACK, "an administrator")
POLICY = Policy()


def decide(
    known: KnownKey | None = KEY,
    identity: Identity | NotConnected = ACTIVE,
    capabilities: Capabilities | None = ABLE,
    policy: Policy = POLICY,
    changes: int = 0,
    incident: Incident = INCIDENT,
    own: tuple[Fingerprint, ...] = (),
) -> Decision:
    return plan(incident, known, identity, capabilities, policy, changes, own)


def key(action: LeakAction = LeakAction.DISABLE, **more: object) -> KnownKey:
    return replace(KEY, action_when_leaked=action, **more)  # type: ignore[arg-type]


def obstacle(decision: Decision) -> Blocked | None:
    return decision.by if isinstance(decision, Block) else None


def test_the_leak_action_is_what_is_done() -> None:
    assert decide(key(LeakAction.DISABLE)) == Act(ActionKind.DISABLE, ACTIVE)
    assert decide(key(LeakAction.DELETE)) == Act(ActionKind.DELETE, ACTIVE)
    assert isinstance(decide(key(LeakAction.NONE)), Note)


def test_what_nobody_registered_is_noted_even_if_the_provider_knows_it() -> None:
    assert isinstance(decide(known=None), Note)
    assert isinstance(decide(known=None, identity=replace(ACTIVE, action=LeakAction.DELETE)), Note)


def test_the_providers_fresh_word_on_the_action_wins() -> None:
    assert wanted_action(key(LeakAction.DISABLE), replace(ACTIVE, action=LeakAction.DELETE)) is LeakAction.DELETE
    assert decide(key(LeakAction.DELETE), replace(ACTIVE, action=LeakAction.DISABLE)) == Act(
        ActionKind.DISABLE, replace(ACTIVE, action=LeakAction.DISABLE)
    )
    assert isinstance(decide(key(LeakAction.DELETE), replace(ACTIVE, action=LeakAction.NONE)), Note)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (NotFound("404", sees_all=True), AlreadyDead("404")),
        (Unknown("503"), AskAgain("503")),
    ],
)
def test_identity_decides_first(identity: Identity, expected: Decision) -> None:
    assert decide(identity=identity) == expected


@pytest.mark.parametrize(
    ("identity", "by"),
    [
        (NotFound("404", sees_all=False), Blocked.UNSEEN),
        (Ambiguous(("a", "b"), "two fit"), Blocked.AMBIGUOUS),
        (NotConnected("no token"), Blocked.NOT_CONNECTED),
    ],
)
def test_without_exactly_one_key_nothing_is_done(identity: Identity | NotConnected, by: Blocked) -> None:
    assert obstacle(decide(identity=identity)) is by


@pytest.mark.parametrize(
    ("action", "state", "dead"),
    [
        (LeakAction.DISABLE, KeyState.ACTIVE, False),
        (LeakAction.DISABLE, KeyState.DISABLED, True),
        (LeakAction.DISABLE, KeyState.EXPIRED, True),
        (LeakAction.DISABLE, KeyState.DELETED, True),
        (LeakAction.DELETE, KeyState.ACTIVE, False),
        (LeakAction.DELETE, KeyState.DISABLED, False),
        (LeakAction.DELETE, KeyState.EXPIRED, False),
        (LeakAction.DELETE, KeyState.DELETED, True),
    ],
)
def test_a_dead_key_is_left_dead(action: LeakAction, state: KeyState, dead: bool) -> None:
    assert isinstance(decide(key(action), replace(ACTIVE, state=state)), AlreadyDead) is dead


@pytest.mark.parametrize("name", [KEY.id, KEY.name, "vendor-1", MARK])
def test_protection_goes_by_every_name_of_the_key(name: str) -> None:
    assert obstacle(decide(policy=Policy(protected=(name,)))) is Blocked.PROTECTED


def test_an_empty_name_protects_nothing() -> None:
    unnamed = replace(KEY, provider_key_id="", fingerprint=None)
    assert isinstance(decide(unnamed, policy=Policy(protected=("",))), Act)


def test_own_credentials_come_before_everything() -> None:
    assert obstacle(decide(own=(MARK,))) is Blocked.OWN
    assert obstacle(decide(known=None, own=(MARK,))) is Blocked.OWN


@pytest.mark.parametrize("locked", [(True, False), (False, True), (True, True)])
def test_a_lock_on_either_side_blocks_or_is_taken_off(locked: tuple[bool, bool]) -> None:
    known, identity = replace(KEY, locked=locked[0]), replace(ACTIVE, locked=locked[1])
    assert obstacle(decide(known, identity)) is Blocked.LOCKED
    assert decide(known, identity, policy=Policy(unlock_leaked_keys=True)) == Act(
        ActionKind.DISABLE, identity, unlock=True
    )


def test_the_hourly_limit_blocks_until_somebody_approves() -> None:
    limited = Policy(actions_per_hour=2)
    assert isinstance(decide(policy=limited, changes=1), Act)
    assert obstacle(decide(policy=limited, changes=2)) is Blocked.LIMIT
    assert isinstance(decide(policy=limited, changes=2, incident=replace(INCIDENT, approved=True)), Act)


def test_approval_lifts_nothing_but_the_limit() -> None:
    approved = replace(INCIDENT, approved=True)
    assert obstacle(decide(replace(KEY, locked=True), incident=approved)) is Blocked.LOCKED


UNABLE = {kind: replace(ABLE, disable=kind, delete=False) for kind in (DisableKind.NONE, DisableKind.OWNER)}


@pytest.mark.parametrize(
    ("action", "fallback", "capabilities", "expected"),
    [
        (LeakAction.DISABLE, IfUnsupported.BLOCK, replace(ABLE, disable=DisableKind.NONE), Blocked.UNSUPPORTED),
        (LeakAction.DISABLE, IfUnsupported.NONE, replace(ABLE, disable=DisableKind.NONE), Note),
        (LeakAction.DISABLE, IfUnsupported.DELETE, replace(ABLE, disable=DisableKind.NONE), ActionKind.DELETE),
        (LeakAction.DISABLE, IfUnsupported.DELETE, UNABLE[DisableKind.NONE], Blocked.UNSUPPORTED),
        (LeakAction.DISABLE, IfUnsupported.SUSPEND_OWNER, UNABLE[DisableKind.OWNER], ActionKind.SUSPEND_OWNER),
        (LeakAction.DISABLE, IfUnsupported.SUSPEND_OWNER, UNABLE[DisableKind.NONE], Blocked.UNSUPPORTED),
        (LeakAction.DISABLE, IfUnsupported.BLOCK, UNABLE[DisableKind.OWNER], Blocked.UNSUPPORTED),
        (LeakAction.DISABLE, IfUnsupported.BLOCK, replace(ABLE, disable=DisableKind.EMULATED), ActionKind.DISABLE),
        (LeakAction.DISABLE, IfUnsupported.DELETE, ABLE, ActionKind.DISABLE),
        (LeakAction.DELETE, IfUnsupported.BLOCK, replace(ABLE, delete=False), Blocked.UNSUPPORTED),
        (LeakAction.DELETE, IfUnsupported.DELETE, replace(ABLE, delete=False), Blocked.UNSUPPORTED),
        (LeakAction.DELETE, IfUnsupported.NONE, replace(ABLE, delete=False), Note),
        (LeakAction.DELETE, IfUnsupported.SUSPEND_OWNER, UNABLE[DisableKind.OWNER], ActionKind.SUSPEND_OWNER),
    ],
)
def test_what_the_provider_cannot_do(
    action: LeakAction,
    fallback: IfUnsupported,
    capabilities: Capabilities,
    expected: ActionKind | Blocked | type[Note],
) -> None:
    decision = decide(key(action, if_unsupported=fallback), capabilities=capabilities)
    match expected:
        case ActionKind():
            assert isinstance(decision, Act)
            assert decision.kind is expected
        case Blocked():
            assert obstacle(decision) is expected
        case _:
            assert isinstance(decision, expected)


def test_a_second_no_ends_in_a_block() -> None:
    known = key(LeakAction.DISABLE, if_unsupported=IfUnsupported.DELETE)
    assert instead(ActionKind.DISABLE, known, ABLE) is ActionKind.DELETE
    assert isinstance(instead(ActionKind.DELETE, known, ABLE), Block)
    deleting = key(LeakAction.DELETE, if_unsupported=IfUnsupported.SUSPEND_OWNER)
    assert instead(ActionKind.DELETE, deleting, UNABLE[DisableKind.OWNER]) is ActionKind.SUSPEND_OWNER
    assert isinstance(instead(ActionKind.SUSPEND_OWNER, deleting, UNABLE[DisableKind.OWNER]), Block)


def test_a_reason_says_which_obstacle_it_is() -> None:
    for by in Blocked:
        assert Blocked.of(Block(by, "because: of this").reason) is by
    assert Blocked.of("the key was disabled") is None


# --- what holds for all inputs --------------------------------------------------------------------------------------

identities = st.one_of(
    st.builds(
        Identified,
        st.just(KeyRef("vendor", "vendor-1")),
        st.sampled_from(KeyState),
        locked=st.booleans(),
        action=st.none() | st.sampled_from(LeakAction),
    ),
    st.builds(NotFound, st.just("404"), st.booleans()),
    st.just(Ambiguous(("a", "b"), "two fit")),
    st.just(Unknown("503")),
    st.just(NotConnected("no token")),
)
keys = st.none() | st.builds(
    key,
    st.sampled_from(LeakAction),
    locked=st.booleans(),
    if_unsupported=st.sampled_from(IfUnsupported),
    fingerprint=st.sampled_from([None, MARK]),
)
abilities = st.none() | st.builds(
    Capabilities,
    st.sampled_from(Lookup),
    st.sampled_from(DisableKind),
    st.booleans(),
    st.booleans(),
    st.sampled_from(ProveKind),
    st.just("somebody"),
)
policies = st.builds(
    Policy,
    unlock_leaked_keys=st.booleans(),
    protected=st.sampled_from([(), (KEY.name,), ("another",)]),
    actions_per_hour=st.integers(0, 3),
)


@settings(max_examples=600, deadline=None)
@given(keys, identities, abilities, policies, st.integers(0, 4), st.booleans(), st.booleans())
def test_an_action_has_every_leave_it_needs(
    known: KnownKey | None,
    identity: Identity | NotConnected,
    capabilities: Capabilities | None,
    policy: Policy,
    changes: int,
    approved: bool,
    is_own: bool,
) -> None:
    incident = replace(INCIDENT, approved=approved)
    own = (MARK,) if is_own else ()
    decision = plan(incident, known, identity, capabilities, policy, changes, own)
    assert decision.reason
    if not isinstance(decision, Act):
        return
    assert known is not None
    assert capabilities is not None
    assert isinstance(identity, Identified)
    assert decision.target is identity
    assert not is_own
    assert KEY.name not in policy.protected
    assert policy.unlock_leaked_keys or not (known.locked or identity.locked)
    assert decision.unlock == (known.locked or identity.locked)
    assert approved or changes < policy.actions_per_hour
    assert identity.state is not KeyState.DELETED
    wanted = identity.action or known.action_when_leaked
    assert wanted is not LeakAction.NONE
    if decision.kind is ActionKind.DELETE:
        assert capabilities.delete
        assert wanted is LeakAction.DELETE or known.if_unsupported is IfUnsupported.DELETE
    if decision.kind is ActionKind.DISABLE:
        assert wanted is LeakAction.DISABLE
        assert capabilities.disable in (DisableKind.NATIVE, DisableKind.EMULATED)
    if decision.kind is ActionKind.SUSPEND_OWNER:
        assert known.if_unsupported is IfUnsupported.SUSPEND_OWNER
        assert capabilities.disable is DisableKind.OWNER
    assert plan(incident, known, identity, capabilities, replace(policy, dry_run=True), changes, own) == decision
