"""What is known of the keys that an audit found, and what was done about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from responders.case import known_key
from responders.errors import ProviderError
from responders.incident import ActionKind, Incident, IncidentState
from responders.leakreport import LeakReport, from_findings
from responders.policy import Act, Decision
from responders.provider import Ambiguous, Identified, Identity, NotFound, Unknown
from responders.registry import KeyState, KnownKey
from scanner.model import Finding, Fingerprint, Suppressed
from scanner.report.model import ActionNote, KeyNote, Reported

if TYPE_CHECKING:
    from keyfuse.session import Session

PROVEN = frozenset({IncidentState.CONTAINED, IncidentState.NOTED, IncidentState.RESOLVED, IncidentState.DISMISSED})
LOOKUP = 500
"""How many fingerprints are looked up at once."""


class Judge:
    """Asks the registry (and, where told to, the providers) about findings, and responds where told to.

    `unproven` is true afterwards when a leak action was wanted and is not proven done.
    """

    def __init__(self, session: Session, *, respond: bool, verify: bool) -> None:
        self._session = session
        self._respond = respond
        self._verify = verify
        self._now = session.clock()
        self.unproven = False

    def all(self, findings: Sequence[Finding], suppressed: list[Suppressed]) -> list[Reported]:
        """Findings with notes. A suppressed finding of a registered, active key is taken out of the list and added."""
        known = self._known([*findings, *(each.finding for each in suppressed)])
        alarms = [each for each in suppressed if self._is_alive(known.get(each.finding.fingerprint))]
        for alarm in alarms:
            suppressed.remove(alarm)
        judged = [*findings, *(alarm.finding for alarm in alarms)]
        reports = from_findings(judged, source="audit", seen_at=self._now)
        actions = self._responses(self._sure(reports, judged, known)) if self._respond else self._plans(reports, known)
        if self._respond:
            known = self._known(judged)
            known |= self._joined({report.fingerprint for report in reports} - known.keys())
        liveness = self._liveness(reports, known) if self._verify else {}
        return [
            Reported(
                finding,
                self._key_note(known.get(finding.fingerprint)),
                actions.get(finding.fingerprint),
                *liveness.get(finding.fingerprint, (None, "")),
            )
            for finding in judged
        ]

    def _known(self, findings: Iterable[Finding]) -> dict[Fingerprint, KnownKey]:
        wanted = list(dict.fromkeys(finding.fingerprint for finding in findings))
        found: dict[Fingerprint, KnownKey] = {}
        with self._session.records().read() as tx:
            for start in range(0, len(wanted), LOOKUP):
                found |= tx.keys.lookup(wanted[start : start + LOOKUP])
        return found

    def _joined(self, wanted: Iterable[Fingerprint]) -> dict[Fingerprint, KnownKey]:
        """The keys that providers named: the registry has them from a listing, without their values."""
        found = {}
        with self._session.records().read() as tx:
            for fingerprint in wanted:
                incident = tx.incidents.by_fingerprint(fingerprint)
                key = known_key(tx, incident) if incident is not None else None
                if key is not None:
                    found[fingerprint] = key
        return found

    def _is_alive(self, key: KnownKey | None) -> bool:
        return key is not None and key.effective_state(self._now) is KeyState.ACTIVE

    def _key_note(self, key: KnownKey | None) -> KeyNote | None:
        if key is None:
            return None
        state = key.effective_state(self._now).value
        return KeyNote(key.id, key.name, key.provider, key.action_when_leaked.value, state)

    def _plans(
        self, reports: Sequence[LeakReport], known: dict[Fingerprint, KnownKey]
    ) -> dict[Fingerprint, ActionNote]:
        """What `--respond` would do, for registered keys."""
        registered = [report for report in reports if report.fingerprint in known]
        if not registered:
            return {}
        responder = self._session.responder()
        notes = {}
        for report in registered:
            key, decision = responder.what_if(report)
            notes[report.fingerprint] = ActionNote(_kind(key, decision), "planned", decision.reason)
        return notes

    def _sure(
        self, reports: Sequence[LeakReport], findings: Iterable[Finding], known: Collection[Fingerprint]
    ) -> Sequence[LeakReport]:
        """The reports that open an incident: those of registered keys, and of what is likely a secret."""
        least = self._session.config.scan.incident_confidence
        sure = {finding.fingerprint for finding in findings if finding.confidence >= least}
        return [report for report in reports if report.fingerprint in known or report.fingerprint in sure]

    def _responses(self, reports: Sequence[LeakReport]) -> dict[Fingerprint, ActionNote]:
        """Opens every incident first, so that none is lost should the work stop half-way; then acts; then tells."""
        responder, actor = self._session.responder(), self._session.actor
        incidents = [responder.report(report, actor=actor) for report in reports]
        notes = {}
        try:
            for report, incident in zip(reports, incidents, strict=True):
                ended = responder.respond(incident.id, report.leak, actor=actor)
                self.unproven |= ended.state not in PROVEN
                notes[report.fingerprint] = self._action_note(ended)
            responder.tend()  # goes on with what an earlier run left unfinished
        finally:
            self._session.courier().deliver()
        return notes

    def _action_note(self, incident: Incident) -> ActionNote:
        with self._session.records().read() as tx:
            actions = [action for action in tx.incidents.actions(incident.id) if action.kind is not ActionKind.NONE]
            known = known_key(tx, incident)
        wanted = known.action_when_leaked.value if known else "none"
        kind = actions[-1].kind.value if actions else wanted
        match incident.state:
            case IncidentState.RESOLVED | IncidentState.DISMISSED:
                outcome = IncidentState.NOTED.value
            case IncidentState.OPEN | IncidentState.ACTING:
                outcome = IncidentState.UNCONFIRMED.value
            case _:
                outcome = incident.state.value
        return ActionNote(kind, outcome, incident.evidence or incident.reason)

    def _liveness(
        self, reports: Sequence[LeakReport], known: dict[Fingerprint, KnownKey]
    ) -> dict[Fingerprint, tuple[str, str]]:
        """What each key's provider says of its life, and how that is known."""
        catalog = self._session.catalog()
        answers = {}
        for report in reports:
            key = known.get(report.fingerprint)
            provider = catalog.of(key.provider if key else report.leak.kind.provider)
            try:
                identity = provider.identify(report.leak, key)
            except ProviderError as error:
                identity = Unknown(str(error))
            answers[report.fingerprint] = _life(identity)
        return answers


def _life(identity: Identity) -> tuple[str, str]:
    """Alive, dead or unknown, and why. Unreachable is unknown, and so is what only the registry says."""
    match identity:
        case Identified(asked=True, state=state, evidence=evidence, owners=owners):
            whose = f"; it belongs to {', '.join(owners)}" if owners else ""
            return "alive" if state is KeyState.ACTIVE else "dead", f"{evidence}{whose}"
        case Identified():
            return "unknown", "its provider cannot be asked about it"
        case NotFound(works=True, evidence=reason) | Ambiguous(works=True, reason=reason):
            return "alive", reason
        case Unknown(works=True, reason=reason):
            return "alive", reason
        case NotFound(sees_all=True, evidence=reason):
            return "dead", reason
        case NotFound(evidence=reason) | Ambiguous(reason=reason) | Unknown(reason=reason):
            return "unknown", reason


def _kind(key: KnownKey | None, decision: Decision) -> str:
    if isinstance(decision, Act):
        return decision.kind.value
    return key.action_when_leaked.value if key else "none"
