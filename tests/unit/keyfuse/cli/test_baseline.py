"""`keyfuse baseline`, over real files."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keyfuse import auditing
from keyfuse.cli import program
from keyfuse.cli.baseline import command
from keyfuse.session import Session
from responders.registry import KeyState
from rules import FOLDER
from scanner.errors import ConfigError, UsageError
from scanner.suppress import read_entries
from tests.support.stores import known_key
from tests.support.tokens import github_token

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Run = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with one leak, and an installation that knows the rules of one provider."""
    (tmp_path / "rules").mkdir()
    shutil.copy(Path(FOLDER) / "github.toml", tmp_path / "rules")
    (tmp_path / "own").mkdir()
    (tmp_path / "keyfuse.toml").write_text("[scan]\njobs = 1\n[rules]\nfiles = ['own']\n")
    monkeypatch.setattr(auditing, "FOLDER", str(tmp_path / "rules"))
    monkeypatch.setenv("KEYFUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    code = tmp_path / "code"
    code.mkdir()
    monkeypatch.chdir(code)
    leak(code / "a.py", 1)
    return code


@pytest.fixture
def session(place: Path) -> Iterator[Session]:
    with Session(str(place.parent / "keyfuse.toml"), clock=lambda: NOW) as session:
        yield session


@pytest.fixture
def run(session: Session) -> Run:
    def run(*words: str) -> Result:
        result = CliRunner().invoke(command, words, obj=session, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run


def leak(path: Path, seed: int) -> str:
    token = github_token(random.Random(seed))
    path.write_text(f"token = '{token}'\n")
    return token


def test_what_is_found_is_accepted(place: Path, run: Run, session: Session) -> None:
    token = leak(place / "a.py", 1)
    result = run("create", "../base", "--reason", "a sample", "--expires", "30d")
    assert result.stdout == "../base: 1 added, 0 kept, 0 removed\n"
    (entry,) = read_entries(place / "../base")
    assert entry.fingerprint == session.fingerprinter().of(token.encode())
    assert (entry.reason, entry.author, entry.expires) == ("a sample", session.actor, date(2026, 3, 31))
    assert entry.path.endswith("a.py")
    assert token not in (place / "../base").read_text()


def test_an_audit_with_it_is_clean(place: Path, run: Run) -> None:
    run("create", "../base", "--reason", "a sample")
    config = ["--config", str(place.parent / "keyfuse.toml")]
    audit = CliRunner().invoke(program, [*config, "audit", "--baseline", "../base"], standalone_mode=False)
    assert audit.return_value == 0
    assert "1 finding suppressed" in audit.stdout
    leak(place / "b.py", 2)
    audit = CliRunner().invoke(program, [*config, "audit", "--baseline", "../base"], standalone_mode=False)
    assert audit.return_value == 1


def test_an_update_keeps_adds_and_removes(place: Path, run: Run) -> None:
    leak(place / "b.py", 2)
    run("create", "../base", "--reason", "first")
    (place / "a.py").unlink()
    leak(place / "c.py", 3)
    result = run("update", "../base", "--reason", "second", "--format", "json")
    counts = json.loads(result.stdout)
    assert {name: counts[name] for name in ("added", "kept", "removed", "registered", "skipped")} == {
        "added": 1,
        "kept": 1,
        "removed": 1,
        "registered": 0,
        "skipped": 0,
    }
    assert sorted((Path(entry.path).name, entry.reason) for entry in read_entries(place / "../base")) == [
        ("b.py", "first"),
        ("c.py", "second"),
    ]


@pytest.mark.parametrize(("state", "accepted"), [(KeyState.ACTIVE, 0), (KeyState.DISABLED, 1)])
def test_a_living_registered_key_is_never_accepted(
    place: Path, run: Run, session: Session, state: KeyState, accepted: int
) -> None:
    token = leak(place / "a.py", 1)
    key = replace(known_key(1), fingerprint=session.fingerprinter().of(token.encode()), state=state)
    with session.records().begin() as tx:
        tx.keys.add(key, None)
    result = run("create", "../base", "--reason", "wishful")
    assert len(read_entries(place / "../base")) == accepted
    assert ("registered keys were left out" in result.stderr) is (accepted == 0)


def test_what_was_not_looked_into_drops_nothing(place: Path, run: Run) -> None:
    run("create", "../base", "--reason", "first")
    (place / "a.py").unlink()
    (place / "broken.zip").write_bytes(b"PK\x03\x04 but no archive")
    result = run("update", "../base", "--reason", "second")
    assert result.return_value == 4
    assert "no entry was dropped" in result.stderr
    assert len(read_entries(place / "../base")) == 1


def test_a_secret_in_a_file_name_is_not_stored(place: Path, run: Run) -> None:
    token = github_token(random.Random(9))
    leak(place / f"{token}.py", 9)
    run("create", "../base", "--reason", "a sample")
    assert token not in (place / "../base").read_text()


def test_nothing_is_overwritten(place: Path, run: Run) -> None:
    run("create", "../base", "--reason", "first")
    with pytest.raises(UsageError, match="keyfuse baseline update"):
        run("create", "../base", "--reason", "again")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say why"),
        (("--reason", " "), "say why"),
        (("--reason", "x", "--expires", "soon"), "takes a day"),
        (("--reason", "x", "--expires", "2020-01-01"), "in the past"),
    ],
)
def test_terms_are_checked(place: Path, run: Run, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("create", "../base", *words)
    assert not (place / "../base").exists()


def test_an_audit_of_the_baseline_names_what_expired(place: Path, run: Run) -> None:
    run("create", "../base", "--reason", "a sample")
    lines = (place / "../base").read_text()
    old = json.loads(lines) | {"fingerprint": f"kfp1:{0:064x}", "expires": "2026-02-28"}
    (place / "../base").write_text(lines + json.dumps(old) + "\n")
    result = run("audit", "../base")
    assert result.stdout.splitlines()[0].startswith("STATE")
    assert result.stderr == "2 entries, 1 of them expired\n"
    states = [entry["state"] for entry in json.loads(run("audit", "../base", "--format", "json").stdout)["entries"]]
    assert states == ["counts", "expired"]


def test_a_bad_baseline_is_a_usage_error(place: Path, run: Run) -> None:
    (place / "../base").write_text("{}\n")
    with pytest.raises(ConfigError, match="base:1"):
        run("audit", "../base")
