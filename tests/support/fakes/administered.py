"""Vendors whose keys an administrator lists, reads and ends. Written from the fact sheet's section on each."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from tests.support.fakes import Reply, Request, World
from tests.support.fakes.keys import KeyFake, Record, basic, hexes, letters

PAGE = 2
"""Keys on a page: few, so that a listing has several."""
CROWD = 3
"""Further keys that nobody asks about."""


class AdminFake(KeyFake):
    """A vendor with a crowd of keys, so that its listing has more than one page."""

    def world(self) -> World:
        crowd = {f"key-{number}": self.record(self.make_value(self._random)) for number in range(1, CROWD + 1)}
        return {"keys": {**crowd, **super().world()["keys"]}}


def page(names: list[str], after: str) -> tuple[list[str], bool]:
    """The names after one, a page of them, and whether there are more."""
    start = names.index(after) + 1 if after in names else 0
    return names[start : start + PAGE], start + PAGE < len(names)


class Anthropic(AdminFake):
    """active <-> inactive, and archived for good; there is no deletion."""

    id = "apikey_017"
    other = "apikey_018"

    def make_value(self, rng: random.Random) -> str:
        return "sk-" + "ant-api03-" + letters(rng, 93) + "AA"

    def shown(self, name: str, key: Record) -> Any:
        status = {"active": "active", "disabled": "inactive", "gone": "archived"}[key["state"]]
        hint = f"{key['value'][:18]}...{key['value'][-4:]}"
        return {"id": name, "type": "api_key", "name": "ci", "status": status, "partial_key_hint": hint}

    def arrange(self, state: str) -> None:
        super().arrange("active")
        self.state["keys"][self.id]["state"] = state
        super().arrange(state) if state != "gone" else self.settle()

    def settle(self) -> None:
        """What is now has always been."""
        self.before = {"keys": {name: dict(key) for name, key in self.state["keys"].items()}}
        self.changes = 0

    def answer(self, request: Request, world: World) -> Reply:
        value = request.headers.get("x-api-key", "")
        if request.headers.get("anthropic-version") != "2023-06-01":
            return Reply(400, {"type": "error", "error": {"type": "invalid_request_error"}})
        if request.route == "GET /v1/models":
            return Reply(200, {"data": []}, name="probe") if self.alive(world, value) else self.refusal("probe")
        if value != self.admin:
            return self.refusal("read")
        if request.route == "GET /v1/organizations/api_keys":
            names, more = page(list(world["keys"]), request.query.get("after_id", ""))
            data = [self.shown(name, world["keys"][name]) for name in names]
            return Reply(200, {"data": data, "has_more": more, "last_id": names[-1] if names else None}, name="list")
        name = request.path.removeprefix("/v1/organizations/api_keys/")
        key = world["keys"].get(name)
        if key is None:
            return Reply(404, {"type": "error", "error": {"type": "not_found_error"}})
        if request.method == "GET":
            return Reply(200, self.shown(name, key))
        wanted = request.json["status"]
        said = {"inactive": "disable", "active": "enable", "archived": "delete"}[wanted]
        if key["state"] == "gone":
            return Reply(400, {"type": "error", "error": {"type": "invalid_request_error"}}, name=said)
        key["state"] = {"inactive": "disabled", "active": "active", "archived": "gone"}[wanted]
        return Reply(200, self.shown(name, key), name=said)

    @staticmethod
    def refusal(name: str) -> Reply:
        """What a dead key hears."""
        return Reply(401, {"type": "error", "error": {"type": "authentication_error"}}, name=name)


class OpenAi(AdminFake):
    """Keys in projects; each shows the ends of its value."""

    id = "key_017"
    other = "key_018"
    project = "proj_b"

    def make_value(self, rng: random.Random) -> str:
        return "sk-" + "proj-" + letters(rng, 74) + "T3Blbk" + "FJ" + letters(rng, 74)

    def shown(self, name: str, key: Record) -> Any:
        masked = f"{key['value'][:12]}***{key['value'][-4:]}"
        owner = {"type": "user", "user": {"email": key["owner"]}}
        return {"object": "organization.project.api_key", "id": name, "redacted_value": masked, "owner": owner}

    def answer(self, request: Request, world: World) -> Reply:
        if request.route == "GET /v1/models":
            known = self.alive(world, request.bearer) or request.bearer == self.admin
            return Reply(200, {"object": "list", "data": []}, name="probe") if known else self.refusal("probe")
        if request.bearer != self.admin:
            return self.refusal("read")
        if request.route == "GET /v1/organization/projects":
            names, more = page(["proj_a", "proj_z", self.project], request.query.get("after", ""))
            return Reply(200, self.listed([{"id": name} for name in names], more), name="list")
        _, _, _, _, project, _, *rest = request.path.split("/")
        keys = world["keys"] if project == self.project else {}
        if not rest:
            names, more = page(list(keys), request.query.get("after", ""))
            return Reply(200, self.listed([self.shown(name, keys[name]) for name in names], more), name="list")
        [name] = rest
        said = "delete" if request.method == "DELETE" else "read"
        if name not in keys:
            return Reply(404, {"error": {"message": "not found"}}, name=said)
        if request.method == "GET":
            return Reply(200, self.shown(name, keys[name]))
        del keys[name]
        return Reply(200, {"object": "organization.project.api_key.deleted", "id": name, "deleted": True}, name=said)

    @staticmethod
    def listed(data: list[Any], more: bool) -> Any:
        return {"object": "list", "data": data, "has_more": more, "last_id": data[-1]["id"] if data else None}

    @staticmethod
    def refusal(name: str) -> Reply:
        return Reply(401, {"error": {"code": "invalid_api_key", "message": "Incorrect API key provided"}}, name=name)


class Cloudflare(KeyFake):
    """A token verifies itself; a change replaces the whole token, so what is not sent is lost."""

    base = "/user"

    def record(self, value: str) -> Record:
        return {**super().record(value), "name": "ci", "policies": [{"effect": "allow"}], "condition": {"ip": "x"}}

    def shown(self, name: str, key: Record) -> Any:
        kept = {field: key.get(field) for field in ("name", "policies", "condition")}
        return {"success": True, "errors": [], "result": {"id": name, "status": key["state"], **kept}}

    def answer(self, request: Request, world: World) -> Reply:
        if request.route == f"GET {self.base}/tokens/verify":
            found = self.find(world, request.bearer)
            if not found:
                return Reply(401, {"success": False, "errors": [{"code": 1000}], "result": None}, name="probe")
            return Reply(200, {"success": True, "result": {"id": found[0], "status": found[1]["state"]}}, name="probe")
        said = {"PUT": "change", "DELETE": "delete"}.get(request.method, "read")
        if request.bearer != self.admin:
            return Reply(403, {"success": False, "errors": [{"code": 9109}], "result": None}, name=said)
        name = request.path.removeprefix(f"{self.base}/tokens/")
        if name not in world["keys"]:
            return Reply(404, {"success": False, "errors": [{"code": 1003}], "result": None}, name=said)
        if request.method == "GET":
            return Reply(200, self.shown(name, world["keys"][name]))
        if request.method == "DELETE":
            del world["keys"][name]
            return Reply(200, {"success": True, "result": {"id": name}}, name="delete")
        key = world["keys"][name]
        if not (request.json.get("name") and request.json.get("policies")):
            return Reply(400, {"success": False, "errors": [{"code": 1001}], "result": None}, name="disable")
        key.update({field: request.json.get(field) for field in ("name", "policies", "condition")})
        key["state"] = request.json["status"]
        return Reply(200, self.shown(name, key), name="disable" if key["state"] == "disabled" else "enable")


class CloudflareAccount(Cloudflare):
    """Tokens that belong to an account, not to a user."""

    base = "/accounts/acc1"


class Npm(AdminFake):
    """The account's own listing shows heads and tails; pages by URL."""

    def make_value(self, rng: random.Random) -> str:
        return "npm" + "_" + letters(rng, 36)

    def answer(self, request: Request, world: World) -> Reply:
        said = {"GET": "list", "DELETE": "delete"}.get(request.method, "read")
        if not self.alive(world, request.bearer):
            return Reply(401, {"error": "unauthorized"}, name=said)
        if request.route == "GET /-/whoami":
            return Reply(200, {"username": "sam"}, name="probe")
        if request.route == "GET /-/npm/v1/tokens":
            names, more = page(list(world["keys"]), request.query.get("after", ""))
            objects = [{"key": name, "token": self.mask(world["keys"][name]["value"])} for name in names]
            urls = {"next": f"{self.url}/-/npm/v1/tokens?after={names[-1]}"} if more else {}
            return Reply(200, {"objects": objects, "urls": urls}, name="list")
        name = request.path.removeprefix("/-/npm/v1/tokens/token/")
        found = world["keys"].pop(name, None)
        return Reply(204 if found else 404, None, name="delete")

    @staticmethod
    def mask(value: str) -> str:
        return f"{value[:8]}...{value[-4:]}"


class Heroku(AdminFake):
    """The account's authorizations hold the tokens themselves."""

    def answer(self, request: Request, world: World) -> Reply:
        said = {"DELETE": "delete"}.get(request.method, "probe")
        if "version=3" not in request.headers.get("accept", ""):
            return Reply(406, {"id": "not_acceptable"}, name=said)
        if not self.alive(world, request.bearer):
            return Reply(401, {"id": "unauthorized", "message": "Invalid credentials provided."}, name=said)
        if request.route == "GET /account":
            return Reply(200, {"id": "u-1", "email": "owner@example.org"}, name="probe")
        if request.route == "GET /oauth/authorizations":
            items = [
                {"id": f"auth-{name}", "access_token": {"id": name, "token": key["value"]}}
                for name, key in world["keys"].items()
            ]
            return Reply(200, items, name="list")
        found = world["keys"].pop(request.path.removeprefix("/oauth/tokens/"), None)
        return Reply(200 if found else 404, {} if found else {"id": "not_found"}, name="delete")


class SendGrid(KeyFake):
    """The middle of the value is the id."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets = self.secrets[:1]

    def make_value(self, rng: random.Random) -> str:
        return f"SG.{letters(rng, 22)}.{letters(rng, 43)}"

    def world(self) -> World:
        self.id, self.other = self.value.split(".")[1], self.neighbour.split(".")[1]
        return super().world()

    def answer(self, request: Request, world: World) -> Reply:
        said = {"DELETE": "delete"}.get(request.method, "read")
        if request.route == "GET /v3/scopes" and self.alive(world, request.bearer):
            return Reply(200, {"scopes": ["mail.send"]}, name="probe")
        if request.bearer != self.admin:
            known = self.alive(world, request.bearer)
            return Reply(403 if known else 401, {"errors": [{"message": "access forbidden"}]}, name=said)
        name = request.path.removeprefix("/v3/api_keys/")
        if name not in world["keys"]:
            return Reply(404, {"errors": [{"message": "API key not found"}]}, name=said)
        if request.method == "GET":
            return Reply(200, {"api_key_id": name, "name": "ci", "scopes": ["mail.send"]})
        del world["keys"][name]
        return Reply(204, None, name="delete")


class Mailgun(KeyFake):
    """A value ends with its id."""

    def make_value(self, rng: random.Random) -> str:
        return f"{hexes(rng, 32)}-{hexes(rng, 8)}-{hexes(rng, 8)}"

    def world(self) -> World:
        self.id, self.other = self.value.partition("-")[2], self.neighbour.partition("-")[2]
        return super().world()

    def answer(self, request: Request, world: World) -> Reply:
        user, value = basic(request)
        said = {"DELETE": "delete"}.get(request.method, "list")
        if request.route == "GET /v3/domains" and user == "api" and self.alive(world, value):
            return Reply(200, {"items": [], "total_count": 0}, name="probe")
        if value != self.admin:
            return Reply(401, {"message": "Invalid private key"}, name=said)
        if request.route == "GET /v1/keys":
            items = [{"id": name, "role": "admin", "is_disabled": False} for name in world["keys"]]
            return Reply(200, {"total_count": len(items), "items": items}, name="list")
        found = world["keys"].pop(request.path.removeprefix("/v1/keys/"), None)
        return Reply(200 if found else 404, {"message": "key deleted" if found else "not found"}, name="delete")


class Datadog(AdminFake):
    """The listing shows the last four characters; pages by number."""

    collection = "api_keys"
    application = "f0" * 20

    def make_value(self, rng: random.Random) -> str:
        return hexes(rng, 32)

    def answer(self, request: Request, world: World) -> Reply:
        value, own = request.headers.get("dd-api-key", ""), request.headers.get("dd-application-key", "")
        said = {"DELETE": "delete"}.get(request.method, "read")
        if request.route == "GET /api/v1/validate":
            known = self.collection == "api_keys" and self.alive(world, value)
            return (
                Reply(200, {"valid": True}, name="probe")
                if known
                else Reply(403, {"errors": ["Forbidden"]}, name="probe")
            )
        if (value, own) != (self.admin, self.application):
            return Reply(403, {"errors": ["Forbidden"]}, name=said)
        if request.route == f"GET /api/v2/{self.collection}":
            number = int(request.query.get("page[number]", "0"))
            size = int(request.query.get("page[size]", "10"))
            names = list(world["keys"])[number * size : (number + 1) * size]
            return Reply(200, {"data": [self.shown(name, world["keys"][name]) for name in names]}, name="list")
        name = request.path.removeprefix(f"/api/v2/{self.collection}/")
        if name not in world["keys"]:
            return Reply(404, {"errors": ["Not found"]}, name=said)
        if request.method == "GET":
            return Reply(200, {"data": self.shown(name, world["keys"][name])})
        del world["keys"][name]
        return Reply(204, None, name="delete")

    @staticmethod
    def shown(name: str, key: Record) -> Any:
        return {"id": name, "type": "api_keys", "attributes": {"name": "ci", "last4": key["value"][-4:]}}


class DatadogApplication(Datadog):
    """Application keys: the same, and nothing tells whether one lives."""

    collection = "application_keys"

    def make_value(self, rng: random.Random) -> str:
        return hexes(rng, 40)


class TwilioKey(KeyFake):
    """The SID is the id; only the account's token or a Main key manages keys."""

    id = "SK" + "0a" * 16
    account = "AC" + "1b" * 16

    def parts(self) -> Mapping[str, str]:
        return {"id": self.id}

    def answer(self, request: Request, world: World) -> Reply:
        said = {"DELETE": "delete"}.get(request.method, "read")
        if basic(request) != (self.account, self.admin):
            return Reply(401, {"code": 20003, "message": "Authenticate"}, name=said)
        name = request.path.removeprefix(f"/2010-04-01/Accounts/{self.account}/Keys/").removesuffix(".json")
        if name not in world["keys"]:
            return Reply(404, {"code": 20404}, name=said)
        if request.method == "GET":
            return Reply(200, {"sid": name, "friendly_name": "ci"})
        del world["keys"][name]
        return Reply(204, None, name="delete")


class TwilioToken(KeyFake):
    """An account's auth token: tried, never changed."""

    account = "AC" + "1b" * 16

    def parts(self) -> Mapping[str, str]:
        return {"sid": self.account}

    def answer(self, request: Request, world: World) -> Reply:
        user, value = basic(request)
        if user == self.account and self.alive(world, value):
            return Reply(200, {"sid": user, "status": "active"}, name="probe")
        return Reply(401, {"code": 20003, "message": "Authenticate"}, name="probe")


class Grafana(KeyFake):
    """Tokens of a service account, which alone can be disabled."""

    id = "31"
    other = "32"

    def answer(self, request: Request, world: World) -> Reply:
        if request.bearer != self.admin:
            if request.route == "GET /api/org" and self.alive(world, request.bearer):
                return Reply(200, {"id": 1, "name": "Main Org."}, name="probe")
            return Reply(401, {"message": "Invalid API key"}, name="probe")
        if request.route == "GET /api/serviceaccounts/5/tokens":
            listed = [{"id": int(name), "name": "ci", "isRevoked": False} for name in world["keys"]]
            return Reply(200, listed, name="list")
        if request.route == "PATCH /api/serviceaccounts/5":
            off = request.json["isDisabled"]
            for key in world["keys"].values():
                key["state"] = "disabled" if off else "active"
            return Reply(200, {"id": 5, "message": "Service account updated"}, name="disable" if off else "enable")
        found = world["keys"].pop(request.path.removeprefix("/api/serviceaccounts/5/tokens/"), None)
        return Reply(200 if found else 404, {"message": "deleted" if found else "not found"}, name="delete")


class Databricks(KeyFake):
    """An administrator manages the workspace's tokens by id."""

    def answer(self, request: Request, world: World) -> Reply:
        said = {"DELETE": "delete"}.get(request.method, "read")
        if request.route == "GET /api/2.0/preview/scim/v2/Me" and self.alive(world, request.bearer):
            return Reply(200, {"id": "1", "userName": "owner@example.org"}, name="probe")
        if request.bearer != self.admin:
            return Reply(403, {"error_code": "403", "message": "Invalid access token."}, name=said)
        name = request.path.removeprefix("/api/2.0/token-management/tokens/")
        if name not in world["keys"]:
            return Reply(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, name=said)
        if request.method == "GET":
            return Reply(200, {"token_info": {"token_id": name, "comment": "ci"}})
        del world["keys"][name]
        return Reply(200, {}, name="delete")


class Atlassian(KeyFake):
    """The tokens of one managed account."""

    def answer(self, request: Request, world: World) -> Reply:
        said = {"DELETE": "delete"}.get(request.method, "list")
        if request.bearer != self.admin:
            return Reply(401, {"code": 401, "message": "Unauthorized"}, name=said)
        if request.route == "GET /users/person-1/manage/api-tokens":
            return Reply(200, [{"id": name, "label": "ci", "expiry": None} for name in world["keys"]], name="list")
        found = world["keys"].pop(request.path.removeprefix("/users/person-1/manage/api-tokens/"), None)
        return Reply(204 if found else 404, None, name="delete")


class AtlassianOrg(KeyFake):
    """An organization's own key: only tried."""

    def answer(self, request: Request, world: World) -> Reply:
        if request.route == "GET /admin/v1/orgs" and self.alive(world, request.bearer):
            return Reply(200, {"data": []}, name="probe")
        return Reply(401, {"code": 401, "message": "Unauthorized"}, name="probe")
