"""The one explicit list of providers: who can be asked, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from responders.issuer import PROVIDER as EMBEDDED
from responders.issuer import Issuer, IssueRules
from responders.provider import Provider
from responders.providers.embedded import EmbeddedProvider
from responders.providers.manual import ManualProvider
from responders.records import Records
from scanner.model import Fingerprinter


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What providers are made from. `settings` holds each provider's part of the configuration, by its name."""

    records: Records
    fingerprinter: Fingerprinter
    clock: Callable[[], datetime]
    rules: IssueRules = IssueRules()  # noqa: RUF009 - frozen
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def _embedded(surroundings: Surroundings) -> Provider:
    issuer = Issuer(surroundings.records, surroundings.fingerprinter, surroundings.clock, rules=surroundings.rules)
    return EmbeddedProvider(issuer)


PROVIDERS: Mapping[str, Callable[[Surroundings], Provider]] = {
    EMBEDDED: _embedded,
}


class Catalog(Mapping[str, Provider]):
    """Every provider that can be asked, by name; each is made when it is first wanted."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._made: dict[str, Provider] = {}

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = PROVIDERS[name](self._surroundings)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PROVIDERS)

    def __len__(self) -> int:
        return len(PROVIDERS)

    def __contains__(self, name: object) -> bool:
        return name in PROVIDERS

    def of(self, name: str) -> Provider:
        """The provider of that name; for a vendor that keyfuse cannot talk to, a stand-in that says so."""
        return self[name] if name in PROVIDERS else ManualProvider(name)
