"""Service credentials ("resource keys") of IBM Cloud: keys that a service handed out for one of its instances.

Facts (IBM's SDK): `GET /v2/resource_keys` lists them, a page leads to the next by `next_url`; `DELETE` answers 204, and
the record can still be read afterwards, with the state `removed`; `credentials` hold what the service handed out, or
the word REDACTED. Most hold an IAM API key of a service id that was made for them: that key is what is disabled, since
a service credential itself cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from responders.calling import Answer, NoAnswer, json_of
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
from responders.providers.ibm.iam import Iam
from responders.providers.ibm.records import moment, words
from responders.providers.replies import GONE, not_taken, taken, told
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import Secret

NAME = "ibm"
WHO = "IBM's resource controller"
RIGHT = "the role Editor, or one above it, on the service instance"
SERVICE = "resource_controller"
PATH = "/v2/resource_keys"
MOST_PAGES = 200
HMAC = "ibm-cos-hmac-secret"
_GUID = re.compile(r"[A-Za-z0-9-]{8,64}")
OUTLIVES = "what a service still keeps in its own cache (IBM does not say for how long)"


class ServiceCredentials:
    """The service credentials that keyfuse may see."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By the HMAC pair or value inside the credentials, else by the id that the registry knows."""
        hidden = 0
        for key in self.every():
            if isinstance(key, Unknown):
                return key
            if leak.secret is None:
                if known is not None and known.provider_key_id == key["guid"]:
                    return _identified(key, "the registry knows its id")
                continue
            if _holds(key.get("credentials"), leak.secret.reveal().decode("utf-8", "replace")):
                return _identified(key, "its credentials hold the value")
            hidden += _hides(key.get("credentials"))
        said = "no service credential that keyfuse may see holds this value"
        if hidden:
            said += f" ({hidden} do not show theirs; reading those takes {RIGHT})"
        return NotFound(said, sees_all=False)

    def disable(self, ref: KeyRef) -> Receipt:
        """There is no such thing, and whether its HMAC pair follows the IAM key inside is not known."""
        return Unsupported("service credentials cannot be disabled, only deleted")

    def delete(self, guid: str) -> Receipt:
        """DELETE, unless it reads removed already."""
        before = self._read(guid)
        if isinstance(before, Unknown):
            return Refused(f"nothing was sent: {before.reason}", for_good=False)
        if before != "active":
            return Done(f"service credential {guid} reads {before} already")
        answer = self._iam.ask("DELETE", f"{PATH}/{quote(guid, safe='')}", service=SERVICE)
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        if isinstance(answer, Answer) and taken(answer):
            return Done(f"{WHO} took it ({told(answer)})")
        if isinstance(answer, Answer) and answer.status in GONE:
            return Done(f"service credential {guid} is gone already ({told(answer)})")
        return not_taken(answer, WHO, RIGHT)

    def prove(self, guid: str) -> Proof:
        """Reads the record back: it stays, and its state says that it was removed."""
        state = self._read(guid)
        if isinstance(state, Unknown):
            return state
        if state == "active":
            return Alive(f"read back: service credential {guid} reads active")
        return Dead(f"read back: service credential {guid} reads {state}", KeyState.DELETED, OUTLIVES)

    def listing(self) -> Iterator[Listed | NotListed]:
        """Those without an IAM key inside; the others are among the keys of service ids."""
        for key in self.every():
            if isinstance(key, Unknown):
                yield NotListed("service credentials", key.reason)
            elif service_id_of(key) is None:
                yield Listed(
                    provider_key_id=key["guid"],
                    name=words(key, "name") or key["guid"],
                    kind=KeyKind.SERVICE_SPECIFIC,
                    state=KeyState.ACTIVE,
                    account_id=words(key, "account_id"),
                    created_at=moment(key.get("created_at")),
                    created_by=words(key, "created_by"),
                )

    def service_ids(self) -> dict[str, dict[str, Any]] | Unknown:
        """The service credentials with an IAM key inside, by the service id that the key is of."""
        found = {}
        for key in self.every():
            if isinstance(key, Unknown):
                return key
            if (service_id := service_id_of(key)) is not None:
                found[service_id] = key
        return found

    def every(self) -> Iterator[dict[str, Any] | Unknown]:
        """The records, a page at a time; ends with Unknown where it breaks off."""
        query = {"limit": "100"}
        for _page in range(MOST_PAGES):
            answer = self._iam.ask("GET", PATH, query=query, service=SERVICE)
            body = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
            if not isinstance(body, dict) or not isinstance(body.get("resources"), list):
                yield Unknown(_why(answer))
                return
            for key in body["resources"]:
                if isinstance(key, dict) and _GUID.fullmatch(str(key.get("guid", ""))):
                    yield key
            start = _next(body.get("next_url"))
            if not start or start == query.get("start"):
                return
            query["start"] = start
        yield Unknown(f"{WHO}'s listing does not end")

    def _read(self, guid: str) -> str | Unknown:
        """The state that the record names."""
        answer = self._iam.ask("GET", f"{PATH}/{quote(guid, safe='')}", service=SERVICE)
        body = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
        if not isinstance(body, dict) or not words(body, "state"):
            return Unknown(_why(answer))
        return words(body, "state")


def service_id_of(key: dict[str, Any]) -> str | None:
    """The IAM id of the service id that was made for this credential."""
    credentials = key.get("credentials")
    crn = credentials.get("iam_serviceid_crn") if isinstance(credentials, dict) else None
    name = crn.rpartition(":")[2] if isinstance(crn, str) else ""
    return f"iam-{name}" if name.startswith("ServiceId-") else None


def _identified(key: dict[str, Any], how: str) -> Identified:
    guid = key["guid"]
    state = KeyState.ACTIVE if words(key, "state") == "active" else KeyState.DELETED
    details = {"type": "credential", "account": words(key, "account_id")}
    evidence = f"service credential {guid} ({words(key, 'name')}) reads {words(key, 'state')}; {how}"
    return Identified(KeyRef(NAME, guid, details), state, evidence=evidence)


def _holds(credentials: object, value: str) -> bool:
    """Whether the value stands anywhere in there."""
    match credentials:
        case dict():
            return any(_holds(each, value) for each in credentials.values())
        case str():
            return Secret(credentials.encode()) == Secret(value.encode())
        case _:
            return False


def _hides(credentials: object) -> bool:
    return isinstance(credentials, dict) and "REDACTED" in credentials


def _next(url: object) -> str:
    return parse_qs(urlsplit(url).query).get("start", [""])[0] if isinstance(url, str) else ""


def _why(answer: Answer | NoAnswer | Unknown) -> str:
    if not isinstance(answer, Answer):
        return answer.reason
    if answer.status in (401, 403):
        return f"keyfuse may not see service credentials ({told(answer)}); it needs {RIGHT}"
    return f"{WHO} gave no record ({told(answer)})"
