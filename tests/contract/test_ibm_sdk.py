"""IBM's own SDK against the fake: what the vendor's client is content with, keyfuse may be tested against."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_platform_services import IamIdentityV1, ResourceControllerV2

from responders.provider import Dead, Done, Identified, Leak
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_ibm import IAM_KEY, IbmHarness
from tests.support.fakes.ibm import Ibm
from tests.support.stores import Clock


class Sdk:
    """Two of the SDK's services, both logged in through its own authenticator."""

    def __init__(self, ibm: Ibm, value: str = "") -> None:
        login = IAMAuthenticator(value or ibm.administrator.value, url=ibm.url)
        self.iam = IamIdentityV1(authenticator=login)
        self.iam.set_service_url(ibm.url)
        self.resources = ResourceControllerV2(authenticator=login)
        self.resources.set_service_url(ibm.url)


@pytest.fixture
def ibm() -> Iterator[Ibm]:
    fake = Ibm(random.Random(5))
    yield fake
    fake.close()


@pytest.fixture
def sdk(ibm: Ibm) -> Sdk:
    return Sdk(ibm)


def test_a_keys_whole_life(ibm: Ibm, sdk: Sdk) -> None:
    made = sdk.iam.create_api_key(
        name="life",
        iam_id="IBMid-USER000001",
        account_id=ibm.account_id,
        description="whole",
        action_when_leaked="delete",
        expires_at="2049-01-02T18:30+0000",
        entity_lock="true",
    )
    key: dict[str, Any] = made.get_result()
    assert made.get_status_code() == 201
    assert key["locked"] is True
    found = sdk.iam.get_api_keys_details(iam_api_key=key["apikey"], include_history=True).get_result()
    assert (found["id"], found["apikey"], found["action_when_leaked"]) == (key["id"], "", "delete")
    with pytest.raises(ApiException, match="locked"):
        sdk.iam.disable_api_key(key["id"])
    assert sdk.iam.unlock_api_key(key["id"]).get_status_code() == 204
    assert sdk.iam.disable_api_key(key["id"]).get_status_code() == 204
    with pytest.raises(ApiException):
        Sdk(ibm, key["apikey"]).iam.list_api_keys()
    assert sdk.iam.enable_api_key(key["id"]).get_status_code() == 204
    assert Sdk(ibm, key["apikey"]).iam.list_api_keys().get_result()["apikeys"]
    read = sdk.iam.get_api_key(key["id"], include_activity=True)
    assert read.get_result()["activity"]["authn_count"] == "1"
    tag = read.get_headers()["Etag"]
    changed = sdk.iam.update_api_key(key["id"], if_match=tag, action_when_leaked="none").get_result()
    assert (changed["action_when_leaked"], changed["entity_tag"] != tag) == ("none", True)
    with pytest.raises(ApiException, match="entity tag"):
        sdk.iam.update_api_key(key["id"], if_match=tag, name="other")
    assert sdk.iam.lock_api_key(key["id"]).get_status_code() == 204
    assert sdk.iam.unlock_api_key(key["id"]).get_status_code() == 204
    assert sdk.iam.delete_api_key(key["id"]).get_status_code() == 204
    with pytest.raises(ApiException) as gone:
        sdk.iam.get_api_key(key["id"])
    assert gone.value.status_code == 404


def test_its_listing_goes_from_page_to_page(ibm: Ibm, sdk: Sdk) -> None:
    for number in range(45):
        ibm.make(f"key {number}")
    seen, token = 0, None
    for _page in range(3):
        page = sdk.iam.list_api_keys(account_id=ibm.account_id, scope="account", type="user", pagetoken=token)
        seen += len(page.get_result()["apikeys"])
        following = page.get_result().get("next", "")
        token = following.partition("pagetoken=")[2] or None
    assert (seen, token) == (46, None)


def test_a_service_credentials_life(ibm: Ibm, sdk: Sdk) -> None:
    credential, _ = ibm.resources.make("bucket", hmac_keys=True)
    [listed] = sdk.resources.list_resource_keys().get_result()["resources"]
    assert listed["guid"] == credential.guid
    assert sdk.resources.get_resource_key(credential.crn).get_result()["credentials"]["apikey"]
    assert sdk.resources.delete_resource_key(credential.guid).get_status_code() == 204
    assert sdk.resources.get_resource_key(credential.guid).get_result()["state"] == "removed"
    assert sdk.resources.list_resource_keys().get_result()["resources"] == []


def test_what_the_provider_did_the_sdk_sees(clock: Clock) -> None:
    """A key that IBM's client made is found, disabled and proven by the provider, and its client agrees."""
    harness = IbmHarness(clock)
    clock.now = harness.fake.clock()
    sdk = IamIdentityV1(authenticator=IAMAuthenticator(harness.fake.administrator.value, url=harness.fake.url))
    sdk.set_service_url(harness.fake.url)
    harness.fake.clock = Ibm(random.Random()).clock  # the SDK minds the real time
    made = sdk.create_api_key(name="x", iam_id="IBMid-USER000001", account_id=harness.fake.account_id).get_result()
    leak = Leak(IAM_KEY, Secret(made["apikey"].encode()))
    identity = harness.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert identity.ref.id == made["id"]
    assert isinstance(harness.provider.disable(identity.ref, leak, idempotency_key="1"), Done)
    assert sdk.get_api_key(made["id"]).get_result()["disabled"] is True
    assert isinstance(harness.provider.prove(identity.ref, leak, KeyState.DISABLED), Dead)
    harness.close()
