"""Files of keys: told apart by content, read as streams, and never losing a good row for a bad one."""

from __future__ import annotations

import io
import json
import os
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from responders.enrolment import Defaults, Stored, enrol
from responders.handout import as_yaml
from responders.imports import LONGEST_LINE, BadRow, Format, Row, detect, read_rows
from responders.registry import KeyKind, KeyState, KnownKey, LeakAction
from responders.store import SqlRecords, open_store
from scanner.errors import UsageError
from tests.support import tokens
from tests.support.stores import FINGERPRINTER, START, Clock, known_key

RNG = random.Random(11)
ONE, TWO, THREE = (tokens.text(RNG, 40) for _ in range(3))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecords]:
    """An empty store."""
    store = open_store("", clock=Clock(), data_dir=tmp_path / "data")
    yield store
    store.close()


def rows(content: str | bytes, tmp_path: Path, form: Format | None = None) -> list[Row | BadRow]:
    """What a file with that content holds."""
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with io.BufferedReader(io.FileIO(path)) as reader:
        return list(read_rows(reader, form))


def keys(content: str | bytes, tmp_path: Path, records: SqlRecords, **defaults: object) -> list[KnownKey]:
    """The records that a file makes; every row of it is good."""
    found = enrol(
        records,
        FINGERPRINTER,
        Clock(),
        rows(content, tmp_path),
        Defaults(**defaults),  # type: ignore[arg-type]
        actor="me",
        source="file",
    )
    assert all(isinstance(event, Stored) for event in found)
    with records.read() as transaction:
        return list(transaction.keys.all())


ibm = json.dumps({"name": "ci", "description": "", "createdAt": "2024-10-04T12:28+0000", "apikey": ONE}, indent=2)
yandex = (
    f'api_key:\n  id: aje1\n  service_account_id: ajes\n  created_at: "2025-03-03T16:29:04.709971428Z"\nsecret: {ONE}\n'
)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("name,value\nx,y\n", Format.CSV),
        ("\ufeffAPI key,Owner\n", Format.CSV),
        ('{"value": "x"}\n{"value": "y"}\n', Format.JSONL),
        ('{"value": "x", "name": "y"}\n', Format.JSONL),
        ("# comment\n\nexport TOKEN=x\n", Format.ENV),
        ("TOKEN = x\n", Format.ENV),
        (ibm, Format.IBM),
        (json.dumps({"id": "ApiKey-1", "apikey": "x", "entity_tag": "1-2", "crn": "c"}), Format.IBM),
        (json.dumps({"api_key": {"id": "x"}, "secret": "y"}), Format.YANDEX),
        (yandex, Format.YANDEX),
        ("---\n" + yandex, Format.YANDEX),
    ],
)
def test_what_a_file_is(content: str, form: Format) -> None:
    assert detect(content.encode()) is form


@pytest.mark.parametrize("content", ["", "hello\n", "a,b,c\n1,2,3\n", "\x00\x01"])
def test_what_nobody_can_tell(content: str) -> None:
    with pytest.raises(UsageError, match="say so with --as"):
        detect(content.encode())


def test_csv_in_full(records: SqlRecords, tmp_path: Path) -> None:
    content = (
        "Name,Token,Provider,ID,Kind,Owners,Scopes,"
        "Created-At,Expires_at,Action when leaked,If unsupported,Locked,Disabled\n"
        f'"a, b",{ONE},GitHub,77,service-id,x@e.org; y@e.org,r w,2026-01-02,2026-03-04T05:06+02:00,DELETE,none,yes,1\n'
        f"plain,{TWO},,,,,,,,,,,\n"
    )
    first, second = keys(content, tmp_path, records, provider="acme", owners=("d@e.org",))
    assert (first.name, first.provider, first.provider_key_id) == ("a, b", "github", "77")
    assert (first.kind, first.owners, first.scopes) == (KeyKind.SERVICE_ID, ("x@e.org", "y@e.org"), ("r", "w"))
    assert first.created_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert first.expires_at == datetime(2026, 3, 4, 3, 6, tzinfo=UTC)
    assert (first.action_when_leaked, first.locked, first.state) == (LeakAction.DELETE, True, KeyState.DISABLED)
    assert first.fingerprint == FINGERPRINTER.of(ONE.encode())
    assert (second.provider, second.owners, second.created_at) == ("acme", ("d@e.org",), START)
    assert second.action_when_leaked is LeakAction.DISABLE


def test_csv_of_any_line_ends_and_with_quoted_line_breaks(tmp_path: Path) -> None:
    found = rows(f'name,value,description\r\nx,{ONE},"two\nlines"\r\n\r\nbad\r\ny,{TWO},\r\n', tmp_path)
    assert [(type(row), row.line) for row in found] == [(Row, 2), (BadRow, 5), (Row, 6)]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("name,value,action_when_leak", "'action_when_leak' is not known"),
        ("value,token", "the same column twice"),
        ("name,owner", "no column `value`"),
    ],
)
def test_a_csv_file_that_could_be_misunderstood_is_refused(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rows(f"{head}\n{ONE},{TWO},x\n", tmp_path, Format.CSV)


def test_json_lines(records: SqlRecords, tmp_path: Path) -> None:
    content = (
        json.dumps({"value": ONE, "name": "ü", "owners": ["a"], "locked": True}) + "\n\n" + json.dumps({"key": TWO})
    )
    first, second = keys(content, tmp_path, records)
    assert (first.name, first.owners, first.locked) == ("ü", ("a",), True)
    assert (second.name, second.provider) == ("imported, line 3", "other")


def test_env_files(tmp_path: Path) -> None:
    content = (
        "# a comment\n"
        f"PLAIN={ONE}\n"
        f"  export QUOTED='{TWO}'   # said\n"
        f'DOUBLE="{THREE}"\n'
        f"SPACED = {ONE} # a comment\n"
        "EMPTY=\n"
        "not an assignment\n"
        f"OPEN='{TWO}\n"
        f"HASH={ONE}#part\n"
    )
    found = rows(content, tmp_path)
    good = {row.fields["name"]: row.value.decode() for row in found if isinstance(row, Row)}
    assert good == {"PLAIN": ONE, "QUOTED": TWO, "DOUBLE": THREE, "SPACED": ONE, "HASH": ONE + "#part"}
    assert [row.line for row in found if isinstance(row, BadRow)] == [7, 8]


def test_ibms_file(records: SqlRecords, tmp_path: Path) -> None:
    (key,) = keys(ibm, tmp_path, records)
    assert (key.name, key.provider, key.kind) == ("ci", "ibm", KeyKind.USER)
    assert key.created_at == datetime(2024, 10, 4, 12, 28, tzinfo=UTC)


def test_ibms_answer(records: SqlRecords, tmp_path: Path) -> None:
    answer = {
        "id": "ApiKey-77",
        "name": "x",
        "apikey": ONE,
        "iam_id": "iam-ServiceId-1",
        "account_id": "acc",
        "action_when_leaked": "none",
        "locked": True,
        "disabled": False,
        "created_at": "2024-10-04T12:28+0000",
        "context": {},
        "history": [],
    }
    (key,) = keys(json.dumps(answer), tmp_path, records)
    assert (key.provider_key_id, key.kind, key.iam_id) == ("ApiKey-77", KeyKind.SERVICE_ID, "iam-ServiceId-1")
    assert (key.action_when_leaked, key.locked, key.state) == (LeakAction.NONE, True, KeyState.ACTIVE)


def test_yandexs_file(records: SqlRecords, tmp_path: Path) -> None:
    (key,) = keys(yandex, tmp_path, records)
    assert (key.name, key.provider, key.provider_key_id, key.iam_id) == ("aje1", "yandex", "aje1", "ajes")
    assert key.kind is KeyKind.API_KEY
    assert key.created_at == datetime(2025, 3, 3, 16, 29, 4, 709971, tzinfo=UTC)


def test_a_file_that_was_handed_out_can_be_read_back(records: SqlRecords, tmp_path: Path) -> None:
    original = known_key(1, description="ключ: x", iam_id="ajes", scopes=("s.1", "s.2"), expires_at=START)
    (key,) = keys(as_yaml(original, {"secret": ONE}), tmp_path, records)
    assert (key.description, key.iam_id, key.scopes) == ("ключ: x", "ajes", ("s.1", "s.2"))
    assert (key.created_at, key.expires_at, key.provider_key_id) == (START, START, original.id)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("{", Format.IBM),
        ("[]", Format.IBM),
        ("{}", Format.IBM),
        ("a: [", Format.YANDEX),
        ("a: b", Format.YANDEX),
        ("!!python/object/apply:os.getcwd []", Format.YANDEX),
        ("[" * 100_000, Format.IBM),
        ("[" * 3000, Format.YANDEX),
    ],
)
def test_broken_whole_files(tmp_path: Path, content: str, form: Format) -> None:
    with pytest.raises(UsageError, match="this is not"):
        rows(content, tmp_path, form)


def test_masked_values_are_refused(tmp_path: Path) -> None:
    (row,) = rows(yandex.replace(ONE, ONE[:30] + "*" * 8), tmp_path)
    assert isinstance(row, BadRow)
    assert "masked" in row.reason


def test_a_bad_row_costs_no_good_one_and_shows_no_value(records: SqlRecords, tmp_path: Path) -> None:
    bad = [
        "short7!",
        "",
        f"{ONE[:20]}****",
    ]
    content = "value,name,expires_at,kind,locked\n"
    content += f"{ONE},good,,,\n"
    content += "".join(f"{value},x,,,\n" for value in bad)
    content += f"{TWO},x,yesterday,,\n{TWO},x,,king,\n{TWO},x,,,perhaps\n{TWO},{'n' * 300},,,\n{TWO},too,many,,,cells\n"
    content += f"{TWO},\x1b[31m,,,\n"
    content += f"{THREE},good too,,,\n{ONE},again,,,\n"
    found = list(
        enrol(
            records,
            FINGERPRINTER,
            Clock(),
            rows(content, tmp_path),
            Defaults(),
            actor="me",
            source="file",
            batch=2,
        )
    )
    reasons = {event.line: event.reason for event in found if isinstance(event, BadRow)}
    assert sorted(reasons) == list(range(3, 12))
    assert not any(value and value in " ".join(reasons.values()) for value in (*bad, TWO))
    assert [event for event in found if isinstance(event, Stored)] == [Stored(2, 0, 0), Stored(0, 1, 0)]
    with records.read() as transaction:
        assert [key.name for key in transaction.keys.all()] == ["good", "good too"]
        assert [entry.event for entry in transaction.audit.read()] == ["keys.import"]


def test_a_second_value_under_one_providers_id_is_a_bad_row(records: SqlRecords, tmp_path: Path) -> None:
    content = f"id,value,provider\npk,{ONE},acme\npk,{TWO},acme\npk,{THREE},other\npk,{ONE},acme\n"
    found = list(enrol(records, FINGERPRINTER, Clock(), rows(content, tmp_path), Defaults(), actor="me", source="file"))
    assert found[0] == Stored(2, 1, 0)
    (bad,) = found[1:]
    assert isinstance(bad, BadRow)
    assert (bad.line, "registered with another value" in bad.reason) == (3, True)


def test_values_that_only_a_rule_can_find_are_counted(records: SqlRecords, tmp_path: Path) -> None:
    content = json.dumps({"value": "with spaces inside"}) + "\n" + json.dumps({"value": "ключ" * 5}) + "\n"
    found = list(enrol(records, FINGERPRINTER, Clock(), rows(content, tmp_path), Defaults(), actor="me", source="file"))
    assert found == [Stored(2, 0, 2)]


@pytest.mark.parametrize("form", [Format.ENV, Format.JSONL])
def test_overlong_lines_are_passed_over(tmp_path: Path, form: Format) -> None:
    good = f"A={ONE}" if form is Format.ENV else json.dumps({"value": ONE})
    found = rows("x" * (2 * LONGEST_LINE + 10) + "\n" + good + "\n", tmp_path, form)
    assert [type(row) for row in found] == [BadRow, Row]
    assert [row.line for row in found] == [1, 2]


def test_rows_come_while_the_file_is_still_being_written() -> None:
    reading, writing = os.pipe()
    rest = threading.Event()

    def write() -> None:
        with open(writing, "wb", buffering=0) as file:
            file.write(f'{{"value": "{ONE}"}}\n{{"value": "{TWO}"}}\n'.encode())
            rest.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    with io.BufferedReader(io.FileIO(reading)) as reader:
        stream = read_rows(reader, Format.JSONL)
        assert [next(stream).line, next(stream).line] == [1, 2]
        rest.set()
        assert list(stream) == []
    writer.join()
