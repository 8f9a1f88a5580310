"""The classic infrastructure (SoftLayer) of the IBM fake: users, each with one key, over REST v3.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.fakes import Reply, Request
from tests.support.fakes.routing import body
from tests.support.tokens import text

if TYPE_CHECKING:
    from tests.support.fakes.ibm import Ibm

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class User:
    """A user and the value of its key; `parent` is who invited it."""

    id: int
    username: str
    parent: int
    key_id: int = 0
    value: str = ""


class Classic:
    """`/rest/v3.1`."""

    def __init__(self, ibm: Ibm) -> None:
        self._ibm = ibm
        self.owner = self.make("owner@example.org", 0)

    @property
    def users(self) -> dict[int, User]:
        """The users there are."""
        return self._ibm.of("users")

    def make(self, name: str, parent: int | None = None) -> User:
        """A user with a key."""
        number = 1000 + len(self.users)
        user = User(number, f"{self._ibm.account_id[:6]}_{name}", self.owner.id if parent is None else parent)
        user.key_id, user.value = number + 50_000, text(self._ibm.rng, 64, BASE36)
        self.users[number] = user
        return user

    def by_value(self, value: str) -> User | None:
        """The user whose key it is."""
        return next((user for user in self.users.values() if value and user.value == value), None)

    def answer(self, request: Request, rest: list[str]) -> Reply:
        """Routes one request."""
        from tests.support.fakes.ibm import basic

        name, password = basic(request)
        caller = self.by_value(password)
        if name == "apikey" and self._ibm.works(password):
            caller = self.users[self.owner.id]
        elif caller is None or caller.username != name:
            return _error(401, "Invalid API token.")
        match request.method, [part.removesuffix(".json") for part in rest]:
            case "GET", ["SoftLayer_Account"]:
                return Reply(200, {"id": 1, "companyName": "Example"})
            case "GET", ["SoftLayer_Account", "getCurrentUser"]:
                return Reply(200, {"id": caller.id, "username": caller.username})
            case "GET", ["SoftLayer_Account", "getUsers"]:
                return self._list(request, caller)
            case "GET", ["SoftLayer_User_Customer", number, "getApiAuthenticationKeys"]:
                user = self.users.get(int(number))
                if user is None or not self._below(user, caller):
                    return _error(404, "Unable to find object.")
                return Reply(200, _keys(user))
            case "POST", ["SoftLayer_User_Customer", number, "removeApiAuthenticationKey"]:
                user = self.users.get(int(number))
                [key_id] = body(request)["parameters"]
                if user is None or not self._below(user, caller):
                    return _error(403, "Access denied.")
                if not user.value or user.key_id != key_id:
                    return _error(404, "Unable to find object.")
                user.value = ""
                return Reply(200, True, name="delete")
        return _error(404, "Function does not exist.")

    def _list(self, request: Request, caller: User) -> Reply:
        start, size = map(int, request.query.get("resultLimit", "0,100").split(","))
        seen = [user for user in self.users.values() if self._below(user, caller)]
        seen_users: list[dict[str, Any]] = [
            {"id": user.id, "username": user.username, "apiAuthenticationKeys": _keys(user)}
            for user in seen[start : start + size]
        ]
        return Reply(200, seen_users)

    def _below(self, user: User, caller: User) -> bool:
        """Whether the caller is the user or one of its ancestors."""
        while user.id != caller.id:
            if user.parent not in self.users:
                return False
            user = self.users[user.parent]
        return True


def _keys(user: User) -> list[dict[str, Any]]:
    return [{"id": user.key_id, "userId": user.id, "authenticationKey": user.value}] if user.value else []


def _error(status: int, message: str) -> Reply:
    return Reply(status, {"error": message, "code": "SoftLayer_Exception"})
