"""Who may see and do what over the API: IBM's table of required access, for roles and identities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from responders.issuer import NewKey
from responders.registrar import By
from responders.registry import KeyKind
from responders.users import Role
from tests.support.serving import Client, House, serving


@dataclass
class World:
    house: House
    clients: dict[str, Client]
    keys: dict[str, str]
    leaks: dict[str, str]

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        return self.clients[who](method, path, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, rule_cache: Path) -> Iterator[World]:
    with serving(tmp_path_factory.mktemp("access"), cache=rule_cache) as house:
        clients = {
            "root": house.client("root", Role.ADMIN),
            "admin": house.client("admin", Role.ADMIN, parent="root"),
            "member": house.client("member", Role.MEMBER, parent="root"),
            "child": house.client("child", Role.MEMBER, parent="member"),
            "viewer": house.client("viewer", Role.VIEWER),
            "tenant": house.client("tenant", Role.ADMIN, account_id="elsewhere", parent="root"),
        }
        keys, leaks = {}, {}
        for name, kind, iam_id in (
            ("member's", KeyKind.USER, "member"),
            ("viewer's", KeyKind.USER, "viewer"),
            ("service's", KeyKind.SERVICE_ID, "iam-ServiceId-1"),
            ("member's classic", KeyKind.CLASSIC, "member"),
            ("child's classic", KeyKind.CLASSIC, "child"),
            ("root's classic", KeyKind.CLASSIC, "root"),
        ):
            issued = house.session.issuer().create(NewKey(name, kind=kind, iam_id=iam_id), By("tester"))
            keys[name] = issued.key.id
            body = [{"RuleID": "r", "File": f"{name}.env", "Secret": issued.secret.reveal().decode()}]
            clients["root"]("POST", "/intake/report", json=body).raise_for_status()
        stranger = [{"RuleID": "r", "File": "a.env", "Secret": "nobody registered this one"}]
        clients["root"]("POST", "/intake/report", json=stranger)
        house.drain()
        for leak in clients["root"]("GET", "/v1/leaks").json()["leaks"]:
            leaks[leak["key"]["name"] if leak["key"] else "unregistered"] = leak["id"]
        assert set(leaks) == {*keys, "unregistered"}
        yield World(house, clients, keys, leaks)


SEEN = {
    "root": {"member's", "viewer's", "service's", "member's classic", "child's classic", "root's classic"},
    "admin": {"member's", "viewer's", "service's"},
    "member": {"member's", "member's classic", "child's classic"},
    "child": {"child's classic"},
    "viewer": {"viewer's"},
    "tenant": set(),
}


@pytest.mark.parametrize("who", SEEN)
def test_what_each_sees(world: World, who: str) -> None:
    seen = {name for name, key in world.keys.items() if world.ask(who, "GET", f"/v1/apikeys/{key}").status_code == 200}
    assert seen == SEEN[who]
    hidden = [key for name, key in world.keys.items() if name not in seen]
    assert all(world.ask(who, "GET", f"/v1/apikeys/{key}").status_code == 404 for key in hidden)
    leaks = {leak["key"]["name"] if leak["key"] else "" for leak in world.ask(who, "GET", "/v1/leaks").json()["leaks"]}
    assert leaks == seen | ({""} if who in ("root", "admin") else set())
    shown = {
        name for name, leak in world.leaks.items() if world.ask(who, "GET", f"/v1/leaks/{leak}").status_code == 200
    }
    assert shown - {"unregistered"} == seen


@pytest.mark.parametrize(
    ("who", "of", "listed"),
    [
        ("member", "member", {"member's", "member's classic"}),
        ("member", "child", {"child's classic"}),
        ("admin", "member", {"member's"}),
        ("root", "member", {"member's", "member's classic"}),
        ("member", "viewer", None),
        ("viewer", "member", None),
    ],
)
def test_lists_of_one_identity(world: World, who: str, of: str, listed: set[str] | None) -> None:
    answer = world.ask(who, "GET", f"/v1/apikeys?iam_id={of}")
    if listed is None:
        assert answer.status_code == 403
    else:
        assert {key["name"] for key in answer.json()["apikeys"]} == listed


@pytest.mark.parametrize("who", SEEN)
def test_the_accounts_list_is_for_administrators(world: World, who: str) -> None:
    answer = world.ask(who, "GET", "/v1/apikeys?scope=account&type=all")
    if who in ("root", "admin", "tenant"):
        assert {key["name"] for key in answer.json()["apikeys"]} == SEEN[who]
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("who", SEEN)
@pytest.mark.parametrize("name", ["member's", "service's", "child's classic"])
def test_who_may_change_a_key(world: World, who: str, name: str) -> None:
    key = world.keys[name]
    wanted = 404 if name not in SEEN[who] else 403 if who == "viewer" or "classic" in name else 200
    body, tag = {"description": f"by {who}"}, {"If-Match": "*"}
    assert world.ask(who, "PUT", f"/v1/apikeys/{key}", json=body, headers=tag).status_code == wanted
    for switch in ("lock", "disable"):
        for method in ("POST", "DELETE"):
            status = world.ask(who, method, f"/v1/apikeys/{key}/{switch}").status_code
            assert status == (204 if wanted == 200 else wanted)


def test_a_viewer_changes_nothing(world: World) -> None:
    key, leak = world.keys["viewer's"], world.leaks["viewer's"]
    for method, path, body in (
        ("POST", "/v1/apikeys", {"name": "n", "iam_id": "viewer"}),
        ("DELETE", f"/v1/apikeys/{key}", None),
        ("POST", f"/v1/leaks/{leak}/resolve", {"reason": "r"}),
        ("POST", f"/v1/leaks/{leak}/respond", {}),
        ("POST", f"/v1/leaks/{leak}/approve", None),
        ("POST", "/intake/report", []),
    ):
        assert world.ask("viewer", method, path, json=body).status_code == 403, path


def test_who_may_delete(world: World) -> None:
    def issue(kind: KeyKind, iam_id: str) -> str:
        return world.house.session.issuer().create(NewKey("d", kind=kind, iam_id=iam_id), By("tester")).key.id

    classic = world.keys["child's classic"]
    assert world.ask("member", "DELETE", f"/v1/apikeys/{classic}").status_code == 204
    again = issue(KeyKind.CLASSIC, "child")
    assert world.ask("admin", "DELETE", f"/v1/apikeys/{again}").status_code == 404
    assert world.ask("child", "DELETE", f"/v1/apikeys/{again}").status_code == 204
    service = issue(KeyKind.SERVICE_ID, "iam-ServiceId-2")
    assert world.ask("member", "DELETE", f"/v1/apikeys/{service}").status_code == 404
    assert world.ask("admin", "DELETE", f"/v1/apikeys/{service}").status_code == 204


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("member", {"iam_id": "member"}, 201),
        ("member", {"iam_id": "child"}, 403),
        ("admin", {"iam_id": "member"}, 403),
        ("member", {"iam_id": "iam-ServiceId-9"}, 403),
        ("admin", {"iam_id": "iam-ServiceId-9"}, 201),
        ("member", {"iam_id": "aje0", "kind": "api-key"}, 403),
        ("admin", {"iam_id": "aje0", "kind": "api-key"}, 201),
        ("tenant", {"iam_id": "iam-ServiceId-9", "account_id": "another"}, 403),
        ("tenant", {"iam_id": "iam-ServiceId-9"}, 201),
    ],
)
def test_who_may_create(world: World, who: str, body: dict[str, str], status: int) -> None:
    assert world.ask(who, "POST", "/v1/apikeys", json={"name": "new", **body}).status_code == status


def test_a_value_tells_only_those_who_may_see_the_key(world: World) -> None:
    made = world.ask("member", "POST", "/v1/apikeys", json={"name": "secret", "iam_id": "member"}).json()
    header = {"IAM-ApiKey": made["apikey"]}
    found = {who: world.ask(who, "GET", "/v1/apikeys/details", headers=header).status_code for who in world.clients}
    assert found == {"root": 200, "admin": 200, "member": 200, "child": 404, "viewer": 404, "tenant": 404}


def test_people_decide_about_leaks_of_their_keys(world: World) -> None:
    leak = world.leaks["member's"]
    assert world.ask("member", "GET", f"/v1/leaks/{leak}").json()["state"] == "contained"
    done = world.ask("member", "POST", f"/v1/leaks/{leak}/resolve", json={"reason": "replaced"})
    assert done.json()["state"] == "resolved"
    assert world.ask("member", "POST", f"/v1/leaks/{leak}/respond").status_code == 409
    opened = world.ask("admin", "POST", f"/v1/leaks/{leak}/reopen", json={"reason": "not yet"})
    assert opened.json()["state"] == "open"
    tried = world.ask("member", "POST", f"/v1/leaks/{leak}/respond", json={"dry_run": True}).json()
    assert tried["state"] in ("open", "contained", "blocked")
    for until, status in (("2020-01-01", 409), ("soon", 400)):
        body = {"reason": "r", "until": until}
        assert world.ask("member", "POST", f"/v1/leaks/{leak}/dismiss", json=body).status_code == status
    stranger = world.leaks["unregistered"]
    assert world.ask("member", "POST", f"/v1/leaks/{stranger}/resolve", json={"reason": "r"}).status_code == 404
    gone = world.ask("root", "POST", f"/v1/leaks/{stranger}/dismiss", json={"reason": "r", "until": "90d"}).json()
    assert gone["state"] == "dismissed"
    assert world.ask("root", "POST", f"/v1/leaks/{stranger}/approve").status_code == 409
    with world.house.session.records().read() as tx:
        written = [(each.actor, each.event) for each in tx.audit.read() if each.subject == f"incident:{leak}"]
    assert ("member", "incident.resolved") in written
    assert ("admin", "incident.open") in written


def test_leaks_come_in_pages(world: World) -> None:
    first = world.ask("root", "GET", "/v1/leaks?limit=4").json()
    rest = world.ask("root", "GET", f"/v1/leaks?limit=4&after={first['next']}").json()
    both = [leak["id"] for page in (first, rest) for leak in page["leaks"]]
    assert sorted(both) == sorted(world.leaks.values())
    assert "next" not in rest
    assert world.ask("root", "GET", "/v1/leaks?after=nothing").status_code == 404


def test_targets(world: World) -> None:
    from responders.targets import Target, TargetKind

    with world.house.session.records().begin() as tx:
        tx.targets.put(Target("shop", TargetKind.URL, "https://git.example.org/shop.git", world.house.clock()))
    assert [each["name"] for each in world.ask("viewer", "GET", "/v1/targets").json()["targets"]] == ["shop"]
    assert world.ask("viewer", "GET", "/v1/targets/shop").json()["place"] == "https://git.example.org/shop.git"
    assert world.ask("viewer", "POST", "/v1/targets/shop/scan").status_code == 403
    once = world.ask("member", "POST", "/v1/targets/shop/scan").json()
    assert world.ask("member", "POST", "/v1/targets/shop/scan").json() == once
    assert world.ask("member", "GET", "/v1/targets/none").status_code == 404


def test_targets_are_added_and_removed_by_administrators(world: World) -> None:
    wanted = {"name": "depot", "place": "https://git.example.org/depot.git", "every": "15m"}
    for who in ("member", "viewer", "tenant"):
        assert world.ask(who, "POST", "/v1/targets", json=wanted).status_code == 403
    made = world.ask("root", "POST", "/v1/targets", json=wanted)
    assert (made.status_code, made.json()["added_by"], made.json()["settings"]["every"]) == (201, "root", 900)
    assert world.ask("root", "GET", "/v1/targets/depot").json()["place"] == wanted["place"]
    with_password = "https://user:" + "pass" + "@git.example.org/x.git"
    for changes in ({"place": "relative/path"}, {"place": with_password}, {"cron": "1 2 3 4 5"}):
        assert world.ask("root", "POST", "/v1/targets", json={**wanted, **changes}).status_code == 409, changes
    for wrong in ({"name": "a b"}, {"every": "often"}, {"url_env": "X"}):
        assert world.ask("root", "POST", "/v1/targets", json={**wanted, **wrong}).status_code == 400, wrong
    assert world.ask("member", "DELETE", "/v1/targets/depot").status_code == 403
    assert world.ask("admin", "DELETE", "/v1/targets/depot").status_code == 204
    assert world.ask("admin", "DELETE", "/v1/targets/depot").status_code == 404


def test_a_removed_user_is_refused_at_once(world: World) -> None:
    from responders.gatekeeper import Gatekeeper

    session = world.house.session
    client = world.house.client("leaver")
    assert client("GET", "/v1/leaks").status_code == 200
    Gatekeeper(session.records(), session.fingerprinter(), world.house.clock).remove("leaver", actor="tester")
    assert client("GET", "/v1/leaks").status_code == 401
