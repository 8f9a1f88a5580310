"""One provider's HTTP, the only way in which providers speak it: safe whatever a provider's code asks for.

- Where it goes is decided by code and configuration, never by what leaked: a path is joined to one of the provider's
  base URLs, and the host that results must be that one, or one of `allowed_hosts`.
- TLS, or loopback that the configuration names. No address that is not on the internet unless it is configured.
- No redirect is followed, nothing is retried, no answer is longer than 4 MiB, and no exchange longer than a minute.
- A secret does not go into a URL. Where a provider's API leaves no other way, the call says so (`secret_in_url`).
- A 429 (and a 503 that says when) closes the gate for as long as the provider asks; so do failures in a row.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from responders.about import About
from responders.connection import ProviderSettings, base_fault, credential_of
from responders.errors import ProviderError
from responders.gate import Gate, wait_of
from responders.http import Answer, Http, NoAnswer
from scanner.model import Secret

__all__ = ["Answer", "Caller", "NoAnswer", "ProviderSettings", "json_of"]

TOO_MANY = 429
UNAVAILABLE = 503
SHORTEST_SECRET = 8
"""Shorter texts are not looked for in URLs: they would be found by chance."""


class Caller:
    """Speaks HTTP with one provider, as its `About` and its settings say. May be shared between threads."""

    def __init__(
        self,
        about: About,
        settings: ProviderSettings,
        environ: Mapping[str, str],
        *,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._about = about
        self._settings = settings
        self._environ = environ
        per_minute = settings.requests_per_minute
        self._gate = Gate(about.requests_per_minute if per_minute is None else per_minute, now=now, pause=pause)
        self._lock = threading.Lock()
        self._http: dict[bool, Http] = {}

    # --- settings ---------------------------------------------------------------------------------------------------

    def option(self, name: str) -> Any:
        """The value in force: what the configuration says, else the declared default."""
        declared = next(option for option in self._about.options if option.name == name)
        return self._settings.options.get(name, declared.default)

    def has(self, credential: str) -> bool:
        """Whether a reference to that credential is configured (not whether it can be read)."""
        return bool(self._settings.credentials.get(credential))

    def credential(self, name: str) -> Secret:
        """A credential of keyfuse's own. Raises ProviderError, which names the setting, when there is none."""
        return credential_of(self._about.name, self._settings, name, self._environ)

    def base(self, service: str = "") -> str:
        """The base URL of a service, without a slash at its end. Raises ProviderError when it is not configured."""
        declared = next(each for each in self._about.services if each.name == service)
        url = self._settings.urls.get(declared.setting) or declared.url
        if not url:
            raise ProviderError(f"[provider.{self._about.name}] needs {declared.setting}: {declared.why}")
        _check_base(url, declared.setting, self._about.name)
        return url.rstrip("/")

    # --- speaking ---------------------------------------------------------------------------------------------------

    def send(
        self,
        method: str,
        path: str,
        *,
        service: str = "",
        query: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        json_body: object = None,
        form: Mapping[str, str] | None = None,
        secrets: Iterable[Secret] = (),
        secret_in_url: bool = False,
    ) -> Answer | NoAnswer:
        """One request, sent once at most. `path` begins with a slash and is joined to the service's base URL.

        Parts of it that come from elsewhere are the caller's to quote (`quote(text, safe="")`). `secrets` is what must
        not stand in the URL; the configured credentials are looked for there in any case.
        """
        base = self.base(service)
        pairs = list(query.items() if isinstance(query, Mapping) else query)
        url = base + path + (f"?{urlencode(pairs, quote_via=quote)}" if pairs else "")
        allowed, named = self._goes_to(url, base)
        if not allowed:
            return NoAnswer(f"a request would have left {_host(base)}, so it was not sent", sent=False)
        if not secret_in_url and self._holds_secret(url, secrets):
            return NoAnswer("a URL would have held a secret, so the request was not sent", sent=False)
        said = dict(headers or {})
        if json_body is not None:
            body, said["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        elif form is not None:
            body, said["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        return self._exchange(method, url, said, body, private=named)

    def send_url(self, method: str, url: str, **more: Any) -> Answer | NoAnswer:
        """Like `send`, to a whole URL that a provider gave (the next page): sent only to its own base URLs or hosts."""
        base = self.base(more.get("service", ""))
        parts = urlsplit(url)
        if parts.scheme and not url.startswith(base + "/"):
            allowed, named = self._goes_to(url, base)
            if not allowed or more.get("body") or parts.scheme != "https":
                return NoAnswer(f"{self._about.name} names a page that is not at {_host(base)}", sent=False)
            return self._exchange(method, url, dict(more.get("headers") or {}), None, private=named)
        return self.send(method, url.removeprefix(base), **more)

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, private: bool
    ) -> Answer | NoAnswer:
        if refusal := self._gate.enter():
            return NoAnswer(f"{self._about.name}: {refusal}", sent=False)
        with self._lock:
            answer = self._session(private).send(method, url, headers=headers, body=body)
        self._take_note(answer)
        return answer

    def _take_note(self, answer: Answer | NoAnswer) -> None:
        if isinstance(answer, NoAnswer):
            self._gate.failed(answer.reason)
            return
        wait = wait_of(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        if answer.status == TOO_MANY or (answer.status == UNAVAILABLE and wait is not None):
            self._gate.told_to_wait(5.0 if wait is None else wait)
        elif answer.status >= 500:
            self._gate.failed(f"HTTP {answer.status}")
        else:
            self._gate.answered()

    def _session(self, private: bool) -> Http:
        if private not in self._http:
            ca_file = self._settings.ca_file
            self._http[private] = Http(
                timeout=self._settings.timeout, ca_file=str(ca_file) if ca_file else None, private=private
            )
        return self._http[private]

    def _goes_to(self, url: str, base: str) -> tuple[bool, bool]:
        """Whether a request may go there, and whether the configuration names the host."""
        host, port = _where(url)
        configured = {_where(each) for each in self._settings.urls.values()}
        listed = host in {each.lower() for each in self._settings.allowed_hosts}
        return (host, port) == _where(base) or listed, listed or (host, port) in configured

    def _holds_secret(self, url: str, secrets: Iterable[Secret]) -> bool:
        own = []
        for name, reference in self._settings.credentials.items():
            if reference:
                try:
                    own.append(self.credential(name))
                except ProviderError:
                    continue  # what cannot be read cannot get into a URL
        for secret in (*secrets, *own):
            if len(secret) < SHORTEST_SECRET:
                continue
            text = secret.reveal().decode("utf-8", "replace")
            if text in url or quote(text, safe="") in url or quote(text) in url:
                return True
        return False


def json_of(answer: Answer) -> Any:
    """The body as JSON; None when it is none (an HTML page, say, or something cut off)."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _where(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", None


def _host(url: str) -> str:
    return _where(url)[0]


def _check_base(url: str, setting: str, provider: str) -> None:
    if fault := base_fault(url):
        raise ProviderError(f"[provider.{provider}] {setting} {fault}")
