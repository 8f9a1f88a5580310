"""IBM Cloud's IAM: tokens for API keys, and what may be asked of the keys themselves.

Facts (IBM's SDK and documentation unless another tag is given): `POST /identity/token` gives a bearer token for a
key's value; `GET /v1/apikeys/details` with the header `IAM-ApiKey` finds a key by its value; a key is disabled by
`POST …/disable`, enabled by `DELETE …/disable`, unlocked by `DELETE …/lock`, all 204. Codes of a refused grant are
seen by third parties only: BXNIM0415E no such key, BXNIM0462E disabled, BXNIM0439E expired; with status 400 or 401.
What an unknown value gets from the lookup is not documented, so 400 and 404 both count as "no such key".
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from responders.calling import Answer, Caller, NoAnswer, json_of
from responders.provider import Unknown
from responders.providers.ibm.records import ApiKey, api_key
from responders.providers.replies import GONE, told
from scanner.model import Secret

KEYS = "/v1/apikeys"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"
TOKEN_LIVES = timedelta(minutes=60)
"""The longest that a token made from a key outlives it."""
PAGE = "100"
MOST_PAGES = 1000
MOST_LENT = 100
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{2,6}[A-Z]?")


class Verdict(Enum):
    """What the token service says of a value."""

    ALIVE = "IBM gives a token for it"
    DISABLED = "IBM refuses it as disabled (BXNIM0462E)"
    EXPIRED = "IBM refuses it as expired (BXNIM0439E)"
    NO_SUCH_KEY = "IBM knows no key with this value (BXNIM0415E)"


REFUSALS = {"BXNIM0462E": Verdict.DISABLED, "BXNIM0439E": Verdict.EXPIRED, "BXNIM0415E": Verdict.NO_SUCH_KEY}


@dataclass(frozen=True, slots=True)
class Grant:
    """The token service's answer; `bearer` only where it gave one."""

    verdict: Verdict
    bearer: Secret | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """IBM shows no such key to this caller."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Denied:
    """This caller may not ask."""

    reason: str


Found = ApiKey | Missing | Denied | Unknown


class Iam:
    """Asks IAM, with keyfuse's own API key unless a bearer token is given. May be shared between threads."""

    def __init__(self, caller: Caller, clock: Callable[[], datetime]) -> None:
        self._caller = caller
        self._clock = clock
        self._lock = threading.Lock()
        self._bearer: tuple[Secret, datetime] | None = None
        self._own: ApiKey | None = None
        self._lent: OrderedDict[str, Secret] = OrderedDict()

    # --- tokens -----------------------------------------------------------------------------------------------------

    def grant(self, value: Secret) -> Grant | Unknown:
        """Tries a value. It counts as a use of the key, and IBM logs it as a login where it succeeds."""
        form = {"grant_type": GRANT, "apikey": _text(value), "response_type": "cloud_iam"}
        answer = self._caller.send(
            "POST", "/identity/token", form=form, secrets=[value], headers={"Accept": "application/json"}
        )
        if isinstance(answer, NoAnswer):
            return Unknown(answer.reason)
        body = json_of(answer)
        if answer.ok and isinstance(body, dict) and isinstance(body.get("access_token"), str):
            seconds = body.get("expires_in")
            return Grant(
                Verdict.ALIVE,
                Secret(body["access_token"].encode()),
                float(seconds) if isinstance(seconds, int | float) else 0.0,
            )
        refusal = REFUSALS.get(code_of(body))
        if answer.status in (400, 401, 403) and refusal is not None:
            return Grant(refusal)
        return Unknown(
            f"IBM's token service gave an answer that nobody here understands ({told(answer, code_of(body))})"
        )

    def bearer(self) -> Secret | Unknown:
        """A token of keyfuse's own, kept for four fifths of its life. Raises ProviderError without a credential."""
        own = self._caller.credential("api_key")
        with self._lock:
            if self._bearer is not None and self._clock() < self._bearer[1]:
                return self._bearer[0]
            got = self.grant(own)
            if isinstance(got, Unknown):
                return got
            if got.bearer is None:
                return Unknown(f"keyfuse's own IBM API key does not work: {got.verdict.value}; check [provider.ibm]")
            self._bearer = (got.bearer, self._clock() + timedelta(seconds=0.8 * got.seconds))
            return got.bearer

    def lend(self, key_id: str, bearer: Secret) -> None:
        """Keeps a token that a leaked key gave, for what follows in this process."""
        with self._lock:
            self._lent[key_id] = bearer
            while len(self._lent) > MOST_LENT:
                self._lent.popitem(last=False)

    def lent(self, key_id: str) -> Secret | None:
        """The token that was kept for this key."""
        with self._lock:
            return self._lent.get(key_id)

    def _forget(self) -> None:
        with self._lock:
            self._bearer = None

    # --- looking ----------------------------------------------------------------------------------------------------

    def by_value(self, value: Secret, bearer: Secret | None = None) -> Found:
        """The key that has this value."""
        return self._found(f"{KEYS}/details", bearer, value, also_missing=(400,))

    def by_id(self, key_id: str, bearer: Secret | None = None) -> Found:
        """The key with this id, as it stands now."""
        return self._found(place(key_id), bearer, None)

    def own(self) -> ApiKey | None:
        """The record of the key that keyfuse itself works with; None where IBM does not show it."""
        if self._own is None:
            found = self.by_value(self._caller.credential("api_key"))
            self._own = found if isinstance(found, ApiKey) else None
        return self._own

    def administers(self, account_id: str) -> bool:
        """Whether keyfuse is shown every key of that account, so that a key it does not see is not there."""
        answer = self.ask("GET", KEYS, query={"account_id": account_id, "scope": "account", "pagesize": "1"})
        return isinstance(answer, Answer) and answer.ok

    def every(self, account_id: str, kind: str) -> Iterator[ApiKey | Unknown]:
        """The keys of an account, of kind `user` or `serviceid`; ends with Unknown where it breaks off."""
        query = {"account_id": account_id, "scope": "account", "type": kind, "pagesize": PAGE}
        seen = set()
        for _page in range(MOST_PAGES):
            answer = self.ask("GET", KEYS, query=query)
            body = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
            if not isinstance(body, dict) or not isinstance(body.get("apikeys"), list):
                yield Unknown(_why(answer))
                return
            for each in body["apikeys"]:
                key = api_key(each)
                yield key if key is not None else Unknown("IBM lists a key that nobody here understands")
            token = _next(body.get("next"))
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
            query["pagetoken"] = token
        yield Unknown("IBM's listing does not end")

    def _found(
        self, path: str, bearer: Secret | None, value: Secret | None, also_missing: tuple[int, ...] = ()
    ) -> Found:
        answer = self.ask("GET", path, bearer=bearer, value=value)
        if isinstance(answer, Unknown):
            return answer
        if isinstance(answer, NoAnswer):
            return Unknown(answer.reason)
        body = json_of(answer)
        code = code_of(body)
        if answer.ok:
            return api_key(body) or Unknown(f"IBM's answer is no API key's record ({told(answer)})")
        if answer.status in (*GONE, *also_missing) and isinstance(body, dict):  # a proxy's page says nothing of keys
            return Missing(f"IBM shows no such key ({told(answer, code)})")
        if answer.status in (401, 403):
            return Denied(f"keyfuse may not look at this key ({told(answer, code)})")
        return Unknown(f"IBM's answer is no answer ({told(answer, code)})")

    # --- asking -----------------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        *,
        bearer: Secret | None = None,
        value: Secret | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        json_body: object = None,
        service: str = "",
    ) -> Answer | NoAnswer | Unknown:
        """One request with a bearer token; Unknown when there is none, and then nothing was sent.

        A read that is refused for a token grown old is asked once more with a new one; a change never is.
        """
        for again in (False, True):
            token = bearer or self.bearer()
            if isinstance(token, Unknown):
                return token
            said = {"Authorization": f"Bearer {_text(token)}", "Accept": "application/json"} | (headers or {})
            if value is not None:
                said["IAM-ApiKey"] = _text(value)
            answer = self._caller.send(
                method,
                path,
                service=service,
                query=query or {},
                headers=said,
                json_body=json_body,
                secrets=[token, *([value] if value else [])],
            )
            if not isinstance(answer, Answer) or answer.status != 401 or bearer is not None:
                return answer
            self._forget()
            if again or method != "GET":
                return answer
        raise AssertionError("unreachable")


def place(key_id: str) -> str:
    """A key's path; its id may come from a file, so it is quoted."""
    return f"{KEYS}/{quote(key_id, safe='')}"


def code_of(body: Any) -> str:
    """IBM's own code in an error, of either form; nothing that is not plainly one."""
    found: object = ""
    if isinstance(body, dict):
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        found = body.get("errorCode") or first.get("code") or first.get("message_code") or ""
    return found if isinstance(found, str) and _CODE.fullmatch(found) else ""


def _next(url: object) -> str:
    """The token of the next page. The URL itself is not followed: it may lead anywhere."""
    return parse_qs(urlsplit(url).query).get("pagetoken", [""])[0] if isinstance(url, str) else ""


def _why(answer: Answer | NoAnswer | Unknown) -> str:
    if not isinstance(answer, Answer):
        return answer.reason
    if answer.status in (401, 403):
        return f"keyfuse may not list these keys ({told(answer, code_of(json_of(answer)))})"
    return f"IBM's answer is no listing ({told(answer, code_of(json_of(answer)))})"


def _text(secret: Secret) -> str:
    return secret.reveal().decode("utf-8", "replace")
