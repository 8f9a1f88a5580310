"""What the harnesses of vendors share: the provider is made as the program makes it, its base URLs leading to a fake.

A harness of a vendor says which provider, which fake, which settings, and how a key is put into a state:

    class AcmeHarness(VendorHarness):
        name = "acme"
        states = frozenset({Before.ACTIVE, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})

        def make_fake(self) -> Acme: return Acme()
        def settings(self) -> ProviderSettings: return connected(self.fake, token="ACME_TOKEN")
        def environ(self) -> dict[str, str]: return {"ACME_TOKEN": self.fake.admin}
        …and the methods of Harness: leaked, state, works, enable_again

and its module lists it under a name of its own in HARNESSES, for `tests.contract.provider_worlds.WORLDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from responders.catalog import Surroundings, about, make
from responders.connection import ProviderSettings
from responders.provider import Capabilities, Leak, Provider
from responders.records import Records
from responders.references import Reference
from responders.registry import KeyState, KnownKey
from tests.contract.provider_harness import Before
from tests.support.fakes import Fake
from tests.support.stores import FINGERPRINTER, Clock

IMPATIENT = 0.15
"""Seconds; for the one test in which the vendor is slower than that."""


def connected(name: str, fake: Fake, options: Mapping[str, str] | None = None, **variables: str) -> ProviderSettings:
    """Settings of a provider all of whose services are this fake; `variables` are credentials by name."""
    described = about(name)
    assert described is not None
    return ProviderSettings(
        connected=True,
        urls={service.setting: fake.url for service in described.services},
        credentials={credential: Reference(variable) for credential, variable in variables.items()},
        options=dict(options or {}),
        requests_per_minute=0,
        timeout=20,
    )


def able_of(name: str, rule: str) -> Capabilities:
    """What the provider of that name claims for keys that this rule finds."""
    described = about(name)
    assert described is not None
    rows = {kind: row.capabilities for row in described.abilities for kind in row.kinds or ("",)}
    return rows.get(rule) or rows[""]


class VendorHarness:
    """See `tests.contract.provider_harness.Harness`."""

    name = ""
    able: Capabilities
    states = frozenset({Before.ACTIVE, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.fake = self.make_fake()
        self.provider = self.made()
        if not hasattr(self, "able"):
            self.able = self.provider.capabilities

    def make_fake(self) -> Fake:
        """The other side."""
        raise NotImplementedError

    def settings(self) -> ProviderSettings:
        """How the provider is configured."""
        return connected(self.name, self.fake)

    def environ(self) -> Mapping[str, str]:
        """The environment in which its credentials are."""
        return {}

    def made(self, **changes: object) -> Provider:
        """The provider, with settings changed: one that was not used before."""
        settings = replace(self.settings(), **changes)  # type: ignore[arg-type]
        nothing = cast(Records, None)  # a vendor's provider has no business with the records
        around = Surroundings(
            nothing, FINGERPRINTER, self._clock, settings={self.name: settings}, environ=self.environ()
        )
        return make(self.name, around)

    def can_be(self, before: Before) -> bool:
        """Whether this vendor's keys can be in that state."""
        return before in self.states

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        """See Harness."""
        raise NotImplementedError

    def state(self, leak: Leak) -> KeyState | None:
        """See Harness."""
        raise NotImplementedError

    def works(self, leak: Leak) -> bool:
        """See Harness."""
        return self.state(leak) is KeyState.ACTIVE

    def changes(self) -> int:
        """See Harness."""
        return self.fake.changes

    def enable_again(self, leak: Leak) -> None:
        """See Harness."""
        raise NotImplementedError

    def close(self) -> None:
        """The fake goes."""
        self.fake.close()
