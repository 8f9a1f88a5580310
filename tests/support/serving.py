"""A daemon's HTTP side on a free port of loopback, over a real database, without the daemon's other threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import requests

from keyfuse.api.service import Http
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.services import Services
from keyfuse.daemon.work import Work
from keyfuse.session import Session
from responders.gatekeeper import Gatekeeper, NewUser
from responders.keyfile import sealer
from responders.leakreport import LeakReport
from responders.users import Role
from tests.support.stores import Clock

RULES = '[rules]\nonly = ["github-pat", "keyfuse-key"]\n'


@dataclass
class Answering:
    """Opens incidents and responds to them at once, in the thread that reports."""

    session: Session

    def report(self, reports: Sequence[LeakReport], *, actor: str) -> list[str]:
        """One incident each."""
        responder = self.session.responder()
        ids = []
        for found in reports:
            incident = responder.report(found, actor=actor)
            responder.respond(incident.id, found.leak, actor=actor)
            ids.append(incident.id)
        return ids

    def respond(self, incident_id: str) -> None:
        """Responds."""
        self.session.responder().respond(incident_id, actor="keyfuse")


@dataclass
class House:
    """The server and what lies behind it."""

    url: str
    session: Session
    services: Services
    http: Http
    clock: Clock
    log: StringIO
    told: list[None] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str, role: Role = Role.ADMIN, **more: Any) -> str:
        """A new user's token."""
        keeper = Gatekeeper(self.session.records(), self.session.fingerprinter(), self.clock)
        return keeper.add(NewUser(name, role, **more), actor="tester")[1].reveal().decode()

    def shared(self, name: str) -> str:
        """The token of an administrator whom several tests share."""
        if name not in self.tokens:
            self.tokens[name] = self.token(name)
        return self.tokens[name]

    def client(self, name: str, role: Role = Role.ADMIN, **more: Any) -> Client:
        """A new user, ready to ask."""
        return Client(self.url, self.token(name, role, **more))

    def drain(self) -> int:
        """Works off what waits in the queue; returns how many items of reported leaks that were."""
        done = 0
        while items := self.services.work.claim(self.http.kinds, limit=1):
            for item in items:
                self.services.work.complete(item, self.http.handle(item))
                done += 1
        return done


@dataclass
class Client:
    """One user of the API."""

    url: str
    token: str | None = None

    def __call__(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
        """Sends a request and returns the answer."""
        given = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.url + path, headers={**given, **(headers or {})}, timeout=60, **more)


@contextmanager
def serving(
    data_dir: Path,
    config: str = "",
    *,
    clock: Clock | None = None,
    env: Mapping[str, str] | None = None,
    cache: Path | None = None,
) -> Iterator[House]:
    """The HTTP side over the database of this directory, with this configuration beside `[api] port = 0`."""
    file = data_dir / "keyfuse.toml"
    file.write_text(RULES + "[api]\nport = 0\nrequests_per_minute = 100000\n" + config)
    clock = clock or Clock()
    environ = {"KEYFUSE_DATA_DIR": str(data_dir), "KEYFUSE_CACHE_DIR": str(cache or data_dir / "cache"), **(env or {})}
    log = StringIO()
    told: list[None] = []
    with Session(str(file), clock, environ) as session:
        services = Services(
            session=session,
            work=Work(session.records(), clock, lambda: sealer(data_dir), node="n1", holder="test"),
            reports=Answering(session),
            health=_healthy(),
            metrics=lambda: b"# none\n",
            told=lambda: told.append(None),
            journal=Journal(log, level="debug"),
        )
        http = Http(services)
        http.start()
        try:
            yield House(http.url, session, services, http, clock, log, told)
        finally:
            http.stop(10)


def _healthy() -> Health:
    health = Health()
    health.unready("daemon", "")
    return health
