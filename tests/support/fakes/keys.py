"""A vendor with one key that leaks, one that does not, and an administrator's credential."""

from __future__ import annotations

import base64
import copy
import random
from collections.abc import Mapping
from typing import Any

from scanner.model import Secret
from tests.support.fakes import Fake, Reply, Request, World

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
OWNER = "owner@example.org"
Record = dict[str, Any]


def letters(rng: random.Random, count: int) -> str:
    """Made-up letters and digits."""
    return "".join(rng.choices(LETTERS, k=count))


def hexes(rng: random.Random, count: int) -> str:
    """Made-up hexadecimal digits."""
    return "".join(rng.choices("0123456789abcdef", k=count))


def basic(request: Request) -> tuple[str, str]:
    """User and password of basic authentication."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return "", ""
    user, _, word = base64.b64decode(value).decode().partition(":")
    return user, word


class KeyFake(Fake):
    """Keys by id: `{"value": …, "state": "active" | "disabled"}`; a deleted one is not there."""

    id = "key-17"
    other = "key-18"
    seed = 7

    def __init__(self) -> None:
        self._random = random.Random(self.seed)
        self.value = self.make_value(self._random)
        self.stranger = self.make_value(self._random)
        self.neighbour = self.make_value(self._random)
        self.admin = letters(self._random, 40)
        super().__init__()
        self.secrets = [Secret(text.encode()) for text in (self.value, self.neighbour, self.admin)]

    def make_value(self, rng: random.Random) -> str:
        """A value of the vendor's form."""
        return letters(rng, 40)

    def parts(self) -> Mapping[str, str]:
        """What leaked beside the value."""
        return {}

    def world(self) -> World:
        return {"keys": {self.other: self.record(self.neighbour), self.id: self.record(self.value)}}

    def record(self, value: str) -> Record:
        """What the vendor keeps of a key."""
        return {"value": value, "state": "active", "owner": OWNER}

    def arrange(self, state: str) -> None:
        """Puts the key that leaks into a state, as if it always had been."""
        if state == "gone":
            self.state["keys"].pop(self.id, None)
        else:
            self.state["keys"].setdefault(self.id, self.record(self.value))["state"] = state
        self.before = copy.deepcopy(self.state)
        self.changes = 0

    def state_of(self, value: str) -> str | None:
        """What became of a value; None when nobody knows it."""
        return next((key["state"] for key in self.state["keys"].values() if key["value"] == value), None)

    @staticmethod
    def find(world: World, value: str) -> tuple[str, Record] | None:
        """The key that has this value, whatever its state."""
        return next(((name, key) for name, key in world["keys"].items() if value and key["value"] == value), None)

    def alive(self, world: World, value: str) -> tuple[str, Record] | None:
        """The key that has this value, if it opens anything."""
        found = self.find(world, value)
        return found if found and found[1]["state"] == "active" else None


class SelfFake(KeyFake):
    """A vendor at which a key says who it is, and often ends itself.

    `me` and `revoke` are routes; `refused` is what a dead key hears. Each vendor's class says how a key shows itself.
    """

    me = ""
    revoke = ""
    revoked = 204
    refused: tuple[int, Any] = (401, {"message": "Unauthorized"})

    def shown(self, request: Request) -> str:
        """The value with which a request authorises itself."""
        return request.bearer

    def doomed(self, request: Request, world: World) -> str:
        """The value that is to be revoked."""
        return self.shown(request)

    def about(self, name: str, key: Record) -> Any:
        """What a key hears about itself."""
        return {"id": name, "email": key["owner"]}

    def answer(self, request: Request, world: World) -> Reply:
        route = request.route
        if route == self.me_route():
            found = self.alive(world, self.shown(request))
            return Reply(200, self.about(*found), name="probe") if found else Reply(*self.refused, name="probe")
        if self.revoke and route == self.revoke_route():
            return self.revocation(request, world)
        return self.elsewhere(request, world)

    def me_route(self) -> str:
        """The route of `me`, where it depends on the key."""
        return self.me

    def revoke_route(self) -> str:
        """The route of `revoke`, where it depends on the key."""
        return self.revoke

    def revocation(self, request: Request, world: World) -> Reply:
        """The end of a key by itself."""
        found = self.alive(world, self.doomed(request, world))
        if not found:
            return Reply(*self.refused, name="delete")
        del world["keys"][found[0]]
        return Reply(self.revoked, {} if self.revoked == 200 else None, name="delete")

    def elsewhere(self, request: Request, world: World) -> Reply:
        """Further routes."""
        return Reply(404, {"message": "no such route"})
