"""Yandex Cloud from end to end: no key can be disabled alone, deletions take their time, and both are said."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyfuse.exits import Exit
from scanner.errors import CannotRun, UsageError
from tests.support.connected import Connected, connect
from tests.support.fakes.yandex import Key, Yandex

SERVICES = ("base_url", "resource_manager_url", "operation_url", "oauth_url")


@pytest.fixture
def yandex() -> Iterator[Yandex]:
    fake = Yandex(random.Random(4))
    yield fake
    assert fake.leaks() == []
    fake.close()


@pytest.fixture
def here(
    tmp_path: Path,
    rule_cache: Path,
    yandex: Yandex,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Connected:
    monkeypatch.setattr("responders.providers.yandex.provider.time.sleep", lambda _seconds: None)
    own = ("authorized_key_file", json.dumps(yandex.key_file(yandex.manager_key)))
    return connect(tmp_path, rule_cache, "yandex", yandex, SERVICES, own, monkeypatch, capfd)


def listed(here: Connected, yandex: Yandex, *words: str, sort: str = "api-key") -> Key:
    """A key that the registry has from the listing, its leak action set."""
    key = yandex.make(sort, yandex.new_account("robot"), description="robot", scopes=["yc.ai.translate.execute"])
    here.run("keys", "sync", "yandex", *words)
    yandex.settle()
    return key


def later(here: Connected, yandex: Yandex, **length: float) -> None:
    """What upkeep does after a while; the vendor's clock goes on as well."""
    moment = datetime.now(UTC) + timedelta(**length)
    yandex.clock = lambda: moment
    here.later(**length)


def test_every_credential_is_listed(here: Connected, yandex: Yandex) -> None:
    yandex.page_size = 2
    for number in range(5):
        account = yandex.new_account(f"robot {number}", yandex.new_folder(yandex.new_cloud()))
        for sort in ("api-key", "static"):
            yandex.make(sort, account, description=f"{sort} {number}")
    ended = yandex.make("api-key", account, description="ended", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    said = json.loads(here.run("keys", "sync", "yandex", "--if-unsupported", "suspend-owner", "--format", "json"))
    assert (said["new"], said["problems"]) == (12, [])
    assert here.record("ended")["state"] == "expired"
    record = here.record("api-key 3")
    assert (record["kind"], record["if_unsupported"]) == ("api-key", "suspend-owner")
    assert record["account_id"] in yandex.clouds
    del yandex.keys[ended.id]
    assert json.loads(here.run("keys", "sync", "yandex", "--format", "json"))["gone"] == 1
    yandex.forbidden_folders.add(yandex.folder)
    assert json.loads(here.run("keys", "sync", "yandex", "--format", "json", code=Exit.INCOMPLETE))["gone"] == 0
    assert yandex.changes == 0


def test_disable_is_blocked_since_there_is_no_such_thing(here: Connected, yandex: Yandex) -> None:
    key = listed(here, yandex)
    said = here.run("audit", here.repository(f"key = {key.secret}\n"), "--respond", code=Exit.UNPROVEN)
    assert "robot" in said, "the report says whose key it is, though only its provider knows that"
    assert "nobody registered" not in said
    assert here.incident()["reason"].startswith("unsupported: ")
    assert yandex.changes == 0
    assert key.id in yandex.keys


def test_the_owner_is_suspended_where_the_record_says_so(here: Connected, yandex: Yandex) -> None:
    key = listed(here, yandex, "--if-unsupported", "suspend-owner")
    here.run("audit", here.repository(f"key = {key.secret}\n"), "--respond", code=Exit.LEAKS)
    found = here.incident()
    assert found["state"] == "contained"
    assert "suspended" in found["evidence"]
    assert yandex.accounts[key.account].status == "SUSPENDED"
    assert key.id in yandex.keys
    assert "delete" not in yandex.names
    assert here.record("robot")["state"] == "disabled"


def test_it_is_deleted_where_the_record_says_so(here: Connected, yandex: Yandex) -> None:
    key = listed(here, yandex, "--if-unsupported", "delete")
    here.run("audit", here.repository(f"key = {key.secret}\n"), "--respond", code=Exit.LEAKS)
    assert here.incident()["state"] == "contained"
    assert key.id not in yandex.keys
    assert yandex.accounts[key.account].status == "ACTIVE"


def test_a_slow_deletion_is_unconfirmed_until_upkeep_proves_it(here: Connected, yandex: Yandex) -> None:
    key = listed(here, yandex, "--action-when-leaked", "delete")
    yandex.operations.slow = 50
    here.run("audit", here.repository(f"key = {key.secret}\n"), "--respond", code=Exit.UNPROVEN)
    assert here.incident()["state"] == "unconfirmed"
    assert key.id in yandex.keys
    later(here, yandex, seconds=10)
    assert here.incident()["state"] == "unconfirmed"
    del yandex.keys[key.id]  # the operation comes to its end
    later(here, yandex, minutes=5)
    found = here.incident()
    assert (found["state"], found["key"]["state"]) == ("contained", "deleted")
    assert yandex.names.count("delete") == 1


def test_a_deletion_that_ends_in_an_error_is_not_done(here: Connected, yandex: Yandex) -> None:
    key = listed(here, yandex, "--action-when-leaked", "delete")
    yandex.operations.failing = 7
    here.run("audit", here.repository(f"key = {key.secret}\n"), "--respond", code=Exit.UNPROVEN)
    found = here.incident()
    assert found["state"] == "failed"
    assert "code 7" in found["reason"]


def test_an_authorized_key_is_found_by_the_id_in_its_file(here: Connected, yandex: Yandex) -> None:
    key = yandex.make("authorized", yandex.new_account("robot"), pair=1, description="robot")
    here.run("keys", "sync", "yandex", "--action-when-leaked", "delete")
    here.run("audit", here.repository(json.dumps(yandex.key_file(key), indent=2)), "--respond", code=Exit.LEAKS)
    assert here.incident()["state"] == "contained"
    assert key.id not in yandex.keys
    assert yandex.manager_key.id in yandex.keys


def test_keyfuse_neither_deletes_its_own_key_nor_suspends_itself(here: Connected, yandex: Yandex) -> None:
    here.run("keys", "sync", "yandex", "--action-when-leaked", "delete", "--if-unsupported", "suspend-owner")
    own = json.dumps(yandex.key_file(yandex.manager_key), indent=2)
    here.run("audit", here.repository(own), "--respond", code=Exit.UNPROVEN)
    assert "keyfuse itself works with this key" in here.incident()["reason"]
    with pytest.raises(CannotRun, match="keyfuse itself works as that service account"):
        here.run("keys", "disable", "authorized key of keyfuse", "--suspend-owner")
    assert yandex.changes == 0


def test_a_person_has_to_say_that_the_owner_is_meant(here: Connected, yandex: Yandex) -> None:
    key = listed(here, yandex)
    with pytest.raises(UsageError, match="--suspend-owner"):
        here.run("keys", "disable", "robot")
    here.run("keys", "disable", "robot", "--suspend-owner")
    assert yandex.accounts[key.account].status == "SUSPENDED"
    here.run("keys", "enable", "robot", "--suspend-owner")
    assert yandex.accounts[key.account].status == "ACTIVE"
    here.run("keys", "delete", "robot", "--yes")
    assert key.id not in yandex.keys


def test_a_key_is_reissued(here: Connected, yandex: Yandex) -> None:
    old = listed(here, yandex)
    here.run("keys", "reissue", "robot", "--overlap", "24h", "--output", str(here.home / "new.json"))
    handed = json.loads((here.home / "new.json").read_text())
    new = next(key for key in yandex.keys.values() if key.secret == handed["apikey"])
    assert (new.account, new.description, new.scopes) == (old.account, "robot", ["yc.ai.translate.execute"])
    ends = yandex.keys[old.id].expires_at
    assert ends is not None
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)
    assert (yandex.keys[old.id].description, yandex.keys[old.id].scopes) == ("robot", ["yc.ai.translate.execute"])


def test_a_static_key_is_reissued_and_the_old_one_deleted(here: Connected, yandex: Yandex) -> None:
    old = listed(here, yandex, sort="static")
    here.run("keys", "reissue", "robot", "--overlap", "0s", "--output", str(here.home / "new.json"))
    assert old.id not in yandex.keys
    handed = json.loads((here.home / "new.json").read_text())
    assert any(key.secret == handed["apikey"] for key in yandex.keys.values())
