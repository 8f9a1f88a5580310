"""The operations of the Yandex fake: a change is taken, and done at once, later, or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from tests.support.fakes import Reply, Request

if TYPE_CHECKING:
    from tests.support.fakes.yandex import Yandex

HTTP = {3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 12: 501, 13: 500, 14: 503, 16: 401}
METADATA = {
    "accounts": ("type.googleapis.com/yandex.cloud.iam.v1.SuspendServiceAccountMetadata", "serviceAccountId"),
    "keys": ("type.googleapis.com/yandex.cloud.iam.v1.DeleteApiKeyMetadata", "apiKeyId"),
}
EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


@dataclass
class Operation:
    """One change under way: `changes` are the fields of what is changed, None where it is deleted.

    `looks`: how many more looks until it is over. `failing`: the gRPC code that it ends with.
    """

    id: str
    verb: str
    kind: str
    target: str
    changes: dict[str, Any] | None
    looks: int
    failing: int | None
    created_at: str
    done: bool = False


class Operations:
    """`/operations`, and the idempotency keys of the requests that began them. `slow`, `failing`: how new ones go."""

    def __init__(self, yandex: Yandex) -> None:
        self._yandex = yandex
        self.slow = 0
        self.failing: int | None = None

    def start(self, request: Request, verb: str, kind: str, target: str, changes: dict[str, Any] | None) -> Reply:
        """The answer to a change; the same one to a repeat under the same idempotency key."""
        if (again := self.repeated(request)) is not None:
            return again
        yandex = self._yandex
        moment = yandex.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Operation(yandex.new_id(), verb, kind, target, changes, self.slow, self.failing, moment)
        yandex.of("operations")[made.id] = made
        if key := request.headers.get("idempotency-key"):
            yandex.of("begun")[key, request.method, request.path] = made.id
        if not made.looks:
            self._finish(made)
        return Reply(200, self._shown(made), name=verb)

    def repeated(self, request: Request) -> Reply | None:
        """The operation that an earlier request with this idempotency key began."""
        key = request.headers.get("idempotency-key", "")
        found = self._yandex.of("begun").get((key, request.method, request.path)) if key else None
        return Reply(200, self._shown(self._yandex.of("operations")[found])) if found else None

    def get(self, operation_id: str) -> Reply:
        """One look at it."""
        found: Operation | None = self._yandex.of("operations").get(operation_id)
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
            return
        targets = self._yandex.of(operation.kind)
        if operation.changes is None:
            targets.pop(operation.target, None)
            return
        for name, value in operation.changes.items():
            setattr(targets[operation.target], name, value)

    def _shown(self, operation: Operation) -> dict[str, Any]:
        moments = {"createdAt": operation.created_at, "modifiedAt": operation.created_at}
        shown: dict[str, Any] = {"id": operation.id, "description": operation.verb, "done": operation.done, **moments}
        kind, name = METADATA[operation.kind]
        shown["metadata"] = {"@type": kind, name: operation.target}
        if operation.done and operation.failing is not None:
            shown["error"] = {"code": operation.failing, "message": "it could not be done", "details": []}
        elif operation.done:
            shown["response"] = EMPTY
        return shown


def failed(code: int, message: str) -> Reply:
    """A gRPC status as JSON, under its HTTP status."""
    detail = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "r-1"}
    return Reply(HTTP[code], {"code": code, "message": message, "details": [detail]})
