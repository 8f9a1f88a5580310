"""Yandex Cloud's API: IAM tokens of keyfuse's own, pages, operations, and what its errors mean.

Facts (Yandex's protocol definitions and documentation): a token is made from an authorized key's JWT (PS256 alone), an
OAuth token, or the metadata service of a machine (its path as in Yandex's own SDK); it lives 12 hours at most. A
change answers with an Operation at once, which is final only when it is `done`, with exactly one of `error` and
`response`. The header `Idempotency-Key` (a UUID, version 4) makes a repeat answer with the first call's Operation.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from responders.calling import Answer, Caller, NoAnswer, json_of
from responders.errors import ProviderError
from responders.provider import Accepted, Done, Receipt, Refused, Uncertain, Unknown
from responders.providers.replies import not_taken, told
from responders.signing import ps256
from scanner.model import Secret

WHO = "Yandex Cloud"
AUDIENCE = "https://iam.api.cloud.yandex.net/iam/v1/tokens"
TOKENS = "/iam/v1/tokens"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
JWT_LIVES = 3600
POLLS = (0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds before each look at an operation that is under way; after the last one it is left to the proof."""
MOST_PAGES = 1000
NOT_FOUND, DENIED, UNAUTHENTICATED = 5, 7, 16
RIGHT = "the role iam.serviceAccounts.admin (or editor) on the folder"
_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An authorized key, as its file holds it."""

    id: str
    account: str
    private_key: Secret


def key_file(content: Secret) -> KeyFile | None:
    """What is in an authorized key's JSON file; None for anything else."""
    try:
        body = json.loads(content.reveal())
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or not _ID.fullmatch(str(body.get("id", ""))):
        return None
    pem = _PEM.search(str(body.get("private_key", "")))
    if pem is None or not isinstance(body.get("service_account_id", ""), str):
        return None
    return KeyFile(body["id"], body.get("service_account_id", ""), Secret(pem[0].encode()))


class Api:
    """Asks with keyfuse's own token unless another is given. May be shared between threads. `pause` sleeps."""

    def __init__(self, caller: Caller, clock: Callable[[], datetime], pause: Callable[[float], None]) -> None:
        self._caller = caller
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._token: tuple[Secret, datetime] | None = None

    # --- tokens -----------------------------------------------------------------------------------------------------

    def own_key(self) -> KeyFile | None:
        """The authorized key that keyfuse works with, if it works with one. Raises ProviderError."""
        if not self._caller.has("authorized_key"):
            return None
        found = key_file(self._caller.credential("authorized_key"))
        if found is None:
            raise ProviderError("[provider.yandex] authorized_key is not the JSON that `yc iam key create` writes")
        return found

    def own_account(self) -> str:
        """The service account that keyfuse itself works as, as far as that is known."""
        own = self.own_key()
        return own.account if own is not None else str(self._caller.option("service_account_id"))

    def metadata(self) -> bool:
        """Whether the configuration names a metadata service."""
        try:
            return bool(self._caller.base("metadata"))
        except ProviderError:
            return False

    def token(self) -> Secret | Unknown:
        """A token of keyfuse's own, kept for an hour at most. Raises ProviderError without any credential."""
        with self._lock:
            if self._token is not None and self._clock() < self._token[1]:
                return self._token[0]
            got = self._new_token()
            if isinstance(got, Secret):
                self._token = (got, self._clock() + timedelta(hours=1))
            return got

    def _new_token(self) -> Secret | Unknown:
        own = self.own_key()
        if own is not None:
            now = int(self._clock().timestamp())
            claims = {"iss": own.account, "aud": AUDIENCE, "iat": now, "exp": now + JWT_LIVES}
            return self.exchange("jwt", ps256(own.private_key, {"kid": own.id}, claims))
        if self._caller.has("oauth_token"):
            return self.exchange("yandexPassportOauthToken", self._caller.credential("oauth_token"))
        if self._caller.has("iam_token") or not self.metadata():
            return self._caller.credential("iam_token" if self._caller.has("iam_token") else "authorized_key")
        answer = self._caller.send("GET", METADATA, service="metadata", headers={"Metadata-Flavor": "Google"})
        return _token_in(answer, "access_token", "the metadata service of this machine")

    def exchange(self, field: str, value: Secret) -> Secret | Unknown:
        """An IAM token for a JWT or an OAuth token; else why not (see `is_refusal`)."""
        body = {field: value.reveal().decode("utf-8", "replace")}
        answer = self._caller.send("POST", TOKENS, json_body=body, secrets=[value])
        return _token_in(answer, "iamToken", WHO)

    # --- asking -----------------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        *,
        service: str = "",
        query: dict[str, str] | None = None,
        json_body: object = None,
        idempotency_key: str = "",
        token: Secret | None = None,
    ) -> Answer | NoAnswer | Unknown:
        """One request with a token; Unknown when there is none, and then nothing was sent.

        A read that is refused for a token grown old is asked once more with a new one; a change never is.
        """
        for again in (False, True):
            bearer = token or self.token()
            if isinstance(bearer, Unknown):
                return bearer
            headers = {"Authorization": f"Bearer {bearer.reveal().decode('utf-8', 'replace')}"}
            if idempotency_key:
                headers["Idempotency-Key"] = uuid_of(idempotency_key, method, path)
            answer = self._caller.send(
                method,
                path,
                service=service,
                query=query or {},
                headers=headers,
                json_body=json_body,
                secrets=[bearer],
            )
            if not isinstance(answer, Answer) or answer.status != 401 or token is not None:
                return answer
            with self._lock:
                self._token = None
            if again or method != "GET":
                return answer
        raise AssertionError("unreachable")

    def pages(
        self, path: str, name: str, *, service: str = "", query: dict[str, str] | None = None
    ) -> Iterator[dict[str, Any] | Trouble]:
        """The items of a listing; ends with Trouble where it breaks off."""
        wanted = {"pageSize": "1000", **(query or {})}
        for _page in range(MOST_PAGES):
            answer = self.ask("GET", path, service=service, query=wanted)
            body = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
            if not isinstance(body, dict) or not isinstance(items := body.get(name, []), list):
                yield trouble(answer)
                return
            for item in items:
                if isinstance(item, dict) and _ID.fullmatch(str(item.get("id", ""))):
                    yield item
            token = body.get("nextPageToken")
            if not token:
                return
            if not isinstance(token, str) or token == wanted.get("pageToken"):
                break
            wanted["pageToken"] = token
        yield Trouble(f"{WHO}'s listing does not end")

    def change(
        self, method: str, path: str, *, idempotency_key: str, json_body: object = None, seen: bool = True
    ) -> Receipt:
        """Sends a change once, and looks a few times at the Operation that it begins.

        `seen`: keyfuse was shown the object before, so that "not found" means that it is gone.
        """
        answer = self.ask(method, path, json_body=json_body, idempotency_key=idempotency_key)
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        if isinstance(answer, NoAnswer) or not answer.ok:
            if isinstance(answer, Answer) and says(answer, 404, NOT_FOUND) and seen and method == "DELETE":
                return Done(f"it is gone already ({said(answer)})")
            if isinstance(answer, Answer) and answer.status == 409:
                return Refused(f"{WHO} was changing it just then ({said(answer)})", for_good=False)
            return not_taken(answer, WHO, RIGHT, _grpc(answer))
        return self._finished(json_of(answer))

    def _finished(self, operation: Any) -> Receipt:
        """What came of an Operation, or that it is still under way."""
        for wait in (*POLLS, None):
            if not isinstance(operation, dict) or not _ID.fullmatch(str(operation.get("id", ""))):
                return Uncertain(f"{WHO}'s answer is no operation")
            name = operation["id"]
            if operation.get("done") is True:
                return _outcome(operation)
            if wait is None:
                break
            self._pause(wait)
            answer = self.ask("GET", f"/operations/{quote(name, safe='')}", service="operation")
            if not isinstance(answer, Answer) or not answer.ok or not isinstance(json_of(answer), dict):
                return Accepted(f"operation {name} was begun; it could not be looked at ({trouble(answer).reason})")
            operation = json_of(answer)
        return Accepted(f"operation {name} is under way")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something could not be read. `denied`: the caller may not see it; `missing`: there is no such thing for it."""

    reason: str
    denied: bool = False
    missing: bool = False


def trouble(answer: Answer | NoAnswer | Unknown) -> Trouble:
    """Why an answer is of no use."""
    if not isinstance(answer, Answer):
        return Trouble(answer.reason)
    if says(answer, 403, DENIED):
        return Trouble(f"keyfuse may not see it ({said(answer)})", denied=True)
    if says(answer, 404, NOT_FOUND):
        return Trouble(f"{WHO} shows no such thing ({said(answer)})", missing=True)
    if says(answer, 401, UNAUTHENTICATED):
        return Trouble(f"{WHO} does not take the token ({said(answer)})", denied=True)
    return Trouble(f"{WHO}'s answer is no answer ({said(answer)})")


def said(answer: Answer) -> str:
    """An answer in few words."""
    return told(answer, _grpc(answer))


def says(answer: Answer, status: int, code: int) -> bool:
    """Whether Yandex Cloud itself says so, with the gRPC code that belongs to it; a proxy's page does not."""
    return answer.status == status and _grpc(answer) == f"code {code}"


def uuid_of(idempotency_key: str, method: str, path: str) -> str:
    """A UUID that is the same for every repeat of one change, in the form of version 4, as Yandex asks for."""
    digest = hashlib.sha256(f"{idempotency_key}\n{method} {path}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def stamp(value: object) -> datetime | None:
    """A time as Yandex writes it, with up to nine digits of a second; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def is_id(value: object) -> bool:
    """Whether that can be the id of something."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _token_in(answer: Answer | NoAnswer, name: str, who: str) -> Secret | Unknown:
    if isinstance(answer, NoAnswer):
        return Unknown(answer.reason)
    body = json_of(answer)
    if answer.ok and isinstance(body, dict) and isinstance(body.get(name), str) and body[name]:
        return Secret(body[name].encode())
    if answer.status in (400, 401, 403) and isinstance(body, dict):
        return Unknown(f"{who} {REFUSES} ({said(answer)})")
    return Unknown(f"{who} gave no token ({said(answer)})")


REFUSES = "refuses to give a token for this credential"


def is_refusal(answer: Unknown) -> bool:
    """Whether a credential was tried and refused, as opposed to could not be tried."""
    return REFUSES in answer.reason


def _grpc(answer: Answer | NoAnswer) -> str:
    body = json_of(answer) if isinstance(answer, Answer) else None
    code = body.get("code") if isinstance(body, dict) else None
    return f"code {code}" if isinstance(code, int) else ""


def _outcome(operation: dict[str, Any]) -> Receipt:
    name, error = operation["id"], operation.get("error")
    if error is None:
        return Done(f"operation {name} is done")
    code = error.get("code") if isinstance(error, dict) else None
    reason = f"operation {name} ended with code {code if isinstance(code, int) else 'unknown'}"
    match code:
        case 5:
            return Done(f"it is gone already ({reason})")
        case 3 | 9 | 12:
            return Refused(reason)
        case 7 | 16:
            return Refused(f"{reason}; keyfuse needs {RIGHT}")
        case 8 | 10:
            return Refused(reason, for_good=False)
        case _:
            return Uncertain(reason)
