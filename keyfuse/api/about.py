"""Health, metrics, and the page that says what this is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from keyfuse import __version__
from keyfuse.api.desk import desk_of
from keyfuse.daemon.health import Verdict
from keyfuse.daemon.services import METRICS_TYPE
from scanner.errors import KeyfuseError

router = APIRouter(tags=["about"])

PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>keyfuse</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}</style></head>
<body><h1>keyfuse {__version__}</h1>
<p>This is the daemon of keyfuse: it finds leaked API keys and blows their fuse. It speaks HTTP to programs.</p>
<ul>
<li><code>/v1/apikeys</code>: the key registry, in the shape of IBM Cloud's IAM Identity API</li>
<li><code>/v1/leaks</code>, <code>/v1/targets</code>: what leaked, and what is watched</li>
<li><code>/intake/…</code>: reports of GitHub, GitLab and other scanners</li>
<li><code>/openapi.json</code>, <code>/metrics</code>, <code>/healthz</code>, <code>/readyz</code></li>
</ul>
<p>Programs send <code>Authorization: Bearer …</code>; <code>keyfuse users add</code> makes a token.
<code>docs/api.md</code> in the project says more.</p></body></html>
"""


class Health(BaseModel):
    """Whether it is well, and which parts are not."""

    ok: bool
    troubles: list[str]


@router.get("/", response_class=HTMLResponse, operation_id="page")
def page() -> str:
    """Says what this is."""
    return PAGE


@router.get("/healthz", operation_id="health", responses={503: {"model": Health}})
def healthz(request: Request) -> Any:
    """Whether the daemon lives: if not, only a restart helps. Says which parts are concerned, and no more."""
    return _told(desk_of(request).services.health.live())


@router.get("/readyz", operation_id="readiness", responses={503: {"model": Health}})
def readyz(request: Request) -> Any:
    """Whether it does its work, the database included."""
    desk = desk_of(request)
    verdict = desk.services.health.ready()
    try:
        with desk.records.read() as tx:
            tx.audit.head()
    except KeyfuseError:
        verdict = Verdict(False, {**verdict.troubles, "database": "it cannot be read"})
    return _told(verdict)


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    """Figures in Prometheus' format."""
    return Response(desk_of(request).services.metrics(), media_type=METRICS_TYPE)


def _told(verdict: Verdict) -> JSONResponse:
    health = Health(ok=verdict.well, troubles=sorted(verdict.troubles))
    return JSONResponse(health.model_dump(), 200 if verdict.well else 503)
