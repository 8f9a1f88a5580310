"""What every store of records does, whatever database is under it: keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from responders.errors import IllegalMove, NoSuchRecord, StaleRecord
from responders.records import Records
from responders.registry import (
    Added,
    Change,
    IfUnsupported,
    KeyKind,
    KeyState,
    LeakAction,
    Page,
    View,
)
from responders.shapes import MOST_SHAPES, covers, read_shapes
from responders.store import SqlRecords
from scanner.errors import UsageError
from scanner.model import Fingerprint, Shape
from tests.support.stores import START, Clock, known_key

SHAPE = Shape("abc_", "base62", 40)
CHANGE = Change(START + timedelta(hours=1), "someone", "disable", {"state": "disabled"}, "why not")


def test_it_is_what_the_protocol_says(records: SqlRecords) -> None:
    seen: Records = records
    assert seen is records


def test_a_key_comes_back_as_it_was_stored(records: SqlRecords) -> None:
    key = known_key(
        1,
        description="über ключ",
        provider_key_id="pk-1",
        kind=KeyKind.SERVICE_ID,
        account_id="acc",
        iam_id="iam-1",
        owners=("a@example.org", "b@example.org"),
        scopes=("read", "write"),
        created_by="me",
        expires_at=START + timedelta(days=1, microseconds=7),
        last_used_at=START,
        authn_count=3,
        locked=True,
        state=KeyState.DISABLED,
        masked="abc_…wxyz",
        action_when_leaked=LeakAction.DELETE,
        if_unsupported=IfUnsupported.SUSPEND_OWNER,
        leaked=True,
        history=(Change(START, "me", "create"), CHANGE),
        replaces="ApiKey-0",
        replaced_by="ApiKey-2",
    )
    with records.begin() as transaction:
        transaction.keys.add(key, SHAPE)
    with records.read() as transaction:
        assert transaction.keys.get(key.id) == key
        assert transaction.keys.get("key 1") == key
        assert transaction.keys.by_provider_id("keyfuse", "pk-1") == key
        assert transaction.keys.by_provider_id("other", "pk-1") is None
        assert key.fingerprint is not None
        unknown = Fingerprint("kfp1:" + "0" * 64)
        assert transaction.keys.lookup([key.fingerprint, unknown]) == {key.fingerprint: key}


def test_an_exception_undoes_everything(records: SqlRecords) -> None:
    def doomed() -> None:
        with records.begin() as transaction:
            transaction.keys.add(known_key(1), SHAPE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        doomed()
    with records.read() as transaction:
        assert transaction.keys.count() == 0
        assert transaction.keys.shapes() == ()


def test_reading_changes_nothing(records: SqlRecords) -> None:
    with records.read() as transaction:
        assert list(transaction.keys.all()) == []
        assert transaction.keys.list(View.ALL) == []


def test_two_writing_transactions_in_one_thread_are_refused(records: SqlRecords) -> None:
    with records.begin(), pytest.raises(RuntimeError), records.begin():
        pass


@pytest.mark.parametrize("name", ["ApiKey-9999", "nobody", ""])
def test_an_unknown_key_is_an_error(records: SqlRecords, name: str) -> None:
    with records.read() as transaction, pytest.raises(NoSuchRecord):
        transaction.keys.get(name)


def test_a_name_that_several_have_is_an_error_that_names_them(records: SqlRecords) -> None:
    with records.begin() as transaction:
        for number in (1, 2):
            transaction.keys.add(known_key(number, name="twin"), None)
        with pytest.raises(UsageError, match=r"ApiKey-0001.*ApiKey-0002"):
            transaction.keys.get("twin")


def test_of_several_with_one_name_the_living_and_current_one_is_meant(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1, name="x", state=KeyState.DELETED), None)
        transaction.keys.add(known_key(2, name="x", replaced_by="ApiKey-0003"), None)
        transaction.keys.add(known_key(3, name="x", replaces="ApiKey-0002"), None)
        assert transaction.keys.get("x").id == "ApiKey-0003"


def test_a_fingerprint_an_id_and_a_provider_id_are_taken_once(records: SqlRecords) -> None:
    first = known_key(1, provider_key_id="pk")
    with records.begin() as transaction:
        transaction.keys.add(first, SHAPE)
    for twin in (
        known_key(2, fingerprint=first.fingerprint),
        known_key(3, provider_key_id="pk"),
        known_key(4, id=first.id),
    ):
        with pytest.raises(UsageError, match="ApiKey-0001"), records.begin() as transaction:
            transaction.keys.add(twin, SHAPE)
    with records.read() as transaction:
        assert transaction.keys.count() == 1


def test_in_bulk_known_keys_are_passed_over(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1, provider_key_id="pk"), SHAPE)
        new = [
            known_key(2, fingerprint=known_key(1).fingerprint),
            known_key(3),
            known_key(4, fingerprint=known_key(3).fingerprint),
            known_key(5, provider_key_id="pk"),
            known_key(6, fingerprint=None),
        ]
        assert transaction.keys.add_many([(key, SHAPE) for key in new]) == Added(2, 2, 0, ("ApiKey-0005",))
        assert [key.id for key in transaction.keys.all()] == ["ApiKey-0001", "ApiKey-0003", "ApiKey-0006"]
        assert transaction.keys.add_many([]) == Added(0, 0, 0, ())


def test_a_record_from_a_listing_gets_its_value(records: SqlRecords) -> None:
    listed = known_key(1, provider="acme", provider_key_id="pk", fingerprint=None, owners=("a@e.org",))
    with records.begin() as transaction:
        transaction.keys.add(listed, None)
        with_value = known_key(2, provider="acme", provider_key_id="pk", masked="abc_…wxyz")
        assert transaction.keys.add_many([(with_value, SHAPE), (listed, None)]) == Added(0, 1, 1, ())
        found = transaction.keys.get(listed.id)
        assert (found.fingerprint, found.masked, found.owners) == (with_value.fingerprint, "abc_…wxyz", ("a@e.org",))
        assert found.entity_tag.startswith("2-")
        assert [change.action for change in found.history] == ["value registered"]
        assert transaction.keys.shapes() == (SHAPE,)


def test_a_change_gives_a_new_tag_and_a_line_of_history(records: SqlRecords) -> None:
    key = known_key(1)
    with records.begin() as transaction:
        transaction.keys.add(key, SHAPE)
        changed = transaction.keys.put(replace(key, state=KeyState.DISABLED), CHANGE, if_tag=key.entity_tag)
    assert changed.state is KeyState.DISABLED
    assert changed.history == (CHANGE,)
    assert changed.modified_at == CHANGE.timestamp
    number, _, rest = changed.entity_tag.partition("-")
    assert (number, len(rest)) == ("2", 32)
    with records.read() as transaction:
        assert transaction.keys.get(key.id) == changed


def test_a_stale_tag_is_refused(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), None)
        with pytest.raises(StaleRecord, match="ApiKey-0001"):
            transaction.keys.put(known_key(1, name="new"), CHANGE, if_tag="1-other")
        assert transaction.keys.get("ApiKey-0001").name == "key 1"


def test_what_is_not_there_cannot_be_changed(records: SqlRecords) -> None:
    with records.begin() as transaction, pytest.raises(NoSuchRecord):
        transaction.keys.put(known_key(1), CHANGE)


def test_deleted_is_for_ever(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), SHAPE)
        gone = transaction.keys.put(known_key(1, state=KeyState.DELETED), CHANGE)
        with pytest.raises(IllegalMove):
            transaction.keys.put(replace(gone, state=KeyState.ACTIVE), CHANGE)
        assert transaction.keys.put(replace(gone, leaked=True), CHANGE).leaked
        assert gone.fingerprint is not None
        assert transaction.keys.lookup([gone.fingerprint])
        assert transaction.keys.shapes() == ()
        assert transaction.keys.count() == 0


def test_a_use_is_counted_and_changes_nothing_else(records: SqlRecords, clock: Clock) -> None:
    key = known_key(1)
    with records.begin() as transaction:
        transaction.keys.add(key, None)
        for _ in range(2):
            clock.forward(seconds=1)
            transaction.keys.used(key.id, clock())
        assert transaction.keys.get(key.id) == replace(key, authn_count=2, last_used_at=clock())


def test_views(records: SqlRecords) -> None:
    kinds = [KeyKind.USER, KeyKind.SERVICE_ID, KeyKind.CLASSIC, KeyKind.API_KEY, KeyKind.USER]
    with records.begin() as transaction:
        for number, kind in enumerate(kinds, 1):
            transaction.keys.add(known_key(number, kind=kind, iam_id=f"iam-{number % 2}", leaked=number == 3), None)
        transaction.keys.add(known_key(6, state=KeyState.DELETED, leaked=True), None)
        transaction.keys.add(known_key(7, state=KeyState.DELETED), None)

    def ids(view: View, iam_id: str = "", leaked: bool | None = None) -> list[int]:
        with records.read() as transaction:
            return [int(key.id[-1]) for key in transaction.keys.list(view, iam_id=iam_id, leaked=leaked)]

    assert ids(View.ALL) == [1, 2, 3, 4, 5]
    assert ids(View.USERS) == [1, 5]
    assert ids(View.SERVICE_IDS) == [2, 4]
    assert ids(View.CLASSIC) == [3]
    assert ids(View.MINE, "iam-1") == [1, 3, 5]
    assert ids(View.ALL, leaked=True) == [3, 6]
    assert ids(View.ALL, leaked=False) == [1, 2, 4, 5]
    with records.read() as transaction:
        assert transaction.keys.count() == 5
        assert transaction.keys.count(iam_id="iam-1", kind=KeyKind.USER) == 2
        assert transaction.keys.count(kind=KeyKind.SERVICE_ID) == 1


def test_paging_misses_nothing_and_repeats_nothing(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.keys.add_many([(known_key(number), None) for number in range(1, 1206)])
        pages, after = [], None
        while page := transaction.keys.list(View.ALL, page=Page(100, after)):
            pages += [key.id for key in page]
            after = pages[-1]
        assert pages == [key.id for key in transaction.keys.all()] == [f"ApiKey-{n:04d}" for n in range(1, 1206)]
        with pytest.raises(NoSuchRecord):
            transaction.keys.list(View.ALL, page=Page(100, "nobody"))


def test_many_fingerprints_are_looked_up_at_once(records: SqlRecords) -> None:
    keys = [known_key(number) for number in range(1500)]
    with records.begin() as transaction:
        transaction.keys.add_many([(key, None) for key in keys])
        found = transaction.keys.lookup({key.fingerprint for key in keys if key.fingerprint})
    assert len(found) == 1500


# --- shapes ---------------------------------------------------------------------------------------------------------


def test_shapes_are_counted_and_in_the_file(records: SqlRecords, tmp_path: Path) -> None:
    other = Shape("", "hex", 32)
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), SHAPE)
        transaction.keys.add(known_key(2), SHAPE)
        transaction.keys.add(known_key(3), other)
    with records.begin() as transaction:
        assert transaction.keys.shapes() == read_shapes(tmp_path) == (other, SHAPE)
        transaction.keys.put(known_key(1, state=KeyState.DELETED), CHANGE)
        assert transaction.keys.shapes() == (other, SHAPE)
        transaction.keys.put(known_key(2, state=KeyState.DELETED), CHANGE)
        assert transaction.keys.shapes() == (other,)


def test_the_file_is_written_before_the_commit_and_keeps_what_may_come_back(
    records: SqlRecords, tmp_path: Path
) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), SHAPE)
    with records.begin() as transaction:
        transaction.keys.put(known_key(1, state=KeyState.DELETED), CHANGE)
        transaction.before_commit()
        assert read_shapes(tmp_path) == (SHAPE,)


def test_a_commit_that_fails_leaves_a_file_that_holds_enough(records: SqlRecords, tmp_path: Path) -> None:
    new = Shape("", "digit", 12)
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), SHAPE)

    def doomed() -> None:
        with records.begin() as transaction:
            transaction.keys.add(known_key(2), new)
            transaction.before_commit()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        doomed()
    assert set(read_shapes(tmp_path)) == {SHAPE, new}
    records.sync_shapes()
    assert read_shapes(tmp_path) == (SHAPE,)


def test_a_missing_or_damaged_file_is_written_anew(records: SqlRecords, tmp_path: Path) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), SHAPE)
    for damaged in (b"", b"{", b'{"version": 1, "token": 3, "shapes": [["", "klingon", 3, 0]]}'):
        (tmp_path / "shapes.json").unlink()
        if damaged:
            (tmp_path / "shapes.json").write_bytes(damaged)
        records.sync_shapes()
        assert read_shapes(tmp_path) == (SHAPE,)


def test_odd_values_do_not_make_shapes_without_end(records: SqlRecords) -> None:
    wild = [Shape(f"p{number:04d}_", "hex", 40) for number in range(150)]
    wild += [Shape("", "printable", length) for length in range(8, 150)]
    with records.begin() as transaction:
        for start in range(0, len(wild), 29):
            transaction.keys.add_many(
                [(known_key(n), shape) for n, shape in enumerate(wild[start : start + 29], start)]
            )
        kept = transaction.keys.shapes()
        assert len(kept) <= MOST_SHAPES
        assert all(any(covers(wide, shape) for wide in kept) for shape in wild)
        for key in list(transaction.keys.all()):
            transaction.keys.put(replace(key, state=KeyState.DELETED), CHANGE)
        assert transaction.keys.shapes() == ()


def test_another_process_sees_the_shapes(records: SqlRecords, second: SqlRecords, tmp_path: Path) -> None:
    with records.begin() as transaction:
        transaction.keys.add(known_key(1), SHAPE)
    with second.begin() as transaction:
        transaction.keys.add(known_key(2), Shape("", "hex", 32))
    assert set(read_shapes(tmp_path)) == {SHAPE, Shape("", "hex", 32)}
