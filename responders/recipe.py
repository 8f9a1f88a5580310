"""Recipes: providers as data. A TOML file says what is asked and what answers mean; `responders.recipes` does it.

    [provider]              title, docs (a link), base_url (missing: must be configured), urls.<service>, notes,
                            outlives, outlives_for, prove_after, requests_per_minute; many_sites = true where a refusal
                            at one base URL may only mean that the key belongs to another
    [credential.<name>]     why, permissions (the least that suffice), check: a call that tries it and changes nothing
    [option.<name>]         why, default: a string, true or false, or a list
    [login.<name>]          headers, basic = "user:password": how a call authorises itself
    [[keys]]                what (in words), rules (ids), evidence (tags), note, by_hand, authoriser, and the calls:
      id = "{part.sid}"     where the provider's id of the key is known from what leaked
      [keys.pieces]         name = 'regular expression with one group' over the secret, for {secret.<name>}
      [keys.probe]          tries the key itself: is "active", "disabled", "expired" or "gone" (refused)
      [keys.list]           an administrator's listing, in which the key is matched (see below)
      [keys.read]           reads one key's record: is "active", "disabled", "expired" or "gone"
      [keys.disable], [keys.enable], [keys.delete]
                            changes: is "done", "gone", "accepted", "refused", "later", "locked" or "unsupported"

A call has request = "METHOD /path", login (a name, or several of which the first that can be filled in is taken),
service, query, headers, json, form, and answers: a list of lines, of which the first that fits counts:
{ status = 200 or [..], where = { "a.b" = value or [..] }, is = "…", say = "…" }. `found` takes id, owner and further
details out of the body by path. What no line covers is "could not tell"; so is an HTML page, and a 2xx without JSON
where the call does not say `body = "any"`. 429, 5xx, redirects and silence need no lines.

Placeholders in text: {secret}, {secret.<piece>}, {part.<name>} (found beside the secret), {id}, {id.0}, {id.1} (the id
between slashes), {found.<name>}, {option.<name>}, {credential.<name>}. In a path each is quoted.

A listing has items (a path; "" is the body itself), id, and one of value (the secret in full), mask (its visible head
and tail), tail (its end), or none of them (then a known id is looked for); state = { path = "…", words = { archived =
"gone" } }; owner; next: how the next page is asked for (cursor, more, query | page, size, first | url); each: a listing
of what has listings (`bind`).
`merge = { from = "result", keep = [..] }` lays a change's json over the record that was just read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from responders.about import Ability, About, CredentialNeed, OptionNeed, Service
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind
from responders.providers import FOLDER

STATES = frozenset({"active", "disabled", "expired", "gone", "unknown"})
RECEIPTS = frozenset({"done", "gone", "accepted", "refused", "later", "locked", "unsupported", "unknown"})


class RecipeFault(Exception):
    """A recipe that does not make sense. Only ever seen by who writes one."""


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One line of a table of answers."""

    statuses: frozenset[int]
    means: str
    where: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    say: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what its answers mean."""

    method: str
    path: str
    answers: tuple[AnswerLine, ...]
    logins: tuple[str, ...] = ()
    service: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    any_body: bool = False
    secret_in_url: bool = False
    look_again_after: float | None = None
    merge_from: str | None = None
    merge_keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paging:
    """How the next page is asked for: by cursor, by number, or by a URL in the answer."""

    cursor: str = ""
    more: str = ""
    query: str = ""
    page: str = ""
    size: int = 0
    first: int = 1
    url: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing, and how a key is matched in it. `words` gives the state for each word at `state_path`."""

    call: Call
    items: str
    id: str = "id"
    value: str = ""
    mask: str = ""
    tail: str = ""
    state_path: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    paging: Paging | None = None
    each: Listing | None = None
    bind: Mapping[str, str] = field(default_factory=dict)

    @property
    def matches_values(self) -> bool:
        """Whether a leaked value can be found in it, not only an id."""
        return bool(self.value or self.mask or self.tail)


@dataclass(frozen=True, slots=True)
class Login:
    """How a call authorises itself."""

    headers: Mapping[str, str] = field(default_factory=dict)
    basic: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """One sort of key: the rules that find it, and what can be asked and done about it."""

    what: str
    rules: tuple[str, ...]
    id: str = ""
    pieces: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    probe: Call | None = None
    list: Listing | None = None
    read: Call | Listing | None = None
    disable: Call | None = None
    enable: Call | None = None
    delete: Call | None = None
    suspends_owner: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """One provider."""

    about: About
    keys: tuple[Keys, ...]
    logins: Mapping[str, Login]
    checks: Mapping[str, Call]
    many_sites: bool = False
    outlives_for: timedelta | None = None


@cache
def load(name: str) -> Recipe:
    """The recipe of that name that keyfuse ships. Raises RecipeFault."""
    with (Path(FOLDER) / f"{name}.toml").open("rb") as file:
        return parse(name, tomllib.load(file))


def parse(name: str, table: Mapping[str, Any]) -> Recipe:
    """A recipe out of its TOML tables. Raises RecipeFault, which names the place."""
    try:
        return _parse(name, table)
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise RecipeFault(f"{name}: {type(error).__name__}: {error}") from error


def _parse(name: str, table: Mapping[str, Any]) -> Recipe:
    _only(table, {"provider", "credential", "option", "login", "keys"}, name)
    head = table["provider"]
    _only(
        head,
        {
            *("title", "docs", "base_url", "base_url_why", "urls", "notes", "outlives", "outlives_for", "prove_after"),
            *("requests_per_minute", "many_sites"),
        },
        "provider",
    )
    logins = {key: _login(item, key) for key, item in table.get("login", {}).items()}
    groups = [_keys(item, logins) for item in table["keys"]]
    needs = table.get("credential", {})
    about = About(
        name=name,
        title=head["title"],
        abilities=tuple(ability for _, ability in groups),
        services=(
            Service(head.get("base_url", ""), why=head.get("base_url_why", "Where the API is.")),
            *(Service(url, key, f"Where its {key} part is.") for key, url in head.get("urls", {}).items()),
        ),
        credentials=tuple(
            CredentialNeed(key, each["why"], each["permissions"], each.get("required", False))
            for key, each in needs.items()
        ),
        options=tuple(
            OptionNeed(key, each["why"], _default(each.get("default", "")), each.get("required", False))
            for key, each in table.get("option", {}).items()
        ),
        docs=head.get("docs", ""),
        notes=tuple(head.get("notes", ())),
        outlives=head.get("outlives", ""),
        prove_after=tuple(timedelta(seconds=each) for each in head.get("prove_after", ())),
        requests_per_minute=head.get("requests_per_minute", 60),
    )
    return Recipe(
        about=about,
        keys=tuple(keys for keys, _ in groups),
        logins=logins,
        checks={key: _call(each["check"], STATES, logins) for key, each in needs.items() if "check" in each},
        many_sites=head.get("many_sites", False),
        outlives_for=timedelta(seconds=head["outlives_for"]) if "outlives_for" in head else None,
    )


def _login(item: Mapping[str, Any], name: str) -> Login:
    _only(item, {"headers", "basic"}, f"login.{name}")
    return Login(dict(item.get("headers", {})), item.get("basic", ""))


def _keys(item: Mapping[str, Any], logins: Mapping[str, Login]) -> tuple[Keys, Ability]:
    _only(
        item,
        {
            *("what", "rules", "evidence", "note", "by_hand", "authoriser", "id", "pieces", "probe", "list", "read"),
            *("disable", "enable", "delete", "disables"),
        },
        item.get("what", "keys"),
    )
    read = item.get("read")
    keys = Keys(
        what=item["what"],
        rules=tuple(item["rules"]),
        id=item.get("id", ""),
        pieces={name: re.compile(text) for name, text in item.get("pieces", {}).items()},
        probe=_call(item["probe"], STATES, logins) if "probe" in item else None,
        list=_listing(item["list"], logins) if "list" in item else None,
        read=(_listing(read, logins) if "items" in read else _call(read, STATES, logins)) if read else None,
        suspends_owner=item.get("disables") == "owner",
        **{step: _call(item[step], RECEIPTS, logins) for step in ("disable", "enable", "delete") if step in item},
    )
    ability = Ability(
        what=keys.what,
        capabilities=Capabilities(
            lookup=_lookup(keys),
            disable=DisableKind[item.get("disables", "native").upper()] if keys.disable else DisableKind.NONE,
            reversible=keys.enable is not None,
            delete=keys.delete is not None,
            prove=_proof(keys),
            authoriser=item.get(
                "authoriser", "the key itself" if keys.delete else "a person, at the provider's console"
            ),
        ),
        kinds=keys.rules,
        evidence=item.get("evidence", ""),
        note=item.get("note", ""),
        by_hand=item.get("by_hand", ""),
    )
    return keys, ability


def _lookup(keys: Keys) -> Lookup:
    if keys.id:
        return Lookup.BY_ID
    if keys.list is not None and (keys.list.mask or keys.list.tail):
        return Lookup.BY_MASK
    if keys.list is not None and keys.list.value:
        return Lookup.BY_VALUE_ADMIN if keys.list.call.logins[:1] != ("key",) else Lookup.BY_VALUE_SELF
    return Lookup.BY_VALUE_SELF if keys.probe else Lookup.NONE


def _proof(keys: Keys) -> ProveKind:
    reads, tries = keys.read is not None or keys.list is not None, keys.probe is not None
    if reads and tries:
        return ProveKind.BOTH
    return ProveKind.READ_BACK if reads else ProveKind.TRY_KEY if tries else ProveKind.NONE


def _call(
    item: Mapping[str, Any], words: frozenset[str], logins: Mapping[str, Login], more: tuple[str, ...] = ()
) -> Call:
    _only(
        item,
        {
            *("request", "answers", "login", "service", "query", "headers", "json", "form", "found", "body", "merge"),
            *("secret_in_url", "look_again_after"),
            *more,
        },
        item.get("request", "call"),
    )
    method, _, path = item["request"].partition(" ")
    used = item.get("login", ())
    names = (used,) if isinstance(used, str) else tuple(used)
    lines = tuple(_answer(line, words) for line in item["answers"])
    if not path.startswith("/") or not lines or not set(names) <= set(logins):
        raise RecipeFault(f"{item['request']}: needs a path, answers, and logins that there are")
    merge = item.get("merge", {})
    return Call(
        method=method,
        path=path,
        answers=lines,
        logins=names,
        service=item.get("service", ""),
        query=dict(item.get("query", {})),
        headers=dict(item.get("headers", {})),
        json=item.get("json"),
        form=dict(item["form"]) if "form" in item else None,
        found=dict(item.get("found", {})),
        any_body=item.get("body") == "any",
        secret_in_url=item.get("secret_in_url", False),
        look_again_after=item.get("look_again_after"),
        merge_from=merge.get("from"),
        merge_keep=tuple(merge.get("keep", ())),
    )


LISTING = ("items", "id", "value", "mask", "tail", "state", "owner", "next", "each", "bind")


def _listing(item: Mapping[str, Any], logins: Mapping[str, Login]) -> Listing:
    state = item.get("state", {})
    each = item.get("each")
    answers = item.get("answers", [{"status": 200, "is": "active"}])
    return Listing(
        call=_call({**item, "answers": answers}, STATES, logins, LISTING),
        items=item["items"],
        id=item.get("id", "id"),
        value=item.get("value", ""),
        mask=item.get("mask", ""),
        tail=item.get("tail", ""),
        state_path=state.get("path", ""),
        words=dict(state.get("words", {})),
        owner=item.get("owner", ""),
        paging=Paging(**item["next"]) if "next" in item else None,
        each=_listing({"login": item.get("login", ()), **each}, logins) if each else None,
        bind=dict(item.get("bind", {})),
    )


def _answer(line: Mapping[str, Any], words: frozenset[str]) -> AnswerLine:
    _only(line, {"status", "is", "where", "say"}, "answers")
    status = line["status"]
    if line["is"] not in words:
        raise RecipeFault(f"{line['is']} is none of {', '.join(sorted(words))}")
    where = {
        path: tuple(value) if isinstance(value, list) else (value,) for path, value in line.get("where", {}).items()
    }
    return AnswerLine(
        frozenset(status if isinstance(status, list) else [status]), line["is"], where, line.get("say", "")
    )


def _default(value: Any) -> str | bool | tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else value


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if strange := sorted(set(table) - known):
        raise RecipeFault(f"{where} has {', '.join(strange)}; known are {', '.join(sorted(known))}")
