"""IBM Cloud from one end to the other: its keys listed into the registry, one leaks in a repository, and is dealt with."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keyfuse.cli import run_cli
from keyfuse.exits import Exit
from scanner.errors import CannotRun, UsageError
from tests.support.fakes import Fault
from tests.support.fakes.ibm import Ibm, Key
from tests.support.fakes.routing import route
from tests.support.repositories import Repository

CONFIG = """
[provider.ibm]
base_url = "{url}"
resource_controller_url = "{url}"
classic_url = "{url}"
api_key_file = "ibm-key"
requests_per_minute = 0
{more}
"""
Run = Callable[..., str]


@pytest.fixture
def ibm() -> Iterator[Ibm]:
    fake = Ibm(random.Random(3))
    yield fake
    assert fake.leaks() == []
    fake.close()


@pytest.fixture
def home(tmp_path: Path, ibm: Ibm, monkeypatch: pytest.MonkeyPatch) -> Path:
    configure(tmp_path, ibm)
    (tmp_path / "ibm-key").write_text(ibm.administrator.value)
    monkeypatch.setenv("KEYFUSE_CONFIG", str(tmp_path / "keyfuse.toml"))
    monkeypatch.setenv("KEYFUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KEYFUSE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs one command, expects its exit code, and gives what it wrote to stdout."""

    def runs(*words: str, code: Exit = Exit.OK) -> str:
        assert run_cli(words) == code
        return capfd.readouterr().out

    return runs


def configure(home: Path, ibm: Ibm, more: str = "") -> None:
    (home / "keyfuse.toml").write_text(CONFIG.format(url=ibm.url, more=more))


def leak(home: Path, key: Key) -> str:
    """A repository in whose history the key lies."""
    repository = Repository.new(home / "repository")
    repository.commit("deploy", {"deploy.env": f"IBM_CLOUD_API_KEY={key.value}\n"})
    repository.commit("tidy up", {"deploy.env": None})
    ibm_said = str(home / "repository")
    return ibm_said


def leaked(run: Run) -> dict[str, Any]:
    [found] = json.loads(run("leaks", "list", "--format", "json"))["leaks"]
    shown: dict[str, Any] = json.loads(run("leaks", "show", found["id"], "--format", "json"))
    return shown


def test_the_account_is_listed_with_its_leak_actions(run: Run, ibm: Ibm) -> None:
    gone = ibm.make("gone")
    kept = ibm.make("kept", action="delete", locked=True, description="for the nightly job")
    ibm.make("robot", iam_id="iam-ServiceId-1", action=None)
    _, inside = ibm.resources.make("bucket")
    for number in range(120):
        ibm.make(f"key {number}")
    said = run("keys", "sync", "ibm", "--owner", "team@example.org")
    assert said == "125 new, 0 changed, 0 as they were, 0 deleted at their provider\n"
    assert "125 as they were" in run("keys", "sync", "ibm")
    record = json.loads(run("keys", "show", "kept", "--format", "json"))
    expected = {"action_when_leaked": "delete", "locked": True, "owners": ["team@example.org"], "kind": "user"}
    assert {name: record[name] for name in expected} == expected
    assert record["provider_key_id"] == kept.id
    kinds = {json.loads(run("keys", "show", name, "--format", "json"))["kind"] for name in ("robot", inside.name)}
    assert kinds == {"service-id", "service-specific"}
    kept.action, kept.locked = "none", False
    del ibm.keys[gone.id]
    assert "0 new, 1 changed" in run("keys", "sync", "ibm")
    record = json.loads(run("keys", "show", "kept", "--format", "json"))
    assert (record["action_when_leaked"], record["locked"]) == ("none", False)
    with pytest.raises(UsageError, match="no key has the id"):
        run("keys", "show", "gone")
    assert all(request.method in ("GET", "POST") for request, _ in ibm.seen)


def test_what_cannot_be_listed_is_said_and_nothing_is_called_deleted(run: Run, ibm: Ibm) -> None:
    ibm.make("first")
    run("keys", "sync", "ibm")
    ibm.keys.clear()
    ibm.keys[ibm.administrator.id] = ibm.administrator
    ibm.fail(Fault.FAILS_BEFORE, route("GET", "/v2/resource_keys"))
    result = json.loads(run("keys", "sync", "ibm", "--format", "json", code=Exit.INCOMPLETE))
    assert result["gone"] == 0
    assert result["problems"]
    assert json.loads(run("keys", "show", "first", "--format", "json"))["state"] == "active"
    assert json.loads(run("keys", "sync", "ibm", "--format", "json"))["gone"] == 1


def test_a_lock_that_a_person_set_here_survives_a_sync(run: Run, ibm: Ibm) -> None:
    ibm.make("first")
    run("keys", "sync", "ibm")
    run("keys", "lock", "first")
    run("keys", "sync", "ibm")
    assert json.loads(run("keys", "show", "first", "--format", "json"))["locked"]


@pytest.mark.parametrize("how", ["audit", "report"])
def test_a_leaked_key_is_disabled_proven_and_recorded(run: Run, home: Path, ibm: Ibm, how: str) -> None:
    key = ibm.make("deploy")
    run("keys", "sync", "ibm")
    ibm.settle()
    if how == "audit":
        run("audit", leak(home, key), "--respond", code=Exit.LEAKS)
    else:
        finding = {"RuleID": "ibm-cloud-iam-api-key", "File": "f.py", "StartLine": 1, "Secret": key.value}
        (home / "report.json").write_text(json.dumps([finding]))
        run("leaks", "report", str(home / "report.json"), "--respond", code=Exit.UNPROVEN)
        return
    assert key.id in ibm.keys
    assert ibm.keys[key.id].disabled
    assert ibm.names.count("read") == len(ibm.names)
    assert not ibm.asked("DELETE")
    found = leaked(run)
    assert (found["state"], found["key"]["name"]) == ("contained", "deploy")
    assert "read back" in found["evidence"]
    assert "BXNIM0462E" in found["evidence"]
    assert "access tokens" in found["outlives"]
    assert json.loads(run("keys", "show", "deploy", "--format", "json"))["state"] == "disabled"
    run("log", "verify")


def test_the_owners_word_at_ibm_counts_when_the_key_leaks(run: Run, home: Path, ibm: Ibm) -> None:
    """The registry was told `disable`; meanwhile the owner chose `none`."""
    key = ibm.make("deploy")
    run("keys", "sync", "ibm")
    key.action = "none"
    ibm.settle()
    run("audit", leak(home, key), "--respond", code=Exit.LEAKS)
    assert leaked(run)["state"] == "noted"
    assert ibm.changes == 0


def test_a_locked_key_blocks(run: Run, home: Path, ibm: Ibm) -> None:
    key = ibm.make("deploy", locked=True)
    run("keys", "sync", "ibm")
    ibm.settle()
    run("audit", leak(home, key), "--respond", code=Exit.LEAKS)
    assert leaked(run)["reason"].startswith("locked")
    assert ibm.changes == 0


def test_a_service_credential_is_deleted_with_its_key(run: Run, home: Path, ibm: Ibm) -> None:
    credential, key = ibm.resources.make("bucket")
    key.action = "delete"
    run("keys", "sync", "ibm")
    run("audit", leak(home, key), "--respond", code=Exit.LEAKS)
    assert key.id not in ibm.keys
    assert ibm.resources.keys[credential.guid].state == "removed"
    assert leaked(run)["state"] == "contained"


def test_keyfuse_does_not_blow_its_own_fuse(run: Run, home: Path, ibm: Ibm) -> None:
    run("keys", "sync", "ibm")
    ibm.settle()
    run("audit", leak(home, ibm.administrator), "--respond", code=Exit.LEAKS)
    assert leaked(run)["reason"].startswith("own credential")
    with pytest.raises(CannotRun, match="keyfuse itself works with this key"):
        run("keys", "disable", "administrator")
    assert ibm.changes == 0


def test_a_record_is_changed_at_ibm_first(run: Run, ibm: Ibm) -> None:
    key = ibm.make("deploy")
    run("keys", "sync", "ibm")
    run("keys", "update", "deploy", "--action-when-leaked", "delete", "--description", "builds")
    assert (ibm.keys[key.id].action, ibm.keys[key.id].description) == ("delete", "builds")
    assert json.loads(run("keys", "show", "deploy", "--format", "json"))["action_when_leaked"] == "delete"
    run("keys", "disable", "deploy")
    assert ibm.keys[key.id].disabled
    run("keys", "enable", "deploy")
    assert not ibm.keys[key.id].disabled
    ibm.settle()
    run("keys", "update", "deploy", "--owner", "me@example.org")
    assert ibm.changes == 0
    ibm.keys[key.id].locked = True
    with pytest.raises(CannotRun, match="locked at IBM"):
        run("keys", "update", "deploy", "--action-when-leaked", "none")


def test_a_key_is_replaced(run: Run, home: Path, ibm: Ibm) -> None:
    old = ibm.make("deploy", action="delete", description="builds")
    run("keys", "sync", "ibm")
    run("keys", "update", "deploy", "--owner", "me@example.org")
    run("keys", "reissue", "deploy", "--overlap", "24h", "--output", str(home / "new.json"))
    handed = json.loads((home / "new.json").read_text())
    new = ibm.by_value(handed["apikey"])
    assert new is not None
    assert (new.name, new.iam_id, new.action, new.description) == ("deploy", old.iam_id, "delete", "builds")
    assert ibm.keys[old.id].expires_at
    assert handed["owners"] == ["me@example.org"]
    assert json.loads(run("keys", "show", handed["id"], "--format", "json"))["provider_key_id"] == new.id
    assert "as they were" in run("keys", "sync", "ibm")


def test_a_key_is_replaced_at_once_through_a_command(run: Run, home: Path, ibm: Ibm) -> None:
    old = ibm.make("deploy")
    run("keys", "sync", "ibm")
    vault = home / "vault"
    said = run("keys", "reissue", "deploy", "--overlap", "0s", "--to-command", f"tee {vault}")
    new = ibm.by_value(vault.read_text())
    assert new is not None
    assert old.id not in ibm.keys
    assert said.count(new.value) == 1, "that is the command's own output, tee's"
    with pytest.raises(UsageError, match="no program"):
        run("keys", "reissue", new.id, "--to-command", "no-such-program-here")


def test_without_a_credential_it_says_what_to_set(run: Run, home: Path, ibm: Ibm) -> None:
    (home / "ibm-key").unlink()
    with pytest.raises(CannotRun, match=r"\[provider.ibm\] the file .* cannot be read"):
        run("keys", "sync", "ibm")
