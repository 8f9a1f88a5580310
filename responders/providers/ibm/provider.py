"""IBM Cloud as a provider: which family a key belongs to, and what each family can do.

The leak action is IBM's own field (`action_when_leaked`) and is read fresh when a key leaks, since its owner may have
changed it there; the registry's copy counts only where IBM's record names none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from responders.about import Ability, About, CredentialNeed, OptionNeed, Service, Trial
from responders.calling import Caller
from responders.catalog import Desk
from responders.errors import ProviderError
from responders.listing import Listed, NotListed, Replacement, Whole
from responders.provider import (
    Accepted,
    Capabilities,
    DisableKind,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    Lookup,
    NotFound,
    Proof,
    ProveKind,
    Receipt,
    Refused,
    Unknown,
    Unsupported,
)
from responders.providers.ibm.classic import ClassicKeys, is_classic
from responders.providers.ibm.credentials import HMAC, ServiceCredentials
from responders.providers.ibm.iam import Iam
from responders.providers.ibm.keeping import Keeping
from responders.providers.ibm.keys import IamKeys
from responders.providers.ibm.records import SERVICE
from responders.providers.once import Once
from responders.registrar import Amendment
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import REGISTERED

IAM_URL = "https://iam.cloud.ibm.com"

NOT_FROM_HERE = frozenset(
    {
        "ibm-cloudant-password",
        "ibm-cloudant-api-key-legacy",
        "ibm-quantum-api-token-legacy",
        "ibm-watson-service-password",
    }
)

ABOUT = About(
    "ibm",
    "IBM Cloud",
    abilities=(
        Ability(
            "user and service-id API keys",
            Capabilities(
                Lookup.BY_VALUE_ADMIN,
                DisableKind.NATIVE,
                reversible=True,
                delete=True,
                prove=ProveKind.BOTH,
                authoriser="Administrator on the IAM Identity service; a user key may switch itself off",
            ),
            evidence="V-SDK, V-IBMDOC; codes of refused grants 3P",
            note="The leak action is IBM's own field, read fresh at the leak. A locked key is left alone.",
        ),
        Ability(
            "classic infrastructure (SoftLayer) keys",
            Capabilities(
                Lookup.BY_VALUE_ADMIN,
                DisableKind.NONE,
                reversible=False,
                delete=True,
                prove=ProveKind.BOTH,
                authoriser="a classic user above the key's user",
            ),
            kinds=("ibm-softlayer-api-key",),
            evidence="V-DOC for names; parameters M",
            by_hand="Manage > Access (IAM) > Users > the user > Classic infrastructure API key > Delete",
        ),
        Ability(
            "service credentials without an IAM key (Object Storage HMAC pairs)",
            Capabilities(
                Lookup.BY_VALUE_ADMIN,
                DisableKind.NONE,
                reversible=False,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="Editor on the service instance",
            ),
            kinds=(HMAC,),
            evidence="V-SDK",
            by_hand="Resource list > the instance > Service credentials > Delete",
        ),
        Ability(
            "passwords of Cloudant and Watson, old keys of Cloudant and Quantum",
            Capabilities(Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, in the console"),
            kinds=tuple(sorted(NOT_FROM_HERE)),
            by_hand="Make new service credentials of the instance, then delete the old ones",
        ),
    ),
    services=(
        Service(IAM_URL, why="IAM: tokens and API keys."),
        Service("https://resource-controller.cloud.ibm.com", "resource_controller", "Service credentials."),
        Service("https://api.softlayer.com", "classic", "Classic infrastructure."),
    ),
    credentials=(
        CredentialNeed(
            "api_key",
            "The API key that keyfuse works with, best of a service id made for it.",
            "Administrator on the IAM Identity service of the account; Editor on instances with service credentials",
        ),
        CredentialNeed(
            "classic_api_key",
            "A classic infrastructure key, where the API key above has no classic user.",
            "a classic user above those whose keys shall be found",
        ),
    ),
    options=(
        OptionNeed("account_id", "The account whose keys `keys sync` lists; without it that of keyfuse's own key."),
        OptionNeed("classic_username", "The user of `classic_api_key`, such as 1234567_name@example.org."),
        OptionNeed("classic", "Whether classic infrastructure keys are listed by `keys sync`.", default=False),
        OptionNeed("service_credentials", "Whether service credentials are looked through.", default=True),
        OptionNeed(
            "use_leaked_key",
            "Whether a leaked key may be tried; a registered one is also used where keyfuse's own rights do not reach.",
            default=True,
        ),
    ),
    docs="https://cloud.ibm.com/docs/account?topic=account-manapikey",
    outlives="access tokens made from the key: up to 60 minutes",
    requests_per_minute=300,
)


class IbmProvider:
    """All key families of IBM Cloud (see `responders.provider.Provider`)."""

    def __init__(self, caller: Caller, clock: Callable[[], datetime]) -> None:
        trying = bool(caller.option("use_leaked_key"))
        self._caller = caller
        self._iam = Iam(caller, clock)
        self._keys = IamKeys(self._iam, clock, has_credential=lambda: caller.has("api_key"), use_leaked_key=trying)
        self._classic = ClassicKeys(caller, use_leaked_key=trying)
        self._credentials = ServiceCredentials(self._iam)
        self._keeping = Keeping(caller, self._iam, clock, self._classic, self._credentials)
        self._once = Once()

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return ABOUT.name

    @property
    def capabilities(self) -> Capabilities:
        """What it can do for some family or other."""
        return ABOUT.capabilities

    # --- identify ---------------------------------------------------------------------------------------------------

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By value at IBM, or by IBM's id where the value is gone."""
        known = known if known is not None and known.provider == self.name else None
        if is_classic(leak, known):
            return self._classic.identify(leak, known)
        if leak.kind.id == HMAC:
            return self._credentials.identify(leak, known)
        if leak.kind.id in NOT_FROM_HERE:
            raise ProviderError(
                f"keyfuse cannot look up an IBM {leak.kind.name}; replace it where it was made, then note that with "
                "`keyfuse leaks resolve`"
            )
        identity = self._keys.identify(leak, known)
        specific = known is not None and known.kind is KeyKind.SERVICE_SPECIFIC
        if isinstance(identity, NotFound) and (specific or (known is None and leak.kind == REGISTERED)):
            other = self._credentials.identify(leak, known) if self._caller.has("api_key") else identity
            return other if isinstance(other, Identified | Unknown) else identity
        return self._with_credential(identity)

    def _with_credential(self, identity: Identity) -> Identity:
        """A key that came with a service credential is deleted together with it, so the credential is noted."""
        if not isinstance(identity, Identified) or not self._caller.option("service_credentials"):
            return identity
        owner = identity.ref.details.get("iam_id", "")
        if not owner.startswith(SERVICE) or identity.ref.details.get("authority") != "keyfuse":
            return identity
        found = self._credentials.service_ids()
        if isinstance(found, Unknown):
            return _noting(identity, f"its service credential, if it has one, could not be looked up: {found.reason}")
        if owner not in found:
            return identity
        guid = found[owner]["guid"]
        return _noting(identity, f"it belongs to service credential {guid}", credential=guid)

    # --- act --------------------------------------------------------------------------------------------------------

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Natively; for a service credential the IAM key inside; never for classic keys and HMAC pairs."""
        match ref.details.get("type"):
            case "classic":
                return self._classic.disable(ref)
            case "credential":
                return self._credentials.disable(ref)
            case _:
                return self._once.do(idempotency_key, lambda: self._keys.disable(ref, leak))

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """The reverse, for keys of IAM."""
        if ref.details.get("type") in ("classic", "credential"):
            return Unsupported("only IAM's API keys can be enabled")
        return self._once.do(idempotency_key, lambda: self._keys.enable(ref, Leak(REGISTERED, None)))

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """For good; the service credential that a key came with goes after it."""
        match ref.details.get("type"):
            case "classic":
                return self._once.do(idempotency_key, lambda: self._classic.delete(ref))
            case "credential":
                return self._once.do(idempotency_key, lambda: self._credentials.delete(ref.id))
            case _:
                return self._once.do(idempotency_key, lambda: self._delete(ref, leak))

    def _delete(self, ref: KeyRef, leak: Leak) -> Receipt:
        receipt = self._keys.delete(ref, leak)
        guid = ref.details.get("credential")
        if guid is None or not isinstance(receipt, Done):
            return receipt
        # The key counts; what is left of its credential opens nothing any more, but clutters the instance.
        tidied = self._credentials.delete(guid)
        said = tidied.evidence if isinstance(tidied, Done | Accepted) else tidied.reason
        return Done(f"{receipt.evidence}; service credential {guid}: {said}")

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Takes IBM's lock off."""
        if ref.details.get("type") in ("classic", "credential"):
            return Unsupported("only IAM's API keys can be locked")
        return self._once.do(idempotency_key, lambda: self._keys.unlock(ref, Leak(REGISTERED, None)))

    # --- prove ------------------------------------------------------------------------------------------------------

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the record back and tries the value."""
        match ref.details.get("type"):
            case "classic":
                return self._classic.prove(ref, leak, wanted)
            case "credential":
                return self._credentials.prove(ref.id)
            case _:
                return self._keys.prove(ref, leak, wanted)

    def needs_secret(self) -> bool:
        """A key that the registry has from a listing can only be found by its value, also after a restart."""
        return True

    # --- beside leaks -----------------------------------------------------------------------------------------------

    def trials(self) -> Sequence[Trial]:
        """Asks for a token, and whether it sees the account."""
        return self._keeping.trials()

    def listing(self) -> Iterator[Listed | NotListed | Whole]:
        """Every key of the account, with its leak action."""
        return self._keeping.listing()

    def amend(self, ref: KeyRef, amendment: Amendment, *, idempotency_key: str) -> Receipt:
        """Name, description, expiry and leak action, under the record's entity tag."""
        return self._once.do(idempotency_key, lambda: self._keeping.amend(ref, amendment))

    def successor(self, key: KnownKey, expires_at: datetime | None) -> Replacement | Refused | Unsupported:
        """A new key of the same user or service id."""
        return self._keeping.successor(key, expires_at)

    def end_at(self, ref: KeyRef, moment: datetime, *, idempotency_key: str) -> Receipt:
        """Sets the expiry."""
        return self.amend(ref, Amendment(expires_at=moment), idempotency_key=idempotency_key)


def make(desk: Desk) -> IbmProvider:
    """IBM Cloud, as the configuration connects it."""
    return IbmProvider(desk.caller, desk.clock)


def _noting(identity: Identified, said: str, **details: str) -> Identified:
    ref = KeyRef(identity.ref.provider, identity.ref.id, {**identity.ref.details, **details})
    return Identified(
        ref, identity.state, identity.locked, identity.action, f"{identity.evidence}; {said}", identity.owners
    )
