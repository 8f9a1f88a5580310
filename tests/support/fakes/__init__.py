"""Vendors on loopback: what stands in for a provider's API in tests, with every way in which such an API can fail.

A fake is written from the vendor's documentation, never from the code under test. It is one class:

    class Acme(Fake):
        def world(self) -> World:                      # everything the vendor knows, as plain dicts and lists
            return {"keys": {"k1": {"value": …, "state": "active"}}}

        def answer(self, request: Request, world: World) -> Reply:
            match request.route:  # such as "GET /v1/keys/k1"
                case "DELETE /v1/keys/k1":
                    world["keys"].pop("k1")
                    return Reply(204, name="delete")
            return Reply(404)

All fakes of a process share one server; each has a base URL with a path of its own (`fake.url`), so that joining of
URLs is tested too. What changed is seen from the world before and after. `fault` and `on` say what goes wrong, where.
"""

from __future__ import annotations

import copy
import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from scanner.model import Secret

World = dict[str, Any]
JSON = "application/json"
RETRY_AFTER = 7


class Fault(Enum):
    """What goes wrong with a request."""

    TOO_MANY = "429 with Retry-After"
    FAILS_BEFORE = "500 before the effect"
    FAILS_AFTER = "500 after the effect"
    DROPPED_BEFORE = "connection dropped before the effect"
    DROPPED_AFTER = "connection dropped after the effect"
    SLOW = "slower than the client waits"
    GARBLED = "JSON cut off"
    HTML = "a web page"
    REDIRECT = "a redirect to another host"
    STALE = "reads show what was before the first change"


EFFECTLESS = frozenset({Fault.TOO_MANY, Fault.FAILS_BEFORE, Fault.DROPPED_BEFORE, Fault.REDIRECT})
"""The faults under which the vendor does nothing."""


@dataclass(frozen=True)
class Request:
    """What came. `path` is without the fake's own prefix and the query; `raw` is the target as it was sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    raw: str

    @property
    def route(self) -> str:
        """Method and path, unquoted: what a fake matches on."""
        return f"{self.method} {self.path}"

    @property
    def json(self) -> Any:
        """The body as JSON, if it is said to be some."""
        return json.loads(self.body) if self.headers.get("content-type", "").startswith(JSON) and self.body else None

    @property
    def form(self) -> Mapping[str, str]:
        """The body as a form."""
        kind = self.headers.get("content-type", "")
        return dict(parse_qsl(self.body.decode())) if kind.startswith("application/x-www-form") else {}

    @property
    def bearer(self) -> str:
        """The bearer token, or nothing."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value if scheme == "Bearer" else ""


@dataclass(frozen=True)
class Reply:
    """What is said. `body` is bytes, or what becomes JSON. `name` tells what was done: "read", "disable", "delete"."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = "read"


class Fake:
    """One vendor. `seen` is every request with what it did; `changes` counts those that changed the world."""

    def __init__(self) -> None:
        self.state: World = self.world()
        self.before: World = copy.deepcopy(self.state)
        self.seen: list[tuple[Request, Reply]] = []
        self.changes = 0
        self.fault: Fault | None = None
        self.on: Literal["reads", "changes", "all"] = "all"
        self.patience = threading.Event()
        self.secrets: list[Secret] = []
        self.in_urls = False
        self._lock = threading.Lock()
        self.url = _HALL.welcome(self)

    def world(self) -> World:
        """What the vendor knows at the beginning."""
        return {}

    def answer(self, request: Request, world: World) -> Reply:
        """What is said to a request, and what it does to the world."""
        raise NotImplementedError

    def close(self) -> None:
        """Nobody asks any more."""
        self.patience.set()
        _HALL.farewell(self)

    @property
    def names(self) -> list[str]:
        """What was asked for, in order: the names of the replies."""
        return [reply.name for _, reply in self.seen]

    def leaks(self) -> list[str]:
        """Requests with a secret where it must not be: in the URL or in the name of the client."""
        found = []
        for request, _ in self.seen:
            text = unquote(request.raw) + request.headers.get("user-agent", "")
            if not self.in_urls and any(secret.reveal().decode() in text for secret in self.secrets):
                found.append(request.method)
        return found

    def take(self, request: Request) -> Reply | None:
        """Answers one request, with the fault in force. None: the connection is dropped."""
        with self._lock:
            after = copy.deepcopy(self.state)
            reply = self.answer(request, after)
            changed = after != self.state
            fault = self.fault if self.on == "all" or (self.on == "changes") == changed else None
            if fault is Fault.STALE:
                reply = reply if changed else self.answer(request, copy.deepcopy(self.before))
            self.seen.append((request, reply))
            if fault not in EFFECTLESS:
                self.state = after
                self.changes += changed
        return self._spoilt(reply, fault)

    def _spoilt(self, reply: Reply, fault: Fault | None) -> Reply | None:
        match fault:
            case Fault.TOO_MANY:
                return Reply(429, {"error": "slow down"}, {"Retry-After": str(RETRY_AFTER)})
            case Fault.FAILS_BEFORE | Fault.FAILS_AFTER:
                return Reply(500, {"error": "oops"})
            case Fault.DROPPED_BEFORE | Fault.DROPPED_AFTER:
                return None
            case Fault.SLOW:
                self.patience.wait(5)
            case Fault.GARBLED:
                return Reply(200, b'{"id": "k', {"Content-Type": JSON})
            case Fault.HTML:
                return Reply(200, b"<!doctype html><p>Welcome", {"Content-Type": "text/html"})
            case Fault.REDIRECT:
                return Reply(307, None, {"Location": "http://192.0.2.1/elsewhere"})
            case _:
                pass
        return reply


class _Hall:
    """One server for all fakes of this process, started with the first of them."""

    def __init__(self) -> None:
        self._fakes: dict[str, Fake] = {}
        self._numbers = itertools.count(1)
        self._server: _Server | None = None

    def welcome(self, fake: Fake) -> str:
        if self._server is None:
            self._server = _Server(("127.0.0.1", 0), self._handler())
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True).start()
        prefix = f"/fake-{next(self._numbers)}"
        self._fakes[prefix] = fake
        return f"http://127.0.0.1:{self._server.server_address[1]}{prefix}"

    def farewell(self, fake: Fake) -> None:
        self._fakes = {prefix: each for prefix, each in self._fakes.items() if each is not fake}

    def _handler(self) -> type[StreamRequestHandler]:
        hall = self

        class Handler(StreamRequestHandler):
            """As much of HTTP/1.1 as a client needs, and quick: the suites ask thousands of times."""

            disable_nagle_algorithm = True
            wbufsize = -1

            def handle(self) -> None:
                while self._exchange():
                    self.wfile.flush()

            def _exchange(self) -> bool:
                method, _, rest = self.rfile.readline(65536).decode("latin-1").partition(" ")
                if not rest:
                    return False
                raw = rest.rpartition(" ")[0]
                headers = {}
                while line := self.rfile.readline(65536).decode("latin-1").strip():
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", "0")))
                parts = urlsplit(raw)
                prefix, _, path = parts.path[1:].partition("/")
                fake = hall._fakes.get(f"/{prefix}")
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                request = Request(method, "/" + unquote(path), query, headers, body, raw)
                reply = fake.take(request) if fake else Reply(404)
                if reply is None:
                    return False
                content = reply.body if isinstance(reply.body, bytes) else _dumped(reply.body)
                said = {"Content-Type": JSON, "Content-Length": str(len(content)), **reply.headers}
                lines = [f"HTTP/1.1 {reply.status} -", *(f"{name}: {value}" for name, value in said.items()), "", ""]
                self.wfile.write("\r\n".join(lines).encode("latin-1"))
                self.wfile.write(b"" if method == "HEAD" else content)
                return True

        return Handler


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the game."""


def _dumped(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


_HALL = _Hall()
