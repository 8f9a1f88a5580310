"""The harnesses of IBM Cloud: API keys, seen by an administrator or by themselves, and classic keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from responders.connection import ProviderSettings
from responders.provider import Leak
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import Secret, Severity, TokenKind
from tests.contract.provider_harness import Before
from tests.contract.vendor import VendorHarness, able_of, connected
from tests.support.fakes.ibm import OTHERS_ACCOUNT, Ibm, Key
from tests.support.stores import FINGERPRINTER, Clock, known_key

IAM_KEY = TokenKind("ibm-cloud-iam-api-key", "IAM API key", "ibm", Severity.CRITICAL)
CLASSIC_KEY = TokenKind("ibm-softlayer-api-key", "classic infrastructure API key", "ibm", Severity.CRITICAL)
STATES = frozenset(Before)


class IbmHarness(VendorHarness):
    """User keys, known to the registry from a listing: by IBM's id, without their value."""

    name = "ibm"
    states = STATES
    fake: Ibm
    rule = IAM_KEY.id

    def __init__(self, clock: Clock) -> None:
        self.able = able_of("ibm", self.rule)
        super().__init__(clock)

    def make_fake(self) -> Ibm:
        return Ibm(random.Random(8), self._clock)

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, api_key="IBM_KEY")

    def environ(self) -> Mapping[str, str]:
        return {"IBM_KEY": self.fake.administrator.value}

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        match before:
            case Before.UNKNOWN:
                return self._leak(Secret(bytes(self.fake.rng.choices(b"abcdefgh", k=44)))), None
            case Before.SOMEONE_ELSES:
                other = self.fake.make("foreign", iam_id="IBMid-STRANGER01", account_id=OTHERS_ACCOUNT)
                self.fake.settle()
                return self._leak(Secret(other.value.encode())), None
            case _:
                key = self.fake.make("deploy", disabled=before is Before.DISABLED, locked=before is Before.LOCKED)
        if before is Before.DELETED:
            del self.fake.keys[key.id]
        self.fake.settle()
        return self._leak(Secret(key.value.encode())), self._known(key)

    def state(self, leak: Leak) -> KeyState | None:
        key = self._key(leak)
        return None if key is None else KeyState.DISABLED if key.disabled else KeyState.ACTIVE

    def works(self, leak: Leak) -> bool:
        assert leak.secret is not None
        return self.fake.works(leak.secret.reveal().decode())

    def enable_again(self, leak: Leak) -> None:
        key = self._key(leak)
        assert key is not None
        key.disabled = False

    def _key(self, leak: Leak) -> Key | None:
        assert leak.secret is not None
        return self.fake.by_value(leak.secret.reveal().decode())

    def _leak(self, secret: Secret) -> Leak:
        self.fake.secrets += [secret, Secret(self.fake.administrator.value.encode())]
        return Leak(IAM_KEY, secret)

    def _known(self, key: Key) -> KnownKey:
        kind = KeyKind.SERVICE_ID if key.iam_id.startswith("iam-ServiceId") else KeyKind.USER
        return known_key(
            1,
            provider="ibm",
            provider_key_id=key.id,
            kind=kind,
            account_id=key.account_id,
            iam_id=key.iam_id,
            fingerprint=FINGERPRINTER.of(key.value.encode()),
        )


class UndocumentedHarness(IbmHarness):
    """The other answers that IBM's documentation leaves open."""

    def make_fake(self) -> Ibm:
        fake = super().make_fake()
        fake.disabled_status, fake.unknown_status, fake.locked_status, fake.repeat_status = 401, 400, 409, 409
        return fake


class ItselfHarness(IbmHarness):
    """Without a credential of keyfuse's own: a registered user key is looked up and acted on with itself."""

    states = frozenset({Before.ACTIVE, Before.LOCKED, Before.DELETED})

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.able = replace(self.able, reversible=False)  # a disabled key gets no token, so it cannot enable itself

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake)


class ClassicHarness(IbmHarness):
    """Classic infrastructure keys: only deletion exists."""

    states = frozenset({Before.ACTIVE, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})
    rule = CLASSIC_KEY.id

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        user = self.fake.classic.make("dev@example.org", -1 if before is Before.SOMEONE_ELSES else None)
        secret = Secret(user.value.encode())
        known = known_key(1, provider="ibm", provider_key_id=str(user.key_id), kind=KeyKind.CLASSIC)
        if before in (Before.DELETED, Before.UNKNOWN):
            user.value = ""
        self.fake.settle()
        self.fake.secrets += [secret, Secret(self.fake.administrator.value.encode())]
        leak = Leak(CLASSIC_KEY, secret, {"username": Secret(user.username.encode())})
        return leak, known if before in (Before.ACTIVE, Before.DELETED) else None

    def state(self, leak: Leak) -> KeyState | None:
        return KeyState.ACTIVE if self.works(leak) else None

    def works(self, leak: Leak) -> bool:
        assert leak.secret is not None
        return self.fake.classic.by_value(leak.secret.reveal().decode()) is not None


HARNESSES: dict[str, Callable[[Clock], VendorHarness]] = {
    "ibm": IbmHarness,
    "ibm, undocumented": UndocumentedHarness,
    "ibm, with itself": ItselfHarness,
    "ibm, classic": ClassicHarness,
}
