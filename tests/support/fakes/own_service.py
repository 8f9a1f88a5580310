"""A company's own key service, as docs/providers.md asks for it: it checks signatures and keeps idempotency keys."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from tests.support.fakes import Reply, Request, World
from tests.support.fakes.keys import OWNER, KeyFake

STATES = {"active": "active", "disabled": "disabled", "gone": "deleted"}


class OwnService(KeyFake):
    """Deleted keys stay in its books."""

    def world(self) -> World:
        return {**super().world(), "done": {}}

    def arrange(self, state: str) -> None:
        super().arrange("active")
        self.state["keys"][self.id].update(state=state)
        self.before["keys"][self.id].update(state=state)

    def answer(self, request: Request, world: World) -> Reply:
        stamp = request.headers.get("x-keyfuse-timestamp", "")
        mac = hmac.new(self.admin.encode(), stamp.encode() + b"." + request.body, hashlib.sha256)
        name = request.path.removeprefix("/")
        said = {"identify": "probe", "state": "read"}.get(name, name)
        if request.headers.get("x-keyfuse-signature") != f"sha256={mac.hexdigest()}":
            return Reply(401, {"error": "bad signature"}, name=said)
        question = request.json
        if said in ("probe", "read"):
            return Reply(200, self.record_of(question, world), name=said)
        key = world["keys"].get(question["id"])
        once = question["idempotency_key"]
        if once in world["done"]:
            return Reply(200, {"outcome": "done"}, name=said)
        if key is None or key["state"] == "gone":
            return Reply(200, {"outcome": "done" if said != "enable" else "refused"}, name=said)
        key["state"] = {"disable": "disabled", "enable": "active", "delete": "gone"}[said]
        world["done"][once] = True
        return Reply(200, {"outcome": "done", "reason": f"key {question['id']}"}, name=said)

    def record_of(self, question: Any, world: World) -> Any:
        found = self.find(world, question.get("secret", ""))
        key_id = found[0] if found else question.get("id", "")
        if key_id not in world["keys"]:
            return {"found": False, "sees_all": True}
        state = STATES[world["keys"][key_id]["state"]]
        return {"found": True, "id": key_id, "state": state, "owners": [OWNER], "action_when_leaked": "disable"}
