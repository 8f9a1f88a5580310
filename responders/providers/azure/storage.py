"""Access keys of Azure storage accounts: compared by value, regenerated, or forbidden for the whole account.

Resource Manager: list of accounts, POST listKeys, POST regenerateKey, PATCH properties.allowSharedKeyAccess. From
memory. A key is regenerated only right after its value was seen in its place: a repeat would kill its successor.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator

from responders.http import NoAnswer
from responders.provider import (
    Alive,
    Dead,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    NotFound,
    Proof,
    Receipt,
    Refused,
    Unknown,
    Unsupported,
)
from responders.providers.asking import JsonApi, Reply, known_id, listed, not_done, segment, unclear
from responders.providers.azure import NAME
from responders.providers.azure.login import AzureLogin
from responders.registry import KeyState, KnownKey
from scanner.model import Secret

RESOURCE, PLACE = "resource", "place"
VERSION = {"api-version": "2023-05-01"}
ACCOUNT_ID = re.compile(
    r"subscriptions/[\w-]+/resourceGroups/[\w().-]+/providers/Microsoft\.Storage/storageAccounts/[a-z0-9]{3,24}", re.I
)
VALUE = re.compile(rb"[A-Za-z0-9+/]{86}==")
MOST_PAGES, MOST_ACCOUNTS = 20, 200
RIGHTS = "Microsoft.Storage/storageAccounts/read, /listKeys/action, /regenerateKey/action and /write"


class StorageKeys:
    """Finds, regenerates and compares storage keys."""

    def __init__(self, api: JsonApi, login: AzureLogin, subscriptions: tuple[str, ...]) -> None:
        self._api = api
        self._login = login
        self._subscriptions = subscriptions

    def is_one(self, leak: Leak, known: KnownKey | None) -> bool:
        """Whether it looks like one, or the registry's record names a storage account."""
        value = b"" if leak.secret is None else leak.secret.reveal()
        return bool(VALUE.fullmatch(value)) or "storageaccounts/" in known_id(NAME, known).lower()

    def has(self, ref: KeyRef) -> bool:
        """Whether the reference is to a storage key."""
        return RESOURCE in ref.details or "/storageaccounts/" in ref.id.lower()

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By value, in the account that it is said to be of, else in all accounts of the configured subscriptions."""
        if leak.secret is None:
            return Unknown("a storage key is compared by its value, which is not at hand any more")
        if not self._subscriptions:
            return NotFound("no subscriptions are configured to look for storage accounts in", sees_all=False)
        part = leak.parts.get("account")
        name = part.reveal().decode("latin-1").lower() if part is not None else ""
        asked = 0
        for account in self._accounts():
            if isinstance(account, NoAnswer):
                return Unknown(account.reason)
            if name and account.rpartition("/")[2].lower() != name:
                continue
            asked += 1
            if asked > MOST_ACCOUNTS:
                return NotFound(f"more than {MOST_ACCOUNTS} storage accounts; name the one it is of", sees_all=False)
            found = self._place_of(account, leak.secret)
            if isinstance(found, NoAnswer):
                return Unknown(found.reason)
            if found:
                return self._identified(account, found, known)
        if name and asked:
            return NotFound(f"storage account {name} has other keys now", sees_all=True)
        where = f"no storage account {name}" if name else "no storage account with this key"
        return NotFound(f"the configured subscriptions have {where}", sees_all=False)

    def _identified(self, account: str, place: str, known: KnownKey | None) -> Identity:
        allowed = self._shared_keys_allowed(account)
        if isinstance(allowed, NoAnswer):
            return Unknown(allowed.reason)
        ref_id = known_id(NAME, known) or f"{account}/{place}"
        state = KeyState.ACTIVE if allowed else KeyState.DISABLED
        evidence = f"it is {place} of storage account {account.rpartition('/')[2]}"
        return Identified(KeyRef(NAME, ref_id, {RESOURCE: account, PLACE: place}), state, evidence=evidence)

    def set_owner(self, ref: KeyRef, *, enabled: bool) -> Receipt:
        """Forbids shared keys for the whole account, or allows them."""
        account = ref.details.get(RESOURCE, ref.id.rpartition("/")[0])
        if not ACCOUNT_ID.fullmatch(account):
            return Refused("which storage account it is was never found out")
        body = {"properties": {"allowSharedKeyAccess": enabled}}
        reply = self._login.ask(self._api, "PATCH", account, query=VERSION, body=body)
        if isinstance(reply, Reply) and reply.ok:
            return Done(f"shared keys of the account are {'allowed' if enabled else 'forbidden'} ({reply.status})")
        return not_done(reply, self._api.host, needs=RIGHTS)

    def delete(self, ref: KeyRef, leak: Leak) -> Receipt:
        """Regenerates the key, if the leaked value is still in its place."""
        account, place = ref.details.get(RESOURCE, ""), ref.details.get(PLACE, "")
        if leak.secret is None or not ACCOUNT_ID.fullmatch(account):
            return Unsupported("without the value nobody can tell whether the key is still the leaked one")
        found = self._place_of(account, leak.secret)
        if isinstance(found, NoAnswer):
            return Refused(found.reason, for_good=False)
        if found != place:
            return Done("the leaked value is not in its place any more: the key was regenerated already")
        reply = self._login.ask(self._api, "POST", f"{account}/regenerateKey", query=VERSION, body={"keyName": place})
        if isinstance(reply, Reply) and reply.ok:
            return Done(f"{place} was regenerated ({reply.status})")
        return not_done(reply, self._api.host, needs=RIGHTS)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Looks whether the account still has the leaked value, and whether it lets it in."""
        if leak.secret is None:
            return Unknown("a storage key is compared by its value, which is not at hand any more")
        account = ref.details.get(RESOURCE, "")
        found = self._place_of(account, leak.secret)
        if isinstance(found, NoAnswer):
            return Unknown(found.reason)
        if not found:
            return Dead("the account's keys are others now", KeyState.DELETED)
        allowed = True if wanted is KeyState.DELETED else self._shared_keys_allowed(account)
        if isinstance(allowed, NoAnswer):
            return Unknown(allowed.reason)
        if allowed:
            return Alive(f"the leaked value is still {found} of its account")
        return Dead("the account's record reads that shared keys are forbidden", KeyState.DISABLED)

    def _accounts(self) -> Iterator[str | NoAnswer]:
        """The resource ids of all storage accounts, or why they cannot be told."""
        for subscription in self._subscriptions:
            path = f"subscriptions/{segment(subscription)}/providers/Microsoft.Storage/storageAccounts"
            query: dict[str, str] | None = VERSION
            for _page in range(MOST_PAGES):
                reply = self._login.ask(self._api, "GET", path, query=query)
                value = reply.data.get("value") if isinstance(reply, Reply) and reply.says(200) and reply.data else None
                if not isinstance(reply, Reply) or not reply.data or not isinstance(value, list):
                    yield NoAnswer(f"the list of storage accounts: {unclear(reply, self._api.host)}", sent=False)
                    return
                for account in listed(value):
                    if ACCOUNT_ID.fullmatch(resource := str(account.get("id", "")).strip("/")):
                        yield resource
                if not (following := reply.data.get("nextLink")):
                    break
                rest = self._api.rest_of(str(following))
                if rest is None:
                    yield NoAnswer("the list of storage accounts leads to another host", sent=False)
                    return
                path, query = rest, None
            else:
                yield NoAnswer("the list of storage accounts has no end", sent=False)
                return

    def _place_of(self, account: str, value: Secret) -> str | NoAnswer:
        """Which of the account's keys has this value; "" for none."""
        reply = self._login.ask(self._api, "POST", f"{account}/listKeys", query=VERSION, body={})
        keys = reply.data.get("keys") if isinstance(reply, Reply) and reply.says(200) and reply.data else None
        if not isinstance(keys, list) or not keys:
            return NoAnswer(f"the keys of the storage account: {unclear(reply, self._api.host)}", sent=False)
        for key in listed(keys):
            if hmac.compare_digest(str(key.get("value", "")).encode(), value.reveal()):
                return str(key.get("keyName", ""))
        return ""

    def _shared_keys_allowed(self, account: str) -> bool | NoAnswer:
        """Azure leaves the property out where nobody has set it: then they are allowed."""
        reply = self._login.ask(self._api, "GET", account, query=VERSION)
        if isinstance(reply, Reply) and reply.says(200) and reply.data and "id" in reply.data:
            properties = reply.data.get("properties")
            return not (isinstance(properties, dict) and properties.get("allowSharedKeyAccess") is False)
        return NoAnswer(unclear(reply, self._api.host), sent=False)
