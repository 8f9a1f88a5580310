"""Classic infrastructure (SoftLayer) API keys of IBM Cloud: no disable exists, only deletion.

Facts (SLDN, IBM's reference; names and URL grammar documented, the order of parameters and the shape of lists from
memory, unverified): REST v3.1 with basic authentication, a wrong pair gets 401; a user's key is listed by
`getApiAuthenticationKeys` and removed by `removeApiAuthenticationKey`; the user itself and every ancestor in the
hierarchy of users may do both. With an IAM key the user name is the word `apikey`. A changing method would also work
by GET, so it is only ever called by POST.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from responders.calling import Answer, Caller, NoAnswer, json_of
from responders.listing import Listed, NotListed
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
from responders.providers.replies import not_taken, taken, told
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import Secret, printable

NAME = "ibm"
WHO = "IBM's classic infrastructure"
RIGHT = "a classic infrastructure user above the key's user"
SERVICE = "classic"
PAGE = 100
MOST_PAGES = 100
USERS = "mask[id,username,apiAuthenticationKeys[id,authenticationKey]]"
KINDS = frozenset({"ibm-softlayer-api-key"})
SURE = frozenset({KeyKind.CLASSIC, KeyKind.USER, KeyKind.SERVICE_ID, KeyKind.SERVICE_SPECIFIC})
_FORM = re.compile(rb"[a-z0-9]{64}")


@dataclass(frozen=True, slots=True)
class ClassicKey:
    """One user's key. `value` is what the listing shows to whoever may see it."""

    id: str
    user_id: str
    username: str
    value: Secret


class ClassicKeys:
    """The keys of classic users, seen with keyfuse's own classic or IAM key."""

    def __init__(self, caller: Caller, *, use_leaked_key: bool) -> None:
        self._caller = caller
        self._use_leaked_key = use_leaked_key

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By value over the keys that keyfuse may see: each user has one at most, and its value is shown."""
        for key in self._every():
            if isinstance(key, Unknown):
                return key
            same = leak.secret == key.value if leak.secret is not None else _is(key, known)
            if same:
                details = {"type": "classic", "user_id": key.user_id}
                evidence = f"the listing of classic keys shows it as key {key.id} of user {key.user_id}"
                return Identified(KeyRef(NAME, key.id, details), KeyState.ACTIVE, evidence=evidence)
        said = "none of the classic users that keyfuse may see has this key"
        name = _username(leak, known)
        if known is not None and leak.secret is not None and name and self._use_leaked_key:
            tried = self._try(name, leak.secret)
            if tried is True:
                return Unknown(f"{said}, but the key is alive; keyfuse needs {RIGHT}", works=True)
            if tried is False:
                said += ", and with the user name that leaked or is registered it was tried and refused"
        return NotFound(said, sees_all=False)

    def disable(self, ref: KeyRef) -> Receipt:
        """There is no such thing."""
        return Unsupported("classic infrastructure keys cannot be disabled, only deleted")

    def delete(self, ref: KeyRef) -> Receipt:
        """removeApiAuthenticationKey, if the user still has this key."""
        user_id = ref.details.get("user_id", "")
        if not (user_id.isdecimal() and ref.id.isdecimal()):
            return Refused("the key's user is not known; report the leak once more, so that it is looked up")
        before = self._of_user(user_id)
        if isinstance(before, Unknown):
            return Refused(f"nothing was sent: {before.reason}", for_good=False)
        if ref.id not in before:
            return Done(f"user {user_id} has no key {ref.id} any more")
        answer = self._send(
            "POST",
            f"/rest/v3.1/SoftLayer_User_Customer/{user_id}/removeApiAuthenticationKey.json",
            json_body={"parameters": [int(ref.id)]},
        )
        if isinstance(answer, Answer) and taken(answer):
            if json_of(answer) is False:
                return Refused(f"{WHO} says that it did not remove the key")
            return Done(f"{WHO} took it ({told(answer)})")
        return not_taken(answer, WHO, RIGHT)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Lists the user's keys again, and tries the key where its value is at hand."""
        name, user = _username(leak, None), ref.details.get("user_id", "")
        tried = None
        if leak.secret is not None and name and self._use_leaked_key:
            tried = self._try(name, leak.secret)
        if tried is True:
            return Alive("tried: the key still opens the account")
        keys = self._of_user(user)
        if isinstance(keys, Unknown):
            return keys
        if ref.id in keys:
            return Alive(f"read back: user {user} still has key {ref.id}")
        refused = "; tried: refused" if tried is False else ""
        return Dead(f"read back: user {user} has no key {ref.id} any more{refused}", KeyState.DELETED)

    def listing(self) -> Iterator[Listed | NotListed]:
        """Every classic key that keyfuse may see."""
        for key in self._every():
            if isinstance(key, Unknown):
                yield NotListed("classic infrastructure keys", key.reason)
            else:
                yield Listed(
                    provider_key_id=key.id,
                    name=f"classic key of {key.username}",
                    named=False,
                    kind=KeyKind.CLASSIC,
                    state=KeyState.ACTIVE,
                    iam_id=key.username,
                    value=key.value,
                )

    # --- asking -----------------------------------------------------------------------------------------------------

    def _every(self) -> Iterator[ClassicKey | Unknown]:
        for page in range(MOST_PAGES):
            query = {"objectMask": USERS, "resultLimit": f"{page * PAGE},{PAGE}"}
            answer = self._send("GET", "/rest/v3.1/SoftLayer_Account/getUsers.json", query=query)
            users = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
            if not isinstance(users, list):
                yield Unknown(_why(answer))
                return
            for user in users:
                yield from _keys_of(user)
            if len(users) < PAGE:
                return
        yield Unknown(f"{WHO} lists more users than keyfuse looks at")

    def _of_user(self, user_id: str) -> set[str] | Unknown:
        """The ids of one user's keys."""
        if not user_id.isdecimal():
            return Unknown("the key's user is not known")
        answer = self._send("GET", f"/rest/v3.1/SoftLayer_User_Customer/{user_id}/getApiAuthenticationKeys.json")
        keys = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
        if not isinstance(keys, list) or not all(isinstance(key, dict) and "id" in key for key in keys):
            return Unknown(_why(answer))
        return {str(key["id"]) for key in keys}

    def _try(self, username: str, value: Secret) -> bool | None:
        """Whether the pair opens the account; None when nobody could tell."""
        answer = self._send("GET", "/rest/v3.1/SoftLayer_Account.json", login=(username, value))
        if isinstance(answer, NoAnswer):
            return None
        if not isinstance(json_of(answer), dict):
            return None  # a page of somebody in between
        return True if answer.ok else False if answer.status == 401 else None

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        json_body: object = None,
        login: tuple[str, Secret] | None = None,
    ) -> Answer | NoAnswer:
        if login is None and self._caller.has("classic_api_key"):
            login = (str(self._caller.option("classic_username")), self._caller.credential("classic_api_key"))
        name, value = login or ("apikey", self._caller.credential("api_key"))
        pair = b64encode(name.encode() + b":" + value.reveal()).decode()
        headers = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
        return self._caller.send(
            method, path, service=SERVICE, query=query or {}, headers=headers, json_body=json_body, secrets=[value]
        )


def is_classic(leak: Leak, known: KnownKey | None) -> bool:
    """Whether this is such a key: its record says so, or the rule that found it, or else its form."""
    if known is not None and known.kind in SURE:
        return known.kind is KeyKind.CLASSIC
    return leak.kind.id in KINDS or (
        known is not None and leak.secret is not None and _FORM.fullmatch(leak.secret.reveal()) is not None
    )


def _keys_of(user: Any) -> Iterator[ClassicKey]:
    if not isinstance(user, dict) or not isinstance(user.get("apiAuthenticationKeys"), list):
        return
    for key in user["apiAuthenticationKeys"]:
        if isinstance(key, dict) and isinstance(key.get("authenticationKey"), str) and str(key.get("id")).isdecimal():
            name = printable(str(user.get("username", "")))[:100]
            yield ClassicKey(str(key["id"]), str(user.get("id", "")), name, Secret(key["authenticationKey"].encode()))


def _is(key: ClassicKey, known: KnownKey | None) -> bool:
    return known is not None and known.provider_key_id == key.id


def _username(leak: Leak, known: KnownKey | None) -> str:
    part = leak.parts.get("username")
    if part is not None:
        return part.reveal().decode("utf-8", "replace")
    return known.iam_id if known is not None else ""


def _why(answer: Answer | NoAnswer) -> str:
    if isinstance(answer, NoAnswer):
        return answer.reason
    if answer.status in (401, 403):
        return f"keyfuse may not see classic infrastructure users ({told(answer)}); it needs {RIGHT}"
    return f"{WHO} gave no listing ({told(answer)})"
