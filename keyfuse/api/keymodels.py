"""Keys as /v1/apikeys takes and gives them: IBM's fields under IBM's names (IAM Identity API), then our own."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from keyfuse.api.texts import Body, Line, Moment, Name, NoMoment, Words, ibm_moment
from keyfuse.keyrecord import instant
from responders.registry import KnownKey

Action = Literal["none", "disable", "delete"]
Unsupported = Literal["block", "none", "delete", "suspend-owner"]
Kind = Literal["user", "service-id", "classic", "service-specific", "api-key", "static", "authorized", "other"]
Several = list[Line]
MOST_VALUE = 1 << 16
SHORTEST_VALUE = 32


class NewApiKey(Body):
    """What is asked for. Without `kind` it is a user's key, or a service's where `iam_id` names one.

    keyfuse keeps no values and tracks no sessions, so `store_value` and `support_sessions` cannot be true.
    """

    name: Name
    iam_id: Name
    description: Words | None = None
    account_id: Line | None = None
    apikey: str | None = Field(default=None, min_length=SHORTEST_VALUE, max_length=MOST_VALUE)
    store_value: Literal[False] | None = None
    support_sessions: Literal[False] | None = None
    action_when_leaked: Action | None = None
    expires_at: Moment | NoMoment | None = None
    kind: Kind | None = None
    owners: Several | None = Field(default=None, max_length=100)
    scopes: Several | None = Field(default=None, max_length=100)
    if_unsupported: Unsupported | None = None


class ApiKeyUpdate(Body):
    """What shall change; what is absent stays. An empty `description` or `expires_at` clears it."""

    name: Name | None = None
    description: Words | None = None
    support_sessions: Literal[False] | None = None
    action_when_leaked: Action | None = None
    expires_at: Moment | NoMoment | None = None
    owners: Several | None = Field(default=None, max_length=100)
    scopes: Several | None = Field(default=None, max_length=100)
    if_unsupported: Unsupported | None = None


class Verify(Body):
    """A value that somebody showed, and what it is to be good for."""

    apikey: str = Field(min_length=1, max_length=MOST_VALUE)
    scopes: Several = Field(default_factory=list, max_length=100)


class Context(BaseModel):
    """What an answer belongs to."""

    transaction_id: str
    operation: str = ""
    url: str = ""
    instance_id: str = ""


class HistoryEntry(BaseModel):
    """One change of a key."""

    timestamp: str
    iam_id: str
    iam_id_account: str
    action: str
    params: list[str]
    message: str


class Activity(BaseModel):
    """When a key was used last, and how often."""

    last_authn: str | None = None
    authn_count: int


class ApiKey(BaseModel):
    """A key's record; `apikey` is its value in the answer to a creation, and empty at all other times."""

    context: Context | None = None
    id: str
    entity_tag: str
    crn: str
    locked: bool
    disabled: bool
    created_at: str
    created_by: str
    modified_at: str
    name: str
    description: str | None = None
    support_sessions: bool
    action_when_leaked: Action
    expires_at: str | None = None
    iam_id: str
    account_id: str
    apikey: str
    history: list[HistoryEntry] | None = None
    activity: Activity | None = None
    provider: str
    provider_key_id: str
    kind: Kind
    owners: list[str]
    scopes: list[str]
    state: Literal["active", "disabled", "expired", "deleted"]
    masked: str
    if_unsupported: Unsupported
    leaked: bool
    replaces: str | None = None
    replaced_by: str | None = None


class ApiKeyList(BaseModel):
    """One page of keys; `next` and `previous` are URLs with the page's token, and absent where there is no page."""

    context: Context
    offset: int
    limit: int
    first: str
    previous: str | None = None
    next: str | None = None
    apikeys: list[ApiKey]


class Verified(BaseModel):
    """Whether a value may be used now. `key` is there where the value belongs to one, valid or not."""

    valid: bool
    reason: str | None = None
    key: VerifiedKey | None = None


class VerifiedKey(BaseModel):
    """What whoever checks a value needs to know of its key."""

    id: str
    name: str
    iam_id: str
    account_id: str
    scopes: list[str]
    expires_at: str | None = None


class IbmError(BaseModel):
    """One thing that went wrong."""

    code: str
    message_code: str
    message: str
    details: str


class IbmErrors(BaseModel):
    """IBM's error object."""

    context: Context
    trace: str
    status_code: str
    errors: list[IbmError]


def shown(
    key: KnownKey,
    now: datetime,
    *,
    context: Context | None = None,
    value: str = "",
    history: bool = False,
    activity: bool = False,
) -> ApiKey:
    """A record as it is given out."""
    return ApiKey(
        context=context,
        id=key.id,
        entity_tag=key.entity_tag,
        crn=f"crn:v1:keyfuse:private:iam-identity::a/{key.account_id}::apikey:{key.id}",
        locked=key.locked,
        disabled=key.disabled,
        created_at=ibm_moment(key.created_at),
        created_by=key.created_by,
        modified_at=ibm_moment(key.modified_at),
        name=key.name,
        description=key.description or None,
        support_sessions=False,
        action_when_leaked=key.action_when_leaked.value,
        expires_at=ibm_moment(key.expires_at) if key.expires_at else None,
        iam_id=key.iam_id,
        account_id=key.account_id,
        apikey=value,
        history=_history(key) if history else None,
        activity=_activity(key) if activity else None,
        provider=key.provider,
        provider_key_id=key.provider_key_id,
        kind=key.kind.value,
        owners=list(key.owners),
        scopes=list(key.scopes),
        state=key.effective_state(now).value,
        masked=key.masked,
        if_unsupported=key.if_unsupported.value,
        leaked=key.leaked,
        replaces=key.replaces or None,
        replaced_by=key.replaced_by or None,
    )


def shown_briefly(key: KnownKey) -> VerifiedKey:
    """What is told of a key to whoever has its value."""
    return VerifiedKey(
        id=key.id,
        name=key.name,
        iam_id=key.iam_id,
        account_id=key.account_id,
        scopes=list(key.scopes),
        expires_at=ibm_moment(key.expires_at) if key.expires_at else None,
    )


def _history(key: KnownKey) -> list[HistoryEntry]:
    return [
        HistoryEntry(
            timestamp=instant(change.timestamp) or "",
            iam_id=change.who,
            iam_id_account=key.account_id,
            action=change.action,
            params=[f"{name}={value}" for name, value in change.params.items()],
            message=change.message,
        )
        for change in key.history
    ]


def _activity(key: KnownKey) -> Activity:
    return Activity(last_authn=ibm_moment(key.last_used_at) if key.last_used_at else None, authn_count=key.authn_count)
