"""IBM Cloud: what it leaves open, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from responders.about import Worth
from responders.errors import ProviderError
from responders.provider import Alive, Dead, Done, Identified, Leak, NotFound, Refused, Uncertain, Unknown, Unsupported
from responders.providers.ibm.provider import IbmProvider
from responders.registrar import Amendment
from responders.registry import KeyKind, KeyState, LeakAction
from scanner.model import REGISTERED, Secret, Severity, TokenKind
from tests.contract.harness_ibm import CLASSIC_KEY, IAM_KEY, IbmHarness
from tests.contract.provider_harness import Before
from tests.contract.vendor import connected
from tests.support.fakes import Fault, Reply, Request
from tests.support.fakes.ibm import OTHERS_ACCOUNT, Ibm, Key
from tests.support.fakes.routing import route
from tests.support.stores import Clock, known_key

HMAC = TokenKind("ibm-cos-hmac-secret", "Object Storage HMAC secret", "ibm", Severity.CRITICAL)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[IbmHarness]:
    harness = IbmHarness(clock)
    yield harness
    assert harness.fake.leaks() == []
    harness.close()


def provider_of(world: IbmHarness, **options: object) -> IbmProvider:
    made = world.made(options=options) if options else world.provider
    assert isinstance(made, IbmProvider)
    return made


def leak_of(key: Key) -> Leak:
    return Leak(IAM_KEY, Secret(key.value.encode()))


def identified(world: IbmHarness, key: Key) -> Identified:
    identity = world.provider.identify(leak_of(key), None)
    assert isinstance(identity, Identified)
    return identity


# --- identify -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", list(LeakAction))
def test_the_leak_action_is_ibms_own(world: IbmHarness, action: LeakAction) -> None:
    identity = identified(world, world.fake.make("k", action=action.value))
    assert identity.action is action
    assert f"its leak action is {action}" in identity.evidence


@pytest.mark.parametrize("action", [None, "rotate"])
def test_an_action_that_ibm_does_not_name_is_not_made_up(world: IbmHarness, action: str | None) -> None:
    identity = identified(world, world.fake.make("k", action=action))
    assert identity.action is None
    assert "names no leak action" in identity.evidence


def test_an_expired_key_reads_expired(world: IbmHarness, clock: Clock) -> None:
    key = world.fake.make("k", expires_at="2026-01-01T00:00+0000")
    assert identified(world, key).state is KeyState.EXPIRED
    proof = world.provider.prove(identified(world, key).ref, leak_of(key), KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert "BXNIM0439E" in proof.evidence


def test_a_registered_key_of_another_account_is_acted_on_with_itself(world: IbmHarness) -> None:
    key = world.fake.make("abroad", account_id=OTHERS_ACCOUNT)
    known = replace(world._known(key), fingerprint=None)
    identity = world.provider.identify(leak_of(key), known)
    assert isinstance(identity, Identified)
    assert "with the leaked key itself" in identity.evidence
    assert isinstance(world.provider.disable(identity.ref, leak_of(key), idempotency_key="1"), Done)
    assert isinstance(world.provider.prove(identity.ref, leak_of(key), KeyState.DISABLED), Dead)
    again = world.provider.identify(leak_of(key), known)
    assert isinstance(again, Identified)
    assert again.state is KeyState.DISABLED


def test_a_strangers_key_is_tried_but_nothing_more(world: IbmHarness) -> None:
    key = world.fake.make("abroad", account_id=OTHERS_ACCOUNT, iam_id="IBMid-STRANGER")
    identity = world.provider.identify(leak_of(key), None)
    assert isinstance(identity, NotFound)
    assert identity.works
    quiet = provider_of(world, use_leaked_key=False)
    world.fake.activity.clear()
    assert isinstance(quiet.identify(leak_of(key), None), Unknown)
    assert key.id not in world.fake.activity


@pytest.mark.parametrize("value", [b"line\nbreak" * 5, b"\xff\xfe" * 20, "ключ".encode() * 8, b"x" * 5000])
def test_what_cannot_stand_in_a_header_is_not_asked_for(world: IbmHarness, value: bytes) -> None:
    assert isinstance(world.provider.identify(Leak(IAM_KEY, Secret(value)), None), NotFound)
    assert world.fake.seen == []


def test_that_iam_knows_no_such_key_proves_nothing_for_what_is_no_key_of_iam(world: IbmHarness) -> None:
    value = Secret(b"a password of some service " * 2)
    known = known_key(1, provider="ibm", kind=KeyKind.OTHER)
    for kind, sees_all in ((KeyKind.OTHER, False), (KeyKind.SERVICE_SPECIFIC, False), (KeyKind.USER, True)):
        identity = world.provider.identify(Leak(REGISTERED, value), replace(known, kind=kind))
        assert isinstance(identity, NotFound)
        assert identity.sees_all is sees_all


def test_a_registered_classic_key_is_known_by_its_form(world: IbmHarness) -> None:
    user = world.fake.classic.make("dev@example.org")
    known = known_key(1, provider="ibm", kind=KeyKind.OTHER)
    identity = world.provider.identify(Leak(REGISTERED, Secret(user.value.encode())), known)
    assert isinstance(identity, Identified)
    assert identity.ref.details["type"] == "classic"


def test_a_password_of_a_service_is_not_sent_to_iam(world: IbmHarness) -> None:
    kind = TokenKind("ibm-cloudant-password", "Cloudant password", "ibm", Severity.HIGH)
    with pytest.raises(ProviderError, match="where it was made"):
        world.provider.identify(Leak(kind, Secret(b"password" * 4)), None)
    assert world.fake.seen == []


def test_by_its_id_after_a_restart(world: IbmHarness) -> None:
    key = world.fake.make("k")
    known = world._known(key)
    bare = Leak(IAM_KEY, None)
    identity = world.provider.identify(bare, known)
    assert isinstance(identity, Identified)
    assert isinstance(world.provider.disable(identity.ref, bare, idempotency_key="1"), Done)
    assert isinstance(world.provider.prove(identity.ref, bare, KeyState.DISABLED), Dead)
    del world.fake.keys[key.id]
    gone = world.provider.identify(bare, known)
    assert isinstance(gone, NotFound)
    assert gone.sees_all
    world.fake.administrators.clear()
    blind = world.provider.identify(bare, known)
    assert isinstance(blind, NotFound)
    assert not blind.sees_all


def test_a_page_on_the_way_says_nothing_of_keys(world: IbmHarness) -> None:
    key = world.fake.make("k")
    ref = identified(world, key).ref
    answer = world.fake.answer

    def intercepted(request: Request, state: dict[str, object]) -> Reply:
        if request.path.startswith("/v1/apikeys/ApiKey"):
            return Reply(404, b"<h1>404 from a proxy", {"Content-Type": "text/html"})
        return answer(request, state)

    world.fake.answer = intercepted  # type: ignore[assignment,method-assign]
    assert isinstance(world.provider.prove(ref, Leak(IAM_KEY, None), KeyState.DELETED), Unknown)


# --- act ------------------------------------------------------------------------------------------------------------


def test_a_lock_that_comes_meanwhile_is_seen_in_the_refusal(world: IbmHarness) -> None:
    key = world.fake.make("k")
    ref = identified(world, key).ref
    answer = world.fake.answer

    def locking(request: Request, state: dict[str, dict[str, Key]]) -> Reply:
        if request.path.endswith("/disable"):
            state["keys"][key.id].locked = True
        return answer(request, state)

    world.fake.answer = locking  # type: ignore[assignment,method-assign]
    receipt = world.provider.disable(ref, leak_of(key), idempotency_key="1")
    assert isinstance(receipt, Refused)
    assert receipt.locked


def test_its_own_key_is_refused_by_id(world: IbmHarness) -> None:
    own = world.fake.administrator
    ref = identified(world, own).ref
    for change in (world.provider.disable, world.provider.delete):
        receipt = change(ref, Leak(IAM_KEY, None), idempotency_key=change.__name__)
        assert isinstance(receipt, Refused)
        assert "keyfuse itself" in receipt.reason


def test_one_token_serves_many_questions_and_an_old_one_is_renewed(world: IbmHarness, clock: Clock) -> None:
    for number in range(3):
        identified(world, world.fake.make(f"k{number}"))
    assert len(world.fake.asked("POST", "/identity")) == 1
    world.fake.bearers.clear()
    identified(world, world.fake.make("after"))
    assert len(world.fake.asked("POST", "/identity")) == 2
    clock.forward(minutes=49)
    identified(world, world.fake.make("later"))
    assert len(world.fake.asked("POST", "/identity")) == 3


def test_a_change_is_not_repeated_with_a_new_token(world: IbmHarness) -> None:
    key = world.fake.make("k")
    ref = identified(world, key).ref
    answer = world.fake.answer

    def ending(request: Request, state: dict[str, object]) -> Reply:
        if request.method == "POST" and request.path.endswith("/disable"):
            world.fake.bearers.clear()
        return answer(request, state)

    world.fake.answer = ending  # type: ignore[assignment,method-assign]
    receipt = world.provider.disable(ref, leak_of(key), idempotency_key="1")
    assert isinstance(receipt, Refused)
    assert not receipt.for_good
    assert len(world.fake.asked("POST", f"/v1/apikeys/{key.id}/disable")) == 1


# --- prove ----------------------------------------------------------------------------------------------------------


def test_a_record_that_is_behind_does_not_hide_a_death_that_the_token_service_knows(world: IbmHarness) -> None:
    key = world.fake.make("k")
    world.fake.settle()
    ref = identified(world, key).ref
    world.provider.disable(ref, leak_of(key), idempotency_key="1")
    world.fake.fail(Fault.STALE, route("GET", key.id), times=9)
    proof = world.provider.prove(ref, leak_of(key), KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert isinstance(world.provider.prove(ref, Leak(IAM_KEY, None), KeyState.DISABLED), Alive)


def test_a_missing_record_proves_nothing_to_who_lost_his_rights(world: IbmHarness) -> None:
    key = world.fake.make("k")
    ref = identified(world, key).ref
    del world.fake.keys[key.id]
    bare = Leak(IAM_KEY, None)
    assert isinstance(world.provider.prove(ref, bare, KeyState.DELETED), Dead)
    world.fake.administrators.clear()
    assert isinstance(world.provider.prove(ref, bare, KeyState.DELETED), Unknown)
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DELETED), Dead), "the token service knows"


def test_while_the_token_service_takes_it_the_key_lives(world: IbmHarness) -> None:
    key = world.fake.make("k")
    world.fake.settle()
    ref = identified(world, key).ref
    world.provider.disable(ref, leak_of(key), idempotency_key="1")
    world.fake.fail(Fault.STALE, lambda request: key.value in request.body.decode())
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DISABLED), Alive)
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DISABLED), Dead)


def test_what_outlives_the_key_is_said_and_until_when(world: IbmHarness, clock: Clock) -> None:
    key = world.fake.make("k")
    ref = identified(world, key).ref
    world.provider.delete(ref, leak_of(key), idempotency_key="1")
    proof = world.provider.prove(ref, leak_of(key), KeyState.DELETED)
    assert isinstance(proof, Dead)
    assert (proof.state, proof.until) == (KeyState.DELETED, clock() + timedelta(minutes=60))
    assert "access tokens" in proof.outlives


# --- service credentials and classic keys ---------------------------------------------------------------------------


def test_a_key_inside_a_service_credential_is_disabled_alone_and_deleted_with_it(world: IbmHarness) -> None:
    credential, key = world.fake.resources.make("bucket")
    identity = identified(world, key)
    assert identity.ref.details["credential"] == credential.guid
    world.provider.disable(identity.ref, leak_of(key), idempotency_key="1")
    assert world.fake.resources.keys[credential.guid].state == "active"
    world.fake.fail(Fault.FAILS_AFTER, route("DELETE", key.id))
    assert isinstance(world.provider.delete(identity.ref, leak_of(key), idempotency_key="2"), Uncertain)
    assert world.fake.resources.keys[credential.guid].state == "active"
    assert isinstance(world.provider.delete(identity.ref, leak_of(key), idempotency_key="2"), Done)
    assert world.fake.resources.keys[credential.guid].state == "removed"


def test_an_hmac_pair_is_found_in_its_service_credential(world: IbmHarness) -> None:
    credential, _ = world.fake.resources.make("bucket", hmac_keys=True)
    leak = Leak(HMAC, Secret(credential.credentials["cos_hmac_keys"]["secret_access_key"].encode()))
    identity = world.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(world.provider.disable(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert isinstance(world.provider.prove(identity.ref, leak, KeyState.DISABLED), Alive)
    assert isinstance(world.provider.delete(identity.ref, leak, idempotency_key="2"), Done)
    assert isinstance(world.provider.prove(identity.ref, leak, KeyState.DELETED), Dead)
    assert isinstance(world.provider.delete(identity.ref, leak, idempotency_key="3"), Done)


def test_credentials_that_are_not_shown_are_counted(world: IbmHarness) -> None:
    credential, _ = world.fake.resources.make("bucket", hmac_keys=True, redacted=True)
    leak = Leak(HMAC, Secret(credential.credentials["cos_hmac_keys"]["secret_access_key"].encode()))
    identity = world.provider.identify(leak, None)
    assert isinstance(identity, NotFound)
    assert "1 do not show theirs" in identity.evidence
    assert not identity.sees_all


def test_a_classic_key_cannot_be_disabled(world: IbmHarness) -> None:
    user = world.fake.classic.make("dev@example.org")
    leak = Leak(CLASSIC_KEY, Secret(user.value.encode()))
    identity = world.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(world.provider.disable(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert world.fake.classic.by_value(user.value) is not None


def test_every_change_of_a_classic_key_is_a_post(world: IbmHarness) -> None:
    user = world.fake.classic.make("dev@example.org")
    leak = Leak(CLASSIC_KEY, Secret(user.value.encode()))
    identity = world.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(world.provider.delete(identity.ref, leak, idempotency_key="1"), Done)
    assert [reply.name for request, reply in world.fake.seen if request.method == "GET"].count("delete") == 0


# --- beside leaks ---------------------------------------------------------------------------------------------------


def test_a_stale_entity_tag_is_a_conflict_that_may_be_repeated(world: IbmHarness) -> None:
    key = world.fake.make("k")
    ref = identified(world, key).ref
    provider = provider_of(world)
    for status in (409, 412):
        world.fake.stale_status = status
        answer = world.fake.answer

        def meanwhile(request: Request, state: dict[str, dict[str, Key]], answer: object = answer) -> Reply:
            if request.method == "PUT":
                state["keys"][key.id].tag += 1
            return answer(request, state)  # type: ignore[operator,no-any-return]

        world.fake.answer = meanwhile  # type: ignore[assignment,method-assign]
        receipt = provider.amend(ref, Amendment(action_when_leaked=LeakAction.DELETE), idempotency_key=str(status))
        world.fake.answer = answer  # type: ignore[method-assign]
        assert isinstance(receipt, Refused)
        assert not receipt.for_good
    assert isinstance(provider.amend(ref, Amendment(never_expires=True, name="n"), idempotency_key="3"), Done)
    assert isinstance(provider.amend(ref, Amendment(owners=("me",)), idempotency_key="4"), Unsupported)


def test_whether_a_new_key_was_made_is_said_to_be_unknown(world: IbmHarness) -> None:
    key = world.fake.make("k")
    world.fake.fail(Fault.DROPPED_AFTER, route("POST", "/v1/apikeys"))
    made = provider_of(world).successor(world._known(key), None)
    assert isinstance(made, Refused)
    assert "look among the keys" in made.reason
    classic = replace(world._known(key), kind=KeyKind.CLASSIC)
    assert isinstance(provider_of(world).successor(classic, None), Unsupported)


@pytest.mark.parametrize(("change", "worth"), [("", Worth.WORKS), ("disable", Worth.REFUSED), ("break", Worth.UNKNOWN)])
def test_its_credential_is_tried(world: IbmHarness, change: str, worth: Worth) -> None:
    world.fake.administrator.disabled = change == "disable"
    world.fake.fault = Fault.FAILS_BEFORE if change == "break" else None
    [trial] = provider_of(world).trials()
    assert trial.worth is worth


def test_a_credential_with_too_few_rights_is_told_from_one_that_suffices(world: IbmHarness) -> None:
    world.fake.administrators.clear()
    [trial] = provider_of(world).trials()
    assert (trial.worth, "only its own keys" in trial.detail) == (Worth.WORKS, True)


def test_nothing_is_listed_without_a_credential(clock: Clock) -> None:
    class Bare(IbmHarness):
        def settings(self):  # type: ignore[no-untyped-def]
            return connected(self.name, self.fake)

    world = Bare(clock)
    with pytest.raises(ProviderError, match="api_key"):
        list(provider_of(world).listing())
    assert isinstance(provider_of(world).identify(Leak(REGISTERED, None), None), Unknown)
    leak, _ = world.leaked(Before.ACTIVE)
    identity = provider_of(world).identify(leak, None)
    assert isinstance(identity, NotFound)
    assert identity.works
    world.close()


def test_classic_keys_are_listed_where_that_is_wanted(world: IbmHarness) -> None:
    world.fake.classic.make("dev@example.org")
    kinds = [getattr(each, "kind", None) for each in provider_of(world, classic=True).listing()]
    assert kinds.count(KeyKind.CLASSIC) == 2
    assert isinstance(world.fake, Ibm)
