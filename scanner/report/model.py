"""What a report says: findings with what is known of their keys, as plain values. It knows no registry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scanner.model import Confidence, Finding, Skipped, Suppressed
from scanner.record import Record


class KeyNote(Record):
    """Whose key it is, as the registry has it."""

    id: str
    name: str
    provider: str
    action_when_leaked: str
    state: str


class ActionNote(Record):
    """What was done about it, or what would be: then `outcome` is `planned`.

    kind: none, disable, delete or suspend-owner. outcome: contained, unconfirmed, blocked, failed, noted or planned.
    """

    kind: str
    outcome: str
    reason: str = ""


class Reported(Record):
    """One finding and what is known beside it. `liveness` is alive, dead or unknown; None when nobody was asked.

    `liveness_reason` says how that is known, and whose key it is where the provider tells.
    """

    finding: Finding
    key: KeyNote | None = None
    action: ActionNote | None = None
    liveness: str | None = None
    liveness_reason: str = ""

    @property
    def brief(self) -> bool:
        """Whether reports for people give it one line: it is rather no secret, and nobody knows the key."""
        return (
            self.finding.confidence is Confidence.LOW and self.key is None and self.action is None and not self.liveness
        )


class Stats(Record):
    """How much was looked at."""

    blobs: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Report(Record):
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
