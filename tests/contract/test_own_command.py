"""A key service of one's own that is a command: a real program, started for each question."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from responders.catalog import Surroundings, make
from responders.connection import ProviderSettings
from responders.provider import Alive, Dead, Done, Identified, Leak, NotFound, Provider, Uncertain, Unknown
from responders.providers.own import NotSaid
from responders.providers.own_command import run
from responders.records import Records
from responders.registry import KeyState
from scanner.model import REGISTERED, Secret
from tests.support.stores import FINGERPRINTER, Clock

VALUE = "made-up value of a company " * 2
PROGRAM = """
import json, os, pathlib, sys
book = pathlib.Path(os.environ["BOOK"])
question = json.load(sys.stdin)
state = json.loads(book.read_text())
state.setdefault("seen", []).append({"argv": sys.argv[1:], "environ": sorted(os.environ), "verb": question["verb"]})
mine = question.get("secret") == state["value"] or question.get("id") == "k1"
if question["verb"] in ("identify", "state"):
    answer = {"found": True, "id": "k1", "state": state["state"]} if mine else {"found": False, "sees_all": True}
else:
    state["state"] = {"disable": "disabled", "enable": "active", "delete": "deleted"}[question["verb"]]
    answer = {"outcome": "done", "reason": "as asked"}
book.write_text(json.dumps(state))
print(json.dumps(answer))
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """What the company's program keeps."""
    path = tmp_path / "book.json"
    path.write_text(json.dumps({"value": VALUE, "state": "active"}))
    return path


def provider(book: Path, program: str = PROGRAM) -> Provider:
    """The provider that starts it."""
    settings = ProviderSettings(
        connected=True, type="command", command=(sys.executable, "-c", program), options={"pass_env": ("BOOK",)}
    )
    environ = {"BOOK": str(book), "PATH": "/usr/bin", "KEYFUSE_OTHER_TOKEN": "not for it"}
    around = Surroundings(cast(Records, None), FINGERPRINTER, Clock(), settings={"acme": settings}, environ=environ)
    return make("acme", around)


def seen(book: Path) -> list[Mapping[str, object]]:
    return cast(list[Mapping[str, object]], json.loads(book.read_text())["seen"])


def test_it_is_asked_told_and_asked_again(book: Path) -> None:
    acme, leak = provider(book), Leak(REGISTERED, Secret(VALUE.encode()))
    identity = acme.identify(leak, None)
    assert isinstance(identity, Identified)
    assert isinstance(acme.prove(identity.ref, leak, KeyState.DISABLED), Alive)
    assert acme.disable(identity.ref, leak, idempotency_key="1") == Done("as asked")
    assert isinstance(acme.prove(identity.ref, leak, KeyState.DISABLED), Dead)
    assert isinstance(acme.prove(identity.ref, leak, KeyState.DELETED), Alive)
    assert isinstance(acme.delete(identity.ref, leak, idempotency_key="2"), Done)
    assert isinstance(acme.prove(identity.ref, leak, KeyState.DELETED), Dead)
    assert [each["verb"] for each in seen(book)].count("disable") == 1


def test_the_secret_is_in_no_argument_and_foreign_credentials_in_no_environment(book: Path) -> None:
    acme = provider(book)
    assert acme.identify(Leak(REGISTERED, Secret(b"nobody's value")), None) == NotFound(
        "your service has no such key", sees_all=True
    )
    [call] = seen(book)
    assert call["argv"] == ["identify"]
    assert "BOOK" in cast(list[str], call["environ"])
    assert "KEYFUSE_OTHER_TOKEN" not in cast(list[str], call["environ"])


@pytest.mark.parametrize(
    "program", ["print('no JSON')", "import sys; sys.exit(3)", "print('[1]')", "print('x' * 100_000)"], ids=str
)
def test_an_answer_that_is_none_is_not_understood(book: Path, program: str) -> None:
    acme, leak = provider(book, program), Leak(REGISTERED, Secret(VALUE.encode()))
    assert isinstance(acme.identify(leak, None), Unknown)


def test_after_a_failed_change_nobody_knows(book: Path) -> None:
    acme, leak = provider(book), Leak(REGISTERED, Secret(VALUE.encode()))
    identity = acme.identify(leak, None)
    assert isinstance(identity, Identified)
    broken = provider(book, "import sys; sys.exit(3)")
    assert isinstance(broken.disable(identity.ref, leak, idempotency_key="1"), Uncertain)


def test_a_command_that_is_not_there_changed_nothing(tmp_path: Path) -> None:
    assert run([str(tmp_path / "nothing")], b"{}", {}, 5) == NotSaid(
        "the command cannot be started (No such file or directory)", sent=False
    )


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    child = f"import time, pathlib; time.sleep(2); pathlib.Path({str(mark)!r}).touch()"
    program = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    said = run([sys.executable, "-c", program], b"{}", {}, 0.5)
    assert isinstance(said, NotSaid)
    assert said.sent
    assert not mark.exists()
