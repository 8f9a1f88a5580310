"""The resource controller of the IBM fake: service credentials ("resource keys"), some with an IAM key inside."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.fakes import Reply, Request
from tests.support.tokens import text

if TYPE_CHECKING:
    from tests.support.fakes.ibm import Bearer, Ibm, Key


@dataclass
class ResourceKey:
    """One service credential. `redacted`: the caller's access does not reach the values."""

    guid: str
    name: str
    account_id: str
    credentials: dict[str, Any] = field(default_factory=dict)
    state: str = "active"
    redacted: bool = False
    iam_key: str = ""

    @property
    def crn(self) -> str:
        """Its name all over the cloud."""
        return (
            f"crn:v1:bluemix:public:cloud-object-storage:global:a/{self.account_id}:{'1' * 8}:resource-key:{self.guid}"
        )


class Resources:
    """`/v2/resource_keys`."""

    def __init__(self, ibm: Ibm) -> None:
        self._ibm = ibm

    @property
    def keys(self) -> dict[str, ResourceKey]:
        """The service credentials there are, and those that were."""
        return self._ibm.of("credentials")

    def make(self, name: str, *, hmac_keys: bool = False, redacted: bool = False) -> tuple[ResourceKey, Key]:
        """A service credential and the IAM key that it brought about, for a service id of its own."""
        ibm = self._ibm
        guid = str(uuid.UUID(int=ibm.rng.getrandbits(128), version=4))
        service = f"iam-ServiceId-{uuid.UUID(int=ibm.rng.getrandbits(128), version=4)}"
        key = ibm.make(f"auto-generated for {name}", iam_id=service)
        credentials: dict[str, Any] = {
            "apikey": key.value,
            "iam_apikey_name": key.name,
            "iam_role_crn": "crn:v1:bluemix:public:iam::::serviceRole:Writer",
            "iam_serviceid_crn": f"crn:v1:bluemix:public:iam-identity::a/{ibm.account_id}::serviceid:"
            f"{service.removeprefix('iam-')}",
        }
        if hmac_keys:
            digits = "0123456789abcdef"
            pair = {"access_key_id": text(ibm.rng, 32, digits), "secret_access_key": text(ibm.rng, 48, digits)}
            credentials["cos_hmac_keys"] = pair
        made = ResourceKey(guid, name, ibm.account_id, credentials, redacted=redacted, iam_key=key.id)
        self.keys[guid] = made
        return made, key

    def answer(self, request: Request, caller: Bearer, rest: list[str]) -> Reply:
        """Routes one request."""
        if caller.iam_id not in self._ibm.administrators:
            return _error(403, "You are not authorized.")
        match request.method, rest:
            case "GET", ["resource_keys"]:
                return self._list(request)
            case method, ["resource_keys", name]:
                found = next((key for key in self.keys.values() if name in (key.guid, key.crn)), None)
                if found is None:
                    return _error(404, "No such resource key.")
                return self._delete(found) if method == "DELETE" else Reply(200, self._shown(found))
        return _error(404, "There is nothing here.")

    def _list(self, request: Request) -> Reply:
        living = [key for key in self.keys.values() if key.state == "active"]
        size, start = int(request.query.get("limit", "10")), int(request.query.get("start", "0"))
        body: dict[str, Any] = {
            "rows_count": 0,
            "resources": [self._shown(key) for key in living[start : start + size]],
        }
        body["rows_count"] = len(body["resources"])
        if start + size < len(living):
            body["next_url"] = f"/v2/resource_keys?limit={size}&start={start + size}"
        return Reply(200, body)

    def _delete(self, key: ResourceKey) -> Reply:
        if key.state == "removed":
            return _error(410, "It is gone already.")
        key.state = "removed"
        self._ibm.keys.pop(key.iam_key, None)
        return Reply(204, name="delete credential")

    def _shown(self, key: ResourceKey) -> dict[str, Any]:
        return {
            "id": key.crn,
            "guid": key.guid,
            "crn": key.crn,
            "url": f"/v2/resource_keys/{key.guid}",
            "created_at": "2026-01-02T03:04:05.678Z",
            "updated_at": "2026-01-02T03:04:05.678Z",
            "created_by": "IBMid-USER000001",
            "name": key.name,
            "state": key.state,
            "account_id": key.account_id,
            "credentials": {"REDACTED": "REDACTED"} if key.redacted else key.credentials,
            "iam_compatible": True,
            "migrated": False,
        }


def _error(status: int, message: str) -> Reply:
    body = {"error_code": "RC-X", "message": message, "status_code": str(status), "transaction_id": "t"}
    return Reply(status, body)
