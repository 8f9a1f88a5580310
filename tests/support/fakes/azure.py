"""Entra's token endpoint, Microsoft Graph's applications and the Resource Manager's storage accounts."""

from __future__ import annotations

import re
from typing import Any

from tests.support.fakes import Fake, Reply, Request, World

TENANT = "11111111-2222-3333-4444-555555555555"
OWN_APP = "aaaaaaaa-0000-4000-8000-000000000000"
SUBSCRIPTION = "99999999-0000-4000-8000-000000000000"
ACCOUNT = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/([a-z0-9]+)(/\w+)?"
)


def fault(status: int, word: str) -> Reply:
    """The error object of Graph and the Resource Manager."""
    return Reply(status, {"error": {"code": word, "message": "made up"}})


class Azure(Fake):
    """One tenant and one subscription. `own` is the client secret of keyfuse's application."""

    def __init__(self, own: str) -> None:
        self.own = own
        self.made = 0
        super().__init__()

    def world(self) -> World:
        return {"apps": {}, "storage": {}}

    def add_app(self, app: str, secrets: dict[str, str]) -> None:
        """An application with client secrets by key id."""
        self.state["apps"][app] = {"object": app.replace("a", "b"), "enabled": True, "secrets": dict(secrets)}

    def add_storage(self, name: str, keys: tuple[str, str]) -> None:
        """A storage account with its two keys."""
        self.state["storage"][name] = {"key1": keys[0], "key2": keys[1], "shared": None}

    def answer(self, request: Request, world: World) -> Reply:
        if request.path == f"/{TENANT}/oauth2/v2.0/token":
            return self._token(request, world)
        if request.bearer != self._bearer():
            return fault(401, "InvalidAuthenticationToken")
        if request.path.startswith("/v1.0/"):
            return self._graph(request, world)
        if "api-version" not in request.query:
            return fault(400, "MissingApiVersionParameter")
        if found := re.fullmatch(r"/subscriptions/([^/]+)/providers/Microsoft.Storage/storageAccounts", request.path):
            return self._accounts(request, world, found[1])
        if found := ACCOUNT.fullmatch(request.path):
            return self._account(request, world, found[2], found[3] or "")
        return fault(404, "NotFound")

    def _bearer(self) -> str:
        return "eyJ" + "access-token-of-the-fake"

    def _token(self, request: Request, world: World) -> Reply:
        app, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        if not request.form.get("scope", "").endswith("/.default"):
            return _denied(400, 70011)
        if app == OWN_APP and secret == self.own:
            return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": self._bearer()})
        if app not in world["apps"]:
            return _denied(400, 700016)
        if secret not in world["apps"][app]["secrets"].values():
            return _denied(401, 7000215)
        if not world["apps"][app]["enabled"]:
            return _denied(400, 7000112)
        return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ" + "somebody-elses"})

    def _graph(self, request: Request, world: World) -> Reply:
        route = request.route.replace("/v1.0/", "")
        named = re.fullmatch(r"(GET|PATCH) (applications|servicePrincipals)\(appId='([0-9a-f-]+)'\)", route)
        if named:
            app = world["apps"].get(named[3])
            return _named(request, app, named[2]) if app else fault(404, "Request_ResourceNotFound")
        for each in world["apps"].values():
            if route == f"POST applications/{each['object']}/removePassword":
                if request.json["keyId"] not in each["secrets"]:
                    return fault(400, "Request_BadRequest")
                del each["secrets"][request.json["keyId"]]
                return Reply(204, name="delete")
        return fault(404, "Request_ResourceNotFound")

    def _accounts(self, request: Request, world: World, subscription: str) -> Reply:
        """One account a page."""
        if subscription != SUBSCRIPTION:
            return fault(403, "AuthorizationFailed")
        names = sorted(world["storage"])
        at = int(request.query.get("$skiptoken", "0"))
        body: dict[str, Any] = {"value": [_shown(name, world["storage"][name]) for name in names[at : at + 1]]}
        if at + 1 < len(names):
            body["nextLink"] = f"{self.url}{request.path}?api-version=2023-05-01&$skiptoken={at + 1}"
        return Reply(200, body)

    def _account(self, request: Request, world: World, name: str, verb: str) -> Reply:
        account = world["storage"].get(name)
        if account is None:
            return fault(404, "ResourceNotFound")
        match request.method, verb:
            case "GET", "":
                return Reply(200, _shown(name, account))
            case "PATCH", "":
                account["shared"] = request.json["properties"]["allowSharedKeyAccess"]
                return Reply(200, _shown(name, account), name="disable")
            case "POST", "/listKeys":
                return Reply(200, _keys(account))
            case "POST", "/regenerateKey":
                self.made += 1
                account[request.json["keyName"]] = f"regenerated-{self.made}"
                return Reply(200, _keys(account), name="delete")
        return fault(404, "NotFound")


def _named(request: Request, app: dict[str, Any], sort: str) -> Reply:
    if request.method == "PATCH":
        app["enabled"] = request.json["accountEnabled"]
        return Reply(204, name="disable")
    if sort == "servicePrincipals":
        return Reply(200, {"id": "sp", "accountEnabled": app["enabled"]})
    secrets = [{"keyId": each, "hint": value[:3], "secretText": None} for each, value in app["secrets"].items()]
    return Reply(200, {"id": app["object"], "passwordCredentials": secrets})


def _denied(status: int, code: int) -> Reply:
    body = {"error": "invalid_client", "error_description": f"AADSTS{code}: made up.", "error_codes": [code]}
    return Reply(status, body)


def _shown(name: str, account: dict[str, Any]) -> dict[str, Any]:
    resource = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/{name}"
    properties = {} if account["shared"] is None else {"allowSharedKeyAccess": account["shared"]}
    return {"id": resource, "name": name, "properties": properties}


def _keys(account: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [{"keyName": each, "value": account[each], "permissions": "FULL"} for each in ("key1", "key2")]}
