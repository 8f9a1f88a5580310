"""IBM's own SDK drives the whole life of a key over our API, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator
from ibm_platform_services import IamIdentityV1
from ibm_platform_services.iam_identity_v1 import ApiKey, ApiKeyList

from responders.users import Role
from tests.support.serving import House, serving

SERVICE = "iam-ServiceId-0001"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with serving(tmp_path_factory.mktemp("sdk")) as house:
        yield house


@pytest.fixture(scope="module")
def sdk(house: House) -> IamIdentityV1:
    return connect(house, house.token("ada", iam_id="IBMid-ada", account_id="acc"))


def connect(house: House, token: str) -> IamIdentityV1:
    service = IamIdentityV1(authenticator=BearerTokenAuthenticator(token))
    service.set_service_url(house.url)
    return service


def every_name(service: IamIdentityV1, **query: Any) -> list[str]:
    """Through all pages, as the SDK's users go."""
    names: list[str] = []
    token = None
    while True:
        page = service.list_api_keys(pagetoken=token, **query).get_result()
        names += [key["name"] for key in page["apikeys"]]
        if not page.get("next"):
            return names
        token = parse_qs(urlsplit(page["next"]).query)["pagetoken"][0]


def test_a_whole_life(sdk: IamIdentityV1) -> None:
    created = sdk.create_api_key(
        name="deploy",
        iam_id="IBMid-ada",
        description="for deploys",
        account_id="acc",
        action_when_leaked="delete",
        expires_at="2049-01-02T18:30+0000",
        entity_lock="false",
        entity_disable="false",
    )
    assert created.get_status_code() == 201
    key = ApiKey.from_dict(created.get_result())
    assert (key.name, key.iam_id, key.account_id, key.description) == ("deploy", "IBMid-ada", "acc", "for deploys")
    assert (key.action_when_leaked, key.expires_at) == ("delete", "2049-01-02T18:30+0000")
    assert (key.locked, key.disabled, key.support_sessions) == (False, False, False)
    assert key.id.startswith("ApiKey-")
    assert len(key.apikey) == 42
    value = key.apikey

    details = ApiKey.from_dict(sdk.get_api_keys_details(iam_api_key=value, include_history=True).get_result())
    assert (details.id, details.apikey) == (key.id, "")
    assert [entry.action for entry in details.history] == ["create"]

    read = sdk.get_api_key(id=key.id, include_history=True, include_activity=True)
    assert read.get_headers()["Etag"] == key.entity_tag
    assert read.get_result()["activity"]["authn_count"] == 0

    updated = ApiKey.from_dict(
        sdk.update_api_key(
            id=key.id, if_match=key.entity_tag, name="renamed", description="", action_when_leaked="none", expires_at=""
        ).get_result()
    )
    assert (updated.name, updated.action_when_leaked, updated.entity_tag != key.entity_tag) == ("renamed", "none", True)
    assert (updated.description, updated.expires_at) == (None, None)
    with pytest.raises(ApiException) as stale:
        sdk.update_api_key(id=key.id, if_match=key.entity_tag, name="late")
    assert stale.value.status_code == 409
    assert "changed meanwhile" in stale.value.message
    sdk.update_api_key(id=key.id, if_match="*", name="any version")

    assert sdk.lock_api_key(id=key.id).get_status_code() == 204
    for change in (sdk.disable_api_key, sdk.delete_api_key):
        with pytest.raises(ApiException) as locked:
            change(id=key.id)
        assert locked.value.status_code == 409
        assert "locked" in locked.value.message
    assert sdk.get_api_key(id=key.id).get_result()["locked"] is True
    assert sdk.unlock_api_key(id=key.id).get_status_code() == 204

    assert sdk.disable_api_key(id=key.id).get_status_code() == 204
    assert sdk.disable_api_key(id=key.id).get_status_code() == 204
    assert sdk.get_api_keys_details(iam_api_key=value).get_result()["disabled"] is True
    assert sdk.enable_api_key(id=key.id).get_status_code() == 204
    assert sdk.get_api_key(id=key.id).get_result()["disabled"] is False

    assert sdk.delete_api_key(id=key.id).get_status_code() == 204
    for gone in (
        partial(sdk.get_api_key, id=key.id),
        partial(sdk.get_api_keys_details, iam_api_key=value),
        partial(sdk.delete_api_key, id=key.id),
        partial(sdk.enable_api_key, id=key.id),
    ):
        with pytest.raises(ApiException) as missing:
            gone()
        assert missing.value.status_code == 404
    assert missing.value.http_response.headers["X-Global-Transaction-ID"]


def test_values_made_elsewhere(sdk: IamIdentityV1) -> None:
    value = "made elsewhere, of forty characters, 日本"
    given = sdk.create_api_key(name="own", iam_id="IBMid-ada", apikey=value, store_value=False).get_result()
    assert given["apikey"] == value
    with pytest.raises(ApiException) as twice:
        sdk.create_api_key(name="own", iam_id="IBMid-ada", apikey=value)
    assert twice.value.status_code == 409
    for wrong in ({"apikey": value[:31]}, {"store_value": True}, {"action_when_leaked": "explode"}):
        with pytest.raises(ApiException) as refused:
            sdk.create_api_key(name="own", iam_id="IBMid-ada", **wrong)
        assert refused.value.status_code == 400
        assert value[:31] not in str(refused.value)


def test_lists_and_pages(house: House) -> None:
    sdk = connect(house, house.token("lister", iam_id="IBMid-lister", account_id="lists"))
    for number in range(7):
        sdk.create_api_key(name=f"list {6 - number}", iam_id="IBMid-lister", account_id="lists")
    sdk.create_api_key(
        name="of a service", iam_id=SERVICE, account_id="lists", entity_disable="true", entity_lock="true"
    )

    first = ApiKeyList.from_dict(sdk.list_api_keys(pagesize=3).get_result())
    assert (first.limit, len(first.apikeys), first.previous) == (3, 3, None)
    assert every_name(sdk, pagesize=3) == [f"list {6 - number}" for number in range(7)]
    assert every_name(sdk, pagesize=2, sort="name", order="desc") == [f"list {6 - number}" for number in range(7)]
    [found] = sdk.list_api_keys(filter='name co "IST 3"', include_history=True).get_result()["apikeys"]
    assert (found["name"], found["apikey"], [entry["action"] for entry in found["history"]]) == (
        "list 3",
        "",
        ["create"],
    )

    services = sdk.list_api_keys(scope="account", type="serviceid").get_result()["apikeys"]
    assert [(key["name"], key["locked"], key["disabled"]) for key in services] == [("of a service", True, True)]
    everyone = sdk.list_api_keys(scope="account").get_result()["apikeys"]
    assert {key["iam_id"] for key in everyone} == {"IBMid-lister"}
    assert sdk.list_api_keys(iam_id=SERVICE).get_result()["apikeys"][0]["iam_id"] == SERVICE


def test_back_and_forth_through_pages(house: House) -> None:
    client = house.client("pager", iam_id="IBMid-pager")
    for number in range(5):
        client("POST", "/v1/apikeys", json={"name": f"p{number}", "iam_id": "IBMid-pager"}).raise_for_status()
    names: list[str] = []
    path, way = "/v1/apikeys?pagesize=2", []
    while path:
        page = client("GET", path).json()
        assert page["offset"] == len(names)
        names += [key["name"] for key in page["apikeys"]]
        way.append(page)
        path = page.get("next", "").removeprefix(house.url)
    assert names == ["p0", "p1", "p2", "p3", "p4"]
    back = client("GET", way[2]["previous"].removeprefix(house.url)).json()
    assert [key["name"] for key in back["apikeys"]] == ["p2", "p3"]
    assert back["offset"] == 2
    first = client("GET", back["previous"].removeprefix(house.url)).json()
    assert [key["name"] for key in first["apikeys"]] == ["p0", "p1"]
    assert "previous" not in first


def test_a_verified_value_is_counted(house: House) -> None:
    client = house.client("verifier", Role.VIEWER)
    member = house.client("holder", Role.MEMBER)
    made = member("POST", "/v1/apikeys", json={"name": "v", "iam_id": "holder", "scopes": ["read"]}).json()
    answer = client("POST", "/v1/apikeys/verify", json={"apikey": made["apikey"], "scopes": ["read"]}).json()
    assert answer["valid"] is True
    assert answer["key"]["id"] == made["id"]
    lacking = client("POST", "/v1/apikeys/verify", json={"apikey": made["apikey"], "scopes": ["write"]}).json()
    assert (lacking["valid"], "lacks the scope" in lacking["reason"]) == (False, True)
    assert client("POST", "/v1/apikeys/verify", json={"apikey": "x" * 42}).json()["valid"] is False
    record = member("GET", f"/v1/apikeys/{made['id']}?include_activity=true").json()
    assert record["activity"]["authn_count"] == 1
    assert made["apikey"] not in house.log.getvalue()


def test_who_did_it_is_written_down(house: House) -> None:
    client = house.client("scribe", iam_id="IBMid-scribe")
    key = client("POST", "/v1/apikeys", json={"name": "s", "iam_id": "IBMid-scribe"}).json()
    client("POST", f"/v1/apikeys/{key['id']}/disable")
    with house.session.records().read() as tx:
        written = [record for record in tx.audit.read() if record.subject == f"key:{key['id']}"]
    assert [(record.actor, record.event) for record in written] == [
        ("IBMid-scribe", "key.create"),
        ("IBMid-scribe", "key.disable"),
    ]


def test_errors_are_ibms_object(house: House) -> None:
    client = house.client("errant")
    body = client("GET", "/v1/apikeys/ApiKey-none", headers={"Transaction-Id": "mine-1"}).json()
    assert body["status_code"] == "404"
    assert body["trace"] == body["context"]["transaction_id"] == "mine-1"
    assert set(body["errors"][0]) == {"code", "message_code", "message", "details"}
