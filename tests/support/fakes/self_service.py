"""Vendors whose keys are tried, and often ended, with the key itself. Written from the fact sheet's section on each."""

from __future__ import annotations

import random
from typing import Any

from tests.support.fakes import Reply, Request, World
from tests.support.fakes.keys import Record, SelfFake, basic, hexes, letters


class HuggingFace(SelfFake):
    """Revocation is anonymous, takes a list, and answers 202 to anything."""

    me = "GET /api/whoami-v2"

    def about(self, name: str, key: Record) -> Any:
        return {"type": "user", "name": "somebody", "email": key["owner"], "auth": {"accessToken": {"role": "write"}}}

    def elsewhere(self, request: Request, world: World) -> Reply:
        if request.route != "POST /api/credentials/revoke":
            return Reply(404)
        values = request.json["credentials"] if isinstance(request.json, dict) else None
        if not isinstance(values, list):
            return Reply(422, name="delete")
        for value in values:
            if found := self.find(world, value):
                del world["keys"][found[0]]
        return Reply(202, None, name="delete")


class DigitalOcean(SelfFake):
    """The revocation has the token twice: as bearer and in a form."""

    me = "GET /v2/account"
    revoke = "POST /v1/oauth/revoke"
    revoked = 200
    refused = (401, {"id": "Unauthorized", "message": "Unable to authenticate you"})

    def about(self, name: str, key: Record) -> Any:
        return {"account": {"uuid": "u-1", "email": key["owner"], "status": "active"}}

    def doomed(self, request: Request, world: World) -> str:
        return request.form["token"] if request.form.get("token") == request.bearer else ""


class Stripe(SelfFake):
    """Nothing can be changed; key as bearer or as the user of basic authentication."""

    me = "GET /v1/balance"
    refused = (401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}})

    def shown(self, request: Request) -> str:
        return request.bearer or basic(request)[0]

    def about(self, name: str, key: Record) -> Any:
        return {"object": "balance", "available": []}


class Okta(SelfFake):
    """SSWS; a token ends itself as `current`."""

    me = "GET /api/v1/users/me"
    revoke = "DELETE /api/v1/api-tokens/current"
    refused = (401, {"errorCode": "E0000011", "errorSummary": "Invalid token provided"})

    def shown(self, request: Request) -> str:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return value if scheme == "SSWS" else ""

    def about(self, name: str, key: Record) -> Any:
        return {"id": "00u1", "status": "ACTIVE", "profile": {"email": key["owner"]}}


class Vercel(SelfFake):
    """The current token ends itself."""

    me = "GET /v2/user"
    revoke = "DELETE /v3/user/tokens/current"
    revoked = 200
    refused = (403, {"error": {"code": "forbidden", "message": "Not authorized", "invalidToken": True}})

    def about(self, name: str, key: Record) -> Any:
        return {"user": {"id": "u1", "email": key["owner"]}}


class Fastly(SelfFake):
    """Fastly-Key; the token's own record has its id. A superuser reads tokens by id."""

    me = "GET /tokens/self"
    revoke = "DELETE /tokens/self"
    refused = (401, {"msg": "Provided credentials are missing or invalid"})

    def shown(self, request: Request) -> str:
        return request.headers.get("fastly-key", "")

    def about(self, name: str, key: Record) -> Any:
        return {"id": name, "name": "deploy", "scope": "global", "expires_at": None}

    def elsewhere(self, request: Request, world: World) -> Reply:
        name = request.path.removeprefix("/tokens/")
        if request.method != "GET" or self.shown(request) != self.admin:
            return Reply(401)
        return Reply(200, self.about(name, {})) if name in world["keys"] else Reply(404, {"msg": "Record not found"})


class Buildkite(SelfFake):
    """The token's own record, and its end, at one address."""

    me = "GET /v2/access-token"
    revoke = "DELETE /v2/access-token"
    refused = (401, {"message": "Authentication required. Please supply a valid API Access Token"})

    def about(self, name: str, key: Record) -> Any:
        return {"uuid": name, "scopes": ["read_builds"], "user": {"name": "Sam", "email": key["owner"]}}


class Doppler(SelfFake):
    """The revocation needs nothing but the token in its body."""

    me = "GET /v3/me"
    revoke = "POST /v3/auth/revoke"
    revoked = 200
    refused = (401, {"messages": ["Invalid Auth token"], "success": False})

    def about(self, name: str, key: Record) -> Any:
        return {"type": "service_token", "name": "ci", "slug": name, "workplace": {"name": "Acme"}}

    def doomed(self, request: Request, world: World) -> str:
        return str(request.json.get("token", "")) if request.json else ""


class Telegram(SelfFake):
    """The token stands in the path; 401 for a token that is none any more."""

    refused = (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})

    def make_value(self, rng: random.Random) -> str:
        return "".join(rng.choices("123456789", k=10)) + ":" + letters(rng, 35)

    def answer(self, request: Request, world: World) -> Reply:
        value = request.path.removeprefix("/bot").removesuffix("/getMe")
        if self.alive(world, value):
            return Reply(200, {"ok": True, "result": {"id": 1, "is_bot": True, "username": "some_bot"}}, name="probe")
        return Reply(*self.refused, name="probe")


class DiscordBot(SelfFake):
    """`Bot` and the token."""

    me = "GET /api/v10/users/@me"
    refused = (401, {"message": "401: Unauthorized", "code": 0})

    def shown(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bot ")

    def about(self, name: str, key: Record) -> Any:
        return {"id": "1", "username": "some_bot", "bot": True}


class DiscordWebhook(SelfFake):
    """What leaks is a URL, and the URL is all the authority there is."""

    def make_value(self, rng: random.Random) -> str:
        number = "".join(rng.choices("123456789", k=18))
        return f"https://discord.com/api/webhooks/{number}/{letters(rng, 68)}"

    def answer(self, request: Request, world: World) -> Reply:
        path = request.path.replace("/api/v10/", "/api/")
        found = self.find(world, f"https://discord.com{path}")
        if not found:
            return Reply(404, {"message": "Unknown Webhook", "code": 10015}, name="probe")
        if request.method == "DELETE":
            del world["keys"][found[0]]
            return Reply(204, None, name="delete")
        return Reply(200, {"id": path.split("/")[3], "type": 1, "name": "hook"}, name="probe")


class PagerDuty(SelfFake):
    """`Token token=…`."""

    me = "GET /users"
    refused = (401, {"error": {"message": "Invalid credentials", "code": 2006}})

    def shown(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Token token=")

    def about(self, name: str, key: Record) -> Any:
        return {"users": [], "limit": 1, "more": False}


class Linear(SelfFake):
    """GraphQL; a personal key stands in the header as it is."""

    me = "POST /graphql"
    refused = (401, {"errors": [{"message": "Authentication required, not authenticated"}]})

    def shown(self, request: Request) -> str:
        return request.headers.get("authorization", "")

    def about(self, name: str, key: Record) -> Any:
        return {"data": {"viewer": {"id": "v1", "email": key["owner"]}}}


class LinearOauth(Linear):
    """A token of an application is a bearer, and can be revoked."""

    revoke = "POST /oauth/revoke"
    revoked = 200

    def shown(self, request: Request) -> str:
        return request.bearer


class Snyk(SelfFake):
    """`token` and the token; the version is a parameter."""

    me = "GET /rest/self"
    refused = (401, {"jsonapi": {"version": "1.0"}, "errors": [{"status": "401"}]})

    def shown(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("token ") if request.query.get("version") else ""

    def about(self, name: str, key: Record) -> Any:
        return {"data": {"id": "u1", "type": "user", "attributes": {"email": key["owner"]}}}


class CircleCi(SelfFake):
    """Circle-Token."""

    me = "GET /api/v2/me"
    refused = (401, {"message": "You must log in first."})

    def shown(self, request: Request) -> str:
        return request.headers.get("circle-token", "")

    def about(self, name: str, key: Record) -> Any:
        return {"id": "u1", "login": "sam", "name": "Sam"}


class Twitch(SelfFake):
    """Validation names the client id, which the revocation needs."""

    me = "GET /oauth2/validate"
    revoke = "POST /oauth2/revoke"
    revoked = 200
    refused = (401, {"status": 401, "message": "invalid access token"})

    def make_value(self, rng: random.Random) -> str:
        return "".join(rng.choices("abcdefghij0123456789", k=30))

    def shown(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("OAuth ")

    def about(self, name: str, key: Record) -> Any:
        return {"client_id": "client-9", "login": "sam", "scopes": [], "user_id": "1", "expires_in": 5_000}

    def doomed(self, request: Request, world: World) -> str:
        return request.form.get("token", "") if request.form.get("client_id") == "client-9" else ""


class Terraform(SelfFake):
    """A token deletes itself, or another of its user's, by id."""

    id = "at-abc17"
    me = "GET /api/v2/account/details"
    revoke = "DELETE /api/v2/authentication-tokens/at-abc17"
    refused = (401, {"errors": [{"status": "401", "title": "unauthorized"}]})

    def about(self, name: str, key: Record) -> Any:
        return {"data": {"id": "user-1", "type": "users", "attributes": {"username": "sam", "email": key["owner"]}}}


class Netlify(SelfFake):
    """A token deletes tokens of its user by id."""

    id = "5f3c"
    me = "GET /api/v1/user"
    revoke = "DELETE /api/v1/access_tokens/5f3c"
    refused = (401, {"code": 401, "message": "Access Denied"})


class SentryUser(SelfFake):
    """Only tried."""

    me = "GET /api/0/auth/validate/"
    refused = (401, {"detail": "Invalid token"})

    def about(self, name: str, key: Record) -> Any:
        return {"isAuthenticated": True}


class SentryOrg(SentryUser):
    """An administrator deletes an organization's token by its id."""

    id = "4711"

    def elsewhere(self, request: Request, world: World) -> Reply:
        name = request.path.removeprefix("/api/0/organizations/acme/org-auth-tokens/").rstrip("/")
        if request.method != "DELETE" or request.bearer != self.admin:
            return Reply(403, {"detail": "You do not have permission to perform this action."}, name="delete")
        if world["keys"].pop(name, None) is None:
            return Reply(404, {"detail": "The requested resource does not exist"}, name="delete")
        return Reply(204, None, name="delete")


class Vault(SelfFake):
    """Lookup and end by the token itself; an operator looks up by accessor. 403 is what a dead token hears."""

    id = "acc-17"
    me = "GET /v1/auth/token/lookup-self"
    revoke = "POST /v1/auth/token/revoke-self"
    refused = (403, {"errors": ["permission denied"]})

    def make_value(self, rng: random.Random) -> str:
        return "hv" + "s." + letters(rng, 90)

    def shown(self, request: Request) -> str:
        return request.headers.get("x-vault-token", "")

    def about(self, name: str, key: Record) -> Any:
        return {"data": {"accessor": name, "display_name": "token-ci", "policies": ["default"]}}

    def elsewhere(self, request: Request, world: World) -> Reply:
        if request.route != "POST /v1/auth/token/lookup-accessor" or self.shown(request) != self.admin:
            return Reply(*self.refused)
        name = request.json["accessor"]
        return (
            Reply(200, self.about(name, {})) if name in world["keys"] else Reply(404, {"errors": ["invalid accessor"]})
        )


class CratesIo(SelfFake):
    """Nothing tells whether a token lives; it ends itself."""

    me = "none"
    revoke = "DELETE /api/v1/tokens/current"
    refused = (403, {"errors": [{"detail": "authentication failed"}]})

    def shown(self, request: Request) -> str:
        return request.headers.get("authorization", "")


class PyPi(SelfFake):
    """No API at all."""

    me = "none"


class NewRelic(SelfFake):
    """GraphQL: who am I, and a mutation that deletes by id with somebody else's key."""

    id = "8A1B"
    me = "none"
    refused = (401, {"errors": [{"message": "invalid api key"}]})

    def elsewhere(self, request: Request, world: World) -> Reply:
        value, said = request.headers.get("api-key", ""), request.json or {}
        found = self.alive(world, value)
        if request.route != "POST /graphql" or (not found and value != self.admin):
            return Reply(*self.refused)
        if "apiAccessDeleteKeys" not in said.get("query", ""):
            return Reply(200, {"data": {"actor": {"user": {"email": "owner@example.org"}}}}, name="probe")
        wanted = said.get("variables", {}).get("ids", [])
        deleted = [name for name in wanted if world["keys"].pop(name, None)]
        errors = [{"message": "Key not found"}] if len(deleted) < len(wanted) else []
        body = {"deletedKeys": [{"id": name} for name in deleted], "errors": errors}
        return Reply(200, {"data": {"apiAccessDeleteKeys": body}}, name="delete")


def uuid(rng: random.Random) -> str:
    """A made-up UUID."""
    return "-".join(hexes(rng, count) for count in (8, 4, 4, 4, 12))
