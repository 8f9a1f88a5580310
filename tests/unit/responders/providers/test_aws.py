"""AWS beyond what every vendor does: pairs, accounts, roles, sessions, refusals, and keyfuse's own key."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.about import Triable, Worth
from responders.catalog import Catalog, Surroundings
from responders.errors import ProviderError
from responders.provider import (
    Alive,
    Dead,
    Done,
    Identified,
    KeyRef,
    Leak,
    NotFound,
    Receipt,
    Refused,
    Uncertain,
    Unknown,
    Unsupported,
)
from responders.providers.aws.ids import account_of, ends_sessions_before, principal_of, sessions_policy
from responders.records import Records
from responders.registry import KeyState
from scanner.model import Secret
from tests.contract.harness_clouds import AwsHarness, kind_of
from tests.contract.provider_harness import Before
from tests.support.fakes import Reply
from tests.support.fakes.aws import ACCOUNT, backend, error
from tests.support.stores import FINGERPRINTER, Clock
from tests.support.tokens import text

RNG = random.Random(77)


@pytest.fixture
def vendor() -> Iterator[AwsHarness]:
    harness = AwsHarness(Clock())
    yield harness
    harness.close()


def identified(vendor: AwsHarness, **changes: object) -> tuple[Any, Identified, Leak]:
    provider = vendor.made(**changes)
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    return provider, identity, leak


def options(vendor: AwsHarness, **more: object) -> dict[str, object]:
    return {**vendor.settings().options, **more}


# --- ids ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "account"),
    [("RZPUZDIKAAAQEAYE", ACCOUNT), ("QAAAAAAVAAAQEAYE", "000000000042"), ("IOSFODNN7EXAMPLE", ""), ("R1", "")],
)
def test_an_id_holds_its_account(tail: str, account: str) -> None:
    assert account_of("AKIA" + tail) == account


@given(st.text(max_size=40))
def test_what_is_no_id_holds_no_account(key_id: str) -> None:
    assert account_of(key_id) == "" or len(account_of(key_id)) == 12


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_policy_says_the_moment_that_it_was_made_for(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert ends_sessions_before(sessions_policy(aware)) == aware.replace(microsecond=0)


@pytest.mark.parametrize(
    "document", [None, "", "{", "[]", "{}", {"Statement": []}, {"Statement": [{"Effect": "Allow"}]}]
)
def test_what_is_no_such_policy_ends_nothing(document: object) -> None:
    assert ends_sessions_before(document) is None


def test_whom_an_arn_names() -> None:
    assert principal_of("arn:aws:iam::1:user/teams/a/deploy") == {"user": "deploy"}
    assert principal_of("arn:aws:sts::1:assumed-role/Role/session") == {"role": "Role"}
    assert principal_of("arn:aws:iam::1:root") == {}


# --- whose key ------------------------------------------------------------------------------------------------------


def test_an_id_nearby_is_believed_only_if_it_signs_with_the_secret(vendor: AwsHarness) -> None:
    leak, _ = vendor.leaked(Before.ACTIVE)
    call = f"GetCallerIdentity {leak.parts['id'].reveal().decode()}"
    assert isinstance(vendor.provider.identify(leak, None), Identified)
    vendor.fake.says[call] = error(403, "SignatureDoesNotMatch")
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, NotFound)
    assert not identity.sees_all
    vendor.fake.says[call] = error(403, "InvalidClientTokenId")
    assert isinstance(vendor.provider.identify(leak, None), Identified), "a dead key signs nothing"
    vendor.fake.says[call] = error(500, "InternalFailure")
    assert isinstance(vendor.provider.identify(leak, None), Unknown)


def test_the_registry_knows_better_than_what_stands_nearby(vendor: AwsHarness) -> None:
    leak, known = vendor.leaked(Before.ACTIVE)
    other, _ = vendor.leaked(Before.ACTIVE)
    identity = vendor.provider.identify(replace(leak, parts=other.parts), known)
    assert isinstance(identity, Identified)
    assert known is not None
    assert identity.ref.id == known.provider_key_id


def test_without_an_id_nobody_can_tell(vendor: AwsHarness) -> None:
    leak, _ = vendor.leaked(Before.ACTIVE)
    assert isinstance(vendor.provider.identify(replace(leak, parts={}), None), NotFound)
    assert vendor.fake.seen == []


def test_accounts_that_are_not_configured_are_not_looked_into(vendor: AwsHarness) -> None:
    provider = vendor.made(options=options(vendor, accounts=("999999999999",)))
    leak, known = vendor.leaked(Before.ACTIVE)
    identity = provider.identify(leak, known)
    assert isinstance(identity, NotFound)
    assert not identity.sees_all
    assert vendor.fake.seen == []


def test_in_another_account_it_works_by_a_role(vendor: AwsHarness) -> None:
    from moto.iam.models import iam_backends

    account = "210987654321"
    there = iam_backends[account]["global"]
    there.create_user(region_name="us-east-1", user_name="far-away", path="/")
    key = there.create_access_key("far-away")
    leak = Leak(
        kind_of("aws-secret-access-key", "aws"),
        Secret(key.secret_access_key.encode()),
        {"id": Secret(key.access_key_id.encode())},
    )
    without = vendor.made(options=options(vendor, accounts=(account,)))
    assert isinstance(without.identify(leak, None), Unknown)
    provider = vendor.made(options=options(vendor, accounts=(account,), role="keyfuse-responder"))
    identity = provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(provider.disable(identity.ref, leak, idempotency_key="1"), Done)
    assert key.status == "Inactive"


def test_a_stranger_key_is_tried_and_no_more(vendor: AwsHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """`audit --verify` without any account of one's own: whether a key lives, its own signature tells."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    provider = vendor.made(options={}, credentials={})
    leak, _ = vendor.leaked(Before.ACTIVE)
    alive = provider.identify(leak, None)
    assert isinstance(alive, NotFound)
    assert (alive.works, alive.sees_all) == (True, False)
    vendor.fake.says["GetCallerIdentity"] = error(403, "InvalidClientTokenId")
    dead = provider.identify(leak, None)
    assert isinstance(dead, NotFound)
    assert (dead.works, dead.sees_all) == (False, True)
    assert vendor.fake.names == ["read", "read"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("GetAccessKeyLastUsed", error(403, "AccessDenied")),
        ("ListAccessKeys", error(403, "AccessDenied")),
        ("ListAccessKeys", error(400, "Throttling")),
        ("ListAccessKeys", Reply(200, b"<ListAccessKeysResponse/>")),
        (
            "ListAccessKeys",
            Reply(
                200,
                b"<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata/><IsTruncated>true</IsTruncated>"
                b"</ListAccessKeysResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
                b"</ListAccessKeysResponse>",
            ),
        ),
    ],
    ids=["user denied", "list denied", "throttled", "empty", "cut off"],
)
def test_what_cannot_be_asked_is_unknown(vendor: AwsHarness, action: str, said: Reply) -> None:
    leak, known = vendor.leaked(Before.ACTIVE)
    vendor.fake.says[action] = said
    assert isinstance(vendor.provider.identify(leak, known), Unknown)


# --- changes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "receipt", "for_good"),
    [
        (error(403, "AccessDenied"), Refused, True),
        (error(400, "Throttling"), Refused, False),
        (error(409, "LimitExceeded"), Refused, True),
        (error(500, "ServiceFailure"), Uncertain, None),
        (error(404, "NoSuchEntity"), Done, None),
    ],
)
def test_refusals(vendor: AwsHarness, said: Reply, receipt: type[Receipt], for_good: bool | None) -> None:
    provider, identity, leak = identified(vendor)
    vendor.fake.says["UpdateAccessKey"] = said
    answer = provider.disable(identity.ref, leak, idempotency_key="1")
    assert isinstance(answer, receipt)
    assert getattr(answer, "for_good", None) == for_good
    if said.status == 403:
        assert "iam:UpdateAccessKey" in answer.reason  # type: ignore[union-attr]


def test_the_key_that_keyfuse_works_with_is_left_alone(vendor: AwsHarness) -> None:
    leak, known = vendor.leaked(Before.ACTIVE)
    own = options(vendor, access_key_id=leak.parts["id"].reveal().decode())
    provider = vendor.made(options=own)
    identity = provider.identify(leak, known)
    assert isinstance(identity, Identified)
    assert isinstance(provider.disable(identity.ref, leak, idempotency_key="1"), Refused)
    assert isinstance(provider.delete(identity.ref, leak, idempotency_key="2"), Refused)
    assert vendor.fake.changes == 0


def test_a_key_is_switched_by_its_id_alone(vendor: AwsHarness) -> None:
    leak, _ = vendor.leaked(Before.DISABLED)
    ref = KeyRef("aws", leak.parts["id"].reveal().decode())
    assert isinstance(vendor.provider.enable(ref, idempotency_key="1"), Done)
    assert vendor.state(leak) is KeyState.ACTIVE
    assert isinstance(vendor.provider.delete(ref, Leak(leak.kind, None), idempotency_key="2"), Done)
    assert vendor.state(leak) is None
    assert isinstance(vendor.provider.enable(ref, idempotency_key="3"), Refused)
    assert isinstance(vendor.provider.enable(KeyRef("aws", "nonsense"), idempotency_key="4"), Refused)


def test_sessions_outlive_a_key_unless_they_are_cut(vendor: AwsHarness) -> None:
    provider, identity, leak = identified(vendor)
    provider.disable(identity.ref, leak, idempotency_key="1")
    proof = provider.prove(identity.ref, leak, KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert "sessions" in proof.outlives
    assert proof.until is not None

    cutting, identity, leak = identified(vendor, options=options(vendor, cut_sessions=True))
    done = cutting.disable(identity.ref, leak, idempotency_key="1")
    assert isinstance(done, Done)
    assert "keyfuse-no-sessions-before" in done.evidence
    proof = cutting.prove(identity.ref, leak, KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert proof.outlives == ""


def test_a_key_is_dead_though_its_sessions_could_not_be_cut(vendor: AwsHarness) -> None:
    provider, identity, leak = identified(vendor, options=options(vendor, cut_sessions=True))
    vendor.fake.says["PutUserPolicy"] = error(403, "AccessDenied")
    done = provider.disable(identity.ref, leak, idempotency_key="1")
    assert isinstance(done, Done)
    assert "iam:PutUserPolicy" in done.evidence
    proof = provider.prove(identity.ref, leak, KeyState.DISABLED)
    assert isinstance(proof, Dead)
    assert proof.outlives


def test_the_quarantine_policy_is_attached_where_configured(vendor: AwsHarness) -> None:
    name = "AWSCompromisedKeyQuarantineV3"
    provider, identity, leak = identified(vendor, options=options(vendor, quarantine_policy=name))
    done = provider.disable(identity.ref, leak, idempotency_key="1")
    assert isinstance(done, Done)
    assert f"{name} was attached" in done.evidence
    assert list(backend().users[identity.ref.details["user"]].managed_policies) == [f"arn:aws:iam::aws:policy/{name}"]


# --- temporary keys -------------------------------------------------------------------------------------------------


def temporary() -> Leak:
    parts = {"id": Secret(b"ASIA" + b"RZPUZDIKAAAQEAYE"), "secret": Secret(text(RNG, 40).encode())}
    return Leak(kind_of("aws-session-token", "aws"), Secret(text(RNG, 100).encode()), parts)


def of_a_role(vendor: AwsHarness, leak: Leak, name: str) -> None:
    """AWS says that the temporary key is a session of this role."""
    key_id = leak.parts["id"].reveal().decode()
    vendor.fake.says[f"GetCallerIdentity {key_id}"] = Reply(
        200,
        f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s</Arn>"
        f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId>"
        "</ResponseMetadata></GetCallerIdentityResponse>".encode(),
    )


def test_a_temporary_key_ends_with_its_roles_sessions(vendor: AwsHarness) -> None:
    role, leak = f"role-{RNG.getrandbits(60):x}", temporary()
    backend().create_role(role, "{}", "/", None, "", [], 3600)
    of_a_role(vendor, leak, role)
    provider = vendor.made(options=options(vendor, cut_sessions=True))
    identity = provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert identity.ref.details["role"] == role
    assert isinstance(provider.prove(identity.ref, leak, KeyState.DISABLED), Alive)
    assert isinstance(provider.delete(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert isinstance(provider.disable(identity.ref, leak, idempotency_key="2"), Done)
    assert isinstance(provider.prove(identity.ref, leak, KeyState.DISABLED), Dead)
    again = provider.identify(leak, None)
    assert isinstance(again, Identified)
    assert again.state is KeyState.DISABLED


def test_a_temporary_key_is_for_a_person_unless_sessions_may_be_cut(vendor: AwsHarness) -> None:
    leak = temporary()
    of_a_role(vendor, leak, "whichever")
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(vendor.provider.disable(identity.ref, leak, idempotency_key="1"), Unsupported)
    assert vendor.fake.changes == 0


def test_a_temporary_key_that_aws_refuses_is_over(vendor: AwsHarness) -> None:
    leak = temporary()
    vendor.fake.says[f"GetCallerIdentity {leak.parts['id'].reveal().decode()}"] = error(403, "ExpiredToken")
    identity = vendor.provider.identify(leak, None)
    assert isinstance(identity, NotFound)
    assert identity.sees_all
    assert isinstance(vendor.provider.identify(replace(leak, parts={"id": leak.parts["id"]}), None), NotFound)


# --- settings -------------------------------------------------------------------------------------------------------


def test_without_botocore_the_next_step_is_named(vendor: AwsHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "responders.providers.aws.client", None)
    around = Surroundings(cast(Records, None), FINGERPRINTER, Clock(), settings={"aws": vendor.settings()})
    aws = Catalog(around)["aws"]
    assert aws.capabilities.delete
    assert not aws.needs_secret()
    leak, known = vendor.leaked(Before.ACTIVE)
    ref = KeyRef("aws", "x")
    for asked in (
        lambda: aws.identify(leak, known),
        lambda: aws.disable(ref, leak, idempotency_key="1"),
        lambda: aws.enable(ref, idempotency_key="1"),
        lambda: aws.delete(ref, leak, idempotency_key="1"),
        lambda: aws.unlock(ref, idempotency_key="1"),
        lambda: aws.prove(ref, leak, KeyState.DELETED),
    ):
        with pytest.raises(ProviderError, match=r"keyfuse\[aws\]"):
            asked()


def test_without_credentials_the_next_step_is_named(vendor: AwsHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    leak, known = vendor.leaked(Before.ACTIVE)
    with pytest.raises(ProviderError, match="access_key_id"):
        vendor.made(options={}, credentials={}).identify(leak, known)
    with pytest.raises(ProviderError, match="profile"):
        vendor.made(options={"profile": "nobody"}, credentials={}).identify(leak, known)


def test_its_key_is_tried(vendor: AwsHarness) -> None:
    assert isinstance(vendor.provider, Triable)
    assert [trial.worth for trial in vendor.provider.trials()] == [Worth.WORKS]
    vendor.fake.says["GetCallerIdentity"] = error(403, "InvalidClientTokenId")
    fresh = vendor.made()
    assert isinstance(fresh, Triable)
    assert [trial.worth for trial in fresh.trials()] == [Worth.REFUSED]


def test_other_kinds_of_key_are_for_a_person(vendor: AwsHarness) -> None:
    leak, known = vendor.leaked(Before.ACTIVE)
    assert known is not None
    other = Leak(kind_of("aws-appsync-api-key", "aws"), leak.secret)
    identity = vendor.provider.identify(other, known)
    assert isinstance(identity, Identified)
    assert not identity.asked
    assert isinstance(vendor.provider.disable(identity.ref, other, idempotency_key="1"), Unsupported)
    assert isinstance(vendor.provider.prove(identity.ref, other, KeyState.DISABLED), Unknown)
    assert vendor.fake.seen == []
