"""Google's API keys: looked up by value, deleted (for 30 days: undelete), read back.

keys:lookupKey is a GET whose parameter is the value. It is sent as a POST with X-HTTP-Method-Override: GET and the
parameter in the body, which Google's own Python client does with long URLs, so that no value stands in a URL. From
memory, as is most of this API; that there is an undelete within 30 days is Google's documentation.
"""

from __future__ import annotations

import re

from responders.provider import (
    Accepted,
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
)
from responders.providers.asking import JsonApi, Reply, known_id, not_done, text_of, unclear
from responders.providers.google import NAME
from responders.providers.google.login import GoogleLogin
from responders.registry import KeyState, KnownKey

KEY = "key"
NAMED = re.compile(r"projects/[0-9A-Za-z:.-]+/locations/global/keys/[0-9A-Za-z-]+")
RIGHTS = "apikeys.keys.lookup, .get and .delete"


class ApiKeys:
    """Finds, deletes and reads back API keys."""

    def __init__(self, api: JsonApi, login: GoogleLogin) -> None:
        self._api = api
        self._login = login

    def is_one(self, leak: Leak, known: KnownKey | None) -> bool:
        """Whether the value, or the registry's record, says that it is an API key."""
        value = b"" if leak.secret is None else leak.secret.reveal()
        return value.startswith((b"AIza", b"AQ.Ab8R")) or bool(NAMED.fullmatch(known_id(NAME, known)))

    def has(self, ref: KeyRef) -> bool:
        """Whether the reference is to an API key."""
        return KEY in ref.details or bool(NAMED.fullmatch(ref.id))

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By value; without it, by the full name in the registry's record."""
        if leak.secret is None:
            name = known_id(NAME, known)
            if not NAMED.fullmatch(name):
                return Unknown("Google is asked for an API key by its value, which is not at hand any more")
            return self._identified(name, known)
        headers = {"X-HTTP-Method-Override": "GET"}
        form = {"keyString": text_of(leak.secret)}
        reply = self._login.ask(self._api, "POST", "keys:lookupKey", headers=headers, form=form, secrets=(leak.secret,))
        if not isinstance(reply, Reply) or reply.data is None:
            return Unknown(unclear(reply, self._api.host))
        name = str(reply.data.get("name", ""))
        if reply.says(200) and NAMED.fullmatch(name):
            return self._identified(name, known)
        if any(reply.says(status) for status in (400, 403, 404)):
            why = f"Google shows keyfuse no project with this API key ({reply.status})"
            return NotFound(f"{why}; for one of your own it takes {RIGHTS}", sees_all=False)
        return Unknown(unclear(reply, self._api.host))

    def _identified(self, name: str, known: KnownKey | None) -> Identity:
        reply = self._login.ask(self._api, "GET", name)
        if isinstance(reply, Reply) and reply.data is not None:
            ref = KeyRef(NAME, known_id(NAME, known) or name, {KEY: name})
            if reply.says(200) and "name" in reply.data:
                state = KeyState.DELETED if reply.data.get("deleteTime") else KeyState.ACTIVE
                return Identified(ref, state, evidence=f"{self._api.host} has its record, {name}")
            if reply.says(404):
                return NotFound(f"{self._api.host} has no key {name} any more", sees_all=True)
        return Unknown(unclear(reply, self._api.host))

    def delete(self, ref: KeyRef) -> Receipt:
        """Starts the deletion, which Google calls an operation."""
        name = ref.details.get(KEY, ref.id)
        if not NAMED.fullmatch(name):
            return Refused("which key it is was never found out")
        reply = self._login.ask(self._api, "DELETE", name)
        if isinstance(reply, Reply) and reply.data is not None:
            if reply.ok:
                done = reply.data.get("done") is True
                return (
                    Done("Google deleted the API key") if done else Accepted("Google has begun to delete the API key")
                )
            if reply.says(404):
                return Done(f"{self._api.host} has no such key any more (404)")
        return not_done(reply, self._api.host, needs=RIGHTS)

    def prove(self, ref: KeyRef) -> Proof:
        """Reads the record back: gone, or with the time of its deletion."""
        reply = self._login.ask(self._api, "GET", ref.details.get(KEY, ref.id))
        if isinstance(reply, Reply) and reply.data is not None:
            if reply.says(404):
                return Dead(f"{self._api.host} has no such key any more (404)", KeyState.DELETED)
            if reply.says(200) and "name" in reply.data:
                if reply.data.get("deleteTime"):
                    return Dead("its record reads deleted; Google keeps it for 30 days", KeyState.DELETED)
                return Alive("its record is there and not deleted")
        return Unknown(unclear(reply, self._api.host))
