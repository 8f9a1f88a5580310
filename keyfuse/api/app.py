"""The ASGI application: every route there is, behind the gate, with its description as OpenAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from keyfuse import __version__
from keyfuse.api import about, apikeys, intake, keylist, leaks, problems, push, targets
from keyfuse.api.desk import Desk
from keyfuse.api.gate import OPEN, SIGNED, Gate
from keyfuse.api.keymodels import IbmErrors

THREADS = 12
"""Handlers that run at once: no more than the pool of database connections holds."""
INTAKES = 2
"""Reports that are taken apart at once: each makes some ten times its size in memory."""
ROUTERS = (about, keylist, apikeys, leaks, targets, intake, push)


def create_app(desk: Callable[[], Desk]) -> FastAPI:
    """The application. `desk` gives what is at hand under the configuration in force, for every request anew."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        app.state.intake_limiter = anyio.CapacityLimiter(INTAKES)
        yield

    app = FastAPI(
        title="keyfuse",
        version=__version__,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for room in ROUTERS:
        app.include_router(room.router)
    problems.install(app)
    app.add_middleware(Gate, desk=desk)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "status": {"type": "integer"},
                "transaction_id": {"type": "string"},
            },
            "required": ["code", "message", "status", "transaction_id"],
        }
    },
    "required": ["error"],
}
STATUSES = {
    "400": "The request makes no sense as it stands.",
    "401": "Nobody knows who asks.",
    "403": "Whoever asks may not do that.",
    "404": "There is no such thing, or it may not be seen.",
    "408": "The request did not come in time.",
    "409": "It cannot be done to what is there: changed meanwhile, locked, or taken.",
    "413": "The request is too large.",
    "429": "Too many requests; the header Retry-After says when to come again.",
    "500": "A defect of keyfuse.",
    "503": "It cannot be done at this moment; the header Retry-After says when to come again.",
}


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with how errors look and who may ask."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title="keyfuse",
        version=__version__,
        summary="Finds leaked API keys and blows their fuse.",
        description="Errors under /v1/apikeys have IBM's shape, all others one of our own. docs/api.md says more.",
        routes=app.routes,
    )
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {})["Error"] = ERROR
    ibm = IbmErrors.model_json_schema(ref_template="#/components/schemas/{model}")
    parts["schemas"] |= ibm.pop("$defs", {})
    parts["schemas"]["IbmErrors"] = ibm
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in schema["paths"].items():
        shape = "IbmErrors" if path.startswith(problems.IBM) else "Error"
        for operation in methods.values():
            operation["responses"].pop("422", None)
            for status, meaning in STATUSES.items():
                content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
                operation["responses"].setdefault(status, {"description": meaning, "content": content})
            operation["security"] = [] if path in OPEN | SIGNED else [{"token": []}]
    app.openapi_schema = schema
    return schema
