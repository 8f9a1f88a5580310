"""Vendors that people run themselves: one caller for each configured server, the main one and further ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from responders.about import OptionNeed
from scanner.model import Secret

if TYPE_CHECKING:
    from responders.calling import Caller
    from responders.catalog import Desk
    from responders.providers.asking import JsonApi

FURTHER = OptionNeed(
    "servers",
    "Base URLs of further servers. A leaked token does not tell its server: it is tried at each, the main one first.",
    (),
)


@dataclass(frozen=True, slots=True)
class Server:
    """One server. `credential` names keyfuse's own credential there, which only the main one can have."""

    api: JsonApi
    caller: Caller
    credential: str = ""

    @property
    def trusted(self) -> bool:
        """Whether keyfuse has a credential of its own there."""
        return bool(self.credential) and self.caller.has(self.credential)

    def login(self) -> Secret | None:
        """That credential, if it is configured. Raises ProviderError when it cannot be read."""
        return self.caller.credential(self.credential) if self.trusted else None


def servers_of(desk: Desk, credential: str, *, under: str = "") -> Sequence[Server]:
    """The main server and those of the option `servers`, which nothing but the leaked token itself is shown to."""
    from responders.calling import Caller  # noqa: PLC0415  (describing a vendor loads no HTTP)
    from responders.providers.asking import JsonApi  # noqa: PLC0415

    found = [Server(JsonApi(desk.caller, under=under), desk.caller, credential)]
    for url in desk.caller.option(FURTHER.name):
        settings = replace(desk.settings, urls={**desk.settings.urls, "base_url": url}, credentials={})
        caller = Caller(desk.about, settings, desk.surroundings.environ)
        found.append(Server(JsonApi(caller, under=under), caller))
    return found
