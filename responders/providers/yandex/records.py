"""What Yandex Cloud says of keys and service accounts, read without trust.

Field names are those of its protocol definitions in their JSON form. `maskedSecret` is four asterisks and the last six
characters of an API key; keys made before the field existed may lack it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from responders.providers.yandex.api import is_id, stamp
from responders.registry import KeyKind, KeyState
from scanner.model import printable

_MOST_TEXT = 256


class Sort(Enum):
    """The credentials of service accounts: the registry's kind, the path, and the names in a listing and an answer."""

    API_KEY = (KeyKind.API_KEY, "/iam/v1/apiKeys", "apiKeys", "apiKey")
    STATIC = (KeyKind.STATIC, "/iam/aws-compatibility/v1/accessKeys", "accessKeys", "accessKey")
    AUTHORIZED = (KeyKind.AUTHORIZED, "/iam/v1/keys", "keys", "key")

    @property
    def kind(self) -> KeyKind:
        """What the registry calls it."""
        return self.value[0]

    @property
    def path(self) -> str:
        """Where they are."""
        return self.value[1]

    @property
    def listed(self) -> str:
        """The field of a listing that holds them."""
        return self.value[2]

    @property
    def made(self) -> str:
        """The field of an answer to a creation that holds the record."""
        return self.value[3]

    @property
    def words(self) -> str:
        """For people."""
        return {Sort.API_KEY: "API key", Sort.STATIC: "static access key"}.get(self, "authorized key")


SORTS = {sort.kind: sort for sort in Sort}


@dataclass(frozen=True, slots=True)
class Record:
    """One credential as Yandex describes it. `ending`: the last characters of its secret, where it shows them."""

    id: str
    sort: Sort
    account: str
    description: str = ""
    scopes: tuple[str, ...] = ()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    ending: str = ""
    public_id: str = ""

    def state(self, now: datetime) -> KeyState:
        """Its own state; that of its service account is another matter."""
        return KeyState.EXPIRED if self.expires_at is not None and self.expires_at <= now else KeyState.ACTIVE

    def words(self) -> str:
        """The record in few words, for evidence."""
        named = f" ({self.description})" if self.description else ""
        return f"{self.sort.words} {self.id}{named} of service account {self.account or 'unknown'}"


@dataclass(frozen=True, slots=True)
class Account:
    """A service account. `suspended`: nothing of it can authenticate."""

    id: str
    name: str
    folder: str
    suspended: bool


def record(body: Any, sort: Sort) -> Record | None:
    """The credential in an answer; None where there is none that can be trusted to be one."""
    if not isinstance(body, dict) or not is_id(body.get("id")):
        return None
    masked = body.get("maskedSecret")
    scopes = body.get("scopes")
    return Record(
        id=body["id"],
        sort=sort,
        account=body["serviceAccountId"] if is_id(body.get("serviceAccountId")) else "",
        description=text(body, "description"),
        scopes=tuple(printable(scope) for scope in scopes if isinstance(scope, str))
        if isinstance(scopes, list)
        else (),
        created_at=stamp(body.get("createdAt")),
        expires_at=stamp(body.get("expiresAt")),
        last_used_at=stamp(body.get("lastUsedAt")),
        ending=masked.lstrip("*") if isinstance(masked, str) else "",
        public_id=text(body, "keyId"),
    )


def account(body: Any) -> Account | None:
    """The service account in an answer."""
    if not isinstance(body, dict) or not is_id(body.get("id")):
        return None
    return Account(body["id"], text(body, "name"), text(body, "folderId"), body.get("status") == "SUSPENDED")


def text(body: Mapping[str, Any], name: str) -> str:
    """A text of an answer, safe to show and to store."""
    value = body.get(name)
    return printable(value)[:_MOST_TEXT] if isinstance(value, str) else ""
