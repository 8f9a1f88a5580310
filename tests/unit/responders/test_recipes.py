"""What the contract suites do not show of recipes: masks, broken listings, ids that do not fit, faulty files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.catalog import recipes
from responders.errors import ProviderError
from responders.provider import (
    Alive,
    Ambiguous,
    Dead,
    Done,
    Identified,
    KeyRef,
    Leak,
    NotFound,
    Refused,
    Unknown,
    Unsupported,
)
from responders.recipe import RecipeFault, load, parse
from responders.recipe_lists import fits_mask
from responders.registry import KeyState
from scanner.model import REGISTERED, Secret, Severity, TokenKind
from tests.contract.harness_recipes import CASES, RecipeHarness
from tests.contract.provider_harness import Before
from tests.support.fakes import Reply, Request, World
from tests.support.fakes.administered import Cloudflare
from tests.support.fakes.self_service import HuggingFace
from tests.support.stores import Clock, known_key

LISTED = ("anthropic", "openai", "npm", "datadog")


def harness(name: str) -> RecipeHarness:
    return RecipeHarness(CASES[name], Clock())


# --- listings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTED)
def test_a_listing_that_breaks_off_tells_nothing(name: str) -> None:
    one = harness(name)
    leak, known = one.leaked(Before.ACTIVE)
    answer, lists = one.fake.answer, [0]

    def breaking(request: Request, world: World) -> Reply:
        reply = answer(request, world)
        lists[0] += reply.name == "list"
        return Reply(500, name="list") if reply.name == "list" and lists[0] >= 1 else reply

    one.fake.answer = breaking  # type: ignore[method-assign]
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Unknown)
    assert identity.works, "it was tried, and is alive"


def test_more_pages_that_are_not_said_where_are_not_the_end() -> None:
    one = harness("anthropic")
    leak, known = one.leaked(Before.ACTIVE)
    answer = one.fake.answer

    def short(request: Request, world: World) -> Reply:
        reply = answer(request, world)
        if reply.name == "list":
            return Reply(200, {"data": [], "has_more": True, "last_id": None}, name="list")
        return reply

    one.fake.answer = short  # type: ignore[method-assign]
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Unknown)
    assert "more, but not where" in identity.reason


def test_a_listing_in_circles_ends() -> None:
    one = harness("npm")
    leak, known = one.leaked(Before.ACTIVE)
    answer = one.fake.answer

    def round_and_round(request: Request, world: World) -> Reply:
        reply = answer(request, world)
        if reply.name == "list":
            return Reply(200, {"objects": [], "urls": {"next": f"{one.fake.url}/-/npm/v1/tokens?x=1"}}, name="list")
        return reply

    one.fake.answer = round_and_round  # type: ignore[method-assign]
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Unknown)
    assert "circles" in identity.reason


def test_the_next_page_is_not_asked_for_elsewhere() -> None:
    one = harness("npm")
    leak, known = one.leaked(Before.ACTIVE)
    answer = one.fake.answer

    def astray(request: Request, world: World) -> Reply:
        reply = answer(request, world)
        if reply.name == "list":
            return Reply(200, {"objects": [], "urls": {"next": "https://elsewhere.example/tokens"}}, name="list")
        return reply

    one.fake.answer = astray  # type: ignore[method-assign]
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Unknown)
    assert "names a page that is not at" in identity.reason


@pytest.mark.parametrize("name", LISTED)
def test_two_keys_that_look_alike_are_not_touched(name: str) -> None:
    one = harness(name)
    leak, known = one.leaked(Before.ACTIVE)
    value = one.fake.value
    twin = value[:20] + value[20:-4][::-1] + value[-4:]
    one.fake.state["keys"]["twin"] = one.fake.record(twin)
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Ambiguous)
    assert set(identity.candidates) == {one.fake.id, "twin"}
    assert one.fake.changes == 0


def test_four_letters_are_not_enough_for_a_key_that_nobody_registered() -> None:
    one = harness("datadog")
    leak, _ = one.leaked(Before.ACTIVE)
    assert isinstance(one.provider.identify(leak, None), Ambiguous)


@pytest.mark.parametrize("name", ["anthropic", "cloudflare", "sendgrid", "openai"])
def test_an_id_in_the_registry_that_is_not_the_vendors_stops_it(name: str) -> None:
    one = harness(name)
    leak, known = one.leaked(Before.ACTIVE)
    assert known is not None
    wrong = known_key(1, provider=known.provider, provider_key_id="another", fingerprint=known.fingerprint)
    identity = one.provider.identify(leak, wrong)
    assert not isinstance(identity, Identified)
    assert not (isinstance(identity, NotFound) and identity.sees_all)


@given(st.text("abcdefgh", min_size=20, max_size=60), st.integers(4, 8), st.integers(0, 6))
def test_a_mask_fits_the_value_that_it_was_made_from(value: str, head: int, tail: int) -> None:
    mask = value[:head] + "..." + (value[-tail:] if tail else "")
    assert fits_mask(mask, value)
    assert not fits_mask(mask, "z" + value[1:])
    assert not tail or not fits_mask(mask, value[:-1] + "z")


@pytest.mark.parametrize("mask", ["", "abcdef", "***", "a...", "ab*****", "...abc"])
def test_a_mask_that_shows_too_little_fits_nothing(mask: str) -> None:
    assert not fits_mask(mask, "abcdefghijklmnopabc")


# --- states and rights ----------------------------------------------------------------------------------------------


def test_a_change_keeps_what_the_token_had() -> None:
    one = harness("cloudflare")
    leak, known = one.leaked(Before.ACTIVE)
    assert isinstance(one.fake, Cloudflare)
    before = copy.deepcopy(one.fake.state["keys"][one.fake.id])
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(one.provider.disable(identity.ref, leak, idempotency_key="1"), Done)
    assert one.fake.state["keys"][one.fake.id] == {**before, "state": "disabled"}


def test_a_key_that_ended_meanwhile_is_not_brought_back_by_disabling_it() -> None:
    one = harness("anthropic")
    leak, known = one.leaked(Before.ACTIVE)
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    one.fake.state["keys"][one.fake.id]["state"] = "gone"
    assert isinstance(one.provider.disable(identity.ref, leak, idempotency_key="1"), Done)
    assert one.fake.state["keys"][one.fake.id]["state"] == "gone"
    assert isinstance(one.provider.enable(identity.ref, idempotency_key="2"), Refused)


def test_without_its_credential_it_says_which_setting_is_missing() -> None:
    one = harness("anthropic")
    leak, known = one.leaked(Before.ACTIVE)
    alone = one.made(credentials={})
    identity = alone.identify(leak, known)
    assert isinstance(identity, Identified), "the key was tried"
    assert identity.state is KeyState.ACTIVE
    with pytest.raises(ProviderError, match=r"\[provider.anthropic\] no token is configured; set token_env"):
        alone.disable(identity.ref, leak, idempotency_key="1")
    assert one.fake.changes == 0


def test_a_refusal_at_one_of_many_sites_does_not_prove_death() -> None:
    one = harness("datadog")
    leak, _ = one.leaked(Before.UNKNOWN)
    identity = one.made(credentials={}).identify(leak, None)
    assert identity == NotFound(identity.evidence, sees_all=False) if isinstance(identity, NotFound) else False


def test_an_accepted_revocation_is_proven_when_it_has_happened() -> None:
    one = harness("huggingface")
    leak, known = one.leaked(Before.ACTIVE)
    assert isinstance(one.fake, HuggingFace)
    identity = one.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    kept = copy.deepcopy(one.fake.state)
    one.provider.delete(identity.ref, leak, idempotency_key="1")
    gone, one.fake.state = one.fake.state, kept
    assert isinstance(one.provider.prove(identity.ref, leak, KeyState.DELETED), Alive)
    one.fake.state = gone
    assert isinstance(one.provider.prove(identity.ref, leak, KeyState.DELETED), Dead)


def test_a_key_of_a_kind_that_nothing_can_be_asked_about() -> None:
    one = harness("digitalocean")
    leak, known = one.leaked(Before.ACTIVE)
    spent = Leak(TokenKind("digitalocean-refresh-token", "", "digitalocean", Severity.HIGH), leak.secret)
    identity = one.provider.identify(spent, known)
    assert isinstance(identity, Identified)
    assert not identity.asked
    assert one.fake.seen == [], "a refresh token would be spent by trying it"
    assert isinstance(one.provider.delete(identity.ref, spent, idempotency_key="1"), Unsupported)


def test_a_registered_key_that_no_rule_found_is_asked_about_all_the_same() -> None:
    one = harness("openai")
    leak, known = one.leaked(Before.ACTIVE)
    assert isinstance(one.provider.identify(Leak(REGISTERED, leak.secret), known), Identified)


@pytest.mark.parametrize("value", [b"line\nbreak" * 4, "ümläut".encode() * 6, b"\xff\xfe" * 20])
def test_a_value_that_fits_no_header_is_not_sent(value: bytes) -> None:
    one = harness("digitalocean")
    leak, _ = one.leaked(Before.ACTIVE)
    identity = one.provider.identify(Leak(leak.kind, Secret(value)), None)
    assert isinstance(identity, Unknown)
    assert one.fake.seen == []


@pytest.mark.parametrize("key_id", ["../../secrets/list?x=", "..", "."])
def test_an_id_cannot_lead_to_another_route(key_id: str) -> None:
    one = harness("databricks")
    leak, _ = one.leaked(Before.ACTIVE)
    one.provider.prove(KeyRef("databricks", key_id), leak, KeyState.DELETED)
    paths = {request.raw.partition("/api")[2] for request, _ in one.fake.seen}
    assert paths <= {"/2.0/preview/scim/v2/Me", "/2.0/token-management/tokens/..%2F..%2Fsecrets%2Flist%3Fx%3D"}


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(recipes()))
def test_a_shipped_recipe_is_read(name: str) -> None:
    recipe = load(name)
    assert recipe.about.name == name
    for keys in recipe.keys:
        assert keys.rules
        assert keys.enable is None or keys.disable is not None


MINIMAL: Mapping[str, Any] = {
    "provider": {"title": "Acme", "base_url": "https://acme.example"},
    "login": {"key": {"headers": {"Authorization": "Bearer {secret}"}}},
    "keys": [
        {
            "what": "keys",
            "rules": ["acme-key"],
            "probe": {"request": "GET /me", "login": "key", "answers": [{"status": 200, "is": "active"}]},
        }
    ],
}


def without(table: dict[str, Any]) -> None:
    del table["provider"]["title"]


def strange(table: dict[str, Any]) -> None:
    table["keys"][0]["prob"] = {}


def unheard(table: dict[str, Any]) -> None:
    table["keys"][0]["probe"]["answers"][0]["is"] = "fine"


def stranger(table: dict[str, Any]) -> None:
    table["keys"][0]["probe"]["login"] = "admin"


def pathless(table: dict[str, Any]) -> None:
    table["keys"][0]["probe"]["request"] = "GET me"


def unmatched(table: dict[str, Any]) -> None:
    table["keys"][0]["pieces"] = {"a": "("}


@pytest.mark.parametrize("harm", [without, strange, unheard, stranger, pathless, unmatched])
def test_a_recipe_that_makes_no_sense_is_refused(harm: Callable[[dict[str, Any]], None]) -> None:
    parse("acme", MINIMAL)
    table = copy.deepcopy(dict(MINIMAL))
    harm(table)
    with pytest.raises(RecipeFault):
        parse("acme", table)
