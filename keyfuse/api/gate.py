"""What every request passes first: its id, who asks, how often, how much; and what every answer carries.

A bearer token is wanted for everything but health, the page at `/`, and the intakes, which know their senders by
signature. What fails unforeseen is answered with a bare 500; the log gets the place of the defect and never its text.
"""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus

import anyio.to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyfuse.api.bodies import Budget, announced, limited
from keyfuse.api.caller import Caller
from keyfuse.api.desk import Desk
from keyfuse.api.problems import Refusal, problem, refusal_of
from scanner.errors import KeyfuseError
from scanner.model import Secret, printable

OPEN = frozenset({"/", "/healthz", "/readyz"})
SIGNED = frozenset(
    {"/intake/github", "/intake/gitlab", "/intake/push", "/v1/revocable_token_types", "/v1/revoke_tokens"}
)
LARGE = SIGNED | {"/intake/report"}
"""Where bodies may be large, and so share a budget."""
TRANSACTION_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)


class Gate:
    """ASGI middleware. `desk` gives the desk in force at the moment."""

    def __init__(self, app: ASGIApp, desk: Callable[[], Desk]) -> None:
        self._app = app
        self._desk = desk
        self._budgets: dict[int, Budget] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        state = scope.setdefault("state", {})
        desk = state["desk"] = self._desk()
        given = request.headers.get("transaction-id", "")
        state["transaction_id"] = given if TRANSACTION_ID.fullmatch(given) else secrets.token_hex(16)
        framed = _Frame(send, state["transaction_id"])
        began = time.monotonic()
        try:
            await self._pass(request, desk, receive, framed)
        except Refusal as refusal:
            await framed.refuse(request, refusal)
        except KeyfuseError as error:
            await framed.refuse(request, refusal_of(error))
        except Exception as error:  # the last resort: the daemon goes on
            place = "".join(traceback.format_tb(error.__traceback__)[-3:])
            kind = type(error).__name__
            desk.services.journal.error("defect", kind=kind, place=place, transaction=state["transaction_id"])
            text = "this is a defect of keyfuse; its log says more under this transaction id"
            await framed.refuse(request, Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "defect", text))
        _log(request, desk, framed.status, time.monotonic() - began)

    async def _pass(self, request: Request, desk: Desk, receive: Receive, framed: _Frame) -> None:
        path = request.url.path
        caller = await _identify(request, desk)
        if caller is not None:
            request.scope["state"]["caller"] = caller
        large = path in LARGE
        most = desk.settings.intake.max_body if large else desk.settings.max_body
        size = announced(request.scope, most)
        if not large:
            await self._app(request.scope, limited(receive, most), framed)
            return
        async with self._budget(desk.settings.intake.in_flight).take(size):
            await self._app(request.scope, limited(receive, most), framed)

    def _budget(self, size: int) -> Budget:
        if size not in self._budgets:
            self._budgets = {size: Budget(size)}
        return self._budgets[size]


async def _identify(request: Request, desk: Desk) -> Caller | None:
    """The caller; None where none is needed. Raises Refusal."""
    address = request.client.host if request.client else ""
    if request.url.path in OPEN | SIGNED:
        if wait := max(desk.requests.take(f"from {address}"), desk.refusals.wait(address)):
            raise _too_often(wait)
        return None
    if wait := desk.refusals.wait(address):
        raise _too_often(wait)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer" and token.strip():
        secret = Secret(token.strip().encode("latin-1", "replace"))
        found = await anyio.to_thread.run_sync(desk.gatekeeper.of_token, secret)
    if found is None:
        desk.refusals.take(address)
        text = "send `Authorization: Bearer …` with a valid token; `keyfuse users add` makes one"
        raise Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized", text, {"WWW-Authenticate": 'Bearer realm="keyfuse"'})
    user, below = found
    if wait := desk.requests.take(f"by {user.id}"):
        raise _too_often(wait)
    return Caller(user, below)


def _too_often(wait: int) -> Refusal:
    text = f"too many requests; come again in {wait} s"
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", text, {"Retry-After": str(wait)})


class _Frame:
    """Sends an answer with the headers that every answer carries."""

    def __init__(self, send: Send, transaction_id: str) -> None:
        self._send = send
        self._transaction_id = transaction_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            mine = [(b"transaction-id", self._transaction_id.encode("ascii"))]
            mine.append((b"x-global-transaction-id", self._transaction_id.encode("ascii")))
            message = {**message, "headers": [*message.get("headers", ()), *HEADERS, *mine]}
        await self._send(message)

    async def refuse(self, request: Request, refusal: Refusal) -> None:
        """Answers with what went wrong, unless an answer has begun already."""
        if not self.status:
            await problem(request, refusal)(request.scope, request.receive, self)


def _log(request: Request, desk: Desk, status: int, seconds: float) -> None:
    """One line; never the path or query as they came: they may hold a key in the wrong place."""
    route = getattr(request.scope.get("route"), "path", "(none)")
    caller = request.scope["state"].get("caller")
    details = {
        "method": printable(request.method),
        "route": route,
        "status": status,
        "seconds": round(seconds, 4),
        "user": printable(caller.user.name) if caller else "-",
        "transaction": request.scope["state"]["transaction_id"],
    }
    say = desk.services.journal.debug if request.method == "GET" and status < 400 else desk.services.journal.info
    say("request", **details)
