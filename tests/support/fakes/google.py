"""Google's token endpoint, service accounts' keys and API keys, from its documentation."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.fakes import Fake, Reply, Request, World

OWN = "keyfuse@ours.iam.gserviceaccount.com"
OWN_KEY = "0" * 39 + "1"
AUDIENCE = "https://oauth2.googleapis.com/token"
KEY = re.compile(r"/v1/projects/([^/]+)/serviceAccounts/([^/]+)/keys/([0-9a-f]{40})(:disable|:enable|)")
API_KEY = re.compile(r"/v2/(projects/[^/]+/locations/global/keys/[0-9a-f-]+)")
_made: list[RSAPrivateKey] = []


def rsa_key() -> RSAPrivateKey:
    """An RSA key for the whole run, and a short one: making and checking them takes long."""
    if not _made:
        _made.append(generate_private_key(65537, 1024))
    return _made[0]


def pem() -> str:
    """That key, as Google writes it into key files."""
    return rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def fault(status: int, word: str) -> Reply:
    """Google's error object."""
    return Reply(status, {"error": {"code": status, "message": "made up", "status": word}})


class Google(Fake):
    """Project `ours` with a service account, and API keys. `slowly` lets a deletion of an API key be under way."""

    def __init__(self, *, slowly: bool = False) -> None:
        self.slowly = slowly
        super().__init__()

    def world(self) -> World:
        return {"files": {}, "api_keys": {}, "accounts": {"ours": [OWN]}}

    def key_file(self) -> str:
        """The JSON key of keyfuse's own service account."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "ours",
                "private_key_id": OWN_KEY,
                "private_key": pem(),
                "client_email": OWN,
                "client_id": "1",
                "token_uri": f"{self.url}/token",
            }
        )

    def answer(self, request: Request, world: World) -> Reply:
        if request.route == "POST /token":
            return self._token(request)
        if request.bearer != self._bearer():
            return fault(401, "UNAUTHENTICATED")
        if found := KEY.fullmatch(request.path):
            return self._file(request, world, *found.groups())
        if found := re.fullmatch(r"/v1/projects/([^/]+)/serviceAccounts", request.path):
            return self._accounts(request, world, found[1])
        if request.path == "/v2/keys:lookupKey":
            return self._lookup(request, world)
        if found := API_KEY.fullmatch(request.path):
            return self._api_key(request, world, found[1])
        return fault(404, "NOT_FOUND")

    def _bearer(self) -> str:
        return "ya29." + "access-token-of-the-fake"

    def _token(self, request: Request) -> Reply:
        try:
            head, claims, signature = request.form["assertion"].split(".")
            rsa_key().public_key().verify(_decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
            said, header = json.loads(_decoded(claims)), json.loads(_decoded(head))
        except (KeyError, ValueError, InvalidSignature):
            return Reply(400, {"error": "invalid_grant"})
        right = said["iss"] == OWN and said["aud"] == AUDIENCE and 0 < said["exp"] - said["iat"] <= 3600
        if not right or header["alg"] != "RS256" or header.get("kid") != OWN_KEY:
            return Reply(400, {"error": "invalid_grant"})
        return Reply(200, {"access_token": self._bearer(), "expires_in": 3599, "token_type": "Bearer"})

    def _file(self, request: Request, world: World, project: str, email: str, key_id: str, verb: str) -> Reply:
        if project not in ("ours", "-"):
            return fault(403, "PERMISSION_DENIED")
        key = world["files"].get(key_id)
        if key is None or key["email"] != email:
            return fault(403, "PERMISSION_DENIED") if project == "-" else fault(404, "NOT_FOUND")
        match request.method, verb:
            case "GET", "":
                name = f"projects/{project}/serviceAccounts/{email}/keys/{key_id}"
                body: dict[str, Any] = {"name": name, "keyType": "USER_MANAGED", "keyOrigin": "GOOGLE_PROVIDED"}
                return Reply(200, body | ({"disabled": True} if key["disabled"] else {}))
            case "POST", (":disable" | ":enable"):
                key["disabled"] = verb == ":disable"
                return Reply(200, {}, name=verb[1:])
            case "DELETE", "":
                del world["files"][key_id]
                return Reply(200, {}, name="delete")
        return fault(404, "NOT_FOUND")

    def _accounts(self, request: Request, world: World, project: str) -> Reply:
        """One account a page."""
        accounts = world["accounts"].get(project)
        if accounts is None:
            return fault(403, "PERMISSION_DENIED")
        at = int(request.query.get("pageToken", "0"))
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(accounts) else {}
        return Reply(200, {"accounts": [{"email": each} for each in accounts[at : at + 1]]} | more)

    def _lookup(self, request: Request, world: World) -> Reply:
        """A GET by the letter; Google's front takes it as a POST that says so."""
        asked = request.method == "GET" or request.headers.get("x-http-method-override") == "GET"
        value = request.query.get("keyString") or request.form.get("keyString")
        if not asked:
            return fault(404, "NOT_FOUND")
        for name, key in world["api_keys"].items():
            if key["value"] == value:
                return Reply(200, {"parent": name.partition("/keys/")[0], "name": name})
        return fault(403, "PERMISSION_DENIED")

    def _api_key(self, request: Request, world: World, name: str) -> Reply:
        key = world["api_keys"].get(name)
        if key is None:
            return fault(404, "NOT_FOUND")
        if request.method == "DELETE":
            key["deleted"] = True
            operation = {"name": "operations/akmf.1"}
            return Reply(200, operation if self.slowly else operation | {"done": True, "response": {}}, name="delete")
        gone = {"deleteTime": "2026-03-01T12:00:00Z"} if key["deleted"] else {}
        return Reply(200, {"name": name, "uid": name.rpartition("/")[2], "etag": "1"} | gone)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
