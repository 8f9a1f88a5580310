"""The doctor sees each thing that can be wrong, and says what to do."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from keyfuse import doctor
from keyfuse.cli.doctor import command
from keyfuse.doctor import CHECKS, Check, Level, Verdict, data, machine
from keyfuse.session import Session
from responders.auditlog import Entry
from responders.incident import Incident, IncidentState
from responders.notify.notice import Event, Notice
from responders.notify.queue import Delivery, DeliveryState
from responders.shapes import FILE_NAME as SHAPES
from rules import FOLDER
from scanner.errors import CannotRun
from scanner.model import Fingerprint, Severity, Shape
from tests.support.committing import workshop
from tests.support.stores import known_key

NOW = datetime(2026, 3, 1, tzinfo=UTC)
posix_only = pytest.mark.skipif(os.name != "posix", reason="modes")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing but directories of his own; the working directory is no repository."""
    for name, variable in (("data", "KEYFUSE_DATA_DIR"), ("cache", "KEYFUSE_CACHE_DIR")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KEYFUSE_CONFIG", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with Session(clock=lambda: NOW) as session:
        yield session


def look(session: Session, *names: str) -> list[Verdict]:
    """What the doctor says of some checks."""
    assert set(names) <= {check.name for check in CHECKS}
    return list(doctor.examine(session, [check for check in CHECKS if check.name in names]))


def levels(verdicts: list[Verdict]) -> list[Level]:
    return [verdict.level for verdict in verdicts]


def configure(home: Path, text: str) -> None:
    place = home / ".config/keyfuse"
    place.mkdir(parents=True, exist_ok=True)
    (place / "keyfuse.toml").write_text(text)


def incident(state: IncidentState) -> Incident:
    return Incident(
        id=f"incident-{state.value}",
        fingerprint=Fingerprint(f"kfp1:{hash(state) & 0xFFFF:064x}"),
        state=state,
        rule="r",
        kind_name="A key",
        provider="keyfuse",
        severity=Severity.HIGH,
        masked="***",
        opened_at=NOW,
        changed_at=NOW,
    )


# --- the round ------------------------------------------------------------------------------------------------------


def test_a_fresh_machine_is_healthy(session: Session) -> None:
    verdicts = look(session, *({check.name for check in CHECKS} - {"rules"}))
    assert {verdict.check for verdict in verdicts if verdict.level is not Level.OK} == {"channels"}
    assert not (session.config.data_dir).exists(), "looking makes nothing"


def test_a_used_installation_is_healthy(session: Session) -> None:
    session.fingerprinter()
    with session.records().begin() as tx:
        tx.keys.add(known_key(1), Shape("kfk_", "base62", 42))
        tx.audit.append(Entry("me", "key.created", "key:1"))
    verdicts = look(session, "data directory", "key file", "database", "audit log", "incidents", "notices")
    assert set(levels(verdicts)) == {Level.OK}
    assert "1 registered keys" in verdicts[2].said
    assert "looks for 1 shapes" in verdicts[3].said


def test_a_check_that_breaks_hides_no_other(session: Session) -> None:
    def broken(name: str, session: Session) -> Iterator[Verdict]:
        return iter([Verdict(name, Level.OK, dict[str, str]()["hush-hush"])])

    def refused(name: str, session: Session) -> Iterator[Verdict]:
        if name:
            raise CannotRun("no git; install it")
        yield Verdict(name, Level.OK, "fine")

    def fine(name: str, session: Session) -> Iterator[Verdict]:
        yield Verdict(name, Level.OK, "fine")

    verdicts = list(doctor.examine(session, [Check("a", broken), Check("b", refused), Check("c", fine)]))
    assert levels(verdicts) == [Level.FAIL, Level.FAIL, Level.OK]
    assert "KeyError" in verdicts[0].said
    assert "hush" not in verdicts[0].said
    assert verdicts[1].said == "no git; install it"


def test_what_could_not_be_looked_at_is_named(home: Path, session: Session) -> None:
    configure(home, "[scan]\njbos = 1\n")
    verdicts = look(session, "configuration", "data directory", "incidents")
    assert levels(verdicts) == [Level.FAIL, Level.WARN]
    assert "did you mean scan.jobs?" in verdicts[0].said
    assert verdicts[1].said == "not looked at: data directory, incidents"


@pytest.mark.parametrize(("wrong", "code"), [(False, 0), (True, 3)])
def test_the_command(home: Path, session: Session, monkeypatch: pytest.MonkeyPatch, wrong: bool, code: int) -> None:
    if wrong:
        configure(home, "\x1b = 1\n")
    kept = tuple(check for check in CHECKS if check.name in {"python", "configuration"})
    monkeypatch.setattr("keyfuse.cli.doctor.examine", lambda session: doctor.examine(session, kept))
    text = CliRunner().invoke(command, [], obj=session, standalone_mode=False)
    assert text.return_value == code
    assert text.stdout.startswith("ok    python: ")
    assert "\x1b" not in text.stdout
    machine_readable = CliRunner().invoke(command, ["--format", "json"], obj=session, standalone_mode=False)
    said = json.loads(machine_readable.stdout)
    assert machine_readable.return_value == code
    assert said["healthy"] is not wrong
    assert list(said["checks"][0]) == ["check", "level", "said", "next_step"]


# --- the machine ----------------------------------------------------------------------------------------------------


def test_a_missing_git_is_a_failure(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (verdict,) = look(session, "git")
    assert verdict.level is Level.FAIL
    assert "install it" in verdict.said


@posix_only
@pytest.mark.parametrize(("version", "level"), [("git version 1.8.3", Level.WARN), ("hello", Level.WARN)])
def test_an_old_git_is_a_warning(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, level: Level
) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (verdict,) = look(session, "git")
    assert verdict.level is level
    assert verdict.next_step


def test_an_old_python_is_a_failure(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (sys.version_info[0], sys.version_info[1] + 1))
    assert levels(look(session, "python")) == [Level.FAIL]


def test_an_engine_that_does_not_load_is_a_failure(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scanner.engine.database", None)
    (verdict,) = look(session, "matching engine")
    assert verdict.level is Level.FAIL
    assert "force-reinstall hyperscan" in verdict.next_step


def rule_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One provider's rules instead of the shipped ones, so that nothing takes long to compile."""
    (home / "none").mkdir()
    monkeypatch.setattr(machine, "FOLDER", str(home / "none"))
    shipped = sorted((Path(FOLDER)).glob("*.toml"), key=lambda path: path.stat().st_size)[0]
    (home / "mine.toml").write_bytes(shipped.read_bytes())
    configure(home, f"[rules]\nfiles = ['{home}/mine.toml']\n")


def test_the_rule_cache_is_made_and_then_fresh(home: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    rule_file(home, monkeypatch)
    (first,) = look(session, "rules")
    (second,) = look(session, "rules")
    assert levels([first, second]) == [Level.OK, Level.OK]
    assert "compiled anew" in first.said
    assert "fresh" in second.said


def test_a_rule_cache_that_cannot_be_kept_is_a_warning(
    home: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_file(home, monkeypatch)
    (home / "cache").write_text("a file where the directory should be")
    (verdict,) = look(session, "rules")
    assert verdict.level is Level.WARN
    assert "KEYFUSE_CACHE_DIR" in verdict.next_step


def test_broken_rules_are_a_failure(home: Path, session: Session) -> None:
    (home / "mine.toml").write_text("[[rule]]\nid = 3\n")
    configure(home, f"[rules]\nfiles = ['{home}/mine.toml']\n")
    assert levels(look(session, "rules")) == [Level.FAIL]


# --- what is kept ---------------------------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize(("mode", "level"), [(0o700, Level.OK), (0o755, Level.WARN), (0o777, Level.FAIL)])
def test_the_data_directory_is_private(session: Session, mode: int, level: Level) -> None:
    session.config.data_dir.mkdir()
    session.config.data_dir.chmod(mode)
    (verdict,) = look(session, "data directory")
    assert verdict.level is level
    assert ("chmod 700" in verdict.next_step) is (level is not Level.OK)


def test_a_data_directory_that_is_a_file_is_a_failure(session: Session) -> None:
    session.config.data_dir.write_text("")
    assert levels(look(session, "data directory")) == [Level.FAIL]


@posix_only
def test_a_key_file_that_others_can_read_is_a_failure(session: Session) -> None:
    session.fingerprinter()
    (session.config.data_dir / "keyfuse.key").chmod(0o644)
    (verdict,) = look(session, "key file")
    assert verdict.level is Level.FAIL
    assert "chmod 600" in verdict.said


def test_a_lost_key_file_is_a_failure(session: Session) -> None:
    session.fingerprinter()
    session.records()
    (session.config.data_dir / "keyfuse.key").unlink()
    (verdict,) = look(session, "key file")
    assert verdict.level is Level.FAIL
    assert "restore the key file" in verdict.said


def test_a_damaged_database_is_told_once(session: Session) -> None:
    session.config.data_dir.mkdir()
    (session.config.data_dir / "keyfuse.db").write_bytes(b"no database " * 500)
    verdicts = look(session, "database", "audit log", "incidents", "notices")
    assert [(verdict.check, verdict.level) for verdict in verdicts] == [
        ("database", Level.FAIL),
        ("the rest", Level.WARN),
    ]


def test_lost_shapes_are_written_anew_and_told(home: Path, session: Session) -> None:
    with Session(clock=lambda: NOW) as before, before.records().begin() as tx:
        tx.keys.add(known_key(1), Shape("kfk_", "base62", 42))
    (session.config.data_dir / SHAPES).unlink()
    database, shapes = look(session, "database")
    assert (database.level, shapes.level) == (Level.OK, Level.WARN)
    assert "repeat the last audits" in shapes.next_step


def test_a_changed_audit_log_is_a_failure(session: Session) -> None:
    with Session(clock=lambda: NOW) as before, before.records().begin() as tx:
        for number in range(3):
            tx.audit.append(Entry("me", "e", f"s:{number}"))
    with sqlite3.connect(session.config.data_dir / "keyfuse.db") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = next(name for name in tables if "audit" in name and "head" not in name)
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(f"UPDATE {table} SET actor = 'nobody' WHERE seq = 2")
    connection.close()
    (verdict,) = look(session, "audit log")
    assert verdict.level is Level.FAIL
    assert "record 2" in verdict.said


def test_incidents_that_wait_are_a_warning(session: Session) -> None:
    with session.records().begin() as tx:
        for state in (IncidentState.BLOCKED, IncidentState.FAILED, IncidentState.CONTAINED):
            tx.incidents.add(incident(state))
    (verdict,) = look(session, "incidents")
    assert verdict.level is Level.WARN
    assert verdict.said == "incidents that are not over: 1 blocked, 1 failed"
    assert verdict.next_step == "keyfuse leaks list --state blocked --state failed"


def test_dead_notices_are_a_warning(session: Session) -> None:
    notice = Notice("n-1", Event.LEAKED, "s", "b", None, created_at=NOW)
    with session.records().begin() as tx:
        tx.notices.enqueue(notice, "mail", "me@example.org", NOW)
        (delivery,) = tx.notices.due(NOW + timedelta(hours=1))
        tx.notices.mark(
            Delivery(delivery.notice, delivery.channel, delivery.recipient, DeliveryState.DEAD, 6, NOW, "refused")
        )
    (verdict,) = look(session, "notices")
    assert verdict.level is Level.WARN
    assert verdict.said.startswith("1 could not be delivered")


def test_every_waiting_state_is_one_that_is_not_over() -> None:
    assert set(data.WAITING).isdisjoint({IncidentState.CONTAINED, IncidentState.RESOLVED, IncidentState.DISMISSED})


# --- what is set up -------------------------------------------------------------------------------------------------


def test_channels_that_cannot_work_are_a_failure(home: Path, session: Session) -> None:
    configure(
        home,
        "[notify.channel.mail]\nurl_env = 'KEYFUSE_NO_SUCH_VARIABLE'\n[notify.channel.here]\ntype = 'console'\n",
    )
    bad, good = look(session, "channels")
    assert (bad.level, good.level) == (Level.FAIL, Level.OK)
    assert "KEYFUSE_NO_SUCH_VARIABLE" in bad.said
    assert "here" in good.said


def test_a_providers_credential_that_is_not_there_is_a_failure(
    home: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, '[provider.openai]\ntoken_env = "KEYFUSE_TEST_ADMIN"\n')
    monkeypatch.setenv("KEYFUSE_TEST_ADMIN", "made up")
    [fine] = look(session, "providers")
    assert (fine.level, "openai" in fine.said) == (Level.OK, True)
    monkeypatch.delenv("KEYFUSE_TEST_ADMIN")
    [missing] = look(session, "providers")
    assert missing.level is Level.FAIL
    assert "KEYFUSE_TEST_ADMIN" in missing.said
    assert "keyfuse providers test openai" in missing.next_step


def test_a_repository_without_a_hook_is_a_warning(
    home: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = workshop(home, "repository")
    monkeypatch.chdir(top.top)
    (verdict,) = look(session, "hook")
    assert (verdict.level, verdict.next_step) == (Level.WARN, "keyfuse hook install pre-commit")


@posix_only
def test_a_hook_of_somebody_else_is_not_run(home: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    top = workshop(home, "repository")
    hook = top.top / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {home}/ran\n")
    hook.chmod(0o755)
    monkeypatch.chdir(top.top)
    (verdict,) = look(session, "hook")
    assert verdict.level is Level.WARN
    assert verdict.next_step == "keyfuse hook test pre-commit"
    assert not (home / "ran").exists()


@posix_only
def test_an_installed_hook_that_git_ignores_is_a_failure(
    home: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = workshop(home, "repository")
    top.keyfuse("hook", "install", check=True)
    (top.top / ".git/hooks/pre-commit").chmod(0o644)
    monkeypatch.chdir(top.top)
    (verdict,) = look(session, "hook")
    assert verdict.level is Level.FAIL
    assert "not executable" in verdict.said
