"""What shall be done about a leak. Pure: values in, one decision out; no clock, no network, no database.

The order of the questions is the order of the function: identity first, then everything that forbids an action, and
only then the action itself. `disable` never becomes `delete` unless the key says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of `[response]` and `[limits]`.

    dry_run: everything but the change itself is done, and the incident says what would have been done.
    unlock_leaked_keys: a locked key is unlocked and acted on; otherwise a lock blocks.
    protected: keys that are never acted on: each entry is a registry id, a name, a provider's id or a fingerprint.
    actions_per_hour: at most so many changes are sent to providers in any hour; 0 makes every action wait for approval.
    escalate_after: an incident that is not contained by then is told to the administrators once more.
    prove_after: how long to wait before each further proof of an accepted change; the last one repeats.
    prove_for: after so long without a proof the incident has failed.
    retry_after: how long to wait before asking a provider again that could not be reached; the last one repeats.
    seal_for: how long a secret that a provider's call needs again may lie sealed in a pending action.
    repeat_after: people are told again of an incident that is seen again only after so long.
    """

    dry_run: bool = False
    unlock_leaked_keys: bool = False
    protected: tuple[str, ...] = ()
    actions_per_hour: int = 20
    escalate_after: timedelta = timedelta(hours=1)
    prove_after: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    prove_for: timedelta = timedelta(hours=24)
    retry_after: tuple[timedelta, ...] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    seal_for: timedelta = timedelta(hours=24)
    repeat_after: timedelta = timedelta(hours=24)
