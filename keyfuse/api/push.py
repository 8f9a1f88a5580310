"""/intake/push: webhooks of GitHub and GitLab that tell of a push, which has the repository's target scanned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from keyfuse.api.desk import Desk, desk_of
from keyfuse.api.intake import switched_off, untrusted
from keyfuse.api.problems import bad
from keyfuse.api.reports import as_json
from keyfuse.daemon.schedule import enqueue_scan
from keyfuse.mirrors import remote
from responders.signatures import hub_signature_holds, same, standard_webhook_holds
from responders.targets import Target, TargetKind
from scanner.errors import KeyfuseError

router = APIRouter(tags=["intake"])

EVENTS = frozenset({"push", "create", "push hook", "tag push hook", "system hook"})
Given = Annotated[str, Header()]


class Pushed(BaseModel):
    """Which targets will be scanned; when none, why."""

    targets: list[str]
    reason: str | None = None


@router.post(
    "/intake/push",
    operation_id="push",
    status_code=HTTPStatus.ACCEPTED,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def push(request: Request) -> Pushed:
    """Takes in a push webhook: GitHub's, signed by HMAC, or GitLab's, signed or with its secret token."""
    body = await request.body()

    def take() -> Pushed:
        desk = desk_of(request)
        event = _sender(request, desk, body)
        if event.lower() not in EVENTS:
            return Pushed(targets=[], reason="this is no push, so there is nothing to scan")
        content = as_json(body)
        if not isinstance(content, dict):
            raise bad("the body is no JSON object")
        return _scan(desk, set(_addresses(content)), body)

    return await anyio.to_thread.run_sync(take)


def _sender(request: Request, desk: Desk, body: bytes) -> str:
    """The event, when the sender is known. Raises Refusal."""
    headers, trust = request.headers, desk.trust
    if "x-hub-signature-256" in headers or "x-github-event" in headers:
        if trust.github_push is None:
            raise switched_off()
        if not hub_signature_holds(trust.github_push, headers.get("x-hub-signature-256", ""), body):
            raise untrusted(request, "the signature is not that of this body")
        return headers.get("x-github-event", "")
    if trust.gitlab_push is None:
        raise switched_off()
    if "webhook-signature" in headers:
        about = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not standard_webhook_holds(trust.gitlab_push, *about, headers["webhook-signature"], body, desk.clock()):
            raise untrusted(request, "the signature is not that of this body, or too old")
    elif not same(trust.gitlab_push.reveal(), headers.get("x-gitlab-token", "").encode("latin-1", "replace")):
        raise untrusted(request, "the token is not the one that was agreed on")
    return headers.get("x-gitlab-event", "")


def _addresses(content: Mapping[str, Any]) -> Iterator[str]:
    """Every address that the body gives for the repository, in the form that targets have them in."""
    for part in ("repository", "project"):
        about = content.get(part)
        if not isinstance(about, dict):
            continue
        for name in ("clone_url", "ssh_url", "git_url", "html_url", "git_http_url", "git_ssh_url", "web_url", "url"):
            if isinstance(about.get(name), str):
                yield _plain(about[name])


def _plain(url: str) -> str:
    """An address without password, ending and letter case of the host: what two ways to write it have in common."""
    try:
        address = remote(url).address
    except KeyfuseError:
        address = url
    return address.rstrip("/").removesuffix(".git").lower()


def _scan(desk: Desk, addresses: set[str], body: bytes) -> Pushed:
    """Has the targets scanned that are meant. A target that nobody set up is not fetched, whoever asks."""
    now, work = desk.clock(), desk.services.work
    digest = hashlib.sha256(b"push\0" + body).hexdigest()
    with desk.records.begin(alone=False) as tx:
        meant = [target for target in tx.targets.list() if _is_meant(target, addresses)]
        if not meant:
            return Pushed(targets=[], reason="no target has this repository's URL; `keyfuse targets add` adds it")
        window = desk.settings.intake.replay_window
        if tx.arrivals.first(digest, now, forget_before=now - window):
            for target in meant:
                enqueue_scan(work, target, within=tx)
    work.wake()
    return Pushed(targets=[target.name for target in meant])


def _is_meant(target: Target, addresses: set[str]) -> bool:
    return target.kind is TargetKind.URL and _plain(target.place) in addresses
