"""The Yandex fake and the provider against Yandex's own protocol definitions and client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests
import yandexcloud._auth_fabric as client

from responders.listing import Replacement
from responders.provider import Done, Identified
from responders.providers.yandex.provider import YandexProvider
from responders.registry import KeyState
from responders.signing import ps256
from scanner.model import Secret
from tests.contract.harness_yandex import (
    AuthorizedHarness,
    IamTokenHarness,
    KeyedHarness,
    StaticHarness,
    YandexHarness,
)
from tests.contract.provider_harness import Before
from tests.support.fakes import definitions
from tests.support.fakes.yandex import AUDIENCE, rsa_pair
from tests.support.stores import Clock

SORTS: dict[str, type[YandexHarness]] = {
    "api key": KeyedHarness,
    "static": StaticHarness,
    "authorized": AuthorizedHarness,
    "iam token": IamTokenHarness,
}


@pytest.fixture
def yandex(clock: Clock) -> Iterator[YandexHarness]:
    harness = YandexHarness(clock)
    yield harness
    harness.close()


@pytest.mark.parametrize("sort", SORTS)
def test_every_request_and_every_answer_is_one_of_yandex(sort: str, clock: Clock) -> None:
    harness = SORTS[sort](clock)
    provider = harness.provider
    assert isinstance(provider, YandexProvider)
    list(provider.listing())
    leak, known = harness.leaked(Before.ACTIVE)
    assert known is not None
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    unknown = replace(known, provider_key_id="")
    provider.identify(leak, unknown)
    for change in (provider.disable, provider.delete):
        harness.fake.operations.slow = 1
        change(identity.ref, leak, idempotency_key=change.__name__)
        provider.prove(identity.ref, leak, KeyState.DELETED)
    provider.enable(identity.ref, idempotency_key="e")
    account = harness.fake.new_account("another")
    other = harness.fake.make(harness.sort, account, scopes=["yc.ai.translate.execute"])
    listed = replace(known, provider_key_id=other.id)
    made = provider.successor(listed, clock() + timedelta(days=30))
    assert isinstance(made, Replacement) or sort == "iam token"
    ref = replace(identity.ref, id=other.id)
    provider.end_at(ref, clock() + timedelta(days=1), idempotency_key="end")
    named = {definitions.judged(request, reply) for request, reply in harness.fake.seen}
    assert ("yandex.cloud.iam.v1.IamTokenService.Create" in named) == (harness.login == "authorized_key")
    assert len(named) >= 4
    harness.close()


def test_a_patch_names_the_only_field_that_it_means(yandex: YandexHarness, clock: Clock) -> None:
    leak, known = yandex.leaked(Before.ACTIVE)
    assert known is not None
    key = yandex.fake.keys[known.provider_key_id]
    key.description, key.scopes = "kept", ["yc.ai.translate.execute"]
    identity = yandex.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(yandex.provider, YandexProvider)
    assert isinstance(yandex.provider.end_at(identity.ref, clock() + timedelta(days=1), idempotency_key="1"), Done)
    now = yandex.fake.keys[key.id]
    assert (now.description, now.scopes, now.expires_at is not None) == (
        "kept",
        ["yc.ai.translate.execute"],
        True,
    )


def test_the_fake_takes_the_token_of_yandexs_own_client(yandex: YandexHarness) -> None:
    yandex.fake.clock = lambda: datetime.now(UTC)  # the client minds the real time
    key_file = yandex.fake.key_file(yandex.fake.manager_key)
    requester = client.get_auth_token_requester(service_account_key=key_file)
    assert isinstance(requester, client.ServiceAccountAuth)
    request = requester.get_token_request()
    answer = requests.post(f"{yandex.fake.url}/iam/v1/tokens", json={"jwt": request.jwt}, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["iamToken"].startswith("t1.")


def test_a_token_signed_here_is_what_another_library_takes_for_ps256() -> None:
    private, public = rsa_pair()
    now = int(time.time())
    claims = {"iss": "aje", "aud": AUDIENCE, "iat": now, "exp": now + 3600}
    token = ps256(Secret(private.encode()), {"kid": "k"}, claims).reveal().decode()
    assert jwt.get_unverified_header(token) == {"alg": "PS256", "typ": "JWT", "kid": "k"}
    assert jwt.decode(token, public, algorithms=["PS256"], audience=AUDIENCE) == claims


@pytest.mark.parametrize("fault", ["algorithm", "audience", "length", "key"])
def test_the_fake_refuses_tokens_that_yandex_would(yandex: YandexHarness, clock: Clock, fault: str) -> None:
    now = int(clock().timestamp())
    key = yandex.fake.manager_key
    claims = {
        "iss": key.account,
        "aud": "https://example.org" if fault == "audience" else AUDIENCE,
        "iat": now,
        "exp": now + 3600 + (fault == "length"),
    }
    private = rsa_pair(1)[0] if fault == "key" else key.secret
    algorithm = "RS256" if fault == "algorithm" else "PS256"
    token = jwt.encode(claims, private, algorithm=algorithm, headers={"kid": key.id})
    answer = requests.post(f"{yandex.fake.url}/iam/v1/tokens", json={"jwt": token}, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, 16)


def test_the_fake_takes_no_api_key_for_a_token(yandex: YandexHarness) -> None:
    key = yandex.fake.make("api-key", yandex.fake.manager)
    for scheme in ("Bearer", "Api-Key"):
        answer = requests.get(
            f"{yandex.fake.url}/iam/v1/apiKeys", headers={"Authorization": f"{scheme} {key.secret}"}, timeout=5
        )
        assert answer.status_code == 401


def test_the_key_file_is_read_as_the_command_line_tool_writes_it(clock: Clock) -> None:
    yandex = KeyedHarness(clock)
    assert json.loads(yandex.environ()["YC_LOGIN"])["private_key"].startswith("PLEASE DO NOT")
    assert isinstance(yandex.provider.identify(*yandex.leaked(Before.ACTIVE)), Identified)
    yandex.close()
