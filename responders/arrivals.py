"""Which signed reports came in lately: one that is sent again is answered again, and does nothing more."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Arrivals(Protocol):
    """What is remembered of reports, inside one transaction (see `records`)."""

    def first(self, digest: str, at: datetime, *, forget_before: datetime) -> bool:
        """Notes that this came; false when it had come already. What came before that moment is forgotten."""
        ...
