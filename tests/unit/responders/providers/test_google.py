"""Google Cloud beyond what every vendor does: whose file it is, one's own key, operations that take their time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from responders.about import Triable, Worth
from responders.errors import ProviderError
from responders.provider import Accepted, Dead, Done, Identified, KeyRef, Leak, NotFound, Refused, Unknown, Unsupported
from responders.providers.google.service_accounts import project_of
from responders.registry import KeyState
from scanner.model import Secret
from scanner.rulebook import load
from tests.contract.harness_clouds import GoogleApiKeyHarness, GoogleFileHarness, kind_of, registered
from tests.contract.provider_harness import Before
from tests.support.fakes.google import OWN, OWN_KEY, pem
from tests.support.rules import findings, scanner
from tests.support.stores import Clock

DEFAULT = "1-compute@developer.gserviceaccount.com"


@pytest.mark.parametrize(
    ("email", "project"),
    [
        ("app@ours.iam.gserviceaccount.com", "ours"),
        ("app@ours.example.com.iam.gserviceaccount.com", "example.com:ours"),
        (DEFAULT, ""),
        ("ours@appspot.gserviceaccount.com", ""),
        ("app@ours.iam.gserviceaccount.com/../x", ""),
        ("", ""),
    ],
)
def test_an_address_names_its_project(email: str, project: str) -> None:
    assert project_of(email) == project


@pytest.mark.parametrize("written", [str, json.dumps], ids=["as it is", "within a string"])
def test_a_found_file_tells_key_and_account(written: Callable[[str], str]) -> None:
    key_file = json.dumps({"private_key_id": OWN_KEY, "private_key": pem(), "client_email": OWN}, indent=2)
    [rule] = [rule for rule in load().rules if rule.kind.id == "gcp-service-account-key"]
    [finding] = findings(scanner(rule), written(key_file).encode())
    assert {name: part.reveal().decode() for name, part in finding.parts.items()} == {"id": OWN_KEY, "email": OWN}


def test_a_file_without_its_address_is_looked_for_in_the_projects() -> None:
    vendor = GoogleFileHarness(Clock())
    leak, _ = vendor.leaked(Before.ACTIVE)
    vendor.fake.state["accounts"]["ours"] = [OWN, "other@ours.iam.gserviceaccount.com", vendor.email]
    bare = Leak(leak.kind, leak.secret, {"id": leak.parts["id"]})
    assert isinstance(vendor.provider.identify(bare, None), NotFound)
    provider = vendor.made(options={"projects": ("ours",)})
    identity = provider.identify(bare, None)
    assert isinstance(identity, Identified)
    assert identity.ref.id == leak.parts["id"].reveal().decode()
    assert isinstance(vendor.made(options={"projects": ("theirs",)}).identify(bare, None), Unknown)
    vendor.close()


def test_keys_are_switched_by_their_ids_alone() -> None:
    vendor = GoogleFileHarness(Clock())
    leak, _ = vendor.leaked(Before.DISABLED)
    vendor.fake.state["accounts"]["ours"] = [OWN, vendor.email]
    ref = KeyRef("google", leak.parts["id"].reveal().decode())
    assert isinstance(vendor.provider.enable(ref, idempotency_key="1"), Refused)
    assert isinstance(vendor.made(options={"projects": ("ours",)}).enable(ref, idempotency_key="2"), Done)
    assert vendor.state(leak) is KeyState.ACTIVE
    vendor.close()
    keys = GoogleApiKeyHarness(Clock())
    leak, known = keys.leaked(Before.ACTIVE)
    assert known is not None
    ref = KeyRef("google", known.provider_key_id)
    assert isinstance(keys.provider.delete(ref, Leak(leak.kind, None), idempotency_key="3"), Done)
    keys.close()


def test_a_missing_key_proves_nothing_where_google_hides_what_is_missing() -> None:
    vendor = GoogleFileHarness(Clock())
    leak, _ = vendor.leaked(Before.DELETED)
    known = registered("google", pem(), provider_key_id=leak.parts["id"].reveal().decode(), iam_id=DEFAULT)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, NotFound)
    assert not identity.sees_all
    vendor.close()


def test_its_own_key_is_left_alone() -> None:
    vendor = GoogleFileHarness(Clock())
    vendor.fake.state["files"][OWN_KEY] = {"email": OWN, "disabled": False}
    parts = {"id": Secret(OWN_KEY.encode()), "email": Secret(OWN.encode())}
    leak = Leak(kind_of("gcp-service-account-key", "google"), Secret(pem().encode()), parts)
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    for verb in (vendor.provider.disable, vendor.provider.delete):
        assert isinstance(verb(identity.ref, leak, idempotency_key=verb.__name__), Refused)
    assert vendor.fake.changes == 0
    vendor.close()


def test_a_deletion_under_way_is_accepted_and_then_proven() -> None:
    vendor = GoogleApiKeyHarness(Clock())
    vendor.fake.slowly = True
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(vendor.provider.disable(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="2"), Accepted)
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Dead)
    vendor.close()


def test_a_key_file_that_is_none_is_named_as_a_setting() -> None:
    vendor = GoogleFileHarness(Clock())
    vendor.environ = lambda: {"GOOGLE_KEY": "{}"}  # type: ignore[method-assign]
    leak, known = vendor.leaked(Before.ACTIVE)
    with pytest.raises(ProviderError, match="service_account"):
        vendor.made().identify(leak, known)
    vendor.close()


def test_its_key_is_tried() -> None:
    vendor = GoogleFileHarness(Clock())
    assert isinstance(vendor.provider, Triable)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.WORKS]
    stranger = vendor.fake.key_file().replace(OWN, "stranger@ours.iam.gserviceaccount.com")
    vendor.environ = lambda: {"GOOGLE_KEY": stranger}  # type: ignore[method-assign]
    refused = vendor.made()
    assert isinstance(refused, Triable)
    assert [trial.worth for trial in refused.trials()] == [Worth.REFUSED]
    vendor.close()
