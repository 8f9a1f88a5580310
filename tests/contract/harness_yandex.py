"""The harnesses of Yandex Cloud: API keys, static and authorized keys, IAM and OAuth tokens."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping

from responders.connection import ProviderSettings
from responders.provider import Leak
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import Secret, Severity, TokenKind
from tests.contract.provider_harness import Before
from tests.contract.vendor import VendorHarness, able_of, connected
from tests.support.fakes.yandex import Key, Yandex
from tests.support.stores import FINGERPRINTER, Clock, known_key


def kind_of(rule: str) -> TokenKind:
    """What a rule of this id finds."""
    return TokenKind(rule, rule, "yandex", Severity.CRITICAL)


class YandexHarness(VendorHarness):
    """API keys, known to the registry from a listing. Disabled means that the service account is suspended."""

    name = "yandex"
    states = frozenset(Before) - {Before.LOCKED}
    sort = "api-key"
    rule = "yandex-api-key"
    kind = KeyKind.API_KEY
    login = "iam_token"
    fake: Yandex

    def __init__(self, clock: Clock) -> None:
        self.able = able_of("yandex", self.rule)
        super().__init__(clock)

    def make_fake(self) -> Yandex:
        return Yandex(random.Random(9), self._clock)

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, None, **{self.login: "YC_LOGIN"})

    def environ(self) -> Mapping[str, str]:
        if self.login == "authorized_key":
            return {"YC_LOGIN": json.dumps(self.fake.key_file(self.fake.manager_key))}
        found = next((token for token, (whose, _) in self.fake.issued.items() if whose == self.fake.manager.id), None)
        return {"YC_LOGIN": found or self.fake.token_for(self.fake.manager.id)}

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        account = self.fake.new_account("robot")
        key = (
            self.fake.make(self.sort, account, pair=1)
            if self.sort == "authorized"
            else self.fake.make(self.sort, account)
        )
        leak = self._leak(key)
        known: KnownKey | None = self._known(key)
        match before:
            case Before.DISABLED:
                account.status = "SUSPENDED"
            case Before.DELETED:
                del self.fake.keys[key.id]
            case Before.UNKNOWN | Before.SOMEONE_ELSES:
                del self.fake.keys[key.id]
                known = None
            case _:
                pass
        self.fake.settle()
        return leak, known

    def state(self, leak: Leak) -> KeyState | None:
        key = self._key(leak)
        if key is None:
            return None
        return KeyState.ACTIVE if self.fake.works(key.id) else KeyState.DISABLED

    def enable_again(self, leak: Leak) -> None:
        key = self._key(leak)
        assert key is not None
        self.fake.accounts[key.account].status = "ACTIVE"

    def _key(self, leak: Leak) -> Key | None:
        assert leak.secret is not None
        value = leak.secret.reveal().decode()
        return next((key for key in self.fake.keys.values() if key.secret == value), None)

    def _leak(self, key: Key) -> Leak:
        secret = Secret(key.secret.encode())
        self.fake.secrets.append(secret)
        parts = {"static": {"id": key.key_id}, "authorized": {"id": key.id}}.get(self.sort, {})
        return Leak(kind_of(self.rule), secret, {name: Secret(value.encode()) for name, value in parts.items()})

    def _known(self, key: Key) -> KnownKey:
        return known_key(
            1,
            provider="yandex",
            provider_key_id=key.id,
            kind=self.kind,
            iam_id=key.account,
            fingerprint=FINGERPRINTER.of(key.secret.encode()),
        )


class KeyedHarness(YandexHarness):
    """The same, where keyfuse works with an authorized key; reading one takes the processor a while."""

    login = "authorized_key"


class StaticHarness(YandexHarness):
    """Static access keys, found by their public half."""

    sort, rule, kind = "static", "yandex-static-key-secret", KeyKind.STATIC

    def _known(self, key: Key) -> KnownKey:
        return known_key(1, provider="yandex", kind=self.kind, iam_id=key.account)


class AuthorizedHarness(YandexHarness):
    """Authorized keys, found by the id in their file."""

    sort, rule, kind = "authorized", "yandex-authorized-key", KeyKind.AUTHORIZED


class IamTokenHarness(YandexHarness):
    """IAM tokens: tried, and revoked with themselves."""

    states = frozenset({Before.ACTIVE, Before.DELETED})
    rule = "yandex-iam-token"

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        token = self.fake.token_for(self.fake.new_account("robot").id)
        if before is Before.DELETED:
            self.fake.state["revoked"].append(token)
        return self._told(token)

    def _told(self, token: str) -> tuple[Leak, KnownKey | None]:
        self.fake.settle()
        secret = Secret(token.encode())
        self.fake.secrets.append(secret)
        known = known_key(1, provider="yandex", kind=KeyKind.OTHER, fingerprint=FINGERPRINTER.of(secret))
        return Leak(kind_of(self.rule), secret), known

    def state(self, leak: Leak) -> KeyState | None:
        assert leak.secret is not None
        return KeyState.ACTIVE if self.fake.subject_of(leak.secret.reveal().decode()) else None


class OauthTokenHarness(IamTokenHarness):
    """OAuth tokens: tried by an exchange, and revoked by the application they were given to."""

    rule = "yandex-oauth-token"

    def settings(self) -> ProviderSettings:
        return connected(
            self.name, self.fake, {"oauth_client_id": "c-1"}, iam_token="YC_LOGIN", oauth_client_secret="YC_CLIENT"
        )

    def environ(self) -> Mapping[str, str]:
        self.fake.clients["c-1"] = "of the client"
        return {**super().environ(), "YC_CLIENT": "of the client"}

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        token = self.fake.new_oauth("a user")
        if before is Before.DELETED:
            del self.fake.state["oauth"][token]
        return self._told(token)

    def state(self, leak: Leak) -> KeyState | None:
        assert leak.secret is not None
        return KeyState.ACTIVE if leak.secret.reveal().decode() in self.fake.state["oauth"] else None


HARNESSES: dict[str, Callable[[Clock], VendorHarness]] = {
    "yandex": YandexHarness,
    "yandex, static": StaticHarness,
    "yandex, authorized": AuthorizedHarness,
    "yandex, iam token": IamTokenHarness,
    "yandex, oauth token": OauthTokenHarness,
}
