"""GitLab's token endpoints, from its documentation: access tokens as themselves, /admin/token for every kind."""

from __future__ import annotations

from typing import Any

from tests.support.fakes import Fake, Reply, Request, World

REFUSED = {"message": "401 Unauthorized"}


class Gitlab(Fake):
    """One server under a path of its own. `admin` is an administrator's token; gitlab.com gives nobody one."""

    def __init__(self, admin: str = "") -> None:
        self.admin = admin
        super().__init__()

    def world(self) -> World:
        return {"tokens": {}}

    def add(self, token: str, *, access: bool = True, scopes: tuple[str, ...] = ("api",)) -> None:
        """A living token: an access token, or one of another kind."""
        number = len(self.state["tokens"]) + 41
        self.state["tokens"][token] = {
            "id": number, "name": "deploy", "revoked": False, "active": True, "scopes": list(scopes), "user_id": 7,
            "created_at": "2026-01-01T00:00:00.000Z", "last_used_at": None, "expires_at": "2027-01-01",
            "access": access,
        }  # fmt: skip

    def answer(self, request: Request, world: World) -> Reply:
        given = request.headers.get("private-token", "") or request.bearer
        is_admin = bool(self.admin) and given == self.admin
        path = request.path.removeprefix("/api/v4")
        if path == request.path:
            return Reply(404, b"<html>not the API</html>", {"Content-Type": "text/html"})
        if path == "/admin/token":
            return self._admin(request, world, is_admin)
        if path == "/personal_access_tokens/self":
            token = world["tokens"].get(given)
            return self._own(request, token if token and token["access"] and not token["revoked"] else None)
        if path.startswith("/personal_access_tokens/"):
            return self._by_id(request, world, path.rpartition("/")[2], is_admin)
        return Reply(404, {"error": "404 Not Found"})

    def _own(self, request: Request, token: dict[str, Any] | None) -> Reply:
        if token is None:
            return Reply(401, REFUSED)
        if request.method == "GET":
            return Reply(200, _shown(token))
        if not {"api", "self_rotate"} & set(token["scopes"]):
            return Reply(403, {"error": "insufficient_scope"})
        token |= {"revoked": True, "active": False}
        return Reply(204, name="delete")

    def _by_id(self, request: Request, world: World, number: str, is_admin: bool) -> Reply:
        if not is_admin:
            return Reply(401, REFUSED)
        for token in world["tokens"].values():
            if str(token["id"]) == number and token["access"]:
                if request.method == "GET":
                    return Reply(200, _shown(token))
                token |= {"revoked": True, "active": False}
                return Reply(204, name="delete")
        return Reply(404, {"message": "404 Personal Access Token Not Found"})

    def _admin(self, request: Request, world: World, is_admin: bool) -> Reply:
        if not is_admin:
            return Reply(403, {"message": "403 Forbidden"})
        body = request.json
        token = world["tokens"].get(body.get("token")) if isinstance(body, dict) else None
        if token is None or (token["revoked"] and not token["access"]):
            return Reply(404, {"message": "404 Not Found"})
        if request.method == "POST":
            return Reply(200, _shown(token))
        token |= {"revoked": True, "active": False}
        return Reply(204, name="delete")


def _shown(token: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in token.items() if name != "access"}
