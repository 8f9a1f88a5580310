"""What goes wrong, as answers: IBM's error object under /v1/apikeys, one shape of our own everywhere else.

An answer never repeats what was sent: a body or header may hold a key in the wrong place.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from responders.errors import IllegalMove, Locked, NoSuchRecord, QuotaExceeded, StaleRecord, Taken
from scanner.errors import KeyfuseError, UsageError

IBM = "/v1/apikeys"


class Refusal(HTTPException):
    """A request that is not done, and why. `code` is for programs, `message` for people."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers=headers)
        self.code = code


def not_found(what: str) -> Refusal:
    """Nothing there, or nothing that the caller may see: which of the two is not told."""
    return Refusal(HTTPStatus.NOT_FOUND, "not_found", f"there is no such {what}, or you may not see it")


def forbidden(message: str) -> Refusal:
    """The caller may see it, but not do that."""
    return Refusal(HTTPStatus.FORBIDDEN, "forbidden", message)


def bad(message: str) -> Refusal:
    """The request makes no sense as it stands."""
    return Refusal(HTTPStatus.BAD_REQUEST, "bad_request", message)


def refusal_of(error: KeyfuseError) -> Refusal:
    """What an error of the rooms below means to whoever asked."""
    text = str(error)
    match error:
        case NoSuchRecord():
            return Refusal(HTTPStatus.NOT_FOUND, "not_found", text)
        case QuotaExceeded():
            return Refusal(HTTPStatus.FORBIDDEN, "quota_exceeded", text)
        case Locked():
            return Refusal(HTTPStatus.CONFLICT, "locked", text)
        case StaleRecord():
            return Refusal(HTTPStatus.CONFLICT, "stale", text)
        case Taken():
            return Refusal(HTTPStatus.CONFLICT, "taken", text)
        case IllegalMove():
            return Refusal(HTTPStatus.CONFLICT, "illegal_move", text)
        case UsageError():
            return bad(text)
        case _:
            wait = {"Retry-After": "5"}
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "cannot_run", text, wait)


def answer(path: str, transaction_id: str, status: int, code: str, message: str) -> dict[str, Any]:
    """The body of an answer that says what went wrong."""
    if path == IBM or path.startswith(f"{IBM}/"):
        return {
            "context": {"transaction_id": transaction_id},
            "trace": transaction_id,
            "status_code": str(status),
            "errors": [{"code": code, "message_code": f"KEYFUSE{status}E", "message": message, "details": ""}],
        }
    return {"error": {"code": code, "message": message, "status": status, "transaction_id": transaction_id}}


def problem(request: Request, refusal: Refusal) -> JSONResponse:
    """The whole answer."""
    transaction_id = getattr(request.state, "transaction_id", "")
    body = answer(request.url.path, transaction_id, refusal.status_code, refusal.code, refusal.detail)
    return JSONResponse(body, refusal.status_code, headers=refusal.headers)


def install(app: FastAPI) -> None:
    """Has every error answered in its shape."""

    async def on_keyfuse(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, KeyfuseError)  # noqa: S101 - narrows for the type checker
        return problem(request, refusal_of(error))

    async def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        return problem(request, bad(_wrong(error)))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        if not isinstance(error, Refusal):
            status = HTTPStatus(error.status_code)
            headers = {"Allow": _allowed(request)} if status is HTTPStatus.METHOD_NOT_ALLOWED else error.headers
            error = Refusal(status, status.name.lower(), status.phrase.lower(), headers)
        return problem(request, error)

    app.add_exception_handler(KeyfuseError, on_keyfuse)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)


def _allowed(request: Request) -> str:
    """Every method that a path takes: the router itself names only those of the first route that fits."""
    path = request.url.path.split("/")
    described = request.app.openapi()["paths"]
    fitting = [template for template in described if _fits(template.split("/"), path)]
    closest = min(fitting, key=lambda template: template.count("{"), default="")
    return ", ".join(sorted(method.upper() for method in described.get(closest, ())))


def _fits(template: list[str], path: list[str]) -> bool:
    return len(template) == len(path) and all(a == b or a[:1] == "{" for a, b in zip(template, path, strict=True))


def _wrong(error: RequestValidationError) -> str:
    """What is wrong where, without what stood there: also the name of an unknown field was made up by the sender."""
    found = []
    for each in error.errors()[:5]:
        unknown = each["type"] == "extra_forbidden"
        parts = [str(part) for part in (each["loc"][:-1] if unknown else each["loc"]) if part != "body"]
        if each["type"] == "json_invalid":
            found.append("the body is not JSON")
        elif unknown:
            found.append(f"{'.'.join(parts) or 'the body'}: there is a field that nobody knows here")
        else:
            found.append(f"{'.'.join(parts) or 'the body'}: {each['msg']}")
    return "; ".join(found) or "the request cannot be understood"
