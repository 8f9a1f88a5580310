"""Yandex Cloud: keys found by the end of their value, operations, tokens, and what cannot be done."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from responders.about import Worth
from responders.connection import ProviderSettings
from responders.errors import ProviderError
from responders.provider import (
    Accepted,
    Alive,
    Ambiguous,
    Dead,
    Done,
    Identified,
    Leak,
    NotFound,
    Receipt,
    Refused,
    Uncertain,
    Unknown,
    Unsupported,
)
from responders.providers.yandex.api import POLLS, uuid_of
from responders.providers.yandex.provider import YandexProvider
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_yandex import KeyedHarness, OauthTokenHarness, YandexHarness, kind_of
from tests.contract.provider_harness import Before
from tests.contract.vendor import connected
from tests.support.fakes import Fault
from tests.support.fakes.routing import route
from tests.support.fakes.yandex import Key, Yandex
from tests.support.stores import Clock

API_KEY = kind_of("yandex-api-key")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited for, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("responders.providers.yandex.provider.time.sleep", waited.append)
    return waited


@pytest.fixture
def world(clock: Clock, waits: list[float]) -> Iterator[YandexHarness]:
    harness = YandexHarness(clock)
    yield harness
    assert harness.fake.leaks() == []
    harness.close()


@pytest.fixture
def keyed(clock: Clock, waits: list[float]) -> Iterator[YandexHarness]:
    """The same, where keyfuse works with an authorized key."""
    harness = KeyedHarness(clock)
    yield harness
    harness.close()


def leak_of(key: Key) -> Leak:
    return Leak(API_KEY, Secret(key.secret.encode()))


def identified(world: YandexHarness, key: Key) -> Identified:
    identity = world.provider.identify(leak_of(key), None)
    assert isinstance(identity, Identified)
    return identity


def robots_key(fake: Yandex, **more: object) -> Key:
    return fake.make("api-key", fake.new_account("robot"), **more)  # type: ignore[arg-type]


# --- identify -------------------------------------------------------------------------------------------------------


def test_exactly_one_key_ends_like_the_leaked_one(world: YandexHarness) -> None:
    world.fake.page_size = 2
    keys = [robots_key(world.fake) for _ in range(5)]
    for key in keys:
        assert identified(world, key).ref.id == key.id
    assert len(world.fake.asked("GET", "/resource-manager/v1/clouds")) == 1, "several leaks, one listing"


def test_two_keys_that_end_alike_are_not_told_apart_by_guessing(world: YandexHarness) -> None:
    first, second = (robots_key(world.fake, ending="abcdef") for _ in range(2))
    identity = world.provider.identify(leak_of(first), None)
    assert isinstance(identity, Ambiguous)
    assert set(identity.candidates) == {first.id, second.id}


def test_a_key_that_may_be_one_without_a_mask_is_not_guessed(world: YandexHarness) -> None:
    old = robots_key(world.fake, shows=False)
    assert isinstance(world.provider.identify(leak_of(old), None), Ambiguous)
    other = robots_key(world.fake)
    world.provider = world.made()
    assert identified(world, other).ref.id == other.id


def test_a_listing_that_breaks_off_is_no_listing(world: YandexHarness) -> None:
    key = robots_key(world.fake)
    world.fake.fail(Fault.FAILS_BEFORE, route("GET", "/serviceAccounts"))
    assert isinstance(world.provider.identify(leak_of(key), None), Unknown)
    assert identified(world, key).ref.id == key.id


def test_a_place_that_is_not_shown_proves_nothing(world: YandexHarness) -> None:
    hidden = world.fake.new_folder(world.fake.new_cloud())
    key = world.fake.make("api-key", world.fake.new_account("robot", hidden))
    world.fake.forbidden_folders.add(hidden)
    identity = world.provider.identify(leak_of(key), None)
    assert isinstance(identity, NotFound)
    assert not identity.sees_all
    assert "1 places are not shown" in identity.evidence


def test_a_registered_id_that_belongs_to_another_value_is_not_acted_on(world: YandexHarness) -> None:
    leak, known = world.leaked(Before.ACTIVE)
    other = robots_key(world.fake)
    assert known is not None
    assert isinstance(world.provider.identify(leak, replace(known, provider_key_id=other.id)), Ambiguous)


def test_a_suspended_owner_makes_a_key_disabled_and_a_date_expired(world: YandexHarness, clock: Clock) -> None:
    key = robots_key(world.fake, expires_at=clock() - timedelta(days=1))
    assert identified(world, key).state is KeyState.EXPIRED
    world.fake.accounts[key.account].status = "SUSPENDED"
    assert identified(world, key).state is KeyState.DISABLED


def test_half_a_static_key_names_no_key(world: YandexHarness) -> None:
    static = world.fake.make("static", world.fake.new_account("robot"))
    leak = Leak(kind_of("yandex-static-key-secret"), Secret(static.secret.encode()))
    assert isinstance(world.provider.identify(leak, None), Unknown)


@pytest.mark.parametrize("rule", ["yandex-iam-cookie", "yandex-smartcaptcha-server-key", "yandex-legacy-api-key"])
def test_what_is_not_done_from_here_is_said(world: YandexHarness, rule: str) -> None:
    with pytest.raises(ProviderError, match="where it was made"):
        world.provider.identify(Leak(kind_of(rule), Secret(b"x" * 40)), None)


# --- operations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind", "for_good"),
    [
        (3, Refused, True),
        (7, Refused, True),
        (9, Refused, True),
        (8, Refused, False),
        (10, Refused, False),
        (5, Done, None),
        (13, Uncertain, None),
        (14, Uncertain, None),
    ],
)
def test_an_operation_that_ends_in_an_error(
    world: YandexHarness, code: int, kind: type[Receipt], for_good: bool | None
) -> None:
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    world.fake.operations.failing = code
    receipt = world.provider.delete(ref, leak_of(key), idempotency_key="1")
    assert isinstance(receipt, kind)
    assert getattr(receipt, "for_good", None) is for_good
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DELETED), Alive)


def test_a_slow_operation_is_looked_at_a_few_times_and_then_left_to_the_proof(
    world: YandexHarness, waits: list[float]
) -> None:
    first, second = robots_key(world.fake), robots_key(world.fake)
    world.fake.operations.slow = 2
    ref = identified(world, first).ref
    assert isinstance(world.provider.delete(ref, leak_of(first), idempotency_key="1"), Done)
    assert waits == list(POLLS[:2])
    world.fake.operations.slow = 99
    ref = identified(world, second).ref
    receipt = world.provider.delete(ref, leak_of(second), idempotency_key="2")
    assert isinstance(receipt, Accepted)
    assert "under way" in receipt.evidence


def test_an_operation_that_cannot_be_looked_at_was_begun_all_the_same(world: YandexHarness) -> None:
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    world.fake.operations.slow = 2
    world.fake.fail(Fault.FAILS_BEFORE, route("GET", "/operations"))
    assert isinstance(world.provider.delete(ref, leak_of(key), idempotency_key="1"), Accepted)


def test_one_change_has_one_idempotency_key_however_often_it_is_sent(world: YandexHarness) -> None:
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    world.fake.fail(Fault.DROPPED_AFTER, route("DELETE"))
    assert isinstance(world.provider.delete(ref, leak_of(key), idempotency_key="once"), Uncertain)
    receipt = world.provider.delete(ref, leak_of(key), idempotency_key="once")
    assert isinstance(receipt, Done)
    first, again = (request.headers["idempotency-key"] for request in world.fake.asked("DELETE"))
    assert first == again
    assert uuid.UUID(first).version == 4
    assert world.fake.changes == 1
    path = "/iam/v1/apiKeys/a"
    assert len({uuid_of("a", "DELETE", path), uuid_of("b", "DELETE", path), uuid_of("a", "DELETE", path + "b")}) == 3


def test_what_was_never_seen_is_not_called_gone(world: YandexHarness) -> None:
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    del world.fake.keys[key.id]
    assert isinstance(world.provider.delete(ref, leak_of(key), idempotency_key="1"), Done)
    blind = replace(ref, details={"type": "api-key"})
    assert isinstance(world.provider.delete(blind, leak_of(key), idempotency_key="2"), Refused)
    assert isinstance(world.provider.prove(blind, leak_of(key), KeyState.DELETED), Unknown)


def test_a_missing_record_proves_nothing_where_its_owner_is_not_shown_either(world: YandexHarness) -> None:
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    del world.fake.keys[key.id]
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DELETED), Dead)
    del world.fake.accounts[key.account]
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DELETED), Unknown)


def test_suspending_the_owner_is_neither_deleting_nor_undone_by_a_repeat(world: YandexHarness) -> None:
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    assert isinstance(world.provider.disable(ref, leak_of(key), idempotency_key="1"), Done)
    [request] = world.fake.asked("POST", "/iam/v1/serviceAccounts")
    assert key.id in request.json["reason"]
    proof = world.provider.prove(ref, leak_of(key), KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert isinstance(world.provider.prove(ref, leak_of(key), KeyState.DELETED), Alive)
    assert isinstance(world.made().disable(ref, leak_of(key), idempotency_key="2"), Done)
    assert world.fake.changes == 1


# --- tokens of keyfuse's own ----------------------------------------------------------------------------------------


class Other(YandexHarness):
    """The same cloud, with another way to a token."""

    def __init__(self, clock: Clock, settings: Callable[[Yandex], ProviderSettings], values: Mapping[str, str]) -> None:
        self._settings = settings
        self._values = values
        super().__init__(clock)

    def settings(self) -> ProviderSettings:
        return self._settings(self.fake)

    def environ(self) -> Mapping[str, str]:
        return self._values


@pytest.mark.parametrize("way", ["oauth", "iam", "metadata"])
def test_the_other_ways_to_a_token(clock: Clock, waits: list[float], way: str) -> None:
    names = {"oauth": {"oauth_token": "T"}, "iam": {"iam_token": "T"}}.get(way, {})
    values: dict[str, str] = {}
    world = Other(clock, lambda fake: connected("yandex", fake, None, **names), values)
    manager = world.fake.manager.id
    if way == "oauth":
        values["T"] = world.fake.new_oauth(manager)
    elif way == "iam":
        values["T"] = world.fake.token_for(manager)
    key = robots_key(world.fake)
    assert identified(world, key).ref.id == key.id
    assert len(world.fake.asked("GET", "/computeMetadata")) == (way == "metadata")
    world.close()


def test_without_any_way_it_says_what_to_set(clock: Clock) -> None:
    def no_metadata(fake: Yandex) -> ProviderSettings:
        full = connected("yandex", fake)
        return replace(full, urls={name: url for name, url in full.urls.items() if name != "metadata_url"})

    world = Other(clock, no_metadata, {})
    with pytest.raises(ProviderError, match="authorized_key_file"):
        world.provider.identify(leak_of(robots_key(world.fake)), None)
    world.close()


@pytest.mark.parametrize("content", ["no json", "[]", '{"id": "a", "private_key": "none"}', '{"id": "../x"}'])
def test_a_key_file_that_is_none_is_said_to_be_none(clock: Clock, content: str) -> None:
    world = Other(clock, lambda fake: connected("yandex", fake, authorized_key="K"), {"K": content})
    with pytest.raises(ProviderError, match="not the JSON"):
        world.provider.identify(leak_of(robots_key(world.fake)), None)
    world.close()


def test_a_token_is_kept_and_an_old_one_renewed(keyed: YandexHarness, clock: Clock) -> None:
    key = robots_key(keyed.fake)
    identified(keyed, key)
    identified(keyed, key)
    assert len(keyed.fake.asked("POST", "/iam/v1/tokens")) == 1
    keyed.fake.issued.clear()
    identified(keyed, key)
    clock.forward(hours=2)
    identified(keyed, key)
    assert len(keyed.fake.asked("POST", "/iam/v1/tokens")) == 3


@pytest.mark.parametrize(("fault", "worth"), [(None, Worth.WORKS), (Fault.FAILS_BEFORE, Worth.UNKNOWN)])
def test_its_credential_is_tried(keyed: YandexHarness, fault: Fault | None, worth: Worth) -> None:
    keyed.fake.fault = fault
    assert isinstance(keyed.provider, YandexProvider)
    [trial] = keyed.provider.trials()
    assert (trial.credential, trial.worth) == ("authorized_key", worth)


def test_a_credential_that_is_refused_is_told_from_one_that_could_not_be_tried(keyed: YandexHarness) -> None:
    keyed.fake.accounts[keyed.fake.manager.id].status = "SUSPENDED"
    assert isinstance(keyed.provider, YandexProvider)
    [trial] = keyed.provider.trials()
    assert trial.worth is Worth.REFUSED


# --- tokens that leaked ---------------------------------------------------------------------------------------------


def test_an_oauth_token_without_its_application_is_for_a_person(clock: Clock) -> None:
    class Without(OauthTokenHarness):
        def settings(self) -> ProviderSettings:
            return connected(self.name, self.fake, iam_token="YC_LOGIN")

    world = Without(clock)
    leak, known = world.leaked(Before.ACTIVE)
    identity = world.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    receipt = world.provider.delete(identity.ref, leak, idempotency_key="1")
    assert isinstance(receipt, Unsupported)
    assert "id.yandex.ru" in receipt.reason
    world.close()


def test_what_an_oauth_token_leaves_behind_is_said(clock: Clock) -> None:
    world = OauthTokenHarness(clock)
    leak, known = world.leaked(Before.ACTIVE)
    identity = world.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    world.provider.delete(identity.ref, leak, idempotency_key="1")
    proof = world.provider.prove(identity.ref, leak, KeyState.DELETED)
    assert isinstance(proof, Dead)
    assert proof.until == clock() + timedelta(hours=12)
    world.close()


def test_random_answers_are_not_understood_as_anything(world: YandexHarness) -> None:
    """Whatever stands in a record, nothing raises, and nobody is called dead."""
    rng = random.Random(1)
    key = robots_key(world.fake)
    ref = identified(world, key).ref
    values: list[object] = [None, 1, [], {}, "x", True, {"id": []}]
    shown = world.fake.shown
    for _ in range(10):
        odd = {name: rng.choice(values) for name in shown(key) if rng.random() < 0.5}

        def strange(each: Key, odd: dict[str, object] = odd) -> dict[str, object]:
            return {**shown(each), **odd}

        world.fake.shown = strange  # type: ignore[assignment,method-assign]
        assert not isinstance(world.provider.prove(ref, leak_of(key), KeyState.DELETED), Dead)
        world.made().identify(leak_of(key), None)
