"""Which provider a reported token is from: whoever reports it uses a name of its own, but the rules know its form.

Only a value that one rule matches as a whole is recognised; what two rules claim, or none, stays as it was reported.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from keyfuse.daemon.sights import Sights
from keyfuse.session import Session
from responders.foreign import UNKNOWN
from responders.leakreport import LeakReport
from scanner.model import Blob, Confidence, Finding, Fingerprint, Origin, Place, Secret, TokenKind

ORIGIN = Origin(Place.REPORT, "report")


class Recognition:
    """Recognises tokens, one thread at a time; the rules are compiled when the first unknown token comes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sights = Sights(session)
        self._lock = threading.Lock()

    def of(self, reports: Sequence[LeakReport]) -> list[LeakReport]:
        """The reports, with the rule and provider of those that are recognised. Registered keys need it not."""
        strange = [report.fingerprint for report in reports if report.leak.kind.provider == UNKNOWN]
        if not strange:
            return list(reports)
        with self._session.records().read() as tx:
            known = frozenset(tx.keys.lookup(strange))
        with self._lock:
            return [self._recognised(report, known) for report in reports]

    def _recognised(self, report: LeakReport, known: Collection[Fingerprint]) -> LeakReport:
        leak = report.leak
        if leak.kind.provider != UNKNOWN or leak.secret is None or report.fingerprint in known:
            return report
        kinds = set(self._kinds(leak.secret))
        return replace(report, leak=replace(leak, kind=kinds.pop())) if len(kinds) == 1 else report

    def _kinds(self, secret: Secret) -> Iterator[TokenKind]:
        for found in self._sights.scanner().scan(Blob(secret.reveal(), ORIGIN)):
            if isinstance(found, Finding) and found.secret == secret and found.confidence is Confidence.HIGH:
                yield found.kind
