"""GitHub's token endpoints, from its documentation: /user, /credentials/revoke, installation tokens."""

from __future__ import annotations

from tests.support.fakes import Fake, Reply, Request, World

BAD = {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}
MOST = 1000


class Github(Fake):
    """github.com; with `enterprise` an Enterprise Server, where revoking takes that token.

    A revoked token lives on until `settle`, unless `at_once`.
    """

    def __init__(self, *, enterprise: str = "", at_once: bool = True) -> None:
        self.enterprise = enterprise
        self.at_once = at_once
        super().__init__()

    def world(self) -> World:
        return {"tokens": {}}

    def add(self, token: str, login: str = "octocat") -> None:
        """A living token."""
        self.state["tokens"][token] = {"login": login, "state": "active"}

    def settle(self) -> None:
        """What was accepted takes effect."""
        for token in self.state["tokens"].values():
            token["state"] = "revoked" if token["state"] == "dying" else token["state"]

    def answer(self, request: Request, world: World) -> Reply:
        given = request.headers.get("authorization", "").rpartition(" ")[2]  # after "Bearer", or "token" of old
        token = world["tokens"].get(given)
        alive = token if token and token["state"] != "revoked" else None
        match request.route:
            case "POST /credentials/revoke":
                return self._revoke(request, world)
            case "GET /user" if alive and not given.startswith(("ghs_", "ghr_")):
                return Reply(200, {"login": alive["login"], "id": 1, "type": "User"}, {"X-OAuth-Scopes": "repo"})
            case "GET /user" if alive:
                return Reply(403, {"message": "Resource not accessible by integration"})
            case "GET /installation/repositories" if alive and given.startswith("ghs_"):
                return Reply(200, {"total_count": 0, "repositories": []})
            case "DELETE /installation/token" if alive and given.startswith("ghs_"):
                alive["state"] = "revoked"
                return Reply(204, name="delete")
            case "GET /user" | "GET /installation/repositories" | "DELETE /installation/token":
                return Reply(401, BAD)
        return Reply(404, {"message": "Not Found"})

    def _revoke(self, request: Request, world: World) -> Reply:
        if self.enterprise and request.bearer != self.enterprise:
            return Reply(401, {"message": "Requires authentication"})
        if not self.enterprise and "authorization" in request.headers:
            return Reply(403, {"message": "This endpoint takes no authentication"})
        body = request.json
        given = body.get("credentials") if isinstance(body, dict) else None
        if (
            not isinstance(given, list)
            or not 1 <= len(given) <= MOST
            or not all(isinstance(each, str) for each in given)
        ):
            return Reply(422, {"message": "Validation Failed"})
        for value in given:
            if (
                value in world["tokens"]
                and not value.startswith("ghs_")
                and world["tokens"][value]["state"] == "active"
            ):
                world["tokens"][value]["state"] = "revoked" if self.at_once else "dying"
        return Reply(202, name="delete")
