"""GitHub beyond what every vendor does: late effects, several servers, tokens that cannot be tried, batches."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from responders.about import Triable, Worth
from responders.provider import Accepted, Alive, Dead, Identified, KeyRef, Leak, Refused, Unknown, Unsupported
from responders.providers.github.tokens import GithubProvider
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_clouds import RNG, GithubEnterpriseHarness, GithubHarness, kind_of, registered
from tests.contract.provider_harness import Before
from tests.support.fakes import Reply, Request, World
from tests.support.fakes.github import Github
from tests.support.stores import Clock
from tests.support.tokens import github_token


@pytest.fixture
def vendor() -> Iterator[GithubHarness]:
    harness = GithubHarness(Clock())
    yield harness
    assert harness.fake.leaks() == []
    harness.close()


def identified(vendor: GithubHarness) -> tuple[Identified, Leak]:
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    return identity, leak


def test_what_is_accepted_is_proven_when_the_token_is_refused(vendor: GithubHarness) -> None:
    identity, leak = identified(vendor)
    vendor.fake.at_once = False
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="1"), Accepted)
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Alive)
    vendor.fake.settle()
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Dead)


def test_its_id_is_the_one_in_githubs_audit_log(vendor: GithubHarness) -> None:
    identity, leak = identified(vendor)
    assert leak.secret is not None
    assert b64decode(identity.ref.id) == sha256(leak.secret.reveal()).digest()


def test_a_token_is_tried_at_every_configured_server_and_ended_where_it_lives() -> None:
    main, further = GithubEnterpriseHarness(Clock()), Github(enterprise="")
    leak, known = main.leaked(Before.UNKNOWN)
    assert leak.secret is not None
    further.add(leak.secret.reveal().decode())
    provider = main.made(options={"servers": (further.url,)})
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(provider.delete(identity.ref, leak, idempotency_key="1"), Accepted)
    assert (main.fake.names, further.names) == (["read"], ["read", "delete"])
    assert "authorization" not in further.seen[-1][0].headers, "keyfuse's own token is for the main server alone"
    main.close()
    further.close()


def test_while_one_server_cannot_be_asked_a_token_is_not_called_dead() -> None:
    main, further = GithubHarness(Clock()), Github()
    further.close()
    leak, known = main.leaked(Before.DELETED)
    assert isinstance(main.made(options={"servers": (further.url,)}).identify(leak, known), Unknown)
    main.close()


def test_a_refresh_token_is_revoked_and_its_end_never_claimed(vendor: GithubHarness) -> None:
    value = github_token(RNG, "ghr")
    vendor.fake.add(value)
    leak = Leak(kind_of("github-refresh-token", "github"), Secret(value.encode()))
    identity = vendor.provider.identify(leak, registered("github", value))
    assert isinstance(identity, Identified)
    assert not identity.asked
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="1"), Accepted)
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Unknown)
    assert vendor.fake.names == ["delete"], "it was never tried, since trying spends it"


def test_many_tokens_go_in_batches(vendor: GithubHarness) -> None:
    values = [github_token(RNG) for _ in range(2500)]
    for value in values:
        vendor.fake.add(value)
    provider = vendor.provider
    assert isinstance(provider, GithubProvider)
    batches = list(provider.revoke(vendor.fake.url, [Secret(value.encode()) for value in values]))
    assert [len(batch) for batch, _ in batches] == [1000, 1000, 500]
    assert all(isinstance(receipt, Accepted) for _, receipt in batches)
    assert {token["state"] for token in vendor.fake.state["tokens"].values()} == {"revoked"}


class Saying(Github):
    """Says one thing to every revocation."""

    says = Reply(202)

    def answer(self, request: Request, world: World) -> Reply:
        return self.says if request.path == "/credentials/revoke" else super().answer(request, world)


@pytest.mark.parametrize(
    ("said", "receipt", "for_good"),
    [
        (Reply(403, {"message": "limit"}, {"x-ratelimit-remaining": "0"}), Refused, False),
        (Reply(403, {"message": "limit"}, {"retry-after": "60"}), Refused, False),
        (Reply(403, {"message": "no"}), Refused, True),
        (Reply(422, {"message": "no"}), Refused, True),
        (Reply(404, {"message": "Not Found"}), Unsupported, None),
    ],
)
def test_refusals(said: Reply, receipt: type, for_good: bool | None) -> None:
    class Harness(GithubHarness):
        def make_fake(self) -> Github:
            return Saying()

    vendor = Harness(Clock())
    identity, leak = identified(vendor)
    vendor.fake.says = said  # type: ignore[attr-defined]
    answer = vendor.provider.delete(identity.ref, leak, idempotency_key="1")
    assert isinstance(answer, receipt)
    assert getattr(answer, "for_good", None) == for_good
    vendor.close()


def test_a_server_that_is_not_configured_gets_nothing(vendor: GithubHarness) -> None:
    other = Github()
    leak, _ = vendor.leaked(Before.ACTIVE)
    ref = KeyRef("github", "x", {"server": other.url})
    assert isinstance(vendor.provider.prove(ref, leak, KeyState.DELETED), Unknown)
    assert isinstance(vendor.provider.delete(ref, leak, idempotency_key="1"), Unsupported)
    assert other.seen == []
    other.close()


def test_a_403_that_knows_the_token_is_no_proof_of_death(vendor: GithubHarness) -> None:
    identity, leak = identified(vendor)
    assert leak.secret is not None
    alive = replace(leak, secret=Secret(b"gh" + b"s_" + leak.secret.reveal()[4:]))
    assert alive.secret is not None
    vendor.fake.add(alive.secret.reveal().decode())
    assert isinstance(vendor.provider.prove(identity.ref, alive, KeyState.DELETED), Alive)


def test_client_secrets_are_for_a_person(vendor: GithubHarness) -> None:
    value = "0f" * 20
    leak = Leak(kind_of("github-oauth-client-secret", "github"), Secret(value.encode()))
    identity = vendor.provider.identify(leak, registered("github", value))
    assert isinstance(identity, Identified)
    assert not identity.asked
    assert isinstance(vendor.provider.delete(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert isinstance(vendor.provider.prove(identity.ref, leak, KeyState.DELETED), Unknown)
    assert vendor.fake.seen == []


def test_its_token_is_tried() -> None:
    vendor = GithubEnterpriseHarness(Clock())
    assert isinstance(vendor.provider, Triable)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.REFUSED]
    vendor.fake.add(vendor.fake.enterprise)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.WORKS]
    vendor.close()
