"""What happens to leaks: an incident for each, on disk before anything else; then responses, by a few threads.

A slow provider occupies one thread and delays no other leak. What the process cannot get to any more is in the
database, and whoever tends it goes on with it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from keyfuse.daemon.counted import Counted
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.meters import Meters
from keyfuse.session import Session
from responders.incident import Incident, IncidentState
from responders.leakreport import LeakReport, from_findings
from responders.provider import Leak
from responders.respond import Responder
from responders.upkeep import ITSELF
from scanner.errors import KeyfuseError
from scanner.model import Finding

THREADS = 4
AT_ONCE = 50
"""So many incidents are opened in one write."""
WAITING = 2_000
"""So many leaks wait with their secrets in memory; further ones are taken up from the database."""
_ENDED = frozenset({IncidentState.CONTAINED, IncidentState.NOTED, IncidentState.BLOCKED, IncidentState.FAILED})


class Answers:
    """Takes in leaks and answers them. Thread-safe. `told` is called when there may be notices to deliver."""

    def __init__(
        self, session: Session, meters: Meters, journal: Journal, health: Health, told: Callable[[], None]
    ) -> None:
        self._meters = meters
        self._journal = journal
        self._health = health
        self._told = told
        self._waiting: queue.Queue[tuple[str, Leak | None] | None] = queue.Queue(WAITING)
        self._threads: list[threading.Thread] = []
        self._under_way = 0
        self._lock = threading.Lock()
        self.renew(session)

    def renew(self, session: Session) -> None:
        """Goes on under another configuration."""
        self._session = session
        providers = Counted(session.catalog(), lambda name: self._meters.provider_errors.labels(name).inc())
        self.responder: Responder = session.responder(providers)

    def start(self) -> None:
        """Starts the threads."""
        for number in range(THREADS):
            thread = threading.Thread(target=self._run, name=f"respond-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def take(self, findings: Sequence[Finding], *, source: str) -> int:
        """Opens incidents for findings that are sure enough, or whose key is registered. Returns how many."""
        if not findings:
            return 0
        self._meters.met(findings)
        reports = from_findings(findings, source=source, seen_at=self._session.clock())
        with self._session.records().read() as tx:
            known = tx.keys.lookup([report.fingerprint for report in reports])
        least = self._session.config.scan.incident_confidence
        sure = {finding.fingerprint for finding in findings if finding.confidence >= least}
        wanted = [report for report in reports if report.fingerprint in known or report.fingerprint in sure]
        return len(self.report(wanted, actor=ITSELF))

    def report(self, reports: Sequence[LeakReport], *, actor: str) -> list[str]:
        """Opens (or joins) an incident for each; a response follows in the background. Raises StoreError."""
        ids = []
        for start in range(0, len(reports), AT_ONCE):
            some = reports[start : start + AT_ONCE]
            for report, incident in zip(some, self.responder.report_all(some, actor=actor), strict=True):
                ids.append(incident.id)
                self._enqueue(incident.id, report.leak)
        return ids

    def respond(self, incident_id: str) -> None:
        """Has an incident responded to in the background."""
        self._enqueue(incident_id, None)

    def tend(self) -> None:
        """Goes on with what is due: proofs, questions, what another process left unfinished."""
        self.responder.tend()
        self._told()

    def recover(self) -> int:
        """At start, when nobody else can be at it: goes on with everything that has not ended."""
        return self.responder.recover()

    def waiting(self) -> int:
        """How many responses are waiting or under way."""
        return self._waiting.qsize() + self._under_way

    def drain(self, seconds: float) -> bool:
        """Waits until all is answered, at most so long; true when it is. Then ends the threads."""
        end = time.monotonic() + seconds
        while self.waiting() and time.monotonic() < end:
            time.sleep(0.02)
        done = not self.waiting()
        for _ in self._threads:
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                break
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()) + 0.5 if done else 0.1)
        return done

    def _enqueue(self, incident_id: str, leak: Leak | None) -> None:
        try:
            self._waiting.put_nowait((incident_id, leak))
        except queue.Full:
            self._journal.warning("too many leaks at once; the rest is answered from the database", waiting=WAITING)

    def _run(self) -> None:
        while True:
            job = self._waiting.get()
            if job is None:
                return
            with self._lock:
                self._under_way += 1
            try:
                self._answer(*job)
            finally:
                with self._lock:
                    self._under_way -= 1
                self._told()

    def _answer(self, incident_id: str, leak: Leak | None) -> None:
        try:
            incident = self.responder.respond(incident_id, leak, actor=ITSELF)
        except Exception as error:  # one leak must not keep the others from being answered; it is taken up again
            self._meters.errors.labels("respond").inc()
            reason = str(error) if isinstance(error, KeyfuseError) else type(error).__name__
            self._journal.error("a response was interrupted", incident=incident_id, reason=reason)
            return
        self._note(incident, self._session.clock())

    def _note(self, incident: Incident, now: datetime) -> None:
        self._meters.responses.labels(incident.state.value).inc()
        details = {"incident": incident.id, "rule": incident.rule, "state": incident.state.value}
        if incident.state is IncidentState.CONTAINED and incident.evidence:
            seconds = (incident.changed_at - incident.opened_at).total_seconds()
            self._meters.contain.observe(max(seconds, 0.0))
            self._journal.info("leak contained", **details, seconds=seconds)
        elif incident.state in _ENDED:
            self._journal.warning("leak answered", **details, reason=incident.reason)
        else:
            self._journal.warning("leak under way", **details, reason=incident.reason)
