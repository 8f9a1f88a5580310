"""What every provider does, whatever is behind it: each leak action for a key in each state.

`provider_harness` says what a provider brings to be tested; `provider_worlds` lists those that are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from responders.provider import (
    Accepted,
    Alive,
    Dead,
    DisableKind,
    Done,
    Identified,
    Identity,
    Leak,
    Lookup,
    NotFound,
    Proof,
    ProveKind,
    Provider,
    Receipt,
    Refused,
    Unknown,
    Unsupported,
)
from responders.registry import KeyState, LeakAction
from responders.store import open_store
from scanner.model import REGISTERED
from tests.contract.provider_harness import Before, Harness
from tests.contract.provider_worlds import HARNESSES, STORED, VENDORS
from tests.support.stores import Clock

OWNERS = frozenset({"id", "email", "client", "account"})
"""Parts that tell whose key it is, or which: no secrets."""


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Harness]:
    """Each provider that is tested, with a world of its own."""
    if request.param in STORED:
        store = open_store("", clock=clock, data_dir=tmp_path)
        yield STORED[request.param](store, clock)
        store.close()
        return
    vendor = VENDORS[request.param](clock)
    yield vendor
    assert vendor.fake.leaks() == [], "no secret in a URL"
    vendor.close()


def act(provider: Provider, identity: Identified, leak: Leak, action: LeakAction, once: str = "once") -> Receipt | None:
    """Does what the leak action says."""
    match action:
        case LeakAction.NONE:
            return None
        case LeakAction.DISABLE:
            return provider.disable(identity.ref, leak, idempotency_key=once)
        case LeakAction.DELETE:
            return provider.delete(identity.ref, leak, idempotency_key=once)


def texts(*answers: object) -> str:
    """Everything that is said in these answers."""
    return " ".join(f"{answer!r} {answer!s}" for answer in answers)


@pytest.mark.parametrize(("action", "before"), list(product(LeakAction, Before)), ids=str)
def test_each_action_in_each_state(harness: Harness, action: LeakAction, before: Before) -> None:
    if not harness.can_be(before):
        pytest.skip(f"{harness.provider.name} has no such state")
    provider = harness.provider
    leak, known = harness.leaked(before)
    state_before, works_before = harness.state(leak), harness.works(leak)

    identity = provider.identify(leak, known)
    assert harness.changes() == 0, "looking changes nothing"
    if not isinstance(identity, Identified):
        assert before in (Before.UNKNOWN, Before.SOMEONE_ELSES, Before.DELETED)
        assert harness.state(leak) is state_before
        _says_no_secret(leak, identity)
        return
    assert before not in (Before.UNKNOWN, Before.SOMEONE_ELSES), "only one's own keys are identified"
    assert identity.locked == (before is Before.LOCKED)

    receipt = act(provider, identity, leak, action)
    proof = provider.prove(identity.ref, leak, KeyState.DELETED if action is LeakAction.DELETE else KeyState.DISABLED)
    _says_no_secret(leak, identity, receipt, proof)
    state_after = harness.state(leak)
    match action, receipt:
        case LeakAction.NONE, _:
            assert state_after is state_before
            assert harness.changes() == 0
        case _, Refused() | Unsupported():
            assert state_after is state_before, "what is refused has no effect"
        case LeakAction.DISABLE, Done() | Accepted():
            expected = (KeyState.DISABLED,) if state_before is not KeyState.DELETED else (KeyState.DELETED,)
            assert state_after in expected, "disable never deletes"
        case LeakAction.DELETE, Done() | Accepted():
            assert state_after in (None, KeyState.DELETED)
    if harness.works(leak):
        assert not isinstance(proof, Dead), "a key that works is not dead"
    if isinstance(receipt, Done):
        assert isinstance(proof, Dead)
        assert not harness.works(leak)
    assert harness.works(leak) <= works_before


@pytest.mark.parametrize("action", [LeakAction.DISABLE, LeakAction.DELETE])
def test_a_locked_key_is_refused_as_locked_until_it_is_unlocked(harness: Harness, action: LeakAction) -> None:
    if not harness.can_be(Before.LOCKED) or harness.able.disable is DisableKind.NONE:
        pytest.skip("there are no locks, or nothing to do")
    provider = harness.provider
    leak, known = harness.leaked(Before.LOCKED)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    refused = act(provider, identity, leak, action)
    assert isinstance(refused, Refused)
    assert refused.locked
    assert isinstance(provider.unlock(identity.ref, idempotency_key="u"), Done)
    assert isinstance(act(provider, identity, leak, action), Done)
    assert not harness.works(leak)


@pytest.mark.parametrize("action", [LeakAction.DISABLE, LeakAction.DELETE])
def test_a_repeat_has_its_effect_once(harness: Harness, action: LeakAction) -> None:
    provider = harness.provider
    leak, known = harness.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    first = act(provider, identity, leak, action)
    state, changes = harness.state(leak), harness.changes()
    assert type(act(provider, identity, leak, action)) is type(first)
    assert harness.state(leak) is state
    assert harness.changes() == changes


def test_a_late_repeat_does_not_undo_what_a_person_did_since(harness: Harness) -> None:
    provider = harness.provider
    if not harness.able.reversible:
        pytest.skip("it cannot be switched on again")
    leak, known = harness.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    provider.disable(identity.ref, leak, idempotency_key="once")
    harness.enable_again(leak)
    provider.disable(identity.ref, leak, idempotency_key="once")
    assert harness.state(leak) is KeyState.ACTIVE
    assert isinstance(provider.prove(identity.ref, leak, KeyState.DISABLED), Alive)
    provider.disable(identity.ref, leak, idempotency_key="another")
    assert harness.state(leak) is KeyState.DISABLED


def test_a_disabled_key_is_switched_on_again_by_the_provider(harness: Harness) -> None:
    provider = harness.provider
    if not harness.able.reversible:
        pytest.skip("it cannot be switched on again")
    leak, known = harness.leaked(Before.DISABLED)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert identity.state is KeyState.DISABLED
    assert isinstance(provider.enable(identity.ref, idempotency_key="e"), Done)
    assert harness.works(leak)


def test_disabled_is_not_deleted(harness: Harness) -> None:
    provider = harness.provider
    if harness.able.prove is ProveKind.NONE or not harness.can_be(Before.DISABLED):
        pytest.skip("nothing can be proven, or nothing disabled")
    leak, known = harness.leaked(Before.DISABLED)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert not isinstance(provider.prove(identity.ref, leak, KeyState.DELETED), Dead)


def test_a_deleted_key_satisfies_a_wish_for_disabled(harness: Harness) -> None:
    provider = harness.provider
    if harness.able.prove is ProveKind.NONE or not harness.able.delete:
        pytest.skip("nothing can be proven, or nothing deleted")
    leak, known = harness.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    provider.delete(identity.ref, leak, idempotency_key="d")
    assert isinstance(provider.prove(identity.ref, leak, KeyState.DISABLED), Dead)


def test_after_a_restart_it_works_without_the_secret_where_it_says_so(harness: Harness) -> None:
    provider = harness.provider
    if provider.needs_secret() or harness.able.prove is ProveKind.NONE:
        pytest.skip("it needs the secret")
    leak, known = harness.leaked(Before.ACTIVE)
    bare = Leak(leak.kind, None)
    identity = provider.identify(bare, known)
    assert isinstance(identity, Identified)
    assert isinstance(provider.prove(identity.ref, bare, KeyState.DISABLED), Alive)
    assert isinstance(provider.disable(identity.ref, bare, idempotency_key="once"), Done)
    assert isinstance(provider.prove(identity.ref, bare, KeyState.DISABLED), Dead)
    assert not harness.works(leak)


def test_without_secret_and_record_nobody_is_identified(harness: Harness) -> None:
    assert isinstance(harness.provider.identify(Leak(REGISTERED, None), None), Unknown | NotFound)


def test_what_it_claims_it_can_do_it_does(harness: Harness) -> None:
    provider = harness.provider
    able = harness.able
    leak, known = harness.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    disabled = provider.disable(identity.ref, leak, idempotency_key="1")
    deleted = provider.delete(identity.ref, leak, idempotency_key="2")
    assert isinstance(disabled, Unsupported) == (able.disable is DisableKind.NONE)
    assert isinstance(deleted, Unsupported) == (not able.delete)
    assert isinstance(disabled, Done | Accepted | Unsupported)
    assert isinstance(deleted, Done | Accepted | Unsupported)
    assert able.lookup in Lookup


def _says_no_secret(leak: Leak, *answers: Identity | Receipt | Proof | None) -> None:
    assert leak.secret is not None
    said = texts(*answers)
    ids = {answer.ref.id for answer in answers if isinstance(answer, Identified)}
    for name, secret in (("", leak.secret), *leak.parts.items()):
        text = secret.reveal().decode()
        assert text not in said or (text in ids and name) or name in OWNERS, "a part may be the key's id"
