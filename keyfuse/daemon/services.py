"""What the daemon offers to what runs inside it: the HTTP side, and handlers of its own kinds of work.

The HTTP side hangs in by one module, `keyfuse.api.service`, with one function:

    open_service(services: Services) -> Extension | None

which is called once, before anything is claimed; None means that the configuration wants no HTTP. The daemon starts it
last, stops it first, and gives work of its `kinds` to its `handle`, in a thread that no long scan occupies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.work import Work
from keyfuse.session import Session
from responders.leakreport import LeakReport
from responders.work import WorkItem


class Reports(Protocol):
    """Takes in leaks that somebody found."""

    def report(self, reports: Sequence[LeakReport], *, actor: str) -> list[str]:
        """Opens (or joins) an incident for each and returns their ids; they are on disk when this returns.

        Responses follow at once in the background, with the secrets still at hand. Raises StoreError.
        """
        ...

    def respond(self, incident_id: str) -> None:
        """Has an incident responded to in the background, because somebody wants it to go on."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The running daemon, as its extensions see it.

    session: configuration and records. A reload makes a new one, and tells extensions so (`Extension.reloaded`).
    work: the durable queue. `enqueue("scan", {"target": name}, dedupe=f"target:{name}")` has a target scanned.
    reports: where leaks go.
    health: what /healthz and /readyz say.
    metrics: the text of /metrics (Prometheus' format; see `METRICS_TYPE`).
    told: to be called when a notice was queued, so that it goes out at once.
    """

    session: Session
    work: Work
    reports: Reports
    health: Health
    metrics: Callable[[], bytes]
    told: Callable[[], None]
    journal: Journal


METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Extension(Protocol):
    """Something that runs inside the daemon."""

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of work that `handle` does."""
        ...

    def handle(self, item: WorkItem) -> Mapping[str, Any]:
        """Does one item and returns its result. An exception has it tried again later; it may be done twice."""
        ...

    def start(self) -> None:
        """Begins to serve. Raises CannotRun with the next step, such as when an address is taken."""
        ...

    def reloaded(self, services: Services) -> None:
        """There is a new configuration, in force from now on."""
        ...

    def stop(self, seconds: float) -> None:
        """Takes nothing new, and ends what is under way within so many seconds."""
        ...
