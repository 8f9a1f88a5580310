"""The one explicit list of providers: who can be asked, how each is described, and how each is made.

Two forms of provider are found here by name alone, so that a start loads nothing of them:

- a recipe: `responders/providers/<name>.toml`, data that `responders.recipe` reads; adding one takes no Python;
- code: a module in `CODED`, with `ABOUT: About` and `make(desk: Desk) -> Provider`.

How to add either, with its fake and its harness, stands in `responders/providers/__init__.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from responders.about import About
from responders.connection import ProviderSettings, credential_of
from responders.errors import ProviderError
from responders.issuer import PROVIDER as EMBEDDED
from responders.issuer import IssueRules
from responders.provider import Provider
from responders.providers import FOLDER
from responders.providers.manual import ManualProvider, UnusableProvider
from responders.records import Records
from scanner.model import Fingerprint, Fingerprinter

if TYPE_CHECKING:
    from responders.calling import Caller

CODED: Mapping[str, str] = {
    EMBEDDED: "responders.providers.embedded",
    "ibm": "responders.providers.ibm.provider",
    "yandex": "responders.providers.yandex.provider",
    "aws": "responders.providers.aws",
    "azure": "responders.providers.azure",
    "github": "responders.providers.github",
    "gitlab": "responders.providers.gitlab",
    "google": "responders.providers.google",
    "slack": "responders.providers.slack",
}
"""Providers that are Python, by name: the module that holds ABOUT and make."""

OWN_TYPES: Mapping[str, str] = {
    "http": "responders.providers.own_http",
    "command": "responders.providers.own_command",
}
"""`[provider.<any name>] type = "…"`: a key service of one's own; modules with `about(name, settings)` and `make`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What providers are made from. `settings` holds each provider's part of the configuration, by its name."""

    records: Records
    fingerprinter: Fingerprinter
    clock: Callable[[], datetime]
    rules: IssueRules = IssueRules()  # noqa: RUF009 - frozen
    settings: Mapping[str, ProviderSettings] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(frozen=True, slots=True)
class Desk:
    """What one provider works with. All its HTTP goes through `caller`, which also has its settings."""

    about: About
    settings: ProviderSettings
    caller: Caller
    surroundings: Surroundings

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time, aware, in UTC."""
        return self.surroundings.clock

    @property
    def fingerprinter(self) -> Fingerprinter:
        """The installation's, for telling a leaked value from one's own credential."""
        return self.surroundings.fingerprinter


@cache
def recipes() -> frozenset[str]:
    """The names of the providers that are data."""
    return frozenset(path.stem for path in Path(FOLDER).glob("*.toml"))


def names() -> tuple[str, ...]:
    """Every provider that keyfuse brings, sorted; the embedded one first."""
    return (EMBEDDED, *sorted((CODED.keys() | recipes()) - {EMBEDDED}))


def about(name: str, settings: ProviderSettings | None = None) -> About | None:
    """What is said of the provider of that name; None where there is none."""
    if settings is not None and settings.type:
        return cast(About, import_module(OWN_TYPES[settings.type]).about(name, settings))
    if name in CODED:
        return cast(About, import_module(CODED[name]).ABOUT)
    if name in recipes():
        from responders.recipe import load  # noqa: PLC0415  (read when first wanted)

        return load(name).about
    return None


def make(name: str, surroundings: Surroundings) -> Provider:
    """The provider of that name. Raises ProviderError where there is none."""
    settings = surroundings.settings.get(name, ProviderSettings())
    described = about(name, settings)
    if described is None:
        raise ProviderError(f"keyfuse has no connection to {name}")
    from responders.calling import Caller  # noqa: PLC0415  (requests takes 0.1 s to load)

    desk = Desk(described, settings, Caller(described, settings, surroundings.environ), surroundings)
    if settings.type:
        return cast(Provider, import_module(OWN_TYPES[settings.type]).make(desk))
    if name in CODED:
        return cast(Provider, import_module(CODED[name]).make(desk))
    from responders.recipe import load  # noqa: PLC0415  (read when first wanted)
    from responders.recipes import RecipeProvider  # noqa: PLC0415

    return RecipeProvider(load(name), desk)


class Catalog(Mapping[str, Provider]):
    """The providers that respond: the embedded one, and those that the configuration connects.

    A section `[provider.<name>]` connects one, even an empty one: nobody is spoken to before. `of` gives any provider,
    for looking (`audit --verify`). Each is made when it is first wanted.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._made: dict[str, Provider] = {}
        connected = {name for name, settings in surroundings.settings.items() if settings.connected}
        self._names = (EMBEDDED, *sorted(connected - {EMBEDDED}))

    def __getitem__(self, name: str) -> Provider:
        if name not in self._names:
            raise KeyError(name)
        return self.of(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def of(self, name: str) -> Provider:
        """The provider of that name; for a vendor that keyfuse cannot talk to, a stand-in that says so."""
        if name not in self._made:
            known = name in self._names or name in CODED or name in recipes()
            self._made[name] = self._make(name) if known else ManualProvider(name)
        return self._made[name]

    def _make(self, name: str) -> Provider:
        """The provider; one that cannot be made must not keep the others from answering, and says so when asked."""
        try:
            return make(name, self._surroundings)
        except ProviderError as error:
            described = about(name, self._surroundings.settings.get(name))
            if described is None:
                raise
            return UnusableProvider(name, described.capabilities, str(error))

    def schedules(self) -> dict[str, tuple[timedelta, ...]]:
        """When to prove again, for the connected providers that have a schedule of their own."""
        found = {}
        for name, settings in self._surroundings.settings.items():
            described = about(name, settings)
            if schedule := settings.prove_after or (described.prove_after if described else ()):
                found[name] = schedule
        return found

    def own(self) -> frozenset[Fingerprint]:
        """The fingerprints of keyfuse's own credentials at providers, as far as they can be read."""
        found = set()
        for name, settings in self._surroundings.settings.items():
            for credential in settings.credentials:
                try:
                    secret = credential_of(name, settings, credential, self._surroundings.environ)
                    found.add(self._surroundings.fingerprinter.of(secret))
                except ProviderError:
                    continue  # what keyfuse cannot read it does not work with
        return frozenset(found)
