"""The harness of a key service of one's own that speaks HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from responders.connection import ProviderSettings
from responders.provider import Leak
from responders.references import Reference
from responders.registry import KeyState, KnownKey
from scanner.model import Secret, Severity, TokenKind
from tests.contract.provider_harness import Before
from tests.contract.vendor import VendorHarness
from tests.support.fakes.own_service import OwnService
from tests.support.stores import FINGERPRINTER, Clock, known_key

STATES = {"active": KeyState.ACTIVE, "disabled": KeyState.DISABLED, "gone": KeyState.DELETED, None: None}
KIND = TokenKind("acme-key", "Acme key", "acme", Severity.CRITICAL)


class OwnHarness(VendorHarness):
    """`[provider.acme] type = "http"`."""

    name = "acme"
    fake: OwnService
    states = frozenset(set(Before) - {Before.LOCKED})

    def make_fake(self) -> OwnService:
        return OwnService()

    def settings(self) -> ProviderSettings:
        return ProviderSettings(
            connected=True,
            type="http",
            urls={"base_url": self.fake.url},
            credentials={"secret": Reference("ACME_SECRET")},
            requests_per_minute=0,
        )

    def environ(self) -> Mapping[str, str]:
        return {"ACME_SECRET": self.fake.admin}

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        self.fake.arrange({Before.DISABLED: "disabled", Before.DELETED: "gone"}.get(before, "active"))
        stranger = before in (Before.UNKNOWN, Before.SOMEONE_ELSES)
        value = (self.fake.stranger if stranger else self.fake.value).encode()
        known = known_key(1, provider=self.name, provider_key_id=self.fake.id, fingerprint=FINGERPRINTER.of(value))
        if before is Before.SOMEONE_ELSES:
            known = replace(known, provider="elsewhere")
        return Leak(KIND, Secret(value)), None if before is Before.UNKNOWN else known

    def state(self, leak: Leak) -> KeyState | None:
        assert leak.secret is not None
        return STATES[self.fake.state_of(leak.secret.reveal().decode())]

    def enable_again(self, leak: Leak) -> None:
        self.fake.state["keys"][self.fake.id]["state"] = "active"


HARNESSES: dict[str, Callable[[Clock], VendorHarness]] = {"own service": OwnHarness}
