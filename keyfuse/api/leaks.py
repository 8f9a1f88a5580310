"""/v1/leaks: incidents, and what people decide about them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from keyfuse.api.caller import caller_of
from keyfuse.api.desk import desk_of
from keyfuse.api.problems import Refusal, not_found
from keyfuse.api.texts import SPAN, Body, Id, Name
from keyfuse.leakrecord import as_json, in_full, parse_until
from responders.errors import NoSuchRecord
from responders.incident import Incident, IncidentState
from responders.users import Role
from scanner.errors import UsageError

router = APIRouter(prefix="/v1/leaks", tags=["leaks"])

MOST = 200


class Leaks(BaseModel):
    """One page of incidents, newest first; `next` is the `after` of the page that follows."""

    version: int
    leaks: list[dict[str, Any]]
    next: str | None = None


class Reason(Body):
    """Why; it goes to the audit log."""

    reason: Name


class Dismissal(Reason):
    """Why, and until when: 2027-01-31, 2027-01-31T12:00Z, 90d or 12h."""

    until: str = Field(pattern=SPAN)


class Wish(Body):
    """How to respond; `dry_run` only says what would be done."""

    dry_run: bool = False


@router.get("", operation_id="list_leaks", response_model_exclude_none=True)
def list_leaks(
    request: Request,
    state: Annotated[list[IncidentState] | None, Query(description="Only incidents in these states.")] = None,
    key: Annotated[Id | None, Query(description="Only incidents of the key with this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    after: Annotated[Id | None, Query(description="Begin after the incident with this id.")] = None,
) -> Leaks:
    """Lists leaks of the keys that the caller may see; administrators see those of unregistered keys too."""
    caller = caller_of(request)
    try:
        with desk_of(request).records.read() as tx:
            found = tx.incidents.search(
                caller.sight,
                unregistered=caller.sees_unregistered,
                states=state or (),
                key_id=key or "",
                limit=limit + 1,
                after=after,
            )
            known = {each.key_id: tx.keys.get(each.key_id) for each in found if each.key_id}
    except NoSuchRecord:
        raise not_found("page") from None
    page = found[:limit]
    shown = [as_json(each, known.get(each.key_id or "")) for each in page]
    return Leaks(version=1, leaks=shown, next=page[-1].id if len(found) > limit else None)


@router.get("/{id}", operation_id="get_leak")
def show(request: Request, id: Id) -> dict[str, Any]:
    """Gives one leak: where it was seen, what was done, who was told."""
    with desk_of(request).records.read() as tx:
        found, known = caller_of(request).incident(tx, id)
        return in_full(found, known, tx.incidents.actions(found.id), tx.notices.of_incident(found.id))


@router.post("/{id}/approve", operation_id="approve_leak")
def approve(request: Request, id: Id) -> dict[str, Any]:
    """Lets a blocked incident through the hourly limit, and responds to it."""
    caller_of(request).must(Role.ADMIN)
    found = _mine(request, id)
    return _ended(request, desk_of(request).responder().approve(found.id, actor=_actor(request)))


@router.post("/{id}/respond", operation_id="respond_to_leak")
def respond(request: Request, id: Id, wish: Wish | None = None) -> dict[str, Any]:
    """Applies the key's leak action to an incident that is open, blocked, noted or failed, or proves it once more."""
    found = _mine(request, id)
    dry_run = True if wish is not None and wish.dry_run else None
    after = desk_of(request).responder().respond(found.id, actor=_actor(request), asked=True, dry_run=dry_run)
    return _ended(request, after)


@router.post("/{id}/resolve", operation_id="resolve_leak")
def resolve(request: Request, id: Id, body: Reason) -> dict[str, Any]:
    """Closes an incident that is dealt with. Seen in a new place, it opens again."""
    found = _mine(request, id)
    return _ended(request, desk_of(request).responder().resolve(found.id, body.reason, actor=_actor(request)))


@router.post("/{id}/dismiss", operation_id="dismiss_leak")
def dismiss(request: Request, id: Id, body: Dismissal) -> dict[str, Any]:
    """Closes an incident that is no concern, for a time. A registered, active key opens it again all the same."""
    found = _mine(request, id)
    try:
        until = parse_until(body.until, desk_of(request).clock())
    except UsageError as error:
        raise Refusal(HTTPStatus.CONFLICT, "in_the_past", str(error)) from None
    after = desk_of(request).responder().dismiss(found.id, body.reason, until, actor=_actor(request))
    return _ended(request, after)


@router.post("/{id}/reopen", operation_id="reopen_leak")
def reopen(request: Request, id: Id, body: Reason) -> dict[str, Any]:
    """Opens a closed, contained or noted incident again."""
    found = _mine(request, id)
    return _ended(request, desk_of(request).responder().reopen(found.id, body.reason, actor=_actor(request)))


def _actor(request: Request) -> str:
    return caller_of(request).user.iam_id


def _mine(request: Request, incident_id: str) -> Incident:
    """An incident that the caller may decide about. Raises Refusal."""
    caller = caller_of(request)
    with desk_of(request).records.read() as tx:
        found, _known = caller.incident(tx, incident_id)
    caller.must_change()
    return found


def _ended(request: Request, incident: Incident) -> dict[str, Any]:
    """Where the incident stands now; whoever is to be told is told at once."""
    desk = desk_of(request)
    desk.services.told()
    with desk.records.read() as tx:
        return as_json(incident, tx.keys.get(incident.key_id) if incident.key_id else None)
