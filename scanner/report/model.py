"""What a report says: findings with what is known of their keys, as plain values. It knows no registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scanner.model import Finding, Skipped, Suppressed


@dataclass(frozen=True, slots=True)
class KeyNote:
    """Whose key it is, as the registry has it."""

    id: str
    name: str
    provider: str
    action_when_leaked: str
    state: str


@dataclass(frozen=True, slots=True)
class ActionNote:
    """What was done about it, or what would be: then `outcome` is `planned`.

    kind: none, disable, delete or suspend-owner. outcome: contained, unconfirmed, blocked, failed, noted or planned.
    """

    kind: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """One finding and what is known beside it. `liveness` is alive, dead or unknown; None when nobody was asked."""

    finding: Finding
    key: KeyNote | None = None
    action: ActionNote | None = None
    liveness: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """How much was looked at."""

    blobs: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one audit has to say.

    version: keyfuse's. rules: hash of the rules in force. finished: when it ended, aware. exit_code: what the process
    will return. reveal: plaintext may be shown; without it no format holds any.
    """

    findings: Sequence[Reported]
    suppressed: Sequence[Suppressed]
    skipped: Sequence[Skipped]
    stats: Stats
    version: str
    rules: str
    finished: datetime
    exit_code: int = 0
    reveal: bool = False
