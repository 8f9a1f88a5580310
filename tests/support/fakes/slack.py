"""Slack's auth.test and auth.revoke: 200 whatever happens, and `ok` in the body tells."""

from __future__ import annotations

from tests.support.fakes import Fake, Reply, Request, World


class Slack(Fake):
    """slack.com/api. `afterwards` is what is said of a revoked token; `half` has auth.revoke say ok and do nothing."""

    afterwards = "token_revoked"
    half = False

    def world(self) -> World:
        return {"tokens": {}}

    def add(self, token: str) -> None:
        """A living token."""
        self.state["tokens"][token] = "active"

    def answer(self, request: Request, world: World) -> Reply:
        given = request.bearer or request.form.get("token", "")
        state = world["tokens"].get(given)
        match request.route, state:
            case (("POST /auth.test" | "POST /auth.revoke"), None):
                return Reply(200, {"ok": False, "error": "invalid_auth" if given else "not_authed"})
            case (("POST /auth.test" | "POST /auth.revoke"), "revoked"):
                return Reply(200, {"ok": False, "error": self.afterwards})
            case "POST /auth.test", _:
                return Reply(200, {"ok": True, "url": "https://acme.slack.com/", "team": "Acme", "user": "bot",
                                   "team_id": "T1", "user_id": "U1", "bot_id": "B1"})  # fmt: skip
            case "POST /auth.revoke", _ if request.form.get("test") == "1" or self.half:
                return Reply(200, {"ok": True, "revoked": False})
            case "POST /auth.revoke", _:
                world["tokens"][given] = "revoked"
                return Reply(200, {"ok": True, "revoked": True}, name="delete")
        return Reply(200, {"ok": False, "error": "unknown_method"})
