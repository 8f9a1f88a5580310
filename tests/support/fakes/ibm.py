"""IBM Cloud on loopback: IAM tokens and API keys, service credentials, classic infrastructure keys.

Made from IBM's public descriptions (IAM Identity API, resource controller, SLDN). Where those leave an answer open
it can be switched, so that tests pass under both: `disabled_status`, `unknown_status`, `stale_status`,
`locked_status`, `repeat_status`.
"""

from __future__ import annotations

import copy
import hmac
import json
import random
import uuid
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.fakes import Reply, Request, World
from tests.support.fakes.ibmclassic import Classic
from tests.support.fakes.ibmresources import Resources
from tests.support.fakes.routing import RoutedFake, body, segments
from tests.support.tokens import text

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"
OTHERS_ACCOUNT = "f" * 32


@dataclass
class Key:
    """An API key as IBM keeps it. `action` None: the record does not name a leak action."""

    id: str
    value: str
    name: str
    iam_id: str
    account_id: str
    created_by: str
    created_at: str
    modified_at: str
    description: str = ""
    locked: bool = False
    disabled: bool = False
    action: str | None = "disable"
    expires_at: str = ""
    tag: int = 1
    store_value: bool = False
    support_sessions: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Bearer:
    """Who a token stands for, and until when."""

    iam_id: str
    account_id: str
    ends: float


class Ibm(RoutedFake):
    """One account, its administrator's key, and a second account that nobody here may see into."""

    def __init__(self, rng: random.Random, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.rng = rng
        self.clock = clock
        self._asked: World | None = None
        super().__init__()
        self.account_id = text(rng, 32, "0123456789abcdef")
        self.bearers: dict[str, Bearer] = {}
        self.disabled_status = 400
        self.unknown_status = 404
        self.stale_status = 409
        self.locked_status = 403
        self.repeat_status = 204
        self.activity: dict[str, tuple[str, int]] = {}
        self.administrators = {"IBMid-ADMIN00001"}
        self.administrator = self.make("administrator", iam_id="IBMid-ADMIN00001")
        self.resources = Resources(self)
        self.classic = Classic(self)

    def world(self) -> World:
        """API keys, service credentials and classic users, by their ids."""
        return {"keys": {}, "credentials": {}, "users": {}}

    @property
    def keys(self) -> dict[str, Key]:
        """The API keys there are."""
        return self.of("keys")

    def of(self, name: str) -> dict[Any, Any]:
        """A part of the world: of the one that is being asked about, else of the one that is."""
        found: dict[Any, Any] = (self._asked if self._asked is not None else self.state)[name]
        return found

    def settle(self) -> None:
        """What there is now is what stale reads show, and nothing of it counts as a change."""
        self.before = copy.deepcopy(self.state)
        self.changes = 0

    # --- the other side ---------------------------------------------------------------------------------------------

    def make(self, name: str, *, iam_id: str = "IBMid-USER000001", account_id: str = "", **more: Any) -> Key:
        """A new key."""
        now = minute(self.clock())
        key = Key(
            id=f"ApiKey-{uuid.UUID(int=self.rng.getrandbits(128), version=4)}",
            value=more.pop("value", "") or text(self.rng, 44, BASE64URL),
            name=name,
            iam_id=iam_id,
            account_id=account_id or self.account_id,
            created_by=iam_id,
            created_at=now,
            modified_at=now,
        )
        for field_name, value in more.items():
            assert hasattr(key, field_name), field_name
            setattr(key, field_name, value)
        self.keys[key.id] = key
        return key

    def by_value(self, value: str) -> Key | None:
        """The key that has this value."""
        return next((key for key in self.keys.values() if hmac.compare_digest(key.value, value)), None)

    def works(self, value: str) -> bool:
        """Whether a token would be given for this value."""
        key = self.by_value(value)
        return key is not None and not key.disabled and not self._expired(key)

    def _expired(self, key: Key) -> bool:
        return bool(key.expires_at) and datetime.fromisoformat(key.expires_at) <= self.clock()

    # --- requests ---------------------------------------------------------------------------------------------------

    def answer(self, request: Request, world: World) -> Reply:
        """See Fake. Tokens and counts of uses are not part of the world: getting one is no change."""
        self._asked = world
        try:
            return self._answered(request)
        finally:
            self._asked = None

    def _answered(self, request: Request) -> Reply:
        match request.method, segments(request):
            case "POST", ["identity", "token"]:
                return self._grant(request)
            case _, ["rest", "v3.1", *rest]:
                return self.classic.answer(request, rest)
        caller = self.bearers.get(request.bearer)
        if caller is None or caller.ends <= self.clock().timestamp():
            return self.error(401, "BXNIM0308E", "No authorization token, or one that is not valid.")
        match request.method, segments(request):
            case _, ["v2", *rest]:
                return self.resources.answer(request, caller, rest)
            case "GET", ["v1", "apikeys"]:
                return self._list(request, caller)
            case "POST", ["v1", "apikeys"]:
                return self._create(request, caller)
            case "GET", ["v1", "apikeys", "details"]:
                return self._details(request, caller)
            case method, ["v1", "apikeys", key_id, *rest]:
                return self._one(request, caller, method, key_id, rest)
        return self.error(404, "BXNIM0001E", "There is nothing here.")

    def error(self, status: int, code: str, message: str) -> Reply:
        """The Identity API's error object."""
        fault = {"code": code, "message_code": code, "message": message, "details": ""}
        said = {"context": self.context(), "status_code": str(status), "errors": [fault], "trace": text(self.rng, 8)}
        return Reply(status, said, {"X-Global-Transaction-ID": text(self.rng, 12)})

    def context(self) -> dict[str, str]:
        """What the API says about the request itself."""
        return {"transaction_id": text(self.rng, 12), "operation": "x", "user_agent": "", "url": "", "instance_id": "1"}

    def _grant(self, request: Request) -> Reply:
        form = request.form
        if form.get("grant_type") != GRANT or not form.get("apikey"):
            return self._no_token("BXNIM0109E", "Property missing or empty.", 400)
        key = self.by_value(form["apikey"])
        if key is None:
            return self._no_token("BXNIM0415E", "Provided API key could not be found.", 400)
        if key.disabled:
            return self._no_token("BXNIM0462E", "Provided API key is disabled.", self.disabled_status)
        if self._expired(key):
            return self._no_token("BXNIM0439E", "Provided API key is expired.", 400)
        now = self.clock().timestamp()
        self.activity[key.id] = (minute(self.clock()), self.activity.get(key.id, ("", 0))[1] + 1)
        claims = {
            "iam_id": key.iam_id,
            "id": key.iam_id,
            "account": {"bss": key.account_id},
            "iat": int(now),
            "exp": int(now) + 3600,
            "sub_type": "ServiceId" if key.iam_id.startswith("iam-ServiceId") else "",
        }
        token = ".".join([_b64({"alg": "RS256", "kid": "1"}), _b64(claims), _b64(self.rng.randbytes(64).hex())])
        self.bearers[token] = Bearer(key.iam_id, key.account_id, now + 3600)
        said = {"access_token": token, "refresh_token": "not_supported", "token_type": "Bearer", "scope": "ibm openid"}
        return Reply(200, said | {"expires_in": 3600, "expiration": int(now) + 3600})

    def _no_token(self, code: str, message: str, status: int) -> Reply:
        context = {"requestId": text(self.rng, 12), "requestType": "incoming.Identity_Token"}
        return Reply(status, {"errorCode": code, "errorMessage": message, "context": context})

    def may(self, caller: Bearer, key: Key) -> bool:
        """Whether the caller may see and change this key: its own, or as an administrator of the account."""
        if caller.iam_id == key.iam_id and not key.iam_id.startswith("iam-ServiceId"):
            return True
        return caller.iam_id in self.administrators and caller.account_id == key.account_id

    def _details(self, request: Request, caller: Bearer) -> Reply:
        key = self.by_value(request.headers.get("iam-apikey", ""))
        if key is None:
            return self.error(self.unknown_status, "BXNIM0102E", "No such API key.")
        if not self.may(caller, key):
            return self.error(403, "BXNIM0513E", "You are not authorized.")
        return self._read(key.id, request)

    def _list(self, request: Request, caller: Bearer) -> Reply:
        whole = request.query.get("scope") == "account"
        if whole and (caller.iam_id not in self.administrators or request.query.get("account_id") != caller.account_id):
            return self.error(403, "BXNIM0513E", "You are not authorized.")
        wanted_type = request.query.get("type")
        found = [
            key
            for key in self.keys.values()
            if (
                key.account_id == caller.account_id
                if whole
                else key.iam_id == request.query.get("iam_id", caller.iam_id)
            )
            and (wanted_type is None or (wanted_type == "serviceid") == key.iam_id.startswith("iam-ServiceId"))
        ]
        size = int(request.query.get("pagesize", "20"))
        if not 1 <= size <= 100:
            return self.error(400, "BXNIM0110E", "pagesize is out of range")
        start = int(request.query.get("pagetoken", "0"))
        base = f"https://iam.cloud.ibm.com/v1/apikeys?pagesize={size}"
        page: dict[str, Any] = {"context": self.context(), "offset": start, "limit": size, "first": base}
        page["apikeys"] = [self.shown(key) for key in found[start : start + size]]
        if start + size < len(found):
            page["next"] = f"{base}&pagetoken={start + size}"
        return Reply(200, page)

    def _create(self, request: Request, caller: Bearer) -> Reply:
        wanted = body(request)
        if not wanted.get("name") or not wanted.get("iam_id"):
            return self.error(400, "BXNIM0109E", "Property missing or empty.")
        value = wanted.get("apikey", "")
        if value and len(value) < 32:
            return self.error(400, "BXNIM0110E", "The API key is too short.")
        if value and self.by_value(value):
            return self.error(409, "BXNIM0111E", "This API key is there already.")
        if caller.iam_id != wanted["iam_id"] and caller.iam_id not in self.administrators:
            return self.error(403, "BXNIM0513E", "You are not authorized.")
        key = self.make(
            wanted["name"],
            iam_id=wanted["iam_id"],
            account_id=wanted.get("account_id", ""),
            value=value,
            description=wanted.get("description", ""),
            action=wanted.get("action_when_leaked", "disable"),
            expires_at=wanted.get("expires_at", ""),
            locked=request.headers.get("entity-lock") == "true",
            disabled=request.headers.get("entity-disable") == "true",
            store_value=bool(wanted.get("store_value")),
            support_sessions=bool(wanted.get("support_sessions")),
        )
        key.created_by = caller.iam_id
        self._note(key, caller, "create")
        return Reply(201, self.shown(key, context=True) | {"apikey": key.value}, {"Etag": tag_of(key)})

    def _one(self, request: Request, caller: Bearer, method: str, key_id: str, rest: list[str]) -> Reply:
        if method == "GET" and not rest:
            return self._seen(request, caller, key_id)
        key = self.keys.get(key_id)
        if key is None:
            return self.error(404, "BXNIM0102E", "No such API key.")
        if not self.may(caller, key):
            return self.error(403, "BXNIM0513E", "You are not authorized.")
        unlocking = rest == ["lock"]
        if key.locked and not unlocking:
            return self.error(self.locked_status, "BXNIM0160E", "The resource is locked.")
        match method, rest:
            case "PUT", []:
                return self._update(request, caller, key)
            case "DELETE", []:
                self._note(key, caller, "delete")
                del self.keys[key.id]
                return Reply(204, name="delete")
            case (("POST" | "DELETE"), [("disable" | "lock") as what]):
                return self._set(key, caller, what, method == "POST")
        return self.error(405, "BXNIM0002E", "Not allowed.")

    def _seen(self, request: Request, caller: Bearer, key_id: str) -> Reply:
        key = self.keys.get(key_id)
        if key is not None and not self.may(caller, key):
            return self.error(403, "BXNIM0513E", "You are not authorized.")
        return self._read(key_id, request)

    def _read(self, key_id: str, request: Request) -> Reply:
        """The record, where there is one."""
        key = self.keys.get(key_id)
        if key is None:
            return self.error(404, "BXNIM0102E", "No such API key.")
        shown = self.shown(key, context=True)
        if request.query.get("include_history") == "true":
            shown["history"] = key.history
        if request.query.get("include_activity") == "true":
            last, count = self.activity.get(key.id, ("", 0))
            shown["activity"] = {"last_authn": last, "authn_count": str(count)}
        return Reply(200, shown, {"Etag": tag_of(key)})

    def _set(self, key: Key, caller: Bearer, what: str, wanted: bool) -> Reply:
        name = "disabled" if what == "disable" else "locked"
        if getattr(key, name) is wanted:
            return Reply(204) if self.repeat_status == 204 else self.error(self.repeat_status, "BXNIM0112E", "Again.")
        setattr(key, name, wanted)
        self._note(key, caller, what if wanted else f"un{what}")
        return Reply(204, name=what if wanted else f"un{what}")

    def _update(self, request: Request, caller: Bearer, key: Key) -> Reply:
        condition = request.headers.get("if-match")
        if not condition:
            return self.error(400, "BXNIM0108E", "If-Match is missing.")
        if condition not in ("*", tag_of(key)):
            return self.error(self.stale_status, "BXNIM0113E", "The entity tag does not match.")
        for name, value in body(request).items():
            assert name in ("name", "description", "support_sessions", "action_when_leaked", "expires_at"), name
            setattr(key, "action" if name == "action_when_leaked" else name, value)
        self._note(key, caller, "update")
        return Reply(200, self.shown(key, context=True), {"Etag": tag_of(key)})

    def _note(self, key: Key, caller: Bearer, action: str) -> None:
        key.tag += action != "create"
        key.modified_at = minute(self.clock())
        key.history.append({"timestamp": key.modified_at, "iam_id": caller.iam_id, "action": action, "params": []})

    def shown(self, key: Key, *, context: bool = False) -> dict[str, Any]:
        """The record as the API gives it: `apikey` is there and empty."""
        shown: dict[str, Any] = {"context": self.context()} if context else {}
        shown |= {
            "id": key.id,
            "entity_tag": tag_of(key),
            "crn": f"crn:v1:bluemix:public:iam-identity::a/{key.account_id}::apikey:{key.id}",
            "locked": key.locked,
            "disabled": key.disabled,
            "created_at": key.created_at,
            "created_by": key.created_by,
            "modified_at": key.modified_at,
            "name": key.name,
            "support_sessions": key.support_sessions,
            "iam_id": key.iam_id,
            "account_id": key.account_id,
            "apikey": "",
        }
        shown |= {"description": key.description} if key.description else {}
        shown |= {"action_when_leaked": key.action} if key.action is not None else {}
        return shown | ({"expires_at": key.expires_at} if key.expires_at else {})


def tag_of(key: Key) -> str:
    """The entity tag in IBM's form."""
    return f"{key.tag}-{uuid.UUID(key.id.removeprefix('ApiKey-')).hex}"


def minute(moment: datetime) -> str:
    """A time as IBM writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M+0000")


def basic(request: Request) -> tuple[str, str]:
    """User and password of basic authentication."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    user, _, password = b64decode(given).decode().partition(":") if kind == "Basic" else ("", "", "")
    return user, password


def _b64(part: object) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
