"""/v1/apikeys: the registry in the shape of IBM's IAM Identity API, and `verify`, which IBM has not."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request, Response

from keyfuse.api.caller import Caller, caller_of
from keyfuse.api.desk import Desk, desk_of
from keyfuse.api.keymodels import (
    ApiKey,
    ApiKeyUpdate,
    Context,
    NewApiKey,
    Verified,
    Verify,
    shown,
    shown_briefly,
)
from keyfuse.api.problems import Refusal, bad, not_found
from keyfuse.api.texts import Id, moment
from keyfuse.keychange import amend, mind_lock, set_state
from responders.errors import NoSuchRecord, StaleRecord
from responders.issuer import PROVIDER, Invalid, NewKey
from responders.registrar import Amendment
from responders.registry import IfUnsupported, KeyKind, KeyState, KnownKey, LeakAction
from scanner.errors import UsageError
from scanner.model import Secret

router = APIRouter(prefix="/v1/apikeys", tags=["keys"])

SERVICE = "iam-ServiceId"
"""How IBM's identities of services begin."""
Switch = Annotated[Literal["true", "false"], Header(description="Whether it is so from the beginning.")]
IfMatch = Annotated[str, Header(min_length=1, description="The entity tag that the record must have; * means any.")]


@router.post("", status_code=HTTPStatus.CREATED, response_model_exclude_none=True, operation_id="create_api_key")
def create(
    request: Request,
    response: Response,
    body: NewApiKey,
    entity_lock: Switch = "false",
    entity_disable: Switch = "false",
) -> ApiKey:
    """Issues a key, or registers the value in `apikey` as one. The answer alone holds the value."""
    caller, desk = caller_of(request), desk_of(request)
    kind = KeyKind(body.kind) if body.kind else KeyKind.SERVICE_ID if body.iam_id.startswith(SERVICE) else KeyKind.USER
    account_id = body.account_id if body.account_id is not None else caller.user.account_id
    caller.may_create(body.iam_id, kind, account_id)
    defaults = desk.services.session.config.registry
    wanted = NewKey(
        name=body.name,
        description=body.description or "",
        kind=kind,
        account_id=account_id,
        iam_id=body.iam_id,
        owners=tuple(body.owners or ()),
        scopes=tuple(body.scopes or ()),
        expires_at=_expiry(body.expires_at, desk.clock())[0],
        action_when_leaked=LeakAction(body.action_when_leaked or defaults.action_when_leaked),
        if_unsupported=IfUnsupported(body.if_unsupported or defaults.if_unsupported),
        locked=entity_lock == "true",
        disabled=entity_disable == "true",
    )
    value = None if body.apikey is None else _value(body.apikey)
    issued = desk.issuer.create(wanted, caller.by(), value)
    text = issued.secret.reveal().decode("utf-8")
    return _answer(request, response, issued.key, "create_api_key", value=text)


@router.post("/verify", response_model_exclude_none=True, operation_id="verify_api_key")
def verify(request: Request, body: Verify) -> Verified:
    """Says whether a value may be used now, for all of the scopes. A valid use is counted in the key's activity."""
    verdict = desk_of(request).issuer.verify(_value(body.apikey), body.scopes)
    key = None if verdict.key is None else shown_briefly(verdict.key)
    if isinstance(verdict, Invalid):
        return Verified(valid=False, reason=verdict.reason, key=key)
    return Verified(valid=True, key=key)


@router.get("/details", response_model_exclude_none=True, operation_id="get_api_keys_details")
def details(
    request: Request,
    response: Response,
    iam_apikey: Annotated[str, Header(alias="IAM-ApiKey", min_length=1, description="The value.")],
    include_history: bool = False,
) -> ApiKey:
    """Finds a key by its value, whatever its state, unless it is deleted."""
    desk = desk_of(request)
    found = desk.issuer.lookup(Secret(iam_apikey.encode("latin-1")))
    key = _living(caller_of(request), found)
    return _answer(request, response, key, "get_api_keys_details", history=include_history)


@router.get("/{id}", response_model_exclude_none=True, operation_id="get_api_key")
def get(
    request: Request, response: Response, id: Id, include_history: bool = False, include_activity: bool = False
) -> ApiKey:
    """Gives a key's record, with its entity tag as the header Etag too."""
    key = _key(request, id)
    return _answer(request, response, key, "get_api_key", history=include_history, activity=include_activity)


@router.put("/{id}", response_model_exclude_none=True, operation_id="update_api_key")
def update(request: Request, response: Response, id: Id, body: ApiKeyUpdate, if_match: IfMatch) -> ApiKey:
    """Changes a record. The header If-Match must name the entity tag that was read, or * for any."""
    caller, desk = caller_of(request), desk_of(request)
    key = caller.may_edit(_key(request, id))
    tag = None if if_match.strip() == "*" else if_match.strip().strip('"')
    ends, never = _expiry(body.expires_at, desk.clock())
    amendment = Amendment(
        name=body.name,
        description=body.description,
        owners=None if body.owners is None else tuple(body.owners),
        scopes=None if body.scopes is None else tuple(body.scopes),
        expires_at=ends,
        never_expires=never,
        action_when_leaked=LeakAction(body.action_when_leaked) if body.action_when_leaked else None,
        if_unsupported=IfUnsupported(body.if_unsupported) if body.if_unsupported else None,
    )
    if key.provider != PROVIDER:
        mind_lock(key)
        if tag not in (None, key.entity_tag):  # before anybody else is asked to change anything
            raise StaleRecord(f"key {key.id} was changed meanwhile (it is now {key.entity_tag}); read it and repeat")
        amend(desk.catalog().of(key.provider), key, amendment)
    changed = desk.registrar.amend(key.id, amendment, caller.by(tag))
    return _answer(request, response, changed, "update_api_key")


@router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT, operation_id="delete_api_key")
def delete(request: Request, id: Id) -> None:
    """Ends a key for ever. The registry remembers it, so that a leak of it is still recognised."""
    caller = caller_of(request)
    _set_state(desk_of(request), caller, caller.may_delete(_key(request, id)), KeyState.DELETED)


@router.post("/{id}/disable", status_code=HTTPStatus.NO_CONTENT, operation_id="disable_api_key")
def disable(request: Request, id: Id) -> None:
    """Switches a key off until it is enabled again."""
    caller = caller_of(request)
    _set_state(desk_of(request), caller, caller.may_edit(_key(request, id)), KeyState.DISABLED)


@router.delete("/{id}/disable", status_code=HTTPStatus.NO_CONTENT, operation_id="enable_api_key")
def enable(request: Request, id: Id) -> None:
    """Switches a disabled key on again."""
    caller = caller_of(request)
    _set_state(desk_of(request), caller, caller.may_edit(_key(request, id)), KeyState.ACTIVE)


@router.post("/{id}/lock", status_code=HTTPStatus.NO_CONTENT, operation_id="lock_api_key")
def lock(request: Request, id: Id) -> None:
    """Locks a key: nothing about it can change until it is unlocked."""
    caller = caller_of(request)
    key = caller.may_edit(_key(request, id))
    desk_of(request).registrar.lock(key.id, caller.by())


@router.delete("/{id}/lock", status_code=HTTPStatus.NO_CONTENT, operation_id="unlock_api_key")
def unlock(request: Request, id: Id) -> None:
    """Takes the lock off a key."""
    caller = caller_of(request)
    key = caller.may_edit(_key(request, id))
    desk_of(request).registrar.unlock(key.id, caller.by())


def _answer(
    request: Request, response: Response, key: KnownKey, operation: str, *, value: str = "", **more: bool
) -> ApiKey:
    response.headers["Etag"] = key.entity_tag
    context = Context(transaction_id=request.state.transaction_id, operation=operation)
    return shown(key, desk_of(request).clock(), context=context, value=value, **more)


def _key(request: Request, key_id: str) -> KnownKey:
    """The key with exactly this id, if it lives and the caller may see it. Raises Refusal."""
    try:
        with desk_of(request).records.read() as tx:
            found = tx.keys.get(key_id)
    except (NoSuchRecord, UsageError):  # the registry also takes names; here an id is an id
        raise not_found("key") from None
    return _living(caller_of(request), found if found.id == key_id else None)


def _living(caller: Caller, key: KnownKey | None) -> KnownKey:
    if key is None or key.state is KeyState.DELETED:
        raise not_found("key")
    return caller.seen(key)


def _set_state(desk: Desk, caller: Caller, key: KnownKey, state: KeyState) -> None:
    set_state(key, state, caller.by(), registrar=desk.registrar, catalog=desk.catalog)


def _expiry(text: str | None, now: datetime) -> tuple[datetime | None, bool]:
    """The new end, and whether it is taken away."""
    if not text:
        return None, text == ""
    ends = moment(text, "expires_at")
    if ends <= now:
        text = "expires_at lies in the past; to end a key at once, disable or delete it"
        raise Refusal(HTTPStatus.CONFLICT, "in_the_past", text)
    return ends, False


def _value(text: str) -> Secret:
    try:
        return Secret(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise bad("apikey is not valid Unicode") from None
