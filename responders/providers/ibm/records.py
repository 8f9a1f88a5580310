"""What IBM Cloud says of an API key, read without trust: what is missing or strange stays unsaid, never guessed.

The field names are the IAM Identity API's (its public SDK, verified); times come with a precision of minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from responders.registry import KeyState, LeakAction
from scanner.model import printable

SERVICE = "iam-ServiceId-"
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_MOST_TEXT = 255


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key as IBM describes it, without its value. `action` None: IBM's record names no leak action."""

    id: str
    name: str
    account_id: str
    iam_id: str
    entity_tag: str
    locked: bool
    disabled: bool
    action: LeakAction | None
    description: str = ""
    created_by: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def is_service(self) -> bool:
        """Whether it authenticates a service id, not a person."""
        return self.iam_id.startswith(SERVICE)

    def state(self, now: datetime) -> KeyState:
        """Its state; disabled comes before expired, since that is how it stays."""
        if self.disabled:
            return KeyState.DISABLED
        return KeyState.EXPIRED if self.expires_at is not None and self.expires_at <= now else KeyState.ACTIVE

    def words(self, now: datetime) -> str:
        """The record in one line, for evidence."""
        whose = "service id" if self.is_service else "user"
        lock = ", locked" if self.locked else ""
        action = f"its leak action is {self.action.value}" if self.action else "it names no leak action"
        return f"{self.id} ({self.name or 'no name'}), a {whose} key, reads {self.state(now).value}{lock}; {action}"


def api_key(body: Any) -> ApiKey | None:
    """The record in an answer; None where there is none that can be trusted to be one."""
    if not isinstance(body, dict) or not _ID.fullmatch(str(body.get("id", ""))):
        return None
    if not isinstance(body.get("locked", False), bool) or not isinstance(body.get("disabled", False), bool):
        return None
    return ApiKey(
        id=body["id"],
        name=words(body, "name"),
        account_id=words(body, "account_id"),
        iam_id=words(body, "iam_id"),
        entity_tag=words(body, "entity_tag"),
        locked=body.get("locked", False),
        disabled=body.get("disabled", False),
        action=next((each for each in LeakAction if each.value == words(body, "action_when_leaked").lower()), None),
        description=words(body, "description"),
        created_by=words(body, "created_by"),
        created_at=moment(body.get("created_at")),
        modified_at=moment(body.get("modified_at")),
        expires_at=moment(body.get("expires_at")),
    )


def words(body: Mapping[str, Any], name: str) -> str:
    """A text of an answer, safe to show and to store."""
    value = body.get(name)
    return printable(value)[:_MOST_TEXT] if isinstance(value, str) else ""


def moment(value: object) -> datetime | None:
    """A time as IBM writes it (`2024-10-04T12:28+0000`); None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
