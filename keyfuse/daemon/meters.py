"""What the daemon counts, as Prometheus reads it. Labels are rules, states and kinds of work: never paths or keys."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from keyfuse import __version__
from responders.errors import StoreError
from responders.incident import IncidentState
from responders.notify.queue import DeliveryState
from responders.records import Records
from scanner.model import Finding

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 3600)


class Meters:
    """Counters of this process, and gauges that are read from the database when somebody asks for them."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._registry = CollectorRegistry()
        self.scans = Counter(
            "keyfuse_scans", "Pieces of work scanned: single files as they change, whole targets.", ["kind"],
            registry=self._registry,
        )  # fmt: skip
        self.scanned_bytes = Counter("keyfuse_scanned_bytes", "Bytes looked at.", registry=self._registry)
        self.skipped = Counter("keyfuse_skipped", "What could not be scanned.", registry=self._registry)
        self.findings = Counter(
            "keyfuse_findings", "Leaks met, each as often as it was met.", ["rule", "severity"], registry=self._registry
        )
        self.contain = Histogram(
            "keyfuse_time_to_contain_seconds", "From an incident's opening to its proof.", buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self.responses = Counter(
            "keyfuse_responses", "Responses carried out, by how they ended.", ["state"], registry=self._registry
        )
        self.provider_errors = Counter(
            "keyfuse_provider_errors", "Answers of providers that were errors, or none.", ["provider"],
            registry=self._registry,
        )  # fmt: skip
        self.notices = Counter("keyfuse_notices", "Deliveries of notices.", ["outcome"], registry=self._registry)
        self.work = Counter(
            "keyfuse_work", "Items of work, by how they ended.", ["kind", "outcome"], registry=self._registry
        )
        self.errors = Counter("keyfuse_errors", "Rounds of a part that failed.", ["part"], registry=self._registry)
        self.waiting_files = Gauge("keyfuse_waiting_files", "Changed files not scanned yet.", registry=self._registry)
        info = Gauge("keyfuse_info", "The version that runs.", ["version"], registry=self._registry)
        info.labels(__version__).set(1)
        self._registry.register(_Stored(records))

    def met(self, findings: Iterable[Finding]) -> None:
        """Counts findings."""
        for finding in findings:
            self.findings.labels(finding.kind.id, finding.kind.severity.name.lower()).inc()

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Stored(Collector):
    """What the database knows: read at each scrape, in one transaction."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records

    def collect(self) -> Iterable[Metric]:
        """Incidents by state, work by kind and state, notices by state; and whether the database answered."""
        up = GaugeMetricFamily("keyfuse_database_up", "Whether the database answered.")
        try:
            with self._records().read() as tx:
                states = tx.incidents.counts()
                work = tx.work.counts()
                notices = {state: tx.notices.count(state) for state in DeliveryState if state is not DeliveryState.SENT}
        except StoreError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        incidents = GaugeMetricFamily("keyfuse_incidents", "Incidents by state.", labels=["state"])
        for state in IncidentState:
            incidents.add_metric([state.value], states.get(state, 0))
        queue = GaugeMetricFamily("keyfuse_work_items", "Items of work in the queue.", labels=["kind", "state"])
        for (kind, stands), count in sorted(Tally(work).items()):
            queue.add_metric([kind, stands.value], count)
        waiting = GaugeMetricFamily(
            "keyfuse_notices_queued", "Deliveries that wait or were given up.", labels=["state"]
        )
        for stands_notice, count in notices.items():
            waiting.add_metric([stands_notice.value], count)
        return [up, incidents, queue, waiting]

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []
