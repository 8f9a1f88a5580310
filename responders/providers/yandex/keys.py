"""Credentials of service accounts in Yandex Cloud: API keys, static access keys, authorized keys.

None of them can be disabled. What can be is the service account they belong to (`:suspend`, reversed by
`:reactivate`), which stops everything that works as that account; so it is done only where a key's record asks for it
(`if_unsupported = "suspend-owner"`). A key cannot end itself: API keys do not authenticate at IAM.

Not verified: how long a deletion takes to arrive everywhere; what a caller gets for a foreign key (403 or 404).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from responders.calling import Answer, json_of
from responders.listing import Replacement
from responders.provider import (
    Alive,
    Ambiguous,
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
from responders.providers.replies import not_taken
from responders.providers.yandex.api import RIGHT, WHO, Api, Trouble, key_file
from responders.providers.yandex.inventory import ACCOUNTS, Inventory
from responders.providers.yandex.records import SORTS, Account, Record, Sort, record
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import Secret

NAME = "yandex"
OF_RULES = {
    "yandex-api-key": Sort.API_KEY,
    "yandex-static-key-secret": Sort.STATIC,
    "yandex-authorized-key": Sort.AUTHORIZED,
}
FORMS = {
    re.compile(rb"AQVN[A-Za-z0-9_-]{35,38}"): Sort.API_KEY,
    re.compile(rb"YC[A-Za-z0-9_-]{38}"): Sort.STATIC,
}
SECRET_FIELDS = {Sort.API_KEY: "secret", Sort.STATIC: "secret", Sort.AUTHORIZED: "privateKey"}


def sort_of(leak: Leak, known: KnownKey | None) -> Sort | None:
    """What it is: its record says so, or the rule that found it, or else its form."""
    if known is not None and known.kind in SORTS:
        return SORTS[known.kind]
    if leak.kind.id in OF_RULES or leak.secret is None:
        return OF_RULES.get(leak.kind.id)
    return next((sort for form, sort in FORMS.items() if form.fullmatch(leak.secret.reveal())), None)


class AccountKeys:
    """The credentials of service accounts."""

    def __init__(self, api: Api, inventory: Inventory, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._inventory = inventory
        self._clock = clock

    # --- identify ---------------------------------------------------------------------------------------------------

    def identify(self, sort: Sort, leak: Leak, known: KnownKey | None) -> Identity:
        """By an id that leaked with it or that the registry knows, else by the end of the value."""
        key_id = _id_inside(sort, leak) or (known.provider_key_id if known is not None else "")
        if key_id:
            return self._by_id(sort, key_id, leak, known)
        match sort:
            case Sort.API_KEY if leak.secret is not None:
                return self._by_mask(sort, leak.secret)
            case Sort.STATIC if (public := _part(leak, "id")) is not None:
                found = self._inventory.search(sort, public_id=public)
                if len(found.fitting) == 1:
                    return self._identified(found.fitting[0], "its public half is in the listing")
                if found.broken:
                    return Unknown(found.broken)
                return NotFound(
                    f"no static access key that keyfuse may see has that public half{_hidden(found.hidden)}", False
                )
            case Sort.STATIC:
                return Unknown(
                    "a static key's secret alone names no key; its public half (YC…) has to be known as well"
                )
            case _:
                return Unknown("neither the value nor Yandex's id of the key is at hand; report the leak once more")

    def _by_id(self, sort: Sort, key_id: str, leak: Leak, known: KnownKey | None) -> Identity:
        found = self._inventory.read(sort, key_id)
        if isinstance(found, Record):
            value = leak.secret.reveal().decode("utf-8", "replace") if leak.secret is not None else ""
            if sort is Sort.API_KEY and value and found.ending and not value.endswith(found.ending):
                return Ambiguous(
                    (key_id,), f"the registry says that this is key {key_id}, but its secret ends otherwise at {WHO}"
                )
            return self._identified(found, "looked up by its id")
        if not found.missing:
            return Unknown(found.reason)
        owner = _owner_inside(sort, leak) or (known.iam_id if known is not None else "")
        sees_all = bool(owner) and isinstance(self._inventory.account(owner), Account)
        return NotFound(found.reason, sees_all=sees_all)

    def _by_mask(self, sort: Sort, secret: Secret) -> Identity:
        found = self._inventory.search(sort, ending=secret.reveal().decode("utf-8", "replace"))
        if len(found.fitting) > 1:
            ids = tuple(each.id for each in found.fitting)
            return Ambiguous(ids, "the last characters of the secret fit more than one key")
        if found.broken:
            return Unknown(f"not every key could be listed: {found.broken}")
        if found.fitting:
            return self._identified(
                found.fitting[0], f"it alone has this end of the secret (…{found.fitting[0].ending[-4:]})"
            )
        if found.maskless:
            return Ambiguous(
                tuple(found.maskless[:20]),
                f"no key shows this end of the secret, and {len(found.maskless)} show none at all; register the key "
                "with its id (keyfuse keys import)",
            )
        said = f"no API key that keyfuse may see ends like this{_hidden(found.hidden)}"
        return NotFound(said, sees_all=False)

    def _identified(self, found: Record, how: str) -> Identity:
        state = found.state(self._clock())
        details = {"type": found.sort.kind.value, "account": found.account}
        said = f"{found.words()} reads {state.value}; {how}"
        if found.account:
            owner = self._inventory.account(found.account)
            if isinstance(owner, Account) and owner.suspended:
                state, said = KeyState.DISABLED, f"{said}; its service account is suspended"
        return Identified(KeyRef(NAME, found.id, details), state, evidence=said)

    # --- act --------------------------------------------------------------------------------------------------------

    def suspend(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Suspends the service account: everything that works as it stops."""
        owner = ref.details.get("account", "")
        if not owner:
            return Unsupported(
                f"which service account the key belongs to is not known, and {WHO} disables no single key"
            )
        if owner == self._api.own_account():
            return Refused("keyfuse itself works as that service account; give it another of its own")
        before = self._inventory.account(owner)
        if isinstance(before, Trouble):
            return Refused(f"nothing was sent: {before.reason}", for_good=before.denied)
        if before.suspended:
            return Done(f"service account {owner} is suspended already")
        reason = f"keyfuse: {ref.details.get('type', 'key')} {ref.id} leaked"
        path = f"{ACCOUNTS}/{quote(owner, safe='')}:suspend"
        return self._api.change("POST", path, json_body={"reason": reason[:256]}, idempotency_key=idempotency_key)

    def reactivate(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Lets the service account work again."""
        owner = ref.details.get("account", "")
        if not owner:
            return Unsupported("which service account the key belongs to is not known")
        path = f"{ACCOUNTS}/{quote(owner, safe='')}:reactivate"
        return self._api.change("POST", path, json_body={}, idempotency_key=idempotency_key)

    def delete(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Deletes exactly this key."""
        sort = _sort(ref)
        own = self._api.own_key()
        if sort is None:
            return Refused("which kind of key this is is not known; report the leak once more")
        if own is not None and ref.id == own.id:
            return Refused("keyfuse itself works with this key; give it another, then delete this one by hand")
        path = f"{sort.path}/{quote(ref.id, safe='')}"
        return self._api.change("DELETE", path, idempotency_key=idempotency_key, seen="account" in ref.details)

    def end_at(self, ref: KeyRef, moment: datetime, *, idempotency_key: str) -> Receipt:
        """Sets an API key's expiry; only that field is named, since every other one would be emptied."""
        if _sort(ref) is not Sort.API_KEY:
            return Unsupported("only API keys have an expiry")
        body = {"updateMask": "expiresAt", "expiresAt": stamped(moment)}
        path = f"{Sort.API_KEY.path}/{quote(ref.id, safe='')}"
        return self._api.change("PATCH", path, json_body=body, idempotency_key=idempotency_key)

    # --- prove ------------------------------------------------------------------------------------------------------

    def prove(self, ref: KeyRef, wanted: KeyState) -> Proof:
        """Reads the record back, then its service account. (IAM itself takes no API key, so none can be tried.)"""
        sort, owner_id = _sort(ref), ref.details.get("account", "")
        if sort is None:
            return Unknown("which kind of key this is is not known; report the leak once more")
        found = self._inventory.read(sort, ref.id)
        if isinstance(found, Trouble):
            if not found.missing:
                return Unknown(found.reason)
            if owner_id and isinstance(self._inventory.account(owner_id), Account):  # so the key would be shown too
                return Dead(f"read back: {found.reason}", KeyState.DELETED)
            return Unknown(f"{found.reason}; that is no proof, since keyfuse may not see every key")
        owner = self._inventory.account(found.account) if found.account else Trouble("its account is not known")
        state = found.state(self._clock())
        said = f"read back: {found.words()} reads {state.value}"
        if isinstance(owner, Account) and owner.suspended:
            state, said = KeyState.DISABLED, f"{said}, and its service account is suspended"
        elif isinstance(owner, Trouble) and state is KeyState.ACTIVE and wanted is KeyState.DISABLED:
            return Unknown(f"{said}; whether its service account is suspended cannot be read ({owner.reason})")
        if state is KeyState.ACTIVE or wanted is KeyState.DELETED:
            return Alive(f"{said}, not deleted" if wanted is KeyState.DELETED else said)
        return Dead(said, state)

    # --- replace ----------------------------------------------------------------------------------------------------

    def successor(self, key: KnownKey, expires_at: datetime | None) -> Replacement | Refused | Unsupported:
        """A new key of the same kind for the same service account, with the old one's scopes and description."""
        sort = SORTS.get(key.kind)
        if sort is None:
            return Unsupported(f"{WHO} makes no keys of the kind {key.kind} on request")
        old = self._inventory.read(sort, key.provider_key_id)
        if isinstance(old, Trouble):
            return Refused(f"nothing was sent: {old.reason}", for_good=old.denied)
        body: dict[str, object] = {"serviceAccountId": old.account}
        body |= {"description": old.description} if old.description else {}
        if sort is Sort.API_KEY:
            body |= {"scopes": list(old.scopes)} if old.scopes else {}
            body |= {"expiresAt": stamped(expires_at)} if expires_at else {}
        answer = self._api.ask("POST", sort.path, json_body=body)
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        made = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
        new = record(made.get(sort.made), sort) if isinstance(made, dict) else None
        value = made.get(SECRET_FIELDS[sort]) if isinstance(made, dict) else None
        if new is None or not isinstance(value, str):
            receipt = None if isinstance(answer, Answer) and answer.ok else not_taken(answer, WHO, RIGHT)
            if isinstance(receipt, Refused):
                return receipt
            return Refused(
                f"nobody can tell whether {WHO} made the new key: look among the keys of service account "
                f"{old.account}, and delete a new one before you repeat this",
                for_good=False,
            )
        note = "" if sort is not Sort.STATIC else f"the public half of the new key is {new.public_id}"
        return Replacement(self._inventory.listed(new, None), Secret(value.encode()), note=note)


def stamped(moment: datetime) -> str:
    """A time as Yandex takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sort(ref: KeyRef) -> Sort | None:
    kind = ref.details.get("type", "")
    return SORTS.get(KeyKind(kind)) if kind in set(KeyKind) else None


def _part(leak: Leak, name: str) -> str | None:
    part = leak.parts.get(name)
    return part.reveal().decode("utf-8", "replace") if part is not None else None


def _id_inside(sort: Sort, leak: Leak) -> str:
    """An authorized key's own id, which its file holds beside the private key."""
    if sort is not Sort.AUTHORIZED:
        return ""
    whole = key_file(leak.secret) if leak.secret is not None else None
    return whole.id if whole is not None else _part(leak, "id") or ""


def _owner_inside(sort: Sort, leak: Leak) -> str:
    whole = key_file(leak.secret) if sort is Sort.AUTHORIZED and leak.secret is not None else None
    return whole.account if whole is not None else ""


def _hidden(reasons: list[str]) -> str:
    return f" ({len(reasons)} places are not shown to it)" if reasons else ""
