"""Fakes are judged by the vendors' own clients, where those are light: what they accept, a provider may rely on."""

from __future__ import annotations

from collections.abc import Iterator

import hvac
import pytest

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
