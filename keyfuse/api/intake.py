"""/intake and GitLab's token revocation API: what others found is checked, sealed, put in the queue, and answered.

Nothing is done while the sender waits. What is answered with success is on disk, and never in the clear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, StringConstraints

from keyfuse.api.caller import caller_of
from keyfuse.api.desk import Desk, desk_of
from keyfuse.api.problems import Refusal, bad
from keyfuse.api.reportforms import REPORT
from keyfuse.api.reports import MOST_TOKEN, Token, feedback, leaks, tokens
from responders.batches import pack, pieces
from responders.foreign import read_report
from responders.leakreport import LeakReport
from responders.publickeys import PublicKeys
from responders.signatures import ecdsa_holds, same
from scanner.model import Secret, printable

router = APIRouter(tags=["intake"])

KIND = "leaks"
"""The kind of work that taken-in leaks are."""
Source = Annotated[str, StringConstraints(pattern=r"^[!-~][ -~]{0,59}$")]
"""Who found them: up to 60 characters of ASCII."""
T = TypeVar("T")

Identifier = Annotated[str, Header()]


def _array(where: str) -> dict[str, Any]:
    """The description of a body that is an array of tokens."""
    texts: dict[str, Any] = {name: {} for name in ("type", where, "source")}
    token = {"type": "string", "minLength": 1, "maxLength": MOST_TOKEN}
    item = {"type": "object", "properties": {"token": token, **texts}, "required": ["token"]}
    schema = {"type": "array", "items": item}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in one request: from whom, in whose name, and the bytes that make it the same as another."""

    source: str
    actor: str
    body: bytes


class Feedback(BaseModel):
    """What is told back of one token."""

    token_hash: str
    token_type: str
    label: str


class Taken(BaseModel):
    """What became of a report: so many leaks wait to be answered; what could not be used is listed."""

    accepted: int
    skipped: list[dict[str, str]]


@router.post("/intake/github", operation_id="github_partner", openapi_extra=_array("url"))
async def github(
    request: Request, github_public_key_identifier: Identifier = "", github_public_key_signature: Identifier = ""
) -> list[Feedback]:
    """GitHub's secret scanning partner endpoint; answers which tokens are ours."""
    body = await request.body()
    given = github_public_key_identifier, github_public_key_signature

    def take() -> list[Feedback]:
        desk = desk_of(request)
        _known_sender(request, desk.trust.github, *given, body)
        found = tokens(body, "url", desk.settings.intake.max_tokens)
        reports = _take_in(desk, found, Delivery("github", "intake:github", body))
        with desk.records.read() as tx:
            known = tx.keys.lookup([report.fingerprint for report in reports])
        return [Feedback(**each) for each in feedback(found, known, desk.fingerprinter)]

    return await _apart(request, take)


@router.post(
    "/intake/gitlab", operation_id="gitlab_partner", status_code=HTTPStatus.NO_CONTENT, openapi_extra=_array("url")
)
async def gitlab(
    request: Request, gitlab_public_key_identifier: Identifier = "", gitlab_public_key_signature: Identifier = ""
) -> None:
    """GitLab's partner endpoint for leaked tokens."""
    body = await request.body()
    given = gitlab_public_key_identifier, gitlab_public_key_signature

    def take() -> None:
        desk = desk_of(request)
        _known_sender(request, desk.trust.gitlab, *given, body)
        found = tokens(body, "url", desk.settings.intake.max_tokens)
        _take_in(desk, found, Delivery("gitlab", "intake:gitlab", body))

    await _apart(request, take)


@router.get("/v1/revocable_token_types", operation_id="revocable_token_types")
def revocable_token_types(request: Request, authorization: Identifier = "") -> dict[str, list[str]]:
    """GitLab's token revocation API: which types of token shall be reported."""
    desk = desk_of(request)
    _with_token(request, authorization)
    return {"types": list(desk.settings.intake.revocable_types)}


@router.post(
    "/v1/revoke_tokens",
    operation_id="revoke_tokens",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=_array("location"),
)
async def revoke_tokens(request: Request, authorization: Identifier = "") -> None:
    """GitLab's token revocation API: what each token's owner decided is done. Repeating it does no harm."""
    body = await request.body()

    def take() -> None:
        _with_token(request, authorization)
        desk = desk_of(request)
        found = tokens(body, "location", desk.settings.intake.max_tokens)
        _take_in(desk, found, Delivery("gitlab-revocation", "intake:gitlab-revocation", body))

    await _apart(request, take)


@router.post(
    "/intake/report",
    operation_id="report",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra=REPORT,
)
async def report(request: Request, source: Annotated[Source, Query()] = "report") -> Taken:
    """Another scanner's report: SARIF, or JSON of gitleaks, betterleaks, trufflehog, kingfisher or detect-secrets.

    keyfuse's own is taken in too. `source` says who found them, for the record. What each registered key's owner
    decided is done.
    """
    caller = caller_of(request)
    caller.must_change()
    body = await request.body()

    def take() -> Taken:
        desk = desk_of(request)
        if not body.strip():
            raise bad("the body is empty; a scanner that found nothing has nothing to report")
        read = read_report(body, desk.fingerprinter, source=source, seen_at=desk.clock())
        most = desk.settings.intake.max_tokens
        if len(read.leaks) > most:
            raise bad(f"the report holds more than {most} leaks; split it")
        _enqueue(desk, read.leaks, Delivery(source, caller.user.iam_id, body), once=False)
        skipped = [{"origin": printable(each.origin), "reason": printable(each.reason)} for each in read.skipped[:1000]]
        return Taken(accepted=len(read.leaks), skipped=skipped)

    return await _apart(request, take)


async def _apart(request: Request, take: Callable[[], T]) -> T:
    """Does it in a thread; few do so at once, since each holds a whole report in many pieces."""
    limiter: anyio.CapacityLimiter = request.app.state.intake_limiter
    return await anyio.to_thread.run_sync(take, limiter=limiter)


def _known_sender(request: Request, keys: PublicKeys, identifier: str, signature: str, body: bytes) -> None:
    """Raises Refusal unless one of the sender's keys signed exactly this body."""
    if not keys.configured:
        raise switched_off()
    if not identifier or not signature:
        raise untrusted(request, "the request is not signed")
    key = keys.get(identifier)
    if key is None:
        if keys.trouble:
            text = "the public keys cannot be fetched at this moment; send it again"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no_public_keys", text, {"Retry-After": "60"})
        raise untrusted(request, "nobody known has a public key of this identifier")
    if not ecdsa_holds(key, signature, body):
        raise untrusted(request, "the signature is not that of this body")


def _with_token(request: Request, authorization: str) -> None:
    """Raises Refusal unless the shared token was sent, bare as GitLab does, or as a bearer token."""
    wanted = desk_of(request).trust.revocation
    if wanted is None:
        raise switched_off()
    scheme, _, rest = authorization.partition(" ")
    given = rest if scheme.lower() == "bearer" else authorization
    if not same(wanted.reveal(), given.strip().encode("latin-1", "replace")):
        raise untrusted(request, "the token is not the one that was agreed on")


def switched_off() -> Refusal:
    """The configuration does not want this intake."""
    text = "this intake is not set up; [api.intake] in the configuration does that"
    return Refusal(HTTPStatus.NOT_FOUND, "not_set_up", text)


def untrusted(request: Request, reason: str) -> Refusal:
    """Nobody knows the sender; an address that tries that often has to wait."""
    if request.client:
        desk_of(request).refusals.take(request.client.host)
    return Refusal(HTTPStatus.UNAUTHORIZED, "untrusted", reason)


def _take_in(desk: Desk, found: list[Token], delivery: Delivery) -> list[LeakReport]:
    reports = leaks(found, desk.fingerprinter, source=delivery.source, seen_at=desk.clock())
    _enqueue(desk, reports, delivery, once=True)
    return reports


def _enqueue(desk: Desk, reports: list[LeakReport] | tuple[LeakReport, ...], delivery: Delivery, *, once: bool) -> None:
    """Puts leaks in the queue, sealed, all or none; with `once`, not those of a request that came before."""
    if not reports:
        return
    work, now = desk.services.work, desk.clock()
    packed: list[tuple[int, Secret]] = [(len(piece), pack(piece)) for piece in pieces(reports)]
    digest = hashlib.sha256(delivery.source.encode() + b"\0" + delivery.body).hexdigest()
    window = desk.settings.intake.replay_window
    with desk.records.begin(alone=False) as tx:
        if once and not tx.arrivals.first(digest, now, forget_before=now - window):
            return
        for count, secret in packed:
            payload = {"source": delivery.source, "actor": delivery.actor, "leaks": count}
            work.enqueue(KIND, payload, secret=secret, within=tx)
    work.wake()
