"""Yandex Cloud as a provider: which family a credential belongs to, and what each family can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from responders.about import Ability, About, CredentialNeed, OptionNeed, Service, Trial, Worth
from responders.calling import Caller
from responders.catalog import Desk
from responders.errors import ProviderError
from responders.listing import Listed, NotListed, Replacement, Whole
from responders.provider import (
    Capabilities,
    DisableKind,
    Identity,
    KeyRef,
    Leak,
    Lookup,
    Proof,
    ProveKind,
    Receipt,
    Refused,
    Unknown,
    Unsupported,
)
from responders.providers.once import Once
from responders.providers.yandex.api import RIGHT, WHO, Api, is_refusal
from responders.providers.yandex.bearers import NOT_FROM_HERE, Bearers, bearer_kind, by_hand
from responders.providers.yandex.inventory import Inventory
from responders.providers.yandex.keys import AccountKeys, sort_of
from responders.registry import KeyState, KnownKey

IAM_URL = "https://iam.api.cloud.yandex.net"


def _of_account(lookup: Lookup) -> Capabilities:
    return Capabilities(lookup, DisableKind.OWNER, True, True, ProveKind.READ_BACK, RIGHT)


ABOUT = About(
    "yandex",
    "Yandex Cloud",
    abilities=(
        Ability(
            "API keys",
            _of_account(Lookup.BY_MASK),
            kinds=("yandex-api-key",),
            evidence="V-YCPROTO, V-YCDOC",
            note="No key can be disabled alone: blocked, unless its record says suspend-owner or delete.",
        ),
        Ability(
            "static access keys",
            _of_account(Lookup.BY_ID),
            kinds=("yandex-static-key-secret",),
            evidence="V-YCPROTO, V-YCDOC",
            note="Found by the public half (YC…); a secret that leaked alone names no key.",
        ),
        Ability(
            "authorized keys",
            _of_account(Lookup.BY_ID),
            kinds=("yandex-authorized-key",),
            evidence="V-YCPROTO, V-YCDOC",
            note="IAM tokens made from it end with it.",
        ),
        Ability(
            "IAM tokens",
            Capabilities(Lookup.BY_VALUE_SELF, DisableKind.NONE, False, True, ProveKind.TRY_KEY, "the token itself"),
            kinds=("yandex-iam-token",),
            evidence="V-YCPROTO, V-YCDOC",
        ),
        Ability(
            "OAuth tokens",
            Capabilities(
                Lookup.BY_VALUE_SELF,
                DisableKind.NONE,
                False,
                True,
                ProveKind.TRY_KEY,
                "the id and secret of the application that the token was given to",
            ),
            kinds=("yandex-oauth-token", "yandex-metrica-token"),
            evidence="V-YCDOC; revoking M",
            by_hand="https://id.yandex.ru > Security > sign out everywhere",
        ),
        Ability(
            "cookies, SmartCaptcha keys, OAuth client secrets, keys of old services",
            Capabilities(Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, in the console"),
            kinds=tuple(sorted(NOT_FROM_HERE)),
            by_hand="Make a new one where it was made, then delete the old one.",
        ),
    ),
    services=(
        Service(IAM_URL, why="IAM; other regions have another."),
        Service("https://resource-manager.api.cloud.yandex.net", "resource_manager", "Clouds and folders."),
        Service("https://operation.api.cloud.yandex.net", "operation", "Operations."),
        Service("https://oauth.yandex.ru", "oauth", "Revoking OAuth tokens."),
        Service(
            "",
            "metadata",
            "Where a machine in Yandex Cloud gets its token, instead of a credential: http://169.254.169.254 there.",
            optional=True,
        ),
    ),
    credentials=(
        CredentialNeed(
            "authorized_key",
            "The JSON file of an authorized key, of a service account made for keyfuse.",
            "iam.serviceAccounts.admin on the folders, resource-manager.viewer on the clouds",
        ),
        CredentialNeed("oauth_token", "An OAuth token of a Yandex account, instead.", "the same, for that account"),
        CredentialNeed("iam_token", "An IAM token that something else renews, instead.", "the same"),
        CredentialNeed(
            "oauth_client_secret",
            "The secret of the application whose OAuth tokens shall be revoked.",
            "none beside being that application's",
        ),
    ),
    options=(
        OptionNeed(
            "service_account_id", "The service account that keyfuse works as, where its credential does not tell."
        ),
        OptionNeed("cloud_ids", "Look only through these clouds; empty means all.", default=()),
        OptionNeed("folder_ids", "Look only through these folders; empty means all.", default=()),
        OptionNeed("oauth_client_id", "The id of that application."),
    ),
    docs="https://yandex.cloud/docs/iam/operations/compromised-credentials",
    outlives="IAM tokens made from an OAuth token: up to 12 hours",
    requests_per_minute=600,
)


class YandexProvider:
    """All credentials of Yandex Cloud (see `responders.provider.Provider`)."""

    def __init__(self, caller: Caller, clock: Callable[[], datetime], pause: Callable[[float], None]) -> None:
        self._caller = caller
        self._api = Api(caller, clock, pause)
        self._inventory = Inventory(self._api, caller, clock)
        self._keys = AccountKeys(self._api, self._inventory, clock)
        self._bearers = Bearers(self._api, caller, clock)
        self._once = Once()

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return ABOUT.name

    @property
    def capabilities(self) -> Capabilities:
        """What it can do for some family or other."""
        return ABOUT.capabilities

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By an id that leaked or is registered, by mask over everything there is, or by trying a token."""
        known = known if known is not None and known.provider == self.name else None
        sort = sort_of(leak, known)
        if sort is not None:
            return self._keys.identify(sort, leak, known)
        kind = bearer_kind(leak)
        if kind is None and (known is not None or leak.kind.id in NOT_FROM_HERE):
            raise by_hand(leak)
        if kind is None:
            return Unknown("which kind of Yandex's credentials this is cannot be told")
        return self._bearers.identify(kind, leak, known)

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Suspends the key's service account; it is only asked for where the key's record says suspend-owner."""
        if _is_bearer(ref):
            return Unsupported("a token cannot be disabled, only revoked")
        return self._once.do(idempotency_key, lambda: self._keys.suspend(ref, idempotency_key=idempotency_key))

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Reactivates the key's service account."""
        if _is_bearer(ref):
            return Unsupported("a token that was revoked stays so")
        return self._once.do(idempotency_key, lambda: self._keys.reactivate(ref, idempotency_key=idempotency_key))

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Deletes the key, or revokes the token."""
        if _is_bearer(ref):
            return self._once.do(idempotency_key, lambda: self._bearers.delete(ref.details["type"], leak))
        return self._once.do(idempotency_key, lambda: self._keys.delete(ref, idempotency_key=idempotency_key))

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Yandex Cloud has no locks."""
        return Unsupported("Yandex Cloud has no locks on keys")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the record and its service account back; a token is tried."""
        if _is_bearer(ref):
            return self._bearers.prove(ref.details["type"], leak)
        return self._keys.prove(ref, wanted)

    def needs_secret(self) -> bool:
        """A key is found by the end of its value, and a token is ended with itself, also after a restart."""
        return True

    # --- beside leaks -----------------------------------------------------------------------------------------------

    def trials(self) -> Sequence[Trial]:
        """Asks for a token, and for the list of clouds."""
        given = [name for name in ("authorized_key", "oauth_token", "iam_token") if self._caller.has(name)]
        name = given[0] if given else "metadata" if self._api.metadata() else "authorized_key"
        if not given and not self._api.metadata():
            return [Trial(name, Worth.MISSING, "set authorized_key_file")]
        try:
            token = self._api.token()
        except ProviderError as error:
            return [Trial(name, Worth.REFUSED, str(error))]
        if isinstance(token, Unknown):
            return [Trial(name, Worth.REFUSED if is_refusal(token) else Worth.UNKNOWN, token.reason)]
        return [self._seen(name)]

    def _seen(self, name: str) -> Trial:
        count, missing = self._inventory.reach()
        shown = f"{WHO} shows it {count} service accounts"
        return Trial(name, Worth.WORKS, f"{shown}, and not everything: {missing}" if missing else shown)

    def listing(self) -> Iterator[Listed | NotListed | Whole]:
        """Every credential of every service account that keyfuse may see."""
        return self._inventory.listing()

    def successor(self, key: KnownKey, expires_at: datetime | None) -> Replacement | Refused | Unsupported:
        """A new key of the same kind for the same service account."""
        return self._keys.successor(key, expires_at)

    def end_at(self, ref: KeyRef, moment: datetime, *, idempotency_key: str) -> Receipt:
        """Sets an API key's expiry."""
        return self._keys.end_at(ref, moment, idempotency_key=idempotency_key)


def make(desk: Desk) -> YandexProvider:
    """Yandex Cloud, as the configuration connects it."""
    return YandexProvider(desk.caller, desk.clock, time.sleep)


def _is_bearer(ref: KeyRef) -> bool:
    return ref.details.get("type", "").endswith("-token")
