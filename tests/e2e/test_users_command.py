"""`keyfuse users`, as people run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from keyfuse.cli import run_cli
from responders.errors import NoSuchRecord, Taken
from scanner.errors import UsageError

Run = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KEYFUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KEYFUSE_CONFIG", "")
    return tmp_path / "data"


@pytest.fixture
def users(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command and gives what it wrote to stdout."""

    def run(*words: str) -> str:
        assert run_cli(["users", *words]) == 0
        return capsys.readouterr().out

    return run


def test_a_token_is_the_last_word_and_is_never_shown_again(users: Run, data: Path) -> None:
    token = users("add", "ada", "--role", "admin").split()[-1]
    assert token.startswith("kfu_")
    assert len(token) == 42
    listed = users("list") + users("list", "--format", "json")
    assert token not in listed
    assert token[-4:] in listed
    held = [path.name for path in data.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert held == []
    assert "no longer" in users("remove", "ada")
    assert json.loads(users("list", "--format", "json"))["users"] == []


def test_as_json(users: Run) -> None:
    users("add", "boss", "--role", "admin")
    made = json.loads(
        users(
            "add", "ci", "--iam-id", "iam-ServiceId-1", "--account-id", "acc", "--parent", "boss",
            "--expires-at", "90d", "--format", "json",
        )
    )  # fmt: skip
    assert (made["role"], made["iam_id"], made["account_id"], made["parent"]) == (
        "member",
        "iam-ServiceId-1",
        "acc",
        "boss",
    )
    assert made["token"].startswith("kfu_")
    [_, listed] = json.loads(users("list", "--format", "json"))["users"]
    assert listed == {name: value for name, value in made.items() if name != "token"}


def test_what_cannot_be(users: Run) -> None:
    users("add", "ada")
    for words, error, text in (
        (["add", "ada"], Taken, "is taken"),
        (["add", "eve", "--iam-id", "ada"], Taken, "is taken"),
        (["add", "eve", "--parent", "nobody"], UsageError, "nobody has the identity"),
        (["add", "eve", "--role", "king"], UsageError, "king"),
        (["add", "eve", "--expires-at", "2020-01-01"], UsageError, "later time"),
        (["add", "  "], UsageError, "1 to 100"),
        (["add", "a\x1b[2J"], UsageError, "printable"),
        (["remove", "eve"], NoSuchRecord, "keyfuse users list"),
    ):
        with pytest.raises(error, match=text):
            users(*words)
