"""The courier carries what waits in the queue of notices to the channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class CourierSettings:
    """The settings of `[notify]` that say how notices travel.

    retry_after: how long to wait before each further try of a delivery; after the last one it is given up as dead.
    digest_above: more notices than this for one person and channel within `digest_window` are folded into one.
    digest_window: the length of that window.
    """

    retry_after: tuple[timedelta, ...] = (
        timedelta(seconds=10),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=8),
    )
    digest_above: int = 10
    digest_window: timedelta = timedelta(minutes=5)
