"""IBM Cloud from end to end: its keys are listed into the registry, one leaks in a repository, and is dealt with."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyfuse.exits import Exit
from scanner.errors import CannotRun, UsageError
from tests.support.connected import Connected, connect
from tests.support.fakes import Fault
from tests.support.fakes.ibm import Ibm, Key
from tests.support.fakes.routing import route

SERVICES = ("base_url", "resource_controller_url", "classic_url")


@pytest.fixture
def ibm() -> Iterator[Ibm]:
    fake = Ibm(random.Random(3))
    yield fake
    assert fake.leaks() == []
    fake.close()


@pytest.fixture
def here(
    tmp_path: Path,
    rule_cache: Path,
    ibm: Ibm,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Connected:
    own = ("api_key_file", ibm.administrator.value)
    return connect(tmp_path, rule_cache, "ibm", ibm, SERVICES, own, monkeypatch, capfd)


def leak(key: Key) -> str:
    return f"IBM_CLOUD_API_KEY={key.value}\n"


def test_the_account_is_listed_with_its_leak_actions(here: Connected, ibm: Ibm) -> None:
    gone = ibm.make("gone")
    kept = ibm.make("kept", action="delete", locked=True, description="for the nightly job")
    ibm.make("robot", iam_id="iam-ServiceId-1", action=None)
    _, inside = ibm.resources.make("bucket")
    for number in range(101):
        ibm.make(f"key {number}")
    said = here.run("keys", "sync", "ibm", "--owner", "team@example.org")
    assert said == "106 new, 0 changed, 0 as they were, 0 deleted at their provider\n"
    assert "106 as they were" in here.run("keys", "sync", "--provider", "ibm")
    record = here.record("kept")
    expected = {"action_when_leaked": "delete", "locked": True, "owners": ["team@example.org"], "kind": "user"}
    assert {name: record[name] for name in expected} == expected
    assert record["provider_key_id"] == kept.id
    kinds = {here.record(name)["kind"] for name in ("robot", inside.name)}
    assert kinds == {"service-id", "service-specific"}
    ibm.keys[kept.id].action, ibm.keys[kept.id].locked = "none", False
    del ibm.keys[gone.id]
    assert "0 new, 1 changed" in here.run("keys", "sync", "ibm")
    record = here.record("kept")
    assert (record["action_when_leaked"], record["locked"]) == ("none", False)
    assert here.record("gone")["state"] == "deleted"
    assert all(request.method in ("GET", "POST") for request, _ in ibm.seen)


def test_what_cannot_be_listed_is_said_and_nothing_is_called_deleted(here: Connected, ibm: Ibm) -> None:
    ibm.make("first")
    here.run("keys", "sync", "ibm")
    ibm.keys.clear()
    ibm.keys[ibm.administrator.id] = ibm.administrator
    ibm.fail(Fault.FAILS_BEFORE, route("GET", "/v2/resource_keys"))
    result = json.loads(here.run("keys", "sync", "ibm", "--format", "json", code=Exit.INCOMPLETE))
    assert result["gone"] == 0
    assert result["problems"]
    assert here.record("first")["state"] == "active"
    assert json.loads(here.run("keys", "sync", "ibm", "--format", "json"))["gone"] == 1


def test_a_lock_that_a_person_set_here_survives_a_sync(here: Connected, ibm: Ibm) -> None:
    ibm.make("first")
    here.run("keys", "sync", "ibm")
    here.run("keys", "lock", "first")
    here.run("keys", "sync", "ibm")
    assert here.record("first")["locked"]


def test_where_registry_and_ibm_disagree_a_person_is_asked(here: Connected, ibm: Ibm) -> None:
    ibm.make("first")
    here.run("keys", "sync", "ibm")
    here.run("keys", "delete", "first", "--record-only", "--yes")
    said = json.loads(here.run("keys", "sync", "ibm", "--format", "json", code=Exit.INCOMPLETE))
    assert (said["changed"], len(said["problems"])) == (0, 1)
    assert "look who is right" in said["problems"][0]["reason"]


def test_a_credential_that_cannot_be_read_does_not_change_what_its_key_is(here: Connected, ibm: Ibm) -> None:
    _, key = ibm.resources.make("bucket")
    here.run("keys", "sync", "ibm")
    ibm.fail(Fault.FAILS_BEFORE, route("GET", "/v2/resource_keys"))
    here.run("keys", "sync", "ibm", code=Exit.INCOMPLETE)
    assert here.record(key.name)["kind"] == "service-specific"


@pytest.mark.parametrize("how", ["audit", "report"])
def test_a_leaked_key_is_disabled_proven_and_recorded(here: Connected, ibm: Ibm, how: str) -> None:
    key = ibm.make("deploy")
    here.run("keys", "sync", "ibm")
    ibm.settle()
    if how == "audit":
        here.run("audit", here.repository(leak(key)), "--respond", code=Exit.LEAKS)
    else:
        report = str(here.home / "report.json")
        here.run(
            "audit", here.repository(leak(key)), "--format", "json", "--reveal", "--output", report, code=Exit.LEAKS
        )
        here.run("leaks", "report", report, "--respond", code=Exit.LEAKS)
    assert key.id in ibm.keys
    assert ibm.keys[key.id].disabled
    assert [name for name in ibm.names if name != "read"] == ["disable"]
    found = here.incident()
    assert (found["state"], found["key"]["name"]) == ("contained", "deploy")
    assert "read back" in found["evidence"]
    assert "BXNIM0462E" in found["evidence"]
    assert "access tokens" in found["outlives"]
    assert here.record("deploy")["state"] == "disabled"
    here.run("log", "verify")


RULE = "ibm-cloud-iam-api-key"


@pytest.mark.parametrize("fault", [Fault.FAILS_AFTER, Fault.DROPPED_AFTER, Fault.GARBLED, Fault.HTML])
def test_what_may_have_been_done_is_read_and_not_sent_again(here: Connected, ibm: Ibm, fault: Fault) -> None:
    key = ibm.make("deploy")
    here.run("keys", "sync", "ibm")
    ibm.settle()
    ibm.fail(fault, route("POST", "/disable"))
    here.run("leaks", "report", here.report(RULE, key.value), "--respond", code=Exit.LEAKS)
    assert here.incident()["state"] == "contained"
    assert len(ibm.asked("POST", "/v1/apikeys")) == 1


@pytest.mark.parametrize("fault", [Fault.FAILS_BEFORE, Fault.DROPPED_BEFORE, Fault.TOO_MANY])
def test_what_was_not_done_is_done_later(here: Connected, ibm: Ibm, fault: Fault) -> None:
    key = ibm.make("deploy")
    here.run("keys", "sync", "ibm")
    ibm.settle()
    ibm.fail(fault, route("POST", "/disable"))
    here.run("leaks", "report", here.report(RULE, key.value), "--respond", code=Exit.UNPROVEN)
    assert here.incident()["state"] in ("unconfirmed", "acting")
    assert ibm.changes == 0
    here.later(minutes=5)
    assert here.incident()["state"] == "contained"
    assert ibm.changes == 1


def test_a_lock_is_taken_off_where_the_configuration_says_so(here: Connected, ibm: Ibm) -> None:
    key = ibm.make("deploy", locked=True)
    here.run("keys", "sync", "ibm")
    here.configure("[response]\nunlock_leaked_keys = true\n")
    here.run("leaks", "report", here.report(RULE, key.value), "--respond", code=Exit.LEAKS)
    assert here.incident()["state"] == "contained"
    assert [name for name in ibm.names if name != "read"] == ["unlock", "disable"]


def test_a_dry_run_looks_and_changes_nothing(here: Connected, ibm: Ibm) -> None:
    key = ibm.make("deploy", action="delete")
    here.run("keys", "sync", "ibm")
    here.configure("[response]\ndry_run = true\n")
    ibm.settle()
    here.run("leaks", "report", here.report(RULE, key.value), "--respond", code=Exit.UNPROVEN)
    assert here.incident()["reason"] == "dry run: the key is to be deleted"
    assert ibm.changes == 0


def test_the_owners_word_at_ibm_counts_when_the_key_leaks(here: Connected, ibm: Ibm) -> None:
    """The registry was told `disable`; meanwhile the owner chose `none`."""
    key = ibm.make("deploy")
    here.run("keys", "sync", "ibm")
    ibm.keys[key.id].action = "none"
    ibm.settle()
    here.run("audit", here.repository(leak(key)), "--respond", code=Exit.LEAKS)
    assert here.incident()["state"] == "noted"
    assert ibm.changes == 0


def test_a_locked_key_blocks(here: Connected, ibm: Ibm) -> None:
    key = ibm.make("deploy", locked=True)
    here.run("keys", "sync", "ibm")
    ibm.settle()
    here.run("audit", here.repository(leak(key)), "--respond", code=Exit.UNPROVEN)
    assert here.incident()["reason"].startswith("locked")
    assert ibm.changes == 0


def test_a_service_credential_is_deleted_with_its_key(here: Connected, ibm: Ibm) -> None:
    credential, key = ibm.resources.make("bucket")
    key.action = "delete"
    here.run("keys", "sync", "ibm")
    here.run("audit", here.repository(leak(key)), "--respond", code=Exit.LEAKS)
    assert key.id not in ibm.keys
    assert ibm.resources.keys[credential.guid].state == "removed"
    assert here.incident()["state"] == "contained"


def test_keyfuse_does_not_blow_its_own_fuse(here: Connected, ibm: Ibm) -> None:
    here.run("keys", "sync", "ibm")
    ibm.settle()
    here.run("audit", here.repository(leak(ibm.administrator)), "--respond", code=Exit.UNPROVEN)
    assert here.incident()["reason"].startswith("own credential")
    with pytest.raises(CannotRun, match="keyfuse itself works with this key"):
        here.run("keys", "disable", "administrator")
    assert ibm.changes == 0


def test_a_record_is_changed_at_ibm_first(here: Connected, ibm: Ibm) -> None:
    key = ibm.make("deploy")
    here.run("keys", "sync", "ibm")
    here.run("keys", "update", "deploy", "--action-when-leaked", "delete", "--description", "builds")
    assert (ibm.keys[key.id].action, ibm.keys[key.id].description) == ("delete", "builds")
    assert here.record("deploy")["action_when_leaked"] == "delete"
    here.run("keys", "disable", "deploy")
    assert ibm.keys[key.id].disabled
    here.run("keys", "enable", "deploy")
    assert not ibm.keys[key.id].disabled
    ibm.settle()
    here.run("keys", "update", "deploy", "--owner", "me@example.org")
    assert ibm.changes == 0
    ibm.keys[key.id].locked = True
    with pytest.raises(CannotRun, match="locked at IBM"):
        here.run("keys", "update", "deploy", "--action-when-leaked", "none")


def test_a_key_is_replaced(here: Connected, ibm: Ibm) -> None:
    old = ibm.make("deploy", action="delete", description="builds")
    here.run("keys", "sync", "ibm")
    here.run("keys", "update", "deploy", "--owner", "me@example.org")
    here.run("keys", "reissue", "deploy", "--overlap", "24h", "--output", str(here.home / "new.json"))
    handed = json.loads((here.home / "new.json").read_text())
    new = ibm.by_value(handed["apikey"])
    assert new is not None
    assert (new.name, new.iam_id, new.action, new.description) == ("deploy", old.iam_id, "delete", "builds")
    assert ibm.keys[old.id].expires_at
    assert handed["owners"] == ["me@example.org"]
    assert here.record(handed["id"])["provider_key_id"] == new.id
    assert "as they were" in here.run("keys", "sync", "ibm")


def test_a_key_is_replaced_at_once_through_a_command(here: Connected, ibm: Ibm) -> None:
    old = ibm.make("deploy")
    here.run("keys", "sync", "ibm")
    vault = here.home / "vault"
    said = here.run("keys", "reissue", "deploy", "--overlap", "0s", "--to-command", f"tee {vault}")
    new = ibm.by_value(vault.read_text())
    assert new is not None
    assert old.id not in ibm.keys
    assert said.count(new.value) == 1, "that is the command's own output, tee's"
    with pytest.raises(UsageError, match="no program"):
        here.run("keys", "reissue", "administrator", "--to-command", "no-such-program-here")


def test_it_has_to_be_said_which_provider_is_meant(here: Connected) -> None:
    for words in ([], ["ibm", "--provider", "ibm"], ["keyfuse"], ["npm"]):
        with pytest.raises(UsageError):
            here.run("keys", "sync", *words)


def test_without_a_credential_it_says_what_to_set(here: Connected, ibm: Ibm) -> None:
    (here.home / "credential").unlink()
    with pytest.raises(CannotRun, match=r"\[provider.ibm\] the file .* cannot be read"):
        here.run("keys", "sync", "ibm")


def test_an_audit_says_which_keys_are_alive(here: Connected, ibm: Ibm) -> None:
    alive, dead = ibm.make("alive"), ibm.make("dead", disabled=True)
    ibm.settle()
    report = here.home / "report.json"
    content = here.repository(leak(alive) + leak(dead))
    here.run("audit", content, "--verify", "--format", "json", "--output", str(report), code=Exit.LEAKS)
    said = sorted(finding["liveness"] for finding in json.loads(report.read_text())["findings"])
    assert said == ["alive", "dead"]
    assert ibm.changes == 0
