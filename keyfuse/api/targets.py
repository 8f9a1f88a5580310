"""/v1/targets: what the daemon watches and scans."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from keyfuse import config
from keyfuse.api.caller import Caller, caller_of
from keyfuse.api.desk import desk_of
from keyfuse.api.problems import Refusal, forbidden, not_found
from keyfuse.api.texts import Body, Id, Name
from keyfuse.daemon.schedule import enqueue_scan
from keyfuse.daemon.targets import add_target, remove_target, target_of
from keyfuse.keyrecord import instant
from keyfuse.kinds import duration
from responders.targets import Target
from responders.users import Role
from scanner.errors import UsageError
from scanner.sources.target import is_git_url

router = APIRouter(prefix="/v1/targets", tags=["targets"])

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
SPAN = r"^([0-9]{1,6}(ms|[dhms]))+$"


class TargetRecord(BaseModel):
    """A target; `place` is a path on the node's machine, or a git URL without its password."""

    name: str
    kind: str
    place: str
    node: str
    settings: dict[str, Any]
    origin: str
    added_by: str
    added_at: str
    next_at: str | None
    last_at: str | None
    last_error: str


class Targets(BaseModel):
    """All targets, by name."""

    version: int
    targets: list[TargetRecord]


class Scan(Body):
    """How to scan; `full` looks at what was seen already too."""

    full: bool = False


class Queued(BaseModel):
    """The scan waits in the queue of work under this id."""

    work: str


class NewTarget(Body):
    """What shall be looked at: an absolute path on the daemon's machine, or a git URL without a password."""

    name: str = Field(pattern=NAME)
    place: Name
    every: str = Field(default="0s", pattern=SPAN, description="Scan so often, such as 15m; 0s means never.")
    cron: str = Field(default="", max_length=100, pattern=r"^(|[-0-9*/,A-Za-z]+( [-0-9*/,A-Za-z]+){4})$")
    jitter: str = Field(default="0s", pattern=SPAN, description="Begin up to so much later.")
    watch: bool = Field(default=True, description="Look at changes of a path as they happen.")


@router.get("", operation_id="list_targets")
def list_targets(request: Request) -> Targets:
    """Lists what is watched and scanned."""
    with desk_of(request).records.read() as tx:
        found = tx.targets.list()
    return Targets(version=1, targets=[_record(target) for target in found])


@router.post("", operation_id="add_target", status_code=HTTPStatus.CREATED)
def add(request: Request, body: NewTarget) -> TargetRecord:
    """Adds a target. It takes the role `admin`: the daemon reads whatever it is pointed at."""
    caller, desk = _administrator(request), desk_of(request)
    if is_git_url(body.place):
        where: dict[str, Any] = {"url": body.place}
    elif Path(body.place).is_absolute():
        where = {"path": Path(body.place)}
    else:
        raise _impossible("a place is an absolute path or a git URL")
    spans = {"every": duration(body.every), "jitter": duration(body.jitter)}
    section = config.Target({"name": body.name, "watch": body.watch, "cron": body.cron, **spans, **where})
    actor, node = caller.user.iam_id, desk.services.work.node
    if faults := list(section.faults()):
        raise _impossible(f"this target {faults[0]}")
    try:
        target = target_of(section, node=node, now=desk.clock(), origin="command", actor=actor)
        add_target(desk.records, target, actor)
    except UsageError as error:
        raise _impossible(str(error)) from None
    return _record(target)


@router.delete("/{id}", operation_id="remove_target", status_code=HTTPStatus.NO_CONTENT)
def remove(request: Request, id: Id) -> None:
    """Removes a target. Incidents that came from it stay."""
    caller = _administrator(request)
    target = _target(request, id)
    try:
        remove_target(desk_of(request).records, target.name, caller.user.iam_id)
    except UsageError as error:
        raise _impossible(str(error)) from None


@router.get("/{id}", operation_id="get_target")
def show(request: Request, id: Id) -> TargetRecord:
    """Gives one target, by its name."""
    return _record(_target(request, id))


@router.post("/{id}/scan", operation_id="scan_target", status_code=HTTPStatus.ACCEPTED)
def scan(request: Request, id: Id, wish: Scan | None = None) -> Queued:
    """Has a target scanned now. While one such scan waits, there is no second."""
    caller_of(request).must(Role.ADMIN, Role.MEMBER)
    target = _target(request, id)
    full = wish is not None and wish.full
    return Queued(work=enqueue_scan(desk_of(request).services.work, target, full=full))


def _impossible(why: str) -> Refusal:
    return Refusal(HTTPStatus.CONFLICT, "no_target", why)


def _administrator(request: Request) -> Caller:
    """The caller, who administers everything. Raises Refusal."""
    caller = caller_of(request)
    caller.must(Role.ADMIN)
    if caller.user.account_id:
        raise forbidden("targets belong to no account, so administrators of one account do not change them")
    return caller


def _target(request: Request, name: str) -> Target:
    with desk_of(request).records.read() as tx:
        found = tx.targets.get(name)
    if found is None:
        raise not_found("target")
    return found


def _record(target: Target) -> TargetRecord:
    return TargetRecord(
        name=target.name,
        kind=target.kind.value,
        place=target.place,
        node=target.node,
        settings=dict(target.settings),
        origin=target.origin,
        added_by=target.added_by,
        added_at=instant(target.added_at) or "",
        next_at=instant(target.next_at),
        last_at=instant(target.last_at),
        last_error=target.last_error,
    )
