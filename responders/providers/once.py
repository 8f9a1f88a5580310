"""Changes that have their effect once, at providers whose APIs know no idempotency keys."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from responders.provider import Accepted, Done, Receipt

MOST = 10_000


class Once:
    """Remembers what was said to a change, so that its repeat under the same key is not sent again.

    Only a change that the provider took is remembered: what was refused, or may not have arrived, may be sent again by
    who has read the state first. After a restart nothing is remembered, and the state is read first as well.
    """

    def __init__(self) -> None:
        self._said: OrderedDict[str, Receipt] = OrderedDict()
        self._lock = threading.Lock()

    def do(self, key: str, change: Callable[[], Receipt]) -> Receipt:
        """What was said to the change of this key; it is sent if it was not taken before."""
        with self._lock:
            if key in self._said:
                return self._said[key]
        receipt = change()
        if isinstance(receipt, Done | Accepted):
            with self._lock:
                self._said[key] = receipt
                if len(self._said) > MOST:
                    self._said.popitem(last=False)
        return receipt
