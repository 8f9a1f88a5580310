"""Makes a recipe's calls: fills in its placeholders, sends, and reads off what the answer means."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from responders.calling import Answer, Caller, NoAnswer, json_of
from responders.errors import ProviderError
from responders.gate import wait_of
from responders.provider import Accepted, Done, Leak, Receipt, Refused, Uncertain, Unsupported
from responders.recipe import Call, Keys, Login, Recipe
from scanner.model import Secret

PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\.([a-z0-9_-]+))?\}")
LONGEST_WORD = 200
"""Characters of what a provider says that are kept: an id, an owner."""


class Lacking(Exception):
    """A placeholder that cannot be filled in; the text says what is missing, in words."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an answer means: a word of the recipe's table, and what was taken out of the body. `text` is for people."""

    word: str
    text: str
    found: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """No line of the table fits. `sent` says that a change may have taken effect; `wait` is the provider's own word."""

    reason: str
    sent: bool
    refused: bool = False
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Filling:
    """What placeholders stand for in one call."""

    caller: Caller
    keys: Keys | None = None
    leak: Leak | None = None
    id: str = ""
    found: Mapping[str, str] = field(default_factory=dict)

    def text(self, template: str, put: Callable[[str], str] = str) -> str:
        """The template filled in; `put` is applied to each value. Raises Lacking, and ProviderError for settings."""
        return PLACEHOLDER.sub(lambda place: put(self._value(place[1], place[2] or "")), template)

    def tree(self, template: Any) -> Any:
        """Texts filled in, anywhere within lists and tables."""
        match template:
            case str():
                return self.text(template)
            case list():
                return [self.tree(item) for item in template]
            case dict():
                return {key: self.tree(item) for key, item in template.items()}
            case _:
                return template

    def secrets(self) -> Iterator[Secret]:
        """What must not get into a URL. Parts and pieces may: ids are among them."""
        if self.leak is not None and self.leak.secret is not None:
            yield self.leak.secret

    def _value(self, sort: str, name: str) -> str:
        match sort:
            case "secret":
                return self._of_secret(name)
            case "part":
                return _text(self._part(name))
            case "id" if name:
                pieces = self.id.split("/")
                if not name.isdigit() or len(pieces) <= int(name) or not pieces[int(name)]:
                    raise Lacking("the registry's provider_key_id in the form that `keyfuse providers show` names")
                return pieces[int(name)]
            case "id":
                return self._given(self.id, "the key's id at the provider (register it: provider_key_id)")
            case "found":
                return self._given(self.found.get(name, ""), f"the key's {name}, which the lookup should have given")
            case "option":
                return self._given(self.caller.option(name), f"the setting {name}")
            case "credential":
                return _text(self.caller.credential(name))
            case _:
                raise Lacking(f"{sort}, which nobody knows")

    def _of_secret(self, name: str) -> str:
        if self.leak is None or self.leak.secret is None:
            raise Lacking("the leaked value, which is not at hand any more")
        text = _text(self.leak.secret)
        if not name:
            return text
        pattern = self.keys.pieces[name] if self.keys else None
        found = pattern.search(text) if pattern else None
        if found is None:
            raise Lacking("a value of the usual form")
        return found[1]

    def _part(self, name: str) -> Secret:
        part = self.leak.parts.get(name) if self.leak else None
        if part is None:
            raise Lacking(f"the {name} that belongs to the value and was not found beside it")
        return part

    @staticmethod
    def _given(value: Any, what: str) -> str:
        if not value:
            raise Lacking(what)
        return str(value)


class Calls:
    """Makes the calls of one recipe."""

    def __init__(self, recipe: Recipe, caller: Caller) -> None:
        self._recipe = recipe
        self.caller = caller
        self.title = recipe.about.title

    def can(self, call: Call, filling: Filling) -> bool:
        """Whether everything is there that the call needs."""
        try:
            self._filled(call, filling)
        except (Lacking, ProviderError):
            return False
        return True

    def make(self, call: Call, filling: Filling, *, base: Any = None) -> Means | Unclear:
        """One call. Raises Lacking and ProviderError when something that it needs is not there."""
        path, said = self._filled(call, filling)
        if call.merge_from is not None:
            said["json_body"] = _merged(call, base, said.get("json_body") or {})
        answer = self.caller.send(call.method, path, **said)
        return self._meaning(call, answer)

    def send_page(self, call: Call, filling: Filling, url: str) -> Answer | NoAnswer:
        """The page at a URL that the provider gave, asked for in the way of this call."""
        _, said = self._filled(call, filling)
        return self.caller.send_url("GET", url, service=call.service, headers=said["headers"])

    def send(self, call: Call, filling: Filling, query: Mapping[str, str]) -> Answer | NoAnswer:
        """One page of a listing."""
        path, said = self._filled(call, filling)
        return self.caller.send(call.method, path, **{**said, "query": {**said["query"], **query}})

    def _meaning(self, call: Call, answer: Answer | NoAnswer) -> Means | Unclear:
        if isinstance(answer, NoAnswer):
            return Unclear(answer.reason, sent=answer.sent)
        who = self._recipe.about.title
        if unclear := failure(answer, who):
            return unclear
        body, page = json_of(answer), _is_page(answer)
        for line in call.answers:
            bare = call.any_body or answer.status == 204 or answer.status >= 300
            understood = not page and (bare or body is not None)
            if answer.status in line.statuses and understood and all(_fits(body, *each) for each in line.where.items()):
                said = line.say or f"{who} answered {answer.status}"
                found = {name: word for name, path in call.found.items() if (word := word_at(body, path))}
                return Means(line.means, said, found, body)
        kind = "a web page" if page else f"{answer.status}, which keyfuse does not understand"
        return Unclear(
            f"{who} answered {kind}", sent=answer.ok or page, refused=400 <= answer.status < 500 and not page
        )

    def _filled(self, call: Call, filling: Filling) -> tuple[str, dict[str, Any]]:
        login = self._login(call, filling)
        headers = {name: text for name, value in call.headers.items() if (text := _optional(filling, value))}
        said: dict[str, Any] = {
            "service": call.service,
            "query": {name: filling.text(value) for name, value in call.query.items()},
            "headers": {name: _header(text) for name, text in {**headers, **login}.items()},
            "secrets": tuple(filling.secrets()),
            "secret_in_url": call.secret_in_url,
        }
        if call.json is not None:
            said["json_body"] = filling.tree(call.json)
        if call.form is not None:
            said["form"] = {name: filling.text(value) for name, value in call.form.items()}
        return filling.text(call.path, _quoted), said

    def _login(self, call: Call, filling: Filling) -> Mapping[str, str]:
        """The headers of the first way to log in that can be filled in. Raises what the first one lacks."""
        trouble: Exception | None = None
        for name in call.logins:
            try:
                return _headers(self._recipe.logins[name], filling)
            except (Lacking, ProviderError) as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return {}


def receipt_of(meaning: Means | Unclear, call: Call) -> Receipt:
    """What an answer means for the change that was asked for."""
    if isinstance(meaning, Unclear):
        if meaning.refused:
            return Refused(meaning.reason)
        return Uncertain(meaning.reason) if meaning.sent else Refused(meaning.reason, False, False, meaning.wait)
    makers: dict[str, Callable[[str], Receipt]] = {
        "done": Done,
        "gone": lambda text: Done(f"{text}: it was gone already"),
        "accepted": lambda text: Accepted(text, call.look_again_after),
        "refused": Refused,
        "later": lambda text: Refused(text, for_good=False),
        "locked": lambda text: Refused(text, locked=True, for_good=False),
        "unsupported": Unsupported,
        "unknown": Uncertain,
    }
    return makers[meaning.word](meaning.text)


def failure(answer: Answer, who: str) -> Unclear | None:
    """What no table needs to say: too many requests, the provider's own failures, redirects."""
    if answer.status == 429:
        wait = wait_of(answer.headers.get("Retry-After", ""), _now())
        return Unclear(f"{who} says that it was asked too often", sent=False, wait=wait)
    if answer.status >= 500 or answer.status == 408:
        return Unclear(f"{who} failed with {answer.status}", sent=True)
    if 300 <= answer.status < 400:
        return Unclear(f"{who} answered {answer.status}, a redirect; those are not followed", sent=True)
    return None


def at(body: Any, path: str) -> Any:
    """What lies at a path such as `data.0.id`; the body itself at ""; None where there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(body, list):
            body = body[int(step)] if step.isdigit() and int(step) < len(body) else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def word_at(body: Any, path: str) -> str:
    """The text or number at a path, as text that is not too long; else nothing."""
    value = at(body, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:LONGEST_WORD]


def _fits(body: Any, path: str, values: tuple[object, ...]) -> bool:
    value = at(body, path)
    return any(
        value is not None if wanted == "*" else type(value) is type(wanted) and value == wanted for wanted in values
    )


def _headers(login: Login, filling: Filling) -> Mapping[str, str]:
    headers = {name: filling.text(value) for name, value in login.headers.items()}
    if login.basic:
        headers["Authorization"] = f"Basic {b64encode(filling.text(login.basic).encode()).decode()}"
    return headers


def _optional(filling: Filling, value: str) -> str:
    """A header that an option may fill in; without the option it is left out."""
    try:
        return filling.text(value)
    except Lacking:
        if "{option." in value:
            return ""
        raise


def _quoted(text: str) -> str:
    """One step of a path. Dots alone would lead to another one."""
    if not text.strip("."):
        raise Lacking("an id that can stand in a path")
    return quote(text, safe=":")


def _header(text: str) -> str:
    """What may stand in a header: a value with line breaks or odd letters in it is no key of this provider."""
    if not text.isascii() or not text.isprintable():
        raise Lacking("a value that can stand in a header")
    return text


def _merged(call: Call, base: Any, change: Mapping[str, Any]) -> dict[str, Any]:
    record = at(base, call.merge_from or "")
    if not isinstance(record, dict):
        raise Lacking("the key's record, over which the change is laid")
    return {name: record[name] for name in call.merge_keep if name in record} | dict(change)


def _is_page(answer: Answer) -> bool:
    kind = answer.headers.get("Content-Type", "").lower()
    return "html" in kind or answer.body[:200].lstrip()[:1] == b"<"


def _text(secret: Secret) -> str:
    try:
        return secret.reveal().decode("utf-8")
    except UnicodeDecodeError:
        raise Lacking("a value that is text") from None


def _now() -> datetime:
    return datetime.now(UTC)  # to be compared with a date in a header, which the provider's clock gave
