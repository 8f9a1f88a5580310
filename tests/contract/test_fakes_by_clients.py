"""Fakes are judged by the vendors' own clients, where those are light: what they accept, a provider may rely on."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import hvac
import openai
import pytest

from tests.support.fakes.administered import Anthropic, OpenAi
from tests.support.fakes.self_service import Vault


@pytest.fixture
def vault() -> Iterator[Vault]:
    fake = Vault()
    yield fake
    fake.close()


def test_vault_looks_up_and_revokes_as_its_client_expects(vault: Vault) -> None:
    client = hvac.Client(url=vault.url, token=vault.value)
    assert client.is_authenticated()
    assert client.auth.token.lookup_self()["data"]["accessor"] == vault.id
    operator = hvac.Client(url=vault.url, token=vault.admin)
    assert operator.auth.token.lookup_accessor(vault.id)["data"]["accessor"] == vault.id
    client.auth.token.revoke_self()
    assert vault.state_of(vault.value) is None
    assert not hvac.Client(url=vault.url, token=vault.value).is_authenticated()
    with pytest.raises(hvac.exceptions.InvalidPath):
        operator.auth.token.lookup_accessor(vault.id)


def test_openai_knows_a_key_and_refuses_one_that_is_gone() -> None:
    fake = OpenAi()
    try:
        with openai.OpenAI(base_url=f"{fake.url}/v1", api_key=fake.value, max_retries=0) as client:
            assert client.models.list().data == []
            fake.arrange("gone")
            with pytest.raises(openai.AuthenticationError, match="invalid_api_key"):
                client.models.list()
    finally:
        fake.close()


def test_anthropic_knows_a_key_and_refuses_one_that_is_gone() -> None:
    fake = Anthropic()
    try:
        with anthropic.Anthropic(base_url=fake.url, api_key=fake.value, max_retries=0) as client:
            assert client.models.list().data == []
            fake.arrange("gone")
            with pytest.raises(anthropic.AuthenticationError):
                client.models.list()
    finally:
        fake.close()
