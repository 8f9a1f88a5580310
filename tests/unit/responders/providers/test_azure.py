"""Azure beyond what every vendor does: three characters are few, and a regenerated key is not the leaked one."""

from __future__ import annotations

import uuid

import pytest

from responders.about import Triable, Worth
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
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_clouds import AzureSecretHarness, AzureStorageHarness, kind_of, said
from tests.contract.provider_harness import Before
from tests.support.fakes import Reply, Request, World
from tests.support.fakes.azure import OWN_APP, Azure
from tests.support.stores import Clock


def another(vendor: AzureSecretHarness, begins: str) -> None:
    vendor.fake.state["apps"][vendor.app]["secrets"][str(uuid.UUID(int=9))] = begins + "another"


def test_a_beginning_that_fits_two_secrets_touches_none() -> None:
    vendor = AzureSecretHarness(Clock())
    leak, _ = vendor.leaked(Before.ACTIVE)
    assert isinstance(vendor.provider.identify(leak, None), Identified)
    another(vendor, said(leak)[:3])
    assert isinstance(vendor.provider.identify(leak, None), Ambiguous)
    another(vendor, "")
    vendor.close()


def test_a_beginning_that_fits_another_secret_is_seen_through() -> None:
    vendor = AzureSecretHarness(Clock())
    leak, _ = vendor.leaked(Before.DELETED)
    another(vendor, said(leak)[:3])
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, NotFound)
    assert identity.sees_all
    vendor.close()


def test_the_application_that_keyfuse_works_as_is_not_stopped() -> None:
    vendor = AzureSecretHarness(Clock())
    vendor.fake.add_app(OWN_APP, {str(uuid.UUID(int=3)): vendor.fake.own})
    parts = {"client": Secret(OWN_APP.encode())}
    leak = Leak(kind_of("azure-entra-client-secret", "azure"), Secret(vendor.fake.own.encode()), parts)
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(vendor.provider.disable(identity.ref, leak, idempotency_key="1"), Refused)
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="2"), Refused)
    assert vendor.fake.changes == 0
    vendor.close()


def test_the_owner_is_stopped_and_goes_on() -> None:
    vendor = AzureSecretHarness(Clock())
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(vendor.provider.disable(identity.ref, leak, idempotency_key="1"), Done)
    proof = vendor.provider.prove(identity.ref, leak, KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert proof.outlives
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Alive)
    vendor.close()


def test_a_second_regeneration_would_kill_the_successor_and_is_not_sent() -> None:
    vendor = AzureStorageHarness(Clock())
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="1"), Done)
    assert isinstance(vendor.made().delete(identity.ref, leak, idempotency_key="1"), Done)
    assert vendor.fake.names.count("delete") == 1
    assert isinstance(vendor.provider.delete(identity.ref, Leak(leak.kind, None), idempotency_key="2"), Unsupported)
    vendor.close()


def test_an_account_is_opened_again_by_the_keys_id_alone() -> None:
    vendor = AzureStorageHarness(Clock())
    leak, _ = vendor.leaked(Before.DISABLED)
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(vendor.provider.enable(KeyRef("azure", identity.ref.id), idempotency_key="1"), Done)
    assert vendor.state(leak) is KeyState.ACTIVE
    vendor.close()


def test_a_key_is_found_without_its_accounts_name() -> None:
    vendor = AzureStorageHarness(Clock())
    leak, _ = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(Leak(kind_of("azure-storage-account-key", "azure"), leak.secret), None)
    assert isinstance(identity, Identified)
    assert identity.ref.id.endswith("third/key2")
    assert isinstance(vendor.made(options={}).identify(leak, None), NotFound)
    vendor.close()


def test_a_next_page_elsewhere_is_not_followed() -> None:
    class Straying(Azure):
        def answer(self, request: Request, world: World) -> Reply:
            reply = super().answer(request, world)
            if isinstance(reply.body, dict) and "nextLink" in reply.body:
                reply.body["nextLink"] = "http://192.0.2.1/next"
            return reply

    class Harness(AzureStorageHarness):
        def make_fake(self) -> Azure:
            return Straying(own="own")

    vendor = Harness(Clock())
    leak, known = vendor.leaked(Before.ACTIVE)
    assert isinstance(vendor.provider.identify(leak, known), Unknown)
    vendor.close()


def test_its_secret_is_tried_and_what_is_missing_is_named() -> None:
    vendor = AzureSecretHarness(Clock())
    assert isinstance(vendor.provider, Triable)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.WORKS]
    vendor.environ = lambda: {"AZURE_SECRET": "old"}  # type: ignore[method-assign]
    refused = vendor.made()
    assert isinstance(refused, Triable)
    assert [trial.worth for trial in refused.trials()] == [Worth.REFUSED]
    leak, known = vendor.leaked(Before.ACTIVE)
    with pytest.raises(ProviderError, match="tenant"):
        vendor.made(options={"client_id": OWN_APP}).identify(leak, known)
    vendor.close()
