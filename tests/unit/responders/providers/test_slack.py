"""Slack beyond what every vendor does: what `ok` is worth, and what invalid_auth proves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from responders.provider import Alive, Dead, Identified, Leak, NotFound, Uncertain, Unknown, Unsupported
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_clouds import SlackHarness, kind_of, registered
from tests.contract.provider_harness import Before
from tests.support.stores import Clock


@pytest.fixture
def vendor() -> Iterator[SlackHarness]:
    harness = SlackHarness(Clock())
    yield harness
    harness.close()


def test_ok_without_revoked_is_no_success(vendor: SlackHarness) -> None:
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    vendor.fake.half = True
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="1"), Uncertain)
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Alive)


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive", "token_expired", "invalid_auth"])
def test_however_slack_says_it_the_token_is_dead(vendor: SlackHarness, error: str) -> None:
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    vendor.fake.afterwards = error
    vendor.provider.delete(identity.ref, leak, idempotency_key="1")
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Dead)


def test_invalid_auth_alone_proves_nothing(vendor: SlackHarness) -> None:
    """Slack says so, too, to a caller from an address that the workspace does not allow."""
    leak, _ = vendor.leaked(Before.UNKNOWN)
    assert leak.secret is not None
    known = registered("slack", leak.secret.reveal().decode())
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, NotFound)
    assert not identity.sees_all


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "a_word_of_tomorrow"])
def test_what_tells_nothing_of_the_token_is_unknown(vendor: SlackHarness, error: str) -> None:
    leak, known = vendor.leaked(Before.DELETED)
    vendor.fake.afterwards = error
    assert isinstance(vendor.provider.identify(leak, known), Unknown)


def test_a_webhook_is_for_a_person_and_never_called(vendor: SlackHarness) -> None:
    value = "https://hooks.slack.com/services/" + "T0/B0/secret"
    leak = Leak(kind_of("slack-webhook-url", "slack"), Secret(value.encode()))
    identity = vendor.provider.identify(leak, registered("slack", value))
    assert isinstance(identity, Identified)
    assert not identity.asked
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Unknown)
    assert vendor.fake.seen == []
