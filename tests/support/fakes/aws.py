"""IAM and STS: moto's own server application behind a fake, so that AWS can fail in every way that a fake can."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.support.fakes import EFFECTLESS, Fake, Fault, Reply, Request

if TYPE_CHECKING:
    from werkzeug.test import Client

ACCOUNT = "123456789012"
VERBS = {
    "UpdateAccessKey": "disable",
    "DeleteAccessKey": "delete",
    "PutUserPolicy": "restrict",
    "PutRolePolicy": "restrict",
    "AttachUserPolicy": "restrict",
}


@cache
def moto() -> Client:
    """moto's server, without a socket: one for the whole run, since loading it takes a second."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.test import Client

    return Client(DomainDispatcherApplication(create_backend_app))


def backend() -> Any:
    """What moto's IAM knows."""
    from moto.iam.models import iam_backends

    return iam_backends[ACCOUNT]["global"]


class Aws(Fake):
    """AWS as moto plays it. `says` has other answers to an action, or to one signed with some key: `Action KEY`."""

    def __init__(self) -> None:
        moto()
        self.says: dict[str, Reply] = {}
        self._first: dict[bytes, Reply] = {}
        super().__init__()

    def take(self, request: Request) -> Reply | None:
        """As in Fake, but the world is moto's, so that what must have no effect is not passed on at all."""
        action = request.form.get("Action", "")
        change = action in VERBS
        with self._lock:
            fault = self.fault if self.on == "all" or (self.on == "changes") == change else None
            reply = (
                self._answer(request, action)
                if fault not in EFFECTLESS
                else Reply(200, b"", name=VERBS.get(action, "read"))
            )
            if fault is Fault.STALE and not change:
                reply = self._first.get(request.body, reply)
            elif not change:
                self._first.setdefault(request.body, reply)
            self.seen.append((request, reply))
        return self._spoilt(reply, fault)

    def _answer(self, request: Request, action: str) -> Reply:
        name = VERBS.get(action, "read")
        signed_by = request.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]
        if said := self.says.get(f"{action} {signed_by}", self.says.get(action)):
            return said
        if action == "GetCallerIdentity" and signed_by.startswith("AKIA") and not _is_active(signed_by):
            return error(403, "InvalidClientTokenId")  # moto lets anybody in
        before = self._told()
        kept = {"authorization", "content-type", "x-amz-date", "x-amz-security-token", "host"}
        headers = {header: value for header, value in request.headers.items() if header in kept}
        response = moto().open("/", method=request.method, data=request.body, headers=headers)
        self.changes += self._told() != before
        return Reply(response.status_code, response.data, {"Content-Type": "text/xml"}, name=name)

    def _told(self) -> Any:
        """Everything about users and roles that could change."""
        iam = backend()
        users = {
            user.name: (
                [(key.access_key_id, key.status) for key in user.access_keys],
                dict(user.policies),
                sorted(user.managed_policies),
            )
            for user in iam.users.values()
        }
        return users, {role.name: dict(role.policies) for role in iam.roles.values()}


def _is_active(key_id: str) -> bool:
    """Whether a call that is signed with this key would be taken."""
    return any(
        key.access_key_id == key_id and key.status == "Active"
        for user in backend().users.values()
        for key in user.access_keys
    )


def error(status: int, code: str) -> Reply:
    """An error of the query protocol."""
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>made up</Message></Error>"
        "<RequestId>r</RequestId></ErrorResponse>"
    )
    return Reply(status, body.encode(), {"Content-Type": "text/xml"})
