"""Keys of our own, from their making to their end."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from responders.auditlog import verify
from responders.errors import IllegalMove, Locked, NoSuchRecord, QuotaExceeded, StaleRecord
from responders.issuer import (
    Invalid,
    Issuer,
    IssueRules,
    NewKey,
    Valid,
    checksum,
    mask,
    mint,
)
from responders.registrar import Amendment, By, Registrar
from responders.registry import IfUnsupported, KeyKind, KeyState, LeakAction
from responders.shapes import derive, read_shapes
from responders.store import SqlRecords, open_store
from scanner.errors import UsageError
from scanner.model import Secret, Shape
from tests.support import tokens
from tests.support.stores import FINGERPRINTER, START, Clock, known_key

ME = By("me@here")


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def records(tmp_path: Path, clock: Clock) -> Iterator[SqlRecords]:
    """An empty store."""
    store = open_store("", clock=clock, data_dir=tmp_path)
    yield store
    store.close()


@pytest.fixture
def issuer(records: SqlRecords, clock: Clock) -> Issuer:
    """An issuer over it."""
    return Issuer(records, FINGERPRINTER, clock, rng=random.Random(5))


@pytest.fixture
def registrar(records: SqlRecords, clock: Clock) -> Registrar:
    """What changes records."""
    return Registrar(records, clock)


def events(records: SqlRecords) -> list[str]:
    """The audit log's events; its chain holds."""
    with records.read() as transaction:
        verify(transaction.audit.read(), transaction.audit.head())
        return [entry.event for entry in transaction.audit.read()]


# --- values ---------------------------------------------------------------------------------------------------------


def test_a_value_ends_in_the_checksum_of_all_before_it() -> None:
    value = mint(random.Random(1)).reveal().decode()
    assert re.fullmatch(r"kfk_[0-9A-Za-z]{38}", value)
    assert checksum(value[:-6]) == value[-6:]
    body = tokens.keyfuse_key(random.Random(2))
    assert checksum(body[:-6]) == body[-6:]


def test_values_differ() -> None:
    rng = random.Random(3)
    assert len({mint(rng).reveal() for _ in range(1000)}) == 1000


def test_a_mask_shows_the_ends_of_long_values_only() -> None:
    assert mask(b"kfk_" + b"x" * 34 + b"Tail", Shape("kfk_", "base62", 42)) == "kfk_…Tail"
    assert mask(b"x" * 15, Shape("", "base36", 15)) == "***"
    assert mask(b"with a space and length", None) == "***"


# --- creating -------------------------------------------------------------------------------------------------------


def test_a_key_is_recorded_without_its_value(issuer: Issuer, records: SqlRecords, tmp_path: Path) -> None:
    wanted = NewKey(
        "  ci  ",
        description="builds",
        kind=KeyKind.SERVICE_ID,
        account_id="acc",
        iam_id="iam-ServiceId-1",
        owners=("a@example.org",),
        scopes=("read",),
        expires_at=START + timedelta(days=1),
        action_when_leaked=LeakAction.DELETE,
        if_unsupported=IfUnsupported.NONE,
    )
    issued = issuer.create(wanted, ME)
    key = issuer.get("ci")
    assert key == issued.key
    assert re.fullmatch(r"ApiKey-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key.id)
    assert re.fullmatch(r"1-[0-9a-f]{32}", key.entity_tag)
    assert (key.name, key.created_by, key.created_at, key.state) == ("ci", "me@here", START, KeyState.ACTIVE)
    assert (key.action_when_leaked, key.if_unsupported) == (LeakAction.DELETE, IfUnsupported.NONE)
    assert [change.action for change in key.history] == ["create"]
    value = issued.secret.reveal()
    assert key.masked == "kfk_…" + value[-4:].decode()
    assert read_shapes(tmp_path) == (Shape("kfk_", "base62", 42),)
    records.close()
    for path in tmp_path.iterdir():
        assert value not in path.read_bytes()
    assert value.decode() not in repr(issued)


def test_the_default_leak_action_is_disable(issuer: Issuer) -> None:
    assert issuer.create(NewKey("x"), ME).key.action_when_leaked is LeakAction.DISABLE


def test_a_given_value_is_registered(issuer: Issuer) -> None:
    given = Secret(b"any characters, from 32 on: \xc3\xbc \xff..")
    issued = issuer.create(NewKey("given"), ME, given)
    assert issued.secret is given
    assert isinstance(issuer.verify(given), Valid)
    with pytest.raises(UsageError, match=f"registered already, as key {issued.key.id}"):
        issuer.create(NewKey("again"), ME, given)


def test_a_short_given_value_is_refused(issuer: Issuer) -> None:
    short = "x" * 31
    with pytest.raises(UsageError, match="at least 32 characters; this one has 31") as caught:
        issuer.create(NewKey("short"), ME, Secret(short.encode()))
    assert short not in str(caught.value)


@pytest.mark.parametrize("name", ["", "   ", "x" * 256])
def test_names_have_a_length(issuer: Issuer, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 255"):
        issuer.create(NewKey(name), ME)


def test_it_cannot_expire_before_it_exists(issuer: Issuer) -> None:
    with pytest.raises(UsageError, match="name a later time"):
        issuer.create(NewKey("x", expires_at=START), ME)


def test_quotas_are_those_of_ibm(issuer: Issuer) -> None:
    for number in range(20):
        issuer.create(NewKey(f"key {number}", iam_id="me"), ME)
    with pytest.raises(QuotaExceeded, match="me has 20 user keys already"):
        issuer.create(NewKey("one more", iam_id="me"), ME)
    issuer.create(NewKey("somebody else's", iam_id="you"), ME)
    issuer.create(NewKey("another kind", kind=KeyKind.SERVICE_ID, iam_id="me"), ME)
    issuer.create(NewKey("classic", kind=KeyKind.CLASSIC, iam_id="me"), ME)
    with pytest.raises(QuotaExceeded, match="1 classic key already"):
        issuer.create(NewKey("classic 2", kind=KeyKind.CLASSIC, iam_id="me"), ME)
    issuer.delete("key 0", ME)
    issuer.create(NewKey("one more", iam_id="me"), ME)


def test_creation_may_be_restricted_to_administrators(records: SqlRecords, clock: Clock) -> None:
    rules = IssueRules(restrict_creation=True, administrators=("root@here",))
    issuer = Issuer(records, FINGERPRINTER, clock, rules=rules)
    with pytest.raises(QuotaExceeded, match="restricted"):
        issuer.create(NewKey("x"), ME)
    assert issuer.create(NewKey("x"), By("root@here"))
    assert events(records) == ["key.create"]


# --- verifying ------------------------------------------------------------------------------------------------------


def test_a_use_is_counted(issuer: Issuer, clock: Clock) -> None:
    secret = issuer.create(NewKey("x"), ME).secret
    clock.forward(minutes=1)
    assert isinstance(issuer.verify(secret), Valid)
    assert isinstance(issuer.verify(secret, count=False), Valid)
    key = issuer.get("x")
    assert (key.authn_count, key.last_used_at) == (1, clock())


def test_unknown_values_are_invalid(issuer: Issuer) -> None:
    issuer.create(NewKey("x"), ME)
    for value in (b"", b"x", mint(random.Random(99)).reveal()):
        assert issuer.verify(Secret(value)) == Invalid("no key with this value is registered")


def test_expiry_counts_to_the_moment(issuer: Issuer, clock: Clock) -> None:
    secret = issuer.create(NewKey("x", expires_at=START + timedelta(hours=1)), ME).secret
    clock.now = START + timedelta(hours=1) - timedelta(microseconds=1)
    assert isinstance(issuer.verify(secret), Valid)
    clock.now = START + timedelta(hours=1)
    verdict = issuer.verify(secret)
    assert isinstance(verdict, Invalid)
    assert "expired since" in verdict.reason
    assert issuer.get("x").authn_count == 1


def test_scopes_limit_a_key_that_has_any(issuer: Issuer) -> None:
    limited = issuer.create(NewKey("limited", scopes=("read", "list")), ME).secret
    free = issuer.create(NewKey("free"), ME).secret
    assert isinstance(issuer.verify(limited, ["read"]), Valid)
    verdict = issuer.verify(limited, ["read", "write", "admin"])
    assert isinstance(verdict, Invalid)
    assert verdict.reason == "the key lacks the scope admin, write"
    assert isinstance(issuer.verify(free, ["write"]), Valid)


@pytest.mark.parametrize(("move", "said"), [("disable", "disabled"), ("delete", "deleted")])
def test_keys_that_were_switched_off_are_invalid(issuer: Issuer, move: str, said: str) -> None:
    issued = issuer.create(NewKey("x"), ME)
    getattr(issuer, move)(issued.key.id, ME)
    verdict = issuer.verify(issued.secret)
    assert isinstance(verdict, Invalid)
    assert verdict.reason == f"the key is {said}"
    assert verdict.key is not None


def test_keys_of_others_cannot_be_verified_here(issuer: Issuer, records: SqlRecords) -> None:
    other = known_key(1, provider="github", fingerprint=FINGERPRINTER.of(b"value of another"))
    with records.begin() as transaction:
        transaction.keys.add(other, None)
    assert issuer.verify(Secret(b"value of another")) == Invalid(
        "the key was issued by github, which alone can verify it", other
    )
    for change in (issuer.disable, issuer.enable, issuer.delete, issuer.unlock):
        with pytest.raises(UsageError, match="issued by github"):
            change(other.id, ME)
    with pytest.raises(UsageError, match="issued by github"):
        issuer.reissue(other.id, timedelta(), ME)


# --- changing -------------------------------------------------------------------------------------------------------


def test_off_on_and_gone_for_ever(issuer: Issuer, records: SqlRecords, tmp_path: Path) -> None:
    issued = issuer.create(NewKey("x"), ME)
    assert issuer.disable("x", ME).disabled
    assert issuer.enable("x", ME).state is KeyState.ACTIVE
    gone = issuer.delete("x", ME)
    assert [change.action for change in gone.history] == ["create", "disable", "enable", "delete"]
    for change in (issuer.enable, issuer.disable):
        with pytest.raises(IllegalMove, match="for ever"):
            change(gone.id, ME)
    assert issuer.delete(gone.id, ME) == gone
    assert issuer.lookup(issued.secret) == gone
    with records.read() as transaction:
        assert transaction.keys.shapes() == ()
    assert events(records) == ["key.create", "key.disable", "key.enable", "key.delete"]
    assert derive(issued.secret.reveal()) in read_shapes(tmp_path)


def test_what_changes_nothing_leaves_no_trace(issuer: Issuer, records: SqlRecords) -> None:
    issuer.create(NewKey("x"), ME)
    once = issuer.disable("x", ME)
    assert issuer.disable("x", ME) == once
    assert events(records) == ["key.create", "key.disable"]


def test_an_idempotency_key_counts_also_where_nothing_changed(issuer: Issuer) -> None:
    issuer.create(NewKey("x", disabled=True), ME)
    once = By("robot", idempotency_key="k1")
    issuer.disable("x", once)
    issuer.enable("x", ME)
    assert issuer.disable("x", once).state is KeyState.ACTIVE
    assert issuer.disable("x", By("robot", idempotency_key="k2")).state is KeyState.DISABLED


def test_a_stale_tag_is_refused(issuer: Issuer) -> None:
    tag = issuer.create(NewKey("x"), ME).key.entity_tag
    new = issuer.disable("x", By("me", if_tag=tag)).entity_tag
    with pytest.raises(StaleRecord):
        issuer.enable("x", By("me", if_tag=tag))
    assert issuer.enable("x", By("me", if_tag=new)).state is KeyState.ACTIVE
    with pytest.raises(StaleRecord):
        issuer.enable("x", By("me", if_tag=tag))


CHANGES: list[Callable[[Issuer, Registrar], object]] = [
    lambda issuer, _: issuer.disable("x", ME),
    lambda issuer, _: issuer.enable("x", ME),
    lambda issuer, _: issuer.delete("x", ME),
    lambda issuer, _: issuer.reissue("x", timedelta(), ME),
    lambda _, registrar: registrar.amend("x", Amendment(name="y"), ME),
    lambda _, registrar: registrar.set_state("x", KeyState.DELETED, ME),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_about_a_locked_key_changes(
    issuer: Issuer, registrar: Registrar, records: SqlRecords, change: Callable[[Issuer, Registrar], object]
) -> None:
    issued = issuer.create(NewKey("x", locked=True), ME)
    with pytest.raises(Locked, match=f"keyfuse keys unlock {issued.key.id}"):
        change(issuer, registrar)
    assert issuer.get("x") == issued.key
    assert isinstance(issuer.verify(issued.secret), Valid)
    issuer.unlock("x", ME)
    change(issuer, registrar)


def test_a_refused_change_of_a_locked_key_is_in_the_log(issuer: Issuer, records: SqlRecords) -> None:
    issuer.create(NewKey("x", locked=True), ME)
    with pytest.raises(Locked):
        issuer.delete("x", ME)
    with records.read() as transaction:
        last = list(transaction.audit.read())[-1]
    assert (last.event, last.actor, last.details["outcome"]) == ("key.delete", "me@here", "refused")


def test_locking_and_unlocking(issuer: Issuer, registrar: Registrar) -> None:
    issuer.create(NewKey("x"), ME)
    assert registrar.lock("x", ME).locked
    assert not registrar.unlock("x", ME).locked
    gone = issuer.delete("x", ME)
    with pytest.raises(IllegalMove):
        registrar.lock(gone.id, ME)


def test_what_a_person_may_change(issuer: Issuer, registrar: Registrar, clock: Clock) -> None:
    issuer.create(NewKey("x"), ME)
    clock.forward(hours=1)
    amendment = Amendment(
        name="y",
        description="d",
        owners=("b@example.org",),
        scopes=("s",),
        expires_at=START + timedelta(days=3),
        action_when_leaked=LeakAction.NONE,
        if_unsupported=IfUnsupported.DELETE,
    )
    changed = registrar.amend("x", amendment, ME)
    assert (changed.name, changed.owners, changed.scopes) == ("y", ("b@example.org",), ("s",))
    assert changed.modified_at == clock()
    assert changed.history[-1].params == {
        "name": "y",
        "description": "d",
        "owners": "b@example.org",
        "scopes": "s",
        "expires_at": "2026-03-04T12:00:00.250001+00:00",
        "action_when_leaked": "none",
        "if_unsupported": "delete",
    }
    assert registrar.amend("y", Amendment(never_expires=True, description=""), ME).expires_at is None
    with pytest.raises(NoSuchRecord):
        registrar.amend("x", Amendment(name="z"), ME)
    with pytest.raises(UsageError, match="set --expires-at"):
        registrar.set_state("y", KeyState.EXPIRED, ME)


# --- reissuing ------------------------------------------------------------------------------------------------------


def test_the_new_one_takes_over_and_the_old_one_dies_after_the_overlap(issuer: Issuer, clock: Clock) -> None:
    old = issuer.create(
        NewKey("x", owners=("a@example.org",), scopes=("s",), expires_at=START + timedelta(days=30)), ME
    )
    clock.forward(days=10)
    new = issuer.reissue("x", timedelta(hours=2), ME)
    assert (new.key.name, new.key.owners, new.key.scopes) == ("x", ("a@example.org",), ("s",))
    assert new.key.expires_at == clock() + timedelta(days=30)
    assert new.key.replaces == old.key.id
    assert issuer.get(old.key.id).replaced_by == new.key.id
    assert issuer.get("x").id == new.key.id
    clock.forward(hours=1)
    assert isinstance(issuer.verify(old.secret), Valid)
    assert isinstance(issuer.verify(new.secret), Valid)
    clock.forward(hours=1)
    assert isinstance(issuer.verify(old.secret), Invalid)
    assert isinstance(issuer.verify(new.secret), Valid)


def test_without_overlap_the_old_one_dies_at_once(issuer: Issuer) -> None:
    old = issuer.create(NewKey("x"), ME)
    issuer.reissue("x", timedelta(), ME)
    assert isinstance(issuer.verify(old.secret), Invalid)


def test_an_overlap_never_lengthens_a_life(issuer: Issuer) -> None:
    ends = START + timedelta(hours=1)
    old = issuer.create(NewKey("x", expires_at=ends), ME)
    issuer.reissue("x", timedelta(days=1), ME, expires_at=START + timedelta(days=2))
    assert issuer.get(old.key.id).expires_at == ends


def test_a_leaked_and_disabled_key_is_reissued_alive(issuer: Issuer) -> None:
    issuer.create(NewKey("x"), ME)
    old = issuer.disable("x", ME)
    new = issuer.reissue("x", timedelta(days=1), ME)
    assert isinstance(issuer.verify(new.secret), Valid)
    assert issuer.get(old.id).state is KeyState.DISABLED


def test_what_cannot_be_reissued(issuer: Issuer, registrar: Registrar) -> None:
    old = issuer.create(NewKey("x"), ME).key
    new = issuer.reissue("x", timedelta(hours=1), ME).key
    with pytest.raises(IllegalMove, match=f"replaced already, by {new.id}"):
        issuer.reissue(old.id, timedelta(), ME)
    with pytest.raises(IllegalMove, match="cannot live longer"):
        registrar.amend(old.id, Amendment(never_expires=True), ME)
    with pytest.raises(IllegalMove, match="cannot live longer"):
        registrar.amend(old.id, Amendment(expires_at=START + timedelta(days=9)), ME)
    assert registrar.amend(old.id, Amendment(expires_at=START + timedelta(minutes=1)), ME)
    gone = issuer.delete(new.id, ME)
    with pytest.raises(IllegalMove, match="deleted"):
        issuer.reissue(gone.id, timedelta(), ME)
    with pytest.raises(UsageError, match="negative"):
        issuer.reissue("x", timedelta(seconds=-1), ME)


def test_a_reissue_is_in_history_and_log(issuer: Issuer, records: SqlRecords) -> None:
    old = issuer.create(NewKey("x"), ME).key
    new = issuer.reissue("x", timedelta(), ME).key
    last = issuer.get(old.id).history[-1]
    assert (last.action, last.params["replaced_by"]) == ("replaced", new.id)
    assert events(records) == ["key.create", "key.replaced", "key.create"]
