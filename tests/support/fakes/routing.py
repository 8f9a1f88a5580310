"""What fakes of larger APIs share: a path's parts, faults at single routes, and settings that tests switch."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.fakes import Fake, Fault, Reply, Request

Pick = Callable[[Request], bool]


def segments(request: Request) -> list[str]:
    """The path's parts without the fake's own prefix, each unquoted: a name may hold a quoted slash."""
    return [unquote(part) for part in urlsplit(request.raw).path.split("/")[2:]]


def body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; {} for none."""
    found = request.json
    return found if isinstance(found, dict) else {}


class RoutedFake(Fake):
    """A fake whose faults can be kept to the requests that a test picks, and to the first few of them."""

    def __init__(self) -> None:
        self._plans: list[tuple[Fault, Pick, list[int]]] = []
        super().__init__()

    def fail(self, fault: Fault, picked: Pick = lambda _request: True, *, times: int = 1) -> None:
        """The next `times` requests that are picked go wrong like this."""
        self._plans.append((fault, picked, [times]))

    def take(self, request: Request) -> Reply | None:
        """As every fake, with the fault that is planned for this request; a fake's own mistake is shown."""
        try:
            return self._take(request)
        except Exception:
            traceback.print_exc()
            raise

    def _take(self, request: Request) -> Reply | None:
        planned = next((plan for plan in self._plans if plan[2][0] > 0 and plan[1](request)), None)
        if planned is None:
            return super().take(request)
        planned[2][0] -= 1
        before, self.fault = self.fault, planned[0]
        try:
            return super().take(request)
        finally:
            self.fault = before

    def asked(self, method: str, start: str = "/") -> list[Request]:
        """The requests of this method whose path begins so."""
        return [request for request, _ in self.seen if request.method == method and request.path.startswith(start)]


def route(method: str, part: str = "") -> Pick:
    """Picks requests of a method whose path holds this."""
    return lambda request: request.method == method and part in request.path
