"""Yandex Cloud on loopback: IAM tokens, API keys, static and authorized keys, service accounts, operations.

Made from Yandex's public protocol definitions and documentation. Changes answer with an Operation: done at once, or
after `slow` further looks; with `failing` it ends with that gRPC code although the request was taken.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.fakes import Reply, Request, World
from tests.support.fakes.routing import RoutedFake, body, segments
from tests.support.fakes.yandexoperations import Operations, failed
from tests.support.tokens import BASE62, text

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
BASE64URL = BASE62 + "-_"
AUDIENCE = "https://iam.api.cloud.yandex.net/iam/v1/tokens"
BASES = {
    ("iam", "v1", "apiKeys"): "api-key",
    ("iam", "aws-compatibility", "v1", "accessKeys"): "static",
    ("iam", "v1", "keys"): "authorized",
}
LISTED = {"api-key": "apiKeys", "static": "accessKeys", "authorized": "keys"}
NAMED = {"api-key": "apiKeyId", "static": "accessKeyId", "authorized": "keyId"}


@dataclass
class Key:
    """A credential of a service account. `shows` False: made before masks were kept."""

    id: str
    kind: str
    account: str
    secret: str
    created_at: datetime
    description: str = ""
    scopes: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    key_id: str = ""
    public_key: str = ""
    shows: bool = True


@dataclass
class Account:
    """A service account."""

    id: str
    folder: str
    name: str
    status: str = "ACTIVE"


@lru_cache(maxsize=4)
def rsa_pair(number: int = 0) -> tuple[str, str]:
    """A private and a public key in PEM; making one takes long, so it is made once."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Yandex(RoutedFake):
    """Two clouds with folders and service accounts, and one service account that may manage them all."""

    def __init__(self, rng: random.Random, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.rng = rng
        self.clock = clock
        self._asked: World | None = None
        super().__init__()
        self.issued: dict[str, tuple[str, datetime]] = {}
        self.clouds: dict[str, list[str]] = {}
        self.clients: dict[str, str] = {}
        self.forbidden_folders: set[str] = set()
        self.page_size = 100
        self.refuses_past_expiry = True
        self.operations = Operations(self)
        self.folder = self.new_folder(self.new_cloud())
        self.manager = self.new_account("keyfuse", self.folder)
        self.manager_key = self.make("authorized", self.manager)

    def world(self) -> World:
        """Credentials, service accounts, tokens that were revoked or may be, and changes under way."""
        return {"keys": {}, "accounts": {}, "oauth": {}, "revoked": [], "operations": {}, "begun": {}}

    def of(self, name: str) -> Any:
        """A part of the world: of the one that is being asked about, else of the one that is."""
        return (self._asked if self._asked is not None else self.state)[name]

    @property
    def keys(self) -> dict[str, Key]:
        """The credentials there are."""
        found: dict[str, Key] = self.of("keys")
        return found

    @property
    def accounts(self) -> dict[str, Account]:
        """The service accounts there are."""
        found: dict[str, Account] = self.of("accounts")
        return found

    def settle(self) -> None:
        """What there is now is what stale reads show, and nothing of it counts as a change."""
        self.before = copy.deepcopy(self.state)
        self.changes = 0

    # --- the other side ---------------------------------------------------------------------------------------------

    def new_id(self, prefix: str = "aje") -> str:
        """An id in Yandex's form."""
        return prefix + text(self.rng, 17, BASE36)

    def new_cloud(self) -> str:
        """A cloud."""
        cloud = self.new_id("b1g")
        self.clouds[cloud] = []
        return cloud

    def new_folder(self, cloud: str) -> str:
        """A folder in it."""
        folder = self.new_id("b1g")
        self.clouds[cloud].append(folder)
        return folder

    def new_account(self, name: str, folder: str = "") -> Account:
        """A service account."""
        account = Account(self.new_id(), folder or self.folder, name)
        self.accounts[account.id] = account
        return account

    def make(self, kind: str, account: Account, *, ending: str = "", **more: Any) -> Key:
        """A credential; `ending` sets the last characters of its secret."""
        key = Key(self.new_id(), kind, account.id, "", self.clock())
        match kind:
            case "api-key":
                key.secret = "AQ" + "VN" + text(self.rng, 36 - len(ending), BASE64URL) + ending
            case "static":
                key.secret = "Y" + "CV" + text(self.rng, 37, BASE64URL)
                key.key_id = "YC" + "AJE" + text(self.rng, 20, BASE64URL)
            case _:
                key.secret, key.public_key = rsa_pair(more.pop("pair", 0))
        for name, value in more.items():
            assert hasattr(key, name), name
            setattr(key, name, value)
        self.keys[key.id] = key
        return key

    def token_for(self, subject: str) -> str:
        """An IAM token of this subject."""
        token = f"t1.{text(self.rng, 40, BASE64URL)}.{text(self.rng, 86, BASE64URL)}"
        self.issued[token] = (subject, self.clock() + timedelta(hours=12))
        return token

    def new_oauth(self, user: str) -> str:
        """An OAuth token of a Yandex account."""
        token = "y" + "0_" + text(self.rng, 55, BASE64URL)
        self.of("oauth")[token] = user
        return token

    def works(self, key_id: str) -> bool:
        """Whether services would take this credential."""
        key = self.keys.get(key_id)
        if key is None or self.accounts[key.account].status != "ACTIVE":
            return False
        return key.expires_at is None or key.expires_at > self.clock()

    def key_file(self, key: Key) -> dict[str, str]:
        """An authorized key's file, as the command line tool writes it."""
        head = f"PLEASE DO NOT REMOVE THIS LINE! Yandex.Cloud SA Key ID <{key.id}>\n"
        return {
            "id": key.id,
            "service_account_id": key.account,
            "created_at": stamp(key.created_at),
            "key_algorithm": "RSA_2048",
            "public_key": key.public_key,
            "private_key": head + key.secret,
        }

    # --- requests ---------------------------------------------------------------------------------------------------

    def answer(self, request: Request, world: World) -> Reply:
        """See Fake. Tokens that were made are not part of the world: getting one is no change."""
        self._asked = world
        try:
            return self._answered(request)
        finally:
            self._asked = None

    def subject_of(self, token: str) -> str:
        """Whom a token stands for now; nobody for one that is worth nothing."""
        subject, ends = self.issued.get(token, ("", self.clock()))
        suspended = subject in self.accounts and self.accounts[subject].status != "ACTIVE"
        return "" if ends <= self.clock() or token in self.of("revoked") or suspended else subject

    def _answered(self, request: Request) -> Reply:
        match request.method, segments(request):
            case "POST", ["iam", "v1", "tokens"]:
                return self._token(request)
            case "GET", ["computeMetadata", "v1", "instance", "service-accounts", "default", "token"]:
                if request.headers.get("metadata-flavor") != "Google":
                    return Reply(403)
                token = self.token_for(self.manager.id)
                return Reply(200, {"access_token": token, "expires_in": 43200, "token_type": "Bearer"})
            case "POST", ["revoke_token"]:
                return self._revoke_oauth(request)
        subject = self.subject_of(request.bearer)
        if not subject:
            return failed(16, "The token is invalid")
        if request.method == "POST" and segments(request) == ["iam", "v1", "tokens:revoke"]:
            token = body(request)["iamToken"]
            whose = self.subject_of(token)
            if not whose:
                return failed(3, "iamToken is not a valid token")
            self.of("revoked").append(token)
            return Reply(200, {"subjectId": whose}, name="revoke")
        if segments(request)[0] == "operations":
            return self.operations.get(segments(request)[1])
        if segments(request)[0] == "resource-manager":
            return self._places(request, subject)
        if subject != self.manager.id and request.method != "GET":
            return failed(7, "Permission denied")
        if segments(request)[:3] == ["iam", "v1", "serviceAccounts"]:
            return self._account(request, subject)
        for base, kind in BASES.items():
            if tuple(segments(request)[: len(base)]) == base:
                return self._key(request, subject, kind, segments(request)[len(base) :])
        return failed(5, "There is nothing here")

    def _token(self, request: Request) -> Reply:
        wanted = body(request)
        if len(wanted) != 1:
            return failed(3, "Exactly one of the fields is needed")
        if (value := wanted.get("yandexPassportOauthToken")) is not None:
            known = self.of("oauth")
            return self._issued(known[value]) if value in known else failed(16, "OAuth token is invalid")
        try:
            head = jwt.get_unverified_header(wanted["jwt"])
            key = self.keys.get(head.get("kid", ""))
            if key is None or key.kind != "authorized":
                return failed(16, "No such key")
            claims = jwt.decode(
                wanted["jwt"],
                key.public_key,
                algorithms=["PS256"],
                audience=AUDIENCE,
                issuer=key.account,
                options={"require": ["iat", "exp", "iss", "aud"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, KeyError) as error:
            return failed(16, f"The JWT is invalid: {type(error).__name__}")
        now = self.clock().timestamp()
        if claims["exp"] - claims["iat"] > 3600 or not claims["iat"] - 60 <= now < claims["exp"]:
            return failed(16, "The JWT is not valid now, or for too long")
        if self.accounts[key.account].status != "ACTIVE":
            return failed(16, "The service account is suspended")
        return self._issued(key.account)

    def _issued(self, subject: str) -> Reply:
        token = self.token_for(subject)
        return Reply(200, {"iamToken": token, "expiresAt": stamp(self.issued[token][1])})

    def _revoke_oauth(self, request: Request) -> Reply:
        form = request.form
        if self.clients.get(form.get("client_id", "")) != form.get("client_secret"):
            return Reply(400, {"error": "invalid_client"})
        if self.of("oauth").pop(form.get("access_token", ""), None) is None:
            return Reply(400, {"error": "invalid_grant"})
        return Reply(200, {"status": "ok"}, name="revoke")

    def _page(self, request: Request, name: str, items: list[dict[str, Any]]) -> Reply:
        size = min(int(request.query.get("pageSize", "100")), self.page_size)
        start = int(request.query.get("pageToken") or "0")
        page: dict[str, Any] = {name: items[start : start + size]} if items else {}
        return Reply(200, page | ({"nextPageToken": str(start + size)} if start + size < len(items) else {}))

    def _places(self, request: Request, subject: str) -> Reply:
        seen = self.clouds if subject == self.manager.id else {}
        match segments(request)[2:]:
            case ["clouds"]:
                return self._page(request, "clouds", [{"id": cloud, "name": f"cloud-{cloud[-3:]}"} for cloud in seen])
            case ["folders"]:
                folders = seen.get(request.query.get("cloudId", ""))
                if folders is None:
                    return failed(7, "Permission denied")
                return self._page(request, "folders", [{"id": folder, "status": "ACTIVE"} for folder in folders])
        return failed(5, "There is nothing here")

    def _account(self, request: Request, subject: str) -> Reply:
        rest = segments(request)[3:]
        if not rest:
            folder = request.query.get("folderId", "")
            if subject != self.manager.id or folder in self.forbidden_folders:
                return failed(7, "Permission denied")
            found = [account for account in self.accounts.values() if account.folder == folder]
            return self._page(request, "serviceAccounts", [self._shown_account(account) for account in found])
        name, _, verb = rest[0].partition(":")
        account = self.accounts.get(name)
        if account is None:
            return failed(5, "Service account not found")
        match request.method, verb:
            case "GET", "":
                return Reply(200, self._shown_account(account))
            case "POST", ("suspend" | "reactivate"):
                status = "SUSPENDED" if verb == "suspend" else "ACTIVE"
                return self.operations.start(request, verb, "accounts", account.id, {"status": status})
        return failed(12, "Not implemented")

    def _key(self, request: Request, subject: str, kind: str, rest: list[str]) -> Reply:
        match request.method, rest:
            case "GET", []:
                account = request.query.get("serviceAccountId") or subject
                found = [key for key in self.keys.values() if (key.kind, key.account) == (kind, account)]
                return self._page(request, LISTED[kind], [self.shown(key) for key in found])
            case "POST", []:
                return self._create(request, kind)
        key = self.keys.get(rest[0])
        if key is None or key.kind != kind:
            if request.method == "DELETE" and (again := self.operations.repeated(request)) is not None:
                return again
            return failed(5, "Not found")
        if request.method == "GET":
            return Reply(200, self.shown(key))
        if request.method == "DELETE":
            return self.operations.start(request, "delete", "keys", key.id, None)
        return self._patch(request, key)

    def _patch(self, request: Request, key: Key) -> Reply:
        wanted = body(request)
        # Without a mask every field that is not sent goes back to its default.
        mask = [name for name in wanted.get("updateMask", "").split(",") if name]
        mask = mask or ["description", "scopes", "expiresAt"]
        ends = datetime.fromisoformat(wanted["expiresAt"]) if wanted.get("expiresAt") else None
        if "expiresAt" in mask and ends is not None and ends <= self.clock() and self.refuses_past_expiry:
            return failed(3, "expiresAt is in the past")
        given = {"description": wanted.get("description", ""), "scopes": wanted.get("scopes", []), "expires_at": ends}
        changes = {name: given["expires_at" if name == "expiresAt" else name] for name in mask}
        if "expiresAt" in changes:
            changes["expires_at"] = changes.pop("expiresAt")
        return self.operations.start(request, "update", "keys", key.id, changes)

    def _create(self, request: Request, kind: str) -> Reply:
        wanted = body(request)
        account = self.accounts.get(wanted.get("serviceAccountId", ""))
        if account is None:
            return failed(5, "Service account not found")
        key = self.make(kind, account, description=wanted.get("description", ""), scopes=wanted.get("scopes", []))
        if wanted.get("expiresAt"):
            key.expires_at = datetime.fromisoformat(wanted["expiresAt"])
        match kind:
            case "api-key":
                return Reply(200, {"apiKey": self.shown(key), "secret": key.secret})
            case "static":
                return Reply(200, {"accessKey": self.shown(key), "secret": key.secret})
            case _:
                return Reply(200, {"key": self.shown(key), "privateKey": self.key_file(key)["private_key"]})

    def shown(self, key: Key) -> dict[str, Any]:
        """The record as the API gives it: what is empty is not there."""
        shown: dict[str, Any] = {"id": key.id, "serviceAccountId": key.account, "createdAt": stamp(key.created_at)}
        shown |= {"description": key.description} if key.description else {}
        shown |= {"lastUsedAt": stamp(key.last_used_at)} if key.last_used_at else {}
        match key.kind:
            case "api-key":
                shown |= {"scopes": key.scopes, "scope": key.scopes[0]} if key.scopes else {}
                shown |= {"expiresAt": stamp(key.expires_at)} if key.expires_at else {}
                shown |= {"maskedSecret": "****" + key.secret[-6:]} if key.shows else {}
            case "static":
                shown["keyId"] = key.key_id
            case _:
                shown |= {"keyAlgorithm": "RSA_2048", "publicKey": key.public_key}
        return shown

    def _shown_account(self, account: Account) -> dict[str, Any]:
        return {"id": account.id, "folderId": account.folder, "name": account.name, "status": account.status}


def stamp(moment: datetime) -> str:
    """A time as Yandex writes it, with up to nine digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
