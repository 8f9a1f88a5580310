"""Providers whose failures are counted on the way; nothing else about them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from responders.errors import ProviderError
from responders.provider import Provider, Uncertain, Unknown


class Counted(Mapping[str, Provider]):
    """The providers of another mapping; `failed` is called with the name of each whose call came to nothing."""

    def __init__(self, inner: Mapping[str, Provider], failed: Callable[[str], None]) -> None:
        self._inner = inner
        self._failed = failed

    def __getitem__(self, name: str) -> Provider:
        return cast("Provider", _Watched(self._inner[name], lambda: self._failed(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._inner)

    def __len__(self) -> int:
        return len(self._inner)

    def __contains__(self, name: object) -> bool:
        return name in self._inner


class _Watched:
    def __init__(self, inner: Provider, failed: Callable[[], None]) -> None:
        self._inner = inner
        self._failed = failed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counting(found) if callable(found) else found

    def _counting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            try:
                answer = call(*given, **named)
            except ProviderError:
                self._failed()
                raise
            if isinstance(answer, Uncertain | Unknown):
                self._failed()
            return answer

        return counted
