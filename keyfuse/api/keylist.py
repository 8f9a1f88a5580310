"""GET /v1/apikeys: which keys a list shows, and its pages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from keyfuse.api.caller import PERSONAL, Caller, caller_of
from keyfuse.api.desk import desk_of
from keyfuse.api.keymodels import ApiKeyList, Context, shown
from keyfuse.api.problems import bad, forbidden, not_found
from keyfuse.api.texts import Line
from responders.errors import NoSuchRecord
from responders.registry import KeyKind, KeyQuery, SortBy

router = APIRouter(tags=["keys"])

FILTER = r'^\s*name\s+[cC][oO]\s+"(([^"\\]|\\.)*)"\s*$'
PAGE = r"^([ab])\.(\d{1,9})\.([!-~]{1,100})$"
_OF_SERVICES = frozenset(KeyKind) - PERSONAL
_KINDS = {
    "user": frozenset({KeyKind.USER, KeyKind.OTHER}),
    "serviceid": _OF_SERVICES,
    "classic": frozenset({KeyKind.CLASSIC}),
    "all": None,
}


@router.get("/v1/apikeys", response_model_exclude_none=True, operation_id="list_api_keys")
def list_keys(
    request: Request,
    account_id: Annotated[Line | None, Query()] = None,
    iam_id: Annotated[Line | None, Query(description="Whose keys; yours, where the scope is `entity`.")] = None,
    pagesize: Annotated[int, Query(ge=1, le=100)] = 20,
    pagetoken: Annotated[str | None, Query(pattern=PAGE)] = None,
    scope: Annotated[Literal["entity", "account"], Query()] = "entity",
    type: Annotated[Literal["user", "serviceid", "classic", "all"] | None, Query()] = None,
    sort: Annotated[SortBy, Query()] = SortBy.CREATED_AT,
    order: Annotated[Literal["asc", "desc"], Query()] = "asc",
    include_history: bool = False,
    leaked: Annotated[bool | None, Query(description="Only keys that leaked, or only those that did not.")] = None,
    filter: Annotated[
        str | None, Query(max_length=600, pattern=FILTER, description='Such as: name co "deploy".')
    ] = None,
) -> ApiKeyList:
    """Lists keys: an identity's (`entity`), or with the role `admin` all of users or services (`account`).

    `type` is IBM's `user` and `serviceid`, and here also `classic` and `all`; without it an account's list shows users'
    keys. Values are never listed, deleted keys neither.
    """
    caller, desk = caller_of(request), desk_of(request)
    query = KeyQuery(
        caller.sight,
        iam_id=_whose(caller, scope, iam_id),
        account_id=account_id,
        kinds=_KINDS[type or ("user" if scope == "account" else "all")],
        leaked=leaked,
        contains=_contains(filter),
        sort=sort,
        descending=order == "desc",
        limit=pagesize,
    )
    backwards, offset, edge = _page(pagetoken)
    wanted = replace(query, before=edge) if backwards else replace(query, after=edge)
    try:
        with desk.records.read() as tx:
            found = list(tx.keys.search(replace(wanted, limit=pagesize + 1)))
    except NoSuchRecord:
        raise not_found("page") from None
    more = len(found) > pagesize
    page = (found[1:] if backwards else found[:-1]) if more else found
    if backwards:
        offset = max(0, offset - len(page))
    follows = bool(page) and (more or backwards)
    precedes = bool(page) and (more if backwards else edge is not None)
    link = request.url.remove_query_params("pagetoken")
    now = desk.clock()
    after = f"a.{offset + len(page)}.{page[-1].id}" if page else ""
    before = f"b.{offset}.{page[0].id}" if page else ""
    return ApiKeyList(
        context=Context(transaction_id=request.state.transaction_id, operation="list_api_keys"),
        offset=offset,
        limit=pagesize,
        first=str(link),
        previous=str(link.include_query_params(pagetoken=before)) if precedes else None,
        next=str(link.include_query_params(pagetoken=after)) if follows else None,
        apikeys=[shown(key, now, history=include_history) for key in page],
    )


def _whose(caller: Caller, scope: str, iam_id: str | None) -> str | None:
    """The identity whose keys are meant; None means everybody's."""
    if scope == "account":
        if not caller.is_admin:
            raise forbidden("all keys of the account are listed for administrators; yours is another role")
        return iam_id
    whose = iam_id or caller.user.iam_id
    if not caller.is_admin and whose != caller.user.iam_id and whose not in caller.below:
        raise forbidden("keys of others are listed for administrators; yours is another role")
    return whose


def _contains(text: str | None) -> str:
    if text is None:
        return ""
    found = re.match(FILTER, text, re.ASCII)
    if found is None:
        raise bad('this filter is not understood; there is: name co "text"')
    return re.sub(r"\\(.)", r"\1", found[1])


def _page(token: str | None) -> tuple[bool, int, str | None]:
    """Whether the page lies before its edge, how many keys lie before that, and the edge."""
    if token is None:
        return False, 0, None
    found = re.match(PAGE, token, re.ASCII)
    if found is None:
        raise bad("the pagetoken is none of this list; begin again without one")
    return found[1] == "b", int(found[2]), found[3]
