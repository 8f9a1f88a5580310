"""`keyfuse leaks`, `log` and `notify`, as people and programs call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyfuse.cli import run_cli
from keyfuse.exits import Exit
from responders.errors import IllegalMove, LogBroken, NoSuchRecord
from scanner.errors import UsageError

CONFIG = """
[notify]
administrators = ["security@example.org"]

[notify.channel.file]
type = "file"
personal = true
path = "notices.jsonl"
"""
Run = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "keyfuse.toml").write_text(CONFIG)
    monkeypatch.setenv("KEYFUSE_CONFIG", str(tmp_path / "keyfuse.toml"))
    monkeypatch.setenv("KEYFUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command, expects its exit code, and gives what it wrote to stdout."""

    def runs(*words: str, code: Exit = Exit.OK) -> str:
        assert run_cli(words) == code
        return capsys.readouterr().out

    return runs


def reported(home: Path, *values: str) -> str:
    """A report of another scanner."""
    findings = [{"RuleID": "rule", "File": f"f{n}.py", "StartLine": 1, "Secret": v} for n, v in enumerate(values)]
    (home / "report.json").write_text(json.dumps(findings))
    return str(home / "report.json")


def created(run: Run, *more: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("keys", "create", "--name", "deploy", "--format", "json", *more))
    return answer


def incident(run: Run) -> dict[str, Any]:
    [found] = json.loads(run("leaks", "list", "--format", "json"))["leaks"]
    answer: dict[str, Any] = found
    return answer


def test_a_report_is_answered_shown_and_closed(run: Run, home: Path) -> None:
    key = created(run, "--owner", "owner@example.org")
    text = run("leaks", "report", reported(home, key["apikey"]), "--respond", code=Exit.LEAKS)
    assert "contained" in text
    assert "deploy" in text
    found = incident(run)
    assert (found["state"], found["key"]["name"], found["sightings"]) == ("contained", "deploy", 1)
    assert key["apikey"] not in json.dumps(found) + text
    shown = run("leaks", "show", found["id"][:6])
    for word in ("deploy", "contained", "f0.py:1", "disable", "owner@example.org", "sent"):
        assert word in shown
    whole = json.loads(run("leaks", "show", found["id"], "--format", "json"))
    assert [action["kind"] for action in whole["actions"]] == ["disable"]
    assert {notice["recipient"] for notice in whole["notices"]} == {"owner@example.org", "security@example.org"}
    assert "resolved: replaced" in run("leaks", "resolve", found["id"], "--reason", "replaced")
    assert run("leaks", "list", "--state", "contained") == ""
    run("log", "verify")


def test_without_respond_nothing_is_done_and_people_are_told(run: Run, home: Path) -> None:
    key = created(run)
    run("leaks", "report", reported(home, key["apikey"]), code=Exit.LEAKS)
    assert incident(run)["state"] == "open"
    [line] = (home / "notices.jsonl").read_text().splitlines()
    notice = json.loads(line)
    assert notice["event"] == "leaked"
    assert "keyfuse leaks respond" in notice["text"]
    assert "dry run" in run("leaks", "respond", incident(run)["id"], "--dry-run", code=Exit.UNPROVEN)
    assert "contained" in run("leaks", "respond", incident(run)["id"])


def test_what_is_not_proven_exits_with_5(run: Run, home: Path) -> None:
    key = created(run, "--locked")
    run("leaks", "report", reported(home, key["apikey"]), "--respond", code=Exit.UNPROVEN)
    run("leaks", "approve", incident(run)["id"], code=Exit.UNPROVEN)
    run("keys", "unlock", key["id"])
    run("leaks", "approve", incident(run)["id"])


def test_a_report_that_holds_no_value_exits_with_4(run: Run, home: Path) -> None:
    run("leaks", "report", reported(home, "REDACTED"), code=Exit.INCOMPLETE)
    run("leaks", "report", reported(home), code=Exit.OK)


def test_dismissals_need_a_reason_and_an_end(run: Run, home: Path) -> None:
    run("leaks", "report", reported(home, "nobody's value"), code=Exit.LEAKS)
    found = incident(run)["id"]
    for words in (["--reason", "x"], ["--until", "90d"], ["--reason", "x", "--until", "soon"]):
        with pytest.raises(UsageError):
            run("leaks", "dismiss", found, *words)
    with pytest.raises(UsageError, match="lies in the past"):
        run("leaks", "dismiss", found, "--reason", "x", "--until", "2020-01-01")
    run("leaks", "dismiss", found, "--reason", "a sample", "--until", "90d")
    with pytest.raises(IllegalMove, match="reopen"):
        run("leaks", "respond", found)
    assert "open" in run("leaks", "reopen", found)
    with pytest.raises(NoSuchRecord):
        run("leaks", "show", "nothing")


def test_the_log_is_shown_and_an_edit_is_found(run: Run, home: Path) -> None:
    import sqlite3

    created(run)
    run("leaks", "report", reported(home, "nobody's value"), "--respond", code=Exit.LEAKS)
    records = [json.loads(line) for line in run("log", "show", "--format", "json").splitlines()]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert "incident.noted" in run("log", "show", "--subject", "incident:")
    assert len(run("log", "show", "--after", "1", "--limit", "2").splitlines()) == 2
    assert json.loads(run("log", "verify", "--format", "json"))["records"] == len(records)
    with sqlite3.connect(home / "data" / "keyfuse.db") as database:
        database.execute("UPDATE audit_log SET actor = 'nobody' WHERE seq = 2")
    database.close()
    with pytest.raises(LogBroken, match="record 2"):
        run("log", "verify")


def test_notify_test_tries_every_channel(run: Run, home: Path) -> None:
    answer = json.loads(run("notify", "test", "--format", "json", "--to", "me@example.org"))
    assert answer["deliveries"] == [{"channel": "file", "recipient": "me@example.org", "sent": True, "error": None}]
    assert "security@example.org" in run("notify", "test")
    with pytest.raises(UsageError, match="configured are: file"):
        run("notify", "test", "--channel", "pager")
    (home / "notices.jsonl").unlink()
    (home / "notices.jsonl").mkdir()
    assert "cannot be written to" in run("notify", "test", code=Exit.CANNOT_RUN)


@pytest.mark.parametrize(
    "words", [["leaks"], ["leaks", "list"], ["leaks", "dismiss"], ["log", "show"], ["notify", "test"]]
)
def test_every_command_has_help_with_an_example(run: Run, words: list[str]) -> None:
    assert "Example: keyfuse" in run(*words, "--help")
