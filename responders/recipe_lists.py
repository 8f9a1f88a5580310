"""What is seen of a key: in one answer, or in a listing that is walked page by page to find the one that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from responders.calling import Answer, NoAnswer, json_of
from responders.provider import Leak
from responders.recipe import Listing, Paging
from responders.recipe_calls import Calls, Filling, Means, Unclear, at, failure, word_at
from responders.registry import KeyState

MOST_PAGES = 500
"""More pages than this are not asked for: then nobody can tell."""
CLEAR = 4
"""So many characters of a value must be visible in a mask, or it could be any key."""
SURE = 8
"""So many must be visible where nothing but the mask says that the key is one's own: four may fit by chance."""
MASKED = re.compile(r"\*+|\.{3,}|…+|•+|[xX]{6,}")


STATES = {
    "active": KeyState.ACTIVE,
    "disabled": KeyState.DISABLED,
    "expired": KeyState.EXPIRED,
    "gone": KeyState.DELETED,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a key. `state` is None when nobody could tell, and `evidence` then says why."""

    state: KeyState | None
    evidence: str
    id: str = ""
    owner: str = ""
    found: Mapping[str, str] | None = None

    @classmethod
    def of(cls, meaning: Means | Unclear, how: str) -> Seen:
        """What an answer says of the key; `how` it was asked stands before."""
        if isinstance(meaning, Unclear):
            return cls(None, meaning.reason)
        found = dict(meaning.found)
        key_id, owner = found.pop("id", ""), found.pop("owner", "")
        state = STATES.get(meaning.word)
        said = how + meaning.text + ("" if state is None else f" ({meaning.word})")
        return cls(state, said, key_id, owner, found)


@dataclass(frozen=True, slots=True)
class Entry:
    """One key in a listing."""

    id: str
    word: str
    owner: str = ""
    found: Mapping[str, str] = field(default_factory=dict)
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Walked:
    """What a listing had for us: every entry that matches. `trouble` says why it could not be read to its end."""

    entries: tuple[Entry, ...]
    trouble: str = ""


class _Broken(Exception):
    """The listing cannot be read to its end; the text says why."""


def walk(calls: Calls, listing: Listing, filling: Filling, leak: Leak | None, wanted: str = "") -> Walked:
    """The entries that match the leaked value, or that have the id `wanted`. Raises Lacking and ProviderError."""
    text = leak.secret.reveal().decode("utf-8", "replace") if leak and leak.secret else ""
    found: list[Entry] = []
    try:
        for bound in _bindings(calls, listing, filling):
            for item in _items(calls, listing, bound):
                name = word_at(item, listing.id)
                if name and (name == wanted if wanted else bool(text) and _matches(listing, item, text)):
                    found.append(_entry(listing, item, name, bound.found))
    except _Broken as broken:
        return Walked(tuple(found), str(broken))
    return Walked(tuple(found))


def _entry(listing: Listing, item: Any, name: str, bound: Mapping[str, str]) -> Entry:
    word = "active"
    if listing.state_path:
        value = at(item, listing.state_path)
        said = str(value).lower() if isinstance(value, bool) else str(value)
        word = listing.words.get(said, "unknown")
    shown = word_at(item, listing.tail or listing.mask) if listing.tail or listing.mask else "x" * SURE
    sure = len("".join(MASKED.split(shown))) >= SURE
    return Entry(name, word, word_at(item, listing.owner) if listing.owner else "", bound, sure)


def _bindings(calls: Calls, listing: Listing, filling: Filling) -> Iterator[Filling]:
    """The fillings to list with: one, or one for each entry of the outer listing."""
    if listing.each is None:
        yield filling
        return
    for item in _items(calls, listing.each, filling):
        bound = {name: word_at(item, path) for name, path in listing.bind.items()}
        yield replace(filling, found={**filling.found, **bound})


def _items(calls: Calls, listing: Listing, filling: Filling) -> Iterator[Any]:
    paging, query, url, seen = listing.paging, _first(listing.paging), "", set()
    for _ in range(MOST_PAGES):
        answer = calls.send_page(listing.call, filling, url) if url else calls.send(listing.call, filling, query)
        body = _body(calls, answer)
        items = at(body, listing.items)
        if not isinstance(items, list):
            raise _Broken("its listing is not of the form that keyfuse knows")
        yield from items
        if paging is None:
            return
        if paging.url:
            url = word_at(body, paging.url)[:4096] if at(body, paging.url) else ""
            mark = url
        else:
            query, mark = _next(paging, query, body, items)
        if not mark:
            return
        if mark in seen:
            raise _Broken("its listing leads round in circles")
        seen.add(mark)
    raise _Broken(f"its listing has more than {MOST_PAGES} pages")


def _first(paging: Paging | None) -> Mapping[str, str]:
    return {paging.page: str(paging.first)} if paging is not None and paging.page else {}


def _next(paging: Paging, query: Mapping[str, str], body: Any, items: list[Any]) -> tuple[Mapping[str, str], str]:
    """The query for the next page and a mark by which it is known; an empty mark after the last one."""
    if paging.page:
        number = int(query[paging.page]) + 1
        return ({paging.page: str(number)}, str(number)) if len(items) >= paging.size else ({}, "")
    cursor = word_at(body, paging.cursor)
    if paging.more and not at(body, paging.more):
        return {}, ""
    if not cursor:
        if paging.more:
            raise _Broken("its listing says that there is more, but not where")
        return {}, ""
    return {paging.query: cursor}, cursor


def _body(calls: Calls, answer: Answer | NoAnswer) -> Any:
    if isinstance(answer, NoAnswer):
        raise _Broken(answer.reason)
    if unclear := failure(answer, calls.title):
        raise _Broken(unclear.reason)
    if not answer.ok:
        raise _Broken(f"{calls.title} answered {answer.status} to a listing")
    body = json_of(answer)
    if body is None:
        raise _Broken(f"{calls.title} answered with something that is not JSON")
    return body


def _matches(listing: Listing, item: Any, text: str) -> bool:
    if listing.value:
        return word_exact(item, listing.value) == text
    if listing.tail:
        tail = word_at(item, listing.tail)
        return len(tail) >= CLEAR and text.endswith(tail)
    return fits_mask(word_at(item, listing.mask), text)


def word_exact(item: Any, path: str) -> str:
    """The whole text at a path."""
    value = at(item, path)
    return value if isinstance(value, str) else ""


def fits_mask(mask: str, text: str) -> bool:
    """Whether a value could be the one that a provider shows as `sk-ab...wxyz`: its visible head and tail are there."""
    pieces = list(MASKED.split(mask))
    head, tail = pieces[0], pieces[-1]
    if len(pieces) < 2 or len(head) + len(tail) < CLEAR or len(text) < len(head) + len(tail):
        return False
    return text.startswith(head) and text.endswith(tail)
