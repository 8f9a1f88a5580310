"""What can be wrong with a database, each with a real file, and what people are told about it."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from responders.auditlog import Entry
from responders.errors import StoreError
from responders.store import SqlRecords, open_store
from responders.store.schema import HEAD
from scanner.errors import ConfigError
from tests.support.stores import Clock, known_key

ENTRY = Entry("me", "test", "none")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a database in it that holds a thousand keys."""
    directory = tmp_path_factory.mktemp("store")
    records = open_store("", clock=Clock(), data_dir=directory)
    with records.begin() as transaction:
        transaction.keys.add_many([(known_key(number), None) for number in range(1000)])
    records.close()
    return directory


@pytest.fixture
def data_dir(template: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture
def database(data_dir: Path) -> Path:
    """Its database."""
    return data_dir / "keyfuse.db"


def opened(data_dir: Path, busy_seconds: float = 0.1) -> SqlRecords:
    """The store in that directory."""
    return open_store("", clock=Clock(), data_dir=data_dir, busy_seconds=busy_seconds)


def use(data_dir: Path) -> int:
    """Opens, reads everything and closes."""
    records = opened(data_dir)
    try:
        with records.read() as transaction:
            return len(list(transaction.keys.all()))
    finally:
        records.close()


def test_files_are_the_owners_alone(data_dir: Path, database: Path) -> None:
    records = opened(data_dir)
    with records.begin() as transaction:
        transaction.audit.append(ENTRY)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    records.close()
    assert set(modes) >= {"keyfuse.db", "keyfuse.db-wal", "keyfuse.db-shm", "shapes.json"}
    assert set(modes.values()) == {0o600}
    database.chmod(0o644)
    assert use(data_dir) == 1000
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_it_is_durable_and_consistent(data_dir: Path) -> None:
    records = opened(data_dir)
    with records._engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    records.close()
    assert pragmas == ["wal", 2, 1]


def test_a_file_that_is_something_else(data_dir: Path, database: Path) -> None:
    database.write_bytes(b"not a database at all\n" * 100)
    with pytest.raises(StoreError, match="restore it from a backup"):
        use(data_dir)


@pytest.mark.parametrize("kept", [50, 5000, 100_000])
def test_a_file_that_is_cut_off(data_dir: Path, database: Path, kept: int) -> None:
    assert database.stat().st_size > kept
    os.truncate(database, kept)
    with pytest.raises(StoreError, match="restore it from a backup"):
        use(data_dir)


def test_a_file_with_a_spoilt_page(data_dir: Path, database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (database.stat().st_size - 4096))
    with pytest.raises(StoreError, match=r"damaged.*restore it from a backup"):
        use(data_dir)


def test_a_newer_schema(data_dir: Path, database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=rf"newer keyfuse \(schema 9999, this one knows {HEAD}\).*upgrade"):
        use(data_dir)


def test_a_lock_that_another_process_holds(data_dir: Path, database: Path) -> None:
    records = opened(data_dir)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreError, match="locked by another process"), records.begin():
            pass
        with records.read() as transaction:
            assert transaction.keys.count() == 1000
    finally:
        other.close()
    with records.begin() as transaction:
        transaction.audit.append(ENTRY)
    records.close()


def test_a_lock_that_is_let_go_in_time(data_dir: Path, database: Path) -> None:
    records = opened(data_dir, busy_seconds=20)
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.rollback)
    release.start()
    with records.begin() as transaction:
        transaction.audit.append(ENTRY)
    release.join()
    other.close()
    records.close()


def test_a_full_disk_loses_nothing_that_was_stored(data_dir: Path) -> None:
    records = opened(data_dir)

    @event.listens_for(records._engine, "connect")
    def no_more_pages(connection: sqlite3.Connection, _entry: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    records._engine.dispose()
    with pytest.raises(StoreError, match=r"disk under the database .* is full; make room"):
        _fill(records)
    with records.read() as transaction:
        assert transaction.keys.count() == 1000
    records.close()


def _fill(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.keys.add_many([(known_key(number), None) for number in range(1000, 3000)])


def test_a_file_that_must_not_grow(data_dir: Path) -> None:
    script = (
        "import resource, signal, sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from tests.unit.responders.store.test_opening import opened, _fill\n"
        "from responders.errors import StoreError\n"
        "records = opened(Path(sys.argv[1]))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
        "try:\n    _fill(records)\n"
        "except StoreError as error:\n    print(error)\n"
    )
    assert resource.RLIMIT_FSIZE
    done = subprocess.run(
        [sys.executable, "-c", script, str(data_dir)], capture_output=True, text=True, cwd=Path(__file__).parents[4]
    )
    assert "the disk under the database" in done.stdout, done.stderr
    assert use(data_dir) == 1000


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that every user can enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="keyfuse-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_may_only_be_read(template: Path, open_to_all: Path, what: str) -> None:
    data = Path(shutil.copytree(template, open_to_all / "data"))
    for path in (data, *data.iterdir()):
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
    (data / "keyfuse.db" if what == "file" else data).chmod(0o400 if what == "file" else 0o500)
    # The administrator may write everything, so that another user has to try.
    script = (
        "import os, sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from tests.unit.responders.store.test_opening import use\n"
        "from responders.errors import StoreError\n"
        "if os.geteuid() == 0:\n    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n    use(Path(sys.argv[1]))\n"
        "except StoreError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(data)], capture_output=True, text=True, cwd=Path(__file__).parents[4]
    )
    data.chmod(0o700)
    assert "cannot be written; run keyfuse as its owner" in done.stdout, done.stderr


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "keyfuse.db").mkdir()
    with pytest.raises(StoreError, match="not a file"):
        opened(tmp_path)


def test_a_place_where_no_directory_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"keyfuse\.db cannot be opened"):
        opened(tmp_path / "file" / "data")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "no url", "sqlite://", "sqlite:///:memory:"])
def test_urls_that_cannot_be_used(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///"):
        open_store(url, clock=Clock(), data_dir=tmp_path)


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://someone:hidden-word@127.0.0.1:9/database"
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_store(url, clock=Clock(), data_dir=tmp_path, busy_seconds=1)
    assert "127.0.0.1:9" in str(caught.value)
    assert "hidden-word" not in str(caught.value)


def test_a_driver_that_is_not_installed(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, '.'); sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from responders.store import open_store\n"
        "from scanner.errors import ConfigError\n"
        "try:\n    open_store('postgresql://x@127.0.0.1/x', clock=lambda: None, data_dir=Path(sys.argv[1]))\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, cwd=Path(__file__).parents[4]
    )
    assert "pip install 'keyfuse[postgresql]'" in done.stdout, done.stderr


def test_many_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from tests.unit.responders.store.test_opening import opened\n"
        "opened(Path(sys.argv[1]), 30).close()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "new")]
    started = [subprocess.Popen(command, cwd=Path(__file__).parents[4]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert use(tmp_path / "new") == 0


def test_opening_a_current_database_does_not_import_alembic(data_dir: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from tests.unit.responders.store.test_opening import use\n"
        "print(use(Path(sys.argv[1])), 'alembic' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(data_dir)], capture_output=True, text=True, cwd=Path(__file__).parents[4]
    )
    assert done.stdout.split() == ["1000", "False"], done.stderr
