"""A fake vendor on loopback: keeps every request, answers out of a `Fake`, and misbehaves when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit


class Fault(Enum):
    """What can go wrong with one request."""

    LIMITED = "429 with Retry-After, before any effect"
    DOWN = "503 before any effect"
    BROKEN = "500 after the effect"
    DROPPED = "the connection ends before any effect"
    DROPPED_AFTER = "the connection ends after the effect"
    SILENT = "no answer in time, after the effect"
    GARBAGE = "malformed JSON, after the effect"
    PAGE = "a web page instead of JSON, before any effect"
    MOVED = "a redirect to another host, before any effect"
    FORBIDDEN = "403 before any effect"
    EXPIRED = "401 before any effect"


@dataclass
class Call:
    """One request as it came. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def segments(self) -> list[str]:
        """The path's parts, decoded."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON; {} when there is none."""
        found = json.loads(self.body) if self.body else {}
        assert isinstance(found, dict)
        return found

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))

    @property
    def bearer(self) -> str:
        """The bearer token, or nothing."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" else ""


@dataclass
class Reply:
    """What is answered; `body` is written as JSON unless it is bytes or None."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Fake(Protocol):
    """The vendor's side: one answer for each request."""

    def answer(self, call: Call) -> Reply:
        """The vendor's answer."""
        ...


@dataclass
class Plan:
    """A fault for the next `times` requests that match."""

    fault: Fault
    matches: Callable[[Call], bool]
    times: int


@dataclass
class Vendor:
    """A running fake: where it is, what it was asked, and how it shall misbehave."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    errors: list[str] = field(default_factory=list)

    def fail(self, fault: Fault, matches: Callable[[Call], bool] = lambda _call: True, *, times: int = 1) -> None:
        """The next `times` requests that match go wrong like this."""
        self.plans.append(Plan(fault, matches, times))

    def asked(self, method: str, start: str = "/") -> list[Call]:
        """The requests of this method whose path begins so."""
        return [call for call in self.calls if call.method == method and call.path.startswith(start)]

    def leaks(self, value: str) -> list[str]:
        """Where a value stands that must not stand there: in a request's line or in its User-Agent."""
        return [
            f"{call.method} {place}"
            for call in self.calls
            for place in (call.path, str(call.query), call.headers.get("user-agent", ""))
            if value in unquote(place)
        ]

    def _fault(self, call: Call) -> Fault | None:
        for plan in self.plans:
            if plan.times > 0 and plan.matches(call):
                plan.times -= 1
                return plan.fault
        return None


BEFORE = {
    Fault.LIMITED: Reply(429, {"message": "slow down"}, {"Retry-After": "7"}),
    Fault.DOWN: Reply(503, {"message": "down"}),
    Fault.PAGE: Reply(200, b"<html><body>Maintenance</body></html>", {"Content-Type": "text/html"}),
    Fault.MOVED: Reply(302, None, {"Location": "http://127.0.0.2:9/elsewhere"}),
    Fault.FORBIDDEN: Reply(403, {"message": "no"}),
    Fault.EXPIRED: Reply(401, {"message": "who are you"}),
}
AFTER = {Fault.BROKEN: Reply(500, {"message": "oh"}), Fault.GARBAGE: Reply(200, b'{"half": ')}


@contextmanager
def serving(fake: Fake) -> Iterator[Vendor]:
    """The fake on a free port of loopback."""
    vendor = Vendor()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            with lock:
                vendor.calls.append(call)
                fault = vendor._fault(call)
                reply = BEFORE.get(fault) if fault else None
                if fault is not Fault.DROPPED and reply is None:
                    try:
                        reply = fake.answer(call)
                    except Exception as error:
                        vendor.errors.append(f"{call.method} {call.path}: {error!r}")
                        raise
                reply = AFTER.get(fault, reply) if fault else reply
            if fault is Fault.SILENT:
                vendor.released.wait(20)
            if reply is None or fault in (Fault.SILENT, Fault.DROPPED_AFTER):
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Errors are kept in `errors`, not printed."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield vendor
    finally:
        vendor.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
