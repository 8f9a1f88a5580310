"""One leaked secret is one incident, however many places it is seen in. It moves along legal edges only.

open -> acting -> contained | unconfirmed | blocked | failed | noted
open -> noted
unconfirmed -> contained | failed | blocked          (proofs go on, on a schedule)
blocked -> acting | contained | noted | failed       (approved, unlocked, under the limit again, or dead meanwhile)
failed -> acting | blocked | noted                   (a person asks again)
noted -> acting | blocked | contained                (seen again, and the key's record says something else by now)
contained | unconfirmed | blocked | failed | noted -> resolved | dismissed     (a person, with a reason)
resolved | dismissed | contained | noted -> open     (a new sighting, or a person, reopens it)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from responders.errors import IllegalMove
from responders.registry import Sight
from scanner.model import Fingerprint, Severity


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACTING = "acting"
    CONTAINED = "contained"
    UNCONFIRMED = "unconfirmed"
    BLOCKED = "blocked"
    FAILED = "failed"
    NOTED = "noted"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


S = IncidentState
LEGAL: Mapping[IncidentState, frozenset[IncidentState]] = {
    S.OPEN: frozenset({S.ACTING, S.NOTED, S.BLOCKED, S.CONTAINED, S.FAILED, S.RESOLVED, S.DISMISSED}),
    S.ACTING: frozenset({S.CONTAINED, S.UNCONFIRMED, S.BLOCKED, S.FAILED, S.NOTED}),
    S.UNCONFIRMED: frozenset({S.CONTAINED, S.FAILED, S.BLOCKED, S.ACTING, S.RESOLVED, S.DISMISSED}),
    S.BLOCKED: frozenset({S.ACTING, S.CONTAINED, S.NOTED, S.FAILED, S.RESOLVED, S.DISMISSED}),
    S.FAILED: frozenset({S.ACTING, S.CONTAINED, S.BLOCKED, S.NOTED, S.RESOLVED, S.DISMISSED}),
    S.CONTAINED: frozenset({S.OPEN, S.RESOLVED, S.DISMISSED}),
    S.NOTED: frozenset({S.OPEN, S.ACTING, S.BLOCKED, S.CONTAINED, S.RESOLVED, S.DISMISSED}),
    S.RESOLVED: frozenset({S.OPEN}),
    S.DISMISSED: frozenset({S.OPEN}),
}
CLOSED = frozenset({S.RESOLVED, S.DISMISSED})


def move(now: IncidentState, to: IncidentState) -> IncidentState:
    """The new state, if the edge is legal. Raises IllegalMove with the edges that are."""
    if to not in LEGAL[now]:
        ways = ", ".join(sorted(LEGAL[now])) or "nowhere"
        raise IllegalMove(f"an incident that is {now} cannot become {to}; from here it can become: {ways}")
    return to


@dataclass(frozen=True, slots=True)
class Sighting:
    """One place where the secret was seen. Holds text that is safe to show, never scanned content."""

    where: str
    place: str
    repository: str = ""
    commit: str = ""
    author: str = ""
    date: str = ""
    line: int = 0
    seen_at: datetime | None = None
    source: str = "audit"


@dataclass(frozen=True, slots=True)
class Incident:
    """One leaked secret. `key_id` is the registry's id, or None when nobody registered it.

    `reason` says why it stands where it stands, in words a person can follow; `outlives` what still lives, until when.
    """

    id: str
    fingerprint: Fingerprint
    state: IncidentState
    rule: str
    kind_name: str
    provider: str
    severity: Severity
    masked: str
    opened_at: datetime
    changed_at: datetime
    key_id: str | None = None
    reason: str = ""
    evidence: str = ""
    outlives: str = ""
    outlives_until: datetime | None = None
    dismissed_until: datetime | None = None
    approved: bool = False
    sightings: tuple[Sighting, ...] = ()
    sighting_count: int = 0


class ActionKind(StrEnum):
    """What is done to a key."""

    NONE = "none"
    DISABLE = "disable"
    DELETE = "delete"
    SUSPEND_OWNER = "suspend-owner"


class ActionState(StrEnum):
    """How far one action is: the intent is written before anything is sent."""

    PLANNED = "planned"
    SENT = "sent"
    PROVING = "proving"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Action:
    """One planned step and what came of it. `idempotency_key` is the same for every repeat after a crash.

    `sealed` is the encrypted secret, only while the provider needs it and at most 24 hours.
    """

    id: str
    incident_id: str
    kind: ActionKind
    state: ActionState
    idempotency_key: str
    provider: str
    created_at: datetime
    ref_id: str = ""
    ref_details: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    reason: str = ""
    attempts: int = 0
    next_at: datetime | None = None
    sealed: bytes | None = None


class Incidents(Protocol):
    """What is stored of incidents and their actions, inside one transaction (see `records`)."""

    def by_fingerprint(self, fingerprint: Fingerprint) -> Incident | None:
        """The incident of this secret, if there is one."""
        ...

    def get(self, incident_id: str) -> Incident:
        """The incident with this id or unambiguous start of an id. Raises NoSuchRecord."""
        ...

    def list(self, *, states: Sequence[IncidentState] = (), limit: int = 1000) -> Sequence[Incident]:
        """Incidents, newest first, in these states (none named: all)."""
        ...

    def counts(self) -> Mapping[IncidentState, int]:
        """How many incidents there are in each state; states without any are left out."""
        ...

    def search(
        self,
        sight: Sight,
        *,
        unregistered: bool = False,
        states: Sequence[IncidentState] = (),
        key_id: str = "",
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[Incident]:
        """One page, newest first, after the incident with that id: those whose key `sight` covers.

        `unregistered` adds those whose key nobody registered. Raises NoSuchRecord when there is no incident `after`.
        """
        ...

    def add(self, incident: Incident) -> None:
        """Stores a new incident, without its sightings."""
        ...

    def put(self, incident: Incident) -> None:
        """Stores a changed incident, without its sightings."""
        ...

    def see(self, incident_id: str, sighting: Sighting) -> bool:
        """Joins a sighting to an incident; false if this very place was known already."""
        ...

    def actions(self, incident_id: str) -> Sequence[Action]:
        """The actions of an incident, oldest first."""
        ...

    def pending(self) -> Sequence[Action]:
        """Every action that has not ended, oldest first."""
        ...

    def put_action(self, action: Action) -> None:
        """Stores an action, new or changed."""
        ...

    def changes_since(self, moment: datetime) -> int:
        """How many changes were sent to providers since then (for the hourly limit)."""
        ...
