"""Asking a vendor's JSON API through its caller, and what an answer that is no success means.

Texts of servers are never passed on: they may quote what was sent. What is said of an answer is its status and, where
the vendor gives one, a word of its own choosing that looks like a word.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from responders.about import Trial, Worth
from responders.calling import Caller
from responders.errors import ProviderError
from responders.gate import wait_of
from responders.http import NoAnswer
from responders.provider import (
    Identified,
    Identity,
    KeyRef,
    Receipt,
    Refused,
    Uncertain,
    Unknown,
)
from responders.registry import KnownKey
from scanner.model import Secret

WORD = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
LARGEST_ID = 500
LONGEST_LIFE = 24 * 3600
BEYOND = "beyond"
"""The detail of a reference that says why nothing can be done to this key from here."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `data` is its JSON object, {} for an empty body, None for what is no JSON object (a proxy's page)."""

    status: int
    data: Mapping[str, Any] | None = field(repr=False)
    limited: bool = False
    again_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it is one of the 2xx, in the vendor's language."""
        return 200 <= self.status < 300 and self.data is not None

    def says(self, status: int) -> bool:
        """Whether it is this status and from the vendor itself, not from a page on the way to it."""
        return self.status == status and self.data is not None and not self.limited


class JsonApi:
    """One of a provider's services, spoken to in JSON through the provider's caller."""

    def __init__(self, caller: Caller, service: str = "", *, under: str = "") -> None:
        self._caller = caller
        self._service = service
        self._under = under

    @property
    def base(self) -> str:
        """The URL that every path is joined to. Raises ProviderError when it is not configured."""
        return self._caller.base(self._service) + self._under

    @property
    def host(self) -> str:
        """The host, for people."""
        return urlsplit(self.base).hostname or "the server"

    def ask(
        self,
        method: str,
        path: str,
        *,
        bearer: Secret | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: object = None,
        secrets: Iterable[Secret] = (),
    ) -> Reply | NoAnswer:
        """Sends one request, once. `body` is sent as JSON; `secrets` is what must not stand in the URL."""
        said: dict[str, str] = {"Accept": "application/json", **(headers or {})}
        if bearer is not None:
            said["Authorization"] = f"Bearer {text_of(bearer)}"
            secrets = (*secrets, bearer)
        answer = self._caller.send(
            method,
            f"{self._under}/{path}",
            service=self._service,
            query=query or {},
            headers=said,
            json_body=body,
            form=form,
            secrets=secrets,
        )
        if isinstance(answer, NoAnswer):
            return answer
        wait = wait_of(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        return Reply(answer.status, _object(answer.body), _is_limited(answer.status, answer.headers), wait)

    def rest_of(self, url: str) -> str | None:
        """The path of a URL that this very service gave (a next page), to be asked for; None if it leads elsewhere."""
        return url.removeprefix(f"{self.base}/") if url.startswith(f"{self.base}/") else None


def text_of(secret: Secret) -> str:
    """A secret as the text that goes into a header or a body."""
    return secret.reveal().decode("latin-1")


def _object(body: bytes) -> Mapping[str, Any] | None:
    if not body.strip():
        return {}
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _is_limited(status: int, headers: Mapping[str, str]) -> bool:
    """Whether it only says "not so fast". GitHub says so with a 403, too."""
    return status == 429 or (
        status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
    )


# --- what an answer means -------------------------------------------------------------------------------------------


def unclear(reply: Reply | NoAnswer, host: str) -> str:
    """Why nothing can be told from this answer."""
    if isinstance(reply, NoAnswer):
        return reply.reason
    if reply.limited:
        return f"{host} wants to be asked less often ({reply.status})"
    if 300 <= reply.status < 400:
        return f"{host} answered with a redirect, which is not followed; check its url in the configuration"
    if reply.data is None:
        return f"{host} answered {reply.status} with something that is no JSON object; is that its API?"
    return f"{host} answered {reply.status}"


def not_done(reply: Reply | NoAnswer, host: str, *, needs: str = "") -> Receipt:
    """What an answer to a change means when it is not the success that is documented. `needs` names the permission."""
    reason = unclear(reply, host)
    if isinstance(reply, NoAnswer):
        return Uncertain(reason) if reply.sent else Refused(reason, for_good=False)
    if reply.limited:
        return Refused(reason, for_good=False, again_after=reply.again_after)
    if 400 <= reply.status < 500 and reply.status not in (408, 425) and reply.data is not None:
        hint = f"; it takes {needs}" if needs and reply.status in (401, 403) else ""
        return Refused(f"{reason}{hint}")
    return Uncertain(reason)


def word(value: object) -> str:
    """A vendor's own word for something, if it looks like one; else nothing, for it could be anything."""
    return value if isinstance(value, str) and WORD.fullmatch(value) else ""


def listed(value: object) -> list[Mapping[str, Any]]:
    """The objects of a JSON array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def lifetime(value: object) -> timedelta:
    """How long an access token lives that says so in seconds; an hour where that is no sensible number."""
    if isinstance(value, int) and 0 <= value <= LONGEST_LIFE:
        return timedelta(seconds=value)
    return timedelta(hours=1)


def segment(text: str) -> str:
    """A text as one segment of a path: whatever it holds, it leads nowhere else. Mere dots become nobody's name."""
    return "_" if text in (".", "..") else quote(text, safe="@-_.~:")


def trial(caller: Caller, credential: str, ask: Callable[[], Reply | NoAnswer]) -> Trial:
    """What a question asked with one of keyfuse's own credentials shows of it."""
    if not caller.has(credential):
        return Trial(credential, Worth.MISSING, f"set {credential}_env, {credential}_file or {credential}_keyring")
    try:
        reply = ask()
    except ProviderError as error:
        return Trial(credential, Worth.UNKNOWN, str(error))
    if isinstance(reply, NoAnswer):
        return Trial(credential, Worth.UNKNOWN, reply.reason)
    if reply.ok:
        return Trial(credential, Worth.WORKS)
    refused = any(reply.says(status) for status in (400, 401, 403))
    return Trial(credential, Worth.REFUSED if refused else Worth.UNKNOWN, f"the answer was {reply.status}")


# --- whose key ------------------------------------------------------------------------------------------------------


def digest(secret: Secret) -> str:
    """An id for a token that has none: the base64 SHA-256 of it, as GitHub's audit log names tokens (`hashed_token`).

    Only for tokens that nobody can guess.
    """
    return base64.b64encode(hashlib.sha256(secret.reveal()).digest()).decode()


def known_id(provider: str, known: KnownKey | None) -> str:
    """The provider's id of the key in the registry's record, if it has one."""
    return known.provider_key_id if known is not None and known.provider == provider else ""


def out_of_reach(provider: str, known: KnownKey | None, why: str) -> Identity:
    """A key that nothing can be asked of: the registry's word on it, marked so that nothing is tried."""
    if known is None or known.provider != provider:
        return Unknown(f"{why}; and the registry does not know it")
    ref = KeyRef(provider, known.provider_key_id or known.id, {BEYOND: why[:LARGEST_ID]})
    evidence = "the registry's record"
    return Identified(ref, known.state, locked=known.locked, evidence=evidence, owners=known.owners, asked=False)
