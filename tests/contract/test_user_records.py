"""What every store of records does, whatever database is under it: users, arrivals, and who sees which key."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from responders.errors import NoSuchRecord, Taken
from responders.gatekeeper import USED_EVERY, Gatekeeper, NewUser
from responders.incident import Incident, IncidentState
from responders.registry import KeyKind, KeyQuery, KeyState, KnownKey, Sight, SortBy
from responders.store import SqlRecords
from responders.users import Role, User
from scanner.errors import UsageError
from scanner.model import Secret, Severity
from tests.support.stores import FINGERPRINTER, START, Clock, known_key


def user(name: str, **changes: object) -> User:
    made = User(name, name, Role.MEMBER, f"id-{name}", FINGERPRINTER.of(name.encode()), "kfu_…abcd", START, "me")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_user_comes_back_as_it_was_stored(records: SqlRecords) -> None:
    full = user("ada", role=Role.ADMIN, account_id="acc", parent="id-bob", expires_at=START + timedelta(days=1))
    with records.begin() as tx:
        tx.users.add(user("bob"))
        tx.users.add(full)
        tx.users.used("ada", START)
    with records.read() as tx:
        assert tx.users.get("ada") == tx.users.by_token(full.token) == replace(full, last_used_at=START)
        assert [each.name for each in tx.users.list()] == ["bob", "ada"]
        assert tx.users.by_token(FINGERPRINTER.of(b"nobody's")) is None
        with pytest.raises(NoSuchRecord, match="keyfuse users list"):
            tx.users.get("nobody")


@pytest.mark.parametrize("changes", [{"iam_id": "id-new"}, {"name": "new", "id": "new"}])
def test_names_and_identities_are_unique(records: SqlRecords, changes: dict[str, str]) -> None:
    with records.begin() as tx:
        tx.users.add(user("ada"))
    with records.begin() as tx, pytest.raises(Taken, match="is taken, by user ada"):
        tx.users.add(replace(user("ada", token=FINGERPRINTER.of(b"another")), **changes))  # type: ignore[arg-type]


def test_who_is_below_whom(records: SqlRecords) -> None:
    with records.begin() as tx:
        for name, parent in [
            ("a", ""),
            ("b", "id-a"),
            ("c", "id-b"),
            ("d", "id-b"),
            ("e", ""),
            ("x", "id-y"),
            ("y", "id-x"),
        ]:
            tx.users.add(user(name, parent=parent))
        assert tx.users.below("id-a") == {"id-b", "id-c", "id-d"}
        assert tx.users.below("id-c") == tx.users.below("") == frozenset()
        assert tx.users.below("id-x") == {"id-y"}, "a circle comes to an end"
        tx.users.remove(tx.users.get("b"))
        assert tx.users.below("id-a") == {"id-c", "id-d"}, "who was below a removed user is below its own parent"


def test_tokens(records: SqlRecords, clock: Clock) -> None:
    keeper = Gatekeeper(records, FINGERPRINTER, clock)
    made, secret = keeper.add(NewUser("ada", Role.ADMIN, expires_at=START + timedelta(days=1)), actor="me")
    below, _ = keeper.add(NewUser("bob", Role.VIEWER, iam_id="IBMid-bob", parent="ada"), actor="me")
    assert secret.reveal().startswith(b"kfu_")
    assert secret.reveal().decode() not in repr(made)
    found = keeper.of_token(secret)
    assert found is not None
    assert found[0].id == made.id
    assert found[1] == {"IBMid-bob"}
    assert below.parent == "ada"
    assert keeper.of_token(Secret(secret.reveal() + b"x")) is None
    with pytest.raises(UsageError, match="nobody has the identity"):
        keeper.add(NewUser("eve", Role.VIEWER, parent="nobody"), actor="me")
    clock.forward(seconds=USED_EVERY.total_seconds() / 2)
    keeper.of_token(secret)
    assert [each.last_used_at for each in keeper.all()] == [START, None]
    clock.forward(days=1)
    assert keeper.of_token(secret) is None, "the token has expired"
    keeper.remove("ada", actor="me")
    with records.read() as tx:
        assert [record.event for record in tx.audit.read()] == ["user.add", "user.add", "user.remove"]


def test_what_arrived_before_is_known_for_a_while(records: SqlRecords) -> None:
    hour = timedelta(hours=1)
    with records.begin() as tx:
        assert tx.arrivals.first("one", START, forget_before=START - hour)
        assert not tx.arrivals.first("one", START, forget_before=START - hour)
        assert tx.arrivals.first("two", START, forget_before=START - hour)
        assert tx.arrivals.first("one", START + 2 * hour, forget_before=START + hour)


EVERYTHING = Sight("", everybody=True, classic_of=None)
SIGHTS = [
    Sight("id-0"),
    Sight(""),
    Sight("id-0", classic_of=frozenset({"id-0", "id-1"})),
    Sight("id-0", everybody=True),
    Sight("id-1", everybody=True, classic_of=None),
    Sight("id-1", everybody=True, account_id="acc-1", classic_of=frozenset({"id-0"})),
    Sight("id-0", account_id="acc-1"),
]


def store_all_sorts(records: SqlRecords) -> list[KnownKey]:
    kinds = (KeyKind.USER, KeyKind.CLASSIC, KeyKind.SERVICE_ID, KeyKind.OTHER)
    made = [
        known_key(
            number, kind=kind, iam_id=iam_id, account_id=account_id, leaked=number % 5 == 0, name=f"K{number % 7}"
        )
        for number, (kind, iam_id, account_id) in enumerate(
            itertools.product(kinds, ("id-0", "id-1", ""), ("", "acc-1"))
        )
    ]
    with records.begin() as tx:
        tx.keys.add_many([(key, None) for key in made])
        tx.keys.add(known_key(99, iam_id="id-0", state=KeyState.DELETED), None)
    return made


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_database_sees_what_a_sight_covers(records: SqlRecords, sight: Sight) -> None:
    made = store_all_sorts(records)
    with records.read() as tx:
        found = tx.keys.search(KeyQuery(sight, limit=1000))
        assert [key.id for key in found] == [key.id for key in made if sight.covers(key)]


def test_conditions_and_pages(records: SqlRecords) -> None:
    made = store_all_sorts(records)
    everything = KeyQuery(Sight("", everybody=True, classic_of=None), limit=1000)
    with records.read() as tx:
        search = tx.keys.search
        assert {key.iam_id for key in search(replace(everything, iam_id="id-1"))} == {"id-1"}
        assert {key.account_id for key in search(replace(everything, account_id="acc-1"))} == {"acc-1"}
        assert {key.kind for key in search(replace(everything, kinds=frozenset({KeyKind.USER})))} == {KeyKind.USER}
        assert all(key.leaked for key in search(replace(everything, leaked=True)))
        assert {key.name for key in search(replace(everything, contains="k3"))} == {"K3"}
        assert not search(replace(everything, contains="%"))
        for query in (
            everything,
            replace(everything, descending=True),
            replace(everything, sort=SortBy.NAME),
            replace(everything, sort=SortBy.NAME, descending=True),
        ):
            whole = [key.id for key in search(query)]
            assert len(whole) == len(made)
            forward: list[str] = []
            while page := search(replace(query, limit=5, after=forward[-1] if forward else None)):
                forward += [key.id for key in page]
            assert forward == whole
            back = [key.id for key in search(replace(query, limit=5, before=whole[7]))]
            assert back == whole[2:7]
        with pytest.raises(NoSuchRecord):
            search(replace(everything, after="nothing"))


def test_incidents_of_the_keys_that_are_seen(records: SqlRecords) -> None:
    def incident(name: str, number: int, key_id: str | None, state: IncidentState = IncidentState.OPEN) -> Incident:
        at = START + timedelta(minutes=number)
        found = FINGERPRINTER.of(name.encode())
        return Incident(name, found, state, "r", "R", "p", Severity.HIGH, "***", at, at, key_id=key_id)

    mine, theirs = known_key(1, iam_id="id-1"), known_key(2, iam_id="id-2")
    with records.begin() as tx:
        for key in (mine, theirs):
            tx.keys.add(key, None)
        for number in range(5):
            tx.incidents.add(incident(f"i{number}", number, mine.id))
        tx.incidents.add(incident("other", 9, theirs.id, IncidentState.NOTED))
        tx.incidents.add(incident("unregistered", 10, None))
    with records.read() as tx:
        search = tx.incidents.search
        assert [each.id for each in search(Sight("id-1"))] == ["i4", "i3", "i2", "i1", "i0"]
        assert [each.id for each in search(Sight("id-1"), limit=2, after="i3")] == ["i2", "i1"]
        assert [each.id for each in search(EVERYTHING, unregistered=True)][:3] == ["unregistered", "other", "i4"]
        assert [each.id for each in search(EVERYTHING, states=[IncidentState.NOTED])] == ["other"]
        assert [each.id for each in search(EVERYTHING, key_id=theirs.id)] == ["other"]
        assert not search(Sight("id-3"))
        with pytest.raises(NoSuchRecord):
            search(EVERYTHING, after="nothing")
