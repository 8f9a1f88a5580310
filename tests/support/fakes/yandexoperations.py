"""The operations of the Yandex fake: a change is taken, and done at once, later, or never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.support.fakes.server import Call, Reply

HTTP = {3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 12: 501, 13: 500, 14: 503, 16: 401}


@dataclass
class Operation:
    """One change under way. `looks`: how many more looks until it is over."""

    id: str
    metadata: dict[str, str]
    effect: Callable[[], dict[str, Any]]
    looks: int
    failing: int | None
    created_at: str
    done: bool = False
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Operations:
    """`/operations`, and the idempotency keys of the requests that began them."""

    def __init__(self, new_id: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self._new_id = new_id
        self._clock = clock
        self._all: dict[str, Operation] = {}
        self._begun: dict[tuple[str, str, str], str] = {}
        self.slow = 0
        self.failing: int | None = None

    def start(self, call: Call, effect: Callable[[], dict[str, Any]], metadata: dict[str, str]) -> Reply:
        """The answer to a change; the same one to a repeat under the same idempotency key."""
        if (again := self.repeated(call)) is not None:
            return again
        moment = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Operation(self._new_id(), metadata, effect, self.slow, self.failing, moment)
        self._all[made.id] = made
        if key := call.headers.get("idempotency-key"):
            self._begun[key, call.method, call.path] = made.id
        if not made.looks:
            self._finish(made)
        return Reply(200, self._shown(made))

    def repeated(self, call: Call) -> Reply | None:
        """The operation that an earlier request with this idempotency key began."""
        key = call.headers.get("idempotency-key", "")
        found = self._begun.get((key, call.method, call.path)) if key else None
        return Reply(200, self._shown(self._all[found])) if found else None

    def get(self, operation_id: str) -> Reply:
        """One look at it."""
        found = self._all.get(operation_id)
        if found is None:
            return failed(5, "Operation not found")
        if not found.done:
            found.looks -= 1
            if found.looks <= 0:
                self._finish(found)
        return Reply(200, self._shown(found))

    def _finish(self, operation: Operation) -> None:
        operation.done = True
        if operation.failing is not None:
            operation.error = {"code": operation.failing, "message": "it could not be done", "details": []}
        else:
            operation.response = operation.effect()

    def _shown(self, operation: Operation) -> dict[str, Any]:
        moments = {"createdAt": operation.created_at, "modifiedAt": operation.created_at}
        body: dict[str, Any] = {"id": operation.id, "description": "change", "done": operation.done, **moments}
        body["metadata"] = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": operation.metadata}
        if operation.error is not None:
            body["error"] = operation.error
        if operation.response is not None:
            struct = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": operation.response}
            body["response"] = struct if operation.response else {"@type": "type.googleapis.com/google.protobuf.Empty"}
        return body


def failed(code: int, message: str) -> Reply:
    """A gRPC status as JSON, under its HTTP status."""
    detail = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "r-1"}
    return Reply(HTTP[code], {"code": code, "message": message, "details": [detail]})
