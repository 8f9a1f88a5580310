"""What every store of records does, whatever database is under it: the audit log, also written to by many at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from responders.auditlog import GENESIS, Entry, verify
from responders.errors import LogBroken
from responders.store import SqlRecords
from tests.support.stores import START, Clock

ENTRY = Entry("me", "key.create", "key:1", {"name": "übel", "b": "2", "a": "1"})


def write(records: SqlRecords, count: int) -> None:
    """Appends so many entries, each in a transaction of its own."""
    for _ in range(count):
        with records.begin() as transaction:
            transaction.audit.append(ENTRY)


def test_an_empty_log_holds(records: SqlRecords) -> None:
    with records.read() as transaction:
        assert transaction.audit.head() == (0, GENESIS)
        assert verify(transaction.audit.read(), transaction.audit.head()).records == 0


def test_records_are_chained_and_read_in_order(records: SqlRecords, clock: Clock) -> None:
    clock.now = START.astimezone(timezone(timedelta(hours=5)))
    with records.begin() as transaction:
        first = transaction.audit.append(ENTRY)
        second = transaction.audit.append(Entry("me", "key.delete", "key:1"))
    assert (first.seq, second.seq, second.previous) == (1, 2, first.hash)
    with records.read() as transaction:
        assert list(transaction.audit.read()) == [first, second]
        assert list(transaction.audit.read(after=1)) == [second]
        assert list(transaction.audit.read(limit=1)) == [first]
        assert list(transaction.audit.read(limit=0)) == []
        assert transaction.audit.head() == (2, second.hash)
        assert verify(transaction.audit.read(), transaction.audit.head()).records == 2


def test_pages_join(records: SqlRecords) -> None:
    with records.begin() as transaction:
        for _ in range(1010):
            transaction.audit.append(ENTRY)
        assert [entry.seq for entry in transaction.audit.read()] == list(range(1, 1011))
        assert len(list(transaction.audit.read(limit=1005))) == 1005


def test_what_is_undone_leaves_no_gap(records: SqlRecords) -> None:
    write(records, 1)

    def doomed() -> None:
        with records.begin() as transaction:
            transaction.audit.append(ENTRY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        doomed()
    write(records, 1)
    with records.read() as transaction:
        assert verify(transaction.audit.read(), transaction.audit.head()).records == 2


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM audit_log WHERE seq = 3", "cut off"),
        ("DELETE FROM audit_log WHERE seq = 2", "gap"),
        ("UPDATE audit_log SET actor = 'other' WHERE seq = 2", "changed"),
    ],
)
def test_damage_shows(records: SqlRecords, damage: str, said: str) -> None:
    write(records, 3)
    with records._writing() as connection, connection.begin():
        connection.execute(text(damage))
    with records.read() as transaction, pytest.raises(LogBroken, match=said):
        verify(transaction.audit.read(), transaction.audit.head())


def test_many_threads_append_to_one_chain(records: SqlRecords, second: SqlRecords) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write((records, second)[number % 2], 10), range(8)))
    with records.read() as transaction:
        assert verify(transaction.audit.read(), transaction.audit.head()).records == 80


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from responders.auditlog import Entry
from responders.store import open_store
records = open_store(sys.argv[1], clock=lambda: datetime.now(UTC), data_dir=Path(sys.argv[2]))
for number in range(20):
    with records.begin() as transaction:
        transaction.audit.append(Entry("process", "test", "none"))
"""


def test_several_processes_append_to_one_chain(records: SqlRecords, database_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, database_url, str(tmp_path)]
    started = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    with records.read() as transaction:
        assert verify(transaction.audit.read(), transaction.audit.head()).records == 60


def test_a_reader_sees_one_moment_and_does_not_wait(records: SqlRecords, second: SqlRecords) -> None:
    write(records, 1)
    with records.read() as reading:
        assert reading.audit.head()[0] == 1
        write(second, 1)
        assert reading.audit.head()[0] == 1
        assert verify(reading.audit.read(), reading.audit.head()).records == 1
    with second.begin() as writing, records.read() as reading:
        writing.audit.append(ENTRY)
        assert reading.audit.head()[0] == 2
