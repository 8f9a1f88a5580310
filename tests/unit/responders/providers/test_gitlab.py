"""GitLab beyond what every vendor does: administrators, other kinds of token, scopes."""

from __future__ import annotations

from responders.about import Triable, Worth
from responders.provider import Alive, Dead, Done, Identified, KeyRef, Leak, NotFound, Refused, Unknown, Unsupported
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_clouds import (
    RNG,
    GitlabAdminHarness,
    GitlabHarness,
    GitlabRunnerHarness,
    kind_of,
    registered,
)
from tests.contract.provider_harness import Before
from tests.support.fakes.gitlab import Gitlab
from tests.support.stores import Clock
from tests.support.tokens import text


def test_a_token_that_may_not_revoke_itself_needs_an_administrator() -> None:
    vendor = GitlabHarness(Clock())
    value = "glpat" + "-" + text(RNG, 20)
    vendor.fake.add(value, scopes=("read_api",))
    leak = Leak(kind_of("gitlab-personal-access-token", "gitlab"), Secret(value.encode()))
    identity = vendor.provider.identify(leak, registered("gitlab", value))
    assert isinstance(identity, Identified)
    refused = vendor.provider.delete(identity.ref, leak, idempotency_key="1")
    assert isinstance(refused, Refused)
    assert "admin_mode" in refused.reason
    vendor.close()


def test_an_administrator_revokes_by_id_and_proves_without_the_token() -> None:
    vendor = GitlabAdminHarness(Clock())
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, known)
    assert isinstance(identity, Identified)
    bare = Leak(leak.kind, None)
    assert isinstance(vendor.provider.prove(identity.ref, bare, KeyState.DELETED), Alive)
    assert isinstance(vendor.provider.delete(identity.ref, bare, idempotency_key="1"), Done)
    assert isinstance(vendor.provider.prove(identity.ref, bare, KeyState.DELETED), Dead)
    vendor.close()


def test_an_administrator_revokes_by_the_id_alone() -> None:
    vendor = GitlabAdminHarness(Clock())
    leak, _ = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    ref = KeyRef("gitlab", identity.ref.id)
    assert isinstance(vendor.provider.delete(ref, Leak(leak.kind, None), idempotency_key="1"), Done)
    assert vendor.state(leak) is KeyState.DELETED
    assert isinstance(vendor.provider.delete(KeyRef("gitlab", "41"), leak, idempotency_key="2"), Unsupported)
    vendor.close()


def test_other_kinds_of_token_are_out_of_reach_without_an_administrator() -> None:
    vendor = GitlabRunnerHarness(Clock())
    provider = vendor.made(credentials={})
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert not identity.asked
    assert isinstance(provider.delete(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert isinstance(provider.prove(identity.ref, leak, KeyState.DELETED), Unknown)
    assert vendor.fake.seen == []
    vendor.close()


def test_a_token_is_tried_at_every_server_and_administrators_tokens_are_not_shown_around() -> None:
    vendor, further = GitlabAdminHarness(Clock()), Gitlab()
    provider = vendor.made(options={"servers": (further.url,)})
    leak, known = vendor.leaked(Before.UNKNOWN)
    assert isinstance(provider.identify(leak, known), NotFound)
    assert leak.secret is not None
    further.add(leak.secret.reveal().decode())
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(provider.delete(identity.ref, leak, idempotency_key="1"), Done)
    assert vendor.fake.changes == 0
    assert all(vendor.fake.admin not in request.headers.values() for request, _ in further.seen)
    vendor.close()
    further.close()


def test_its_token_is_tried() -> None:
    vendor = GitlabAdminHarness(Clock())
    assert isinstance(vendor.provider, Triable)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.REFUSED]
    vendor.fake.add(vendor.fake.admin)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.WORKS]
    without = vendor.made(credentials={})
    assert isinstance(without, Triable)
    assert [trial.worth for trial in without.trials()] == [Worth.MISSING]
    vendor.close()
