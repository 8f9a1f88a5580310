"""How keyfuse logs in at Microsoft Entra: as an application, with its client secret (client credentials grant).

POST /TENANT/oauth2/v2.0/token, from memory; error codes (AADSTS…) as a scanner reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from responders.about import Trial
from responders.calling import Caller
from responders.errors import ProviderError
from responders.http import NoAnswer
from responders.providers.asking import JsonApi, Reply, lifetime, segment, text_of, trial, unclear
from scanner.model import Secret

CODE = re.compile(r"AADSTS(\d{4,9})")
MARGIN = timedelta(minutes=5)


class AzureLogin:
    """Access tokens for keyfuse's own application, one for each API, each used until shortly before its end."""

    def __init__(self, caller: Caller, api: JsonApi, clock: Callable[[], datetime]) -> None:
        self._caller = caller
        self._api = api
        self._clock = clock
        self._tokens: dict[str, tuple[datetime, Secret]] = {}

    @property
    def client_id(self) -> str:
        """The application that keyfuse works as."""
        return str(self._option("client_id"))

    def is_own(self, client: str, secret: Secret | None) -> bool:
        """Whether keyfuse itself works with this secret, as far as can be told."""
        return client == self.client_id.lower() and (
            secret is None or secret == self._caller.credential("client_secret")
        )

    def ask(self, api: JsonApi, method: str, path: str, **more: object) -> Reply | NoAnswer:
        """One request as keyfuse's own application."""
        token = self._token(api)
        return token if isinstance(token, NoAnswer) else api.ask(method, path, bearer=token, **more)  # type: ignore[arg-type]

    def attempt(self, client: str, secret: Secret, api: JsonApi) -> Reply | NoAnswer:
        """Tries a client secret at the own tenant, by asking for a token with it."""
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": text_of(secret),
            "scope": f"{_origin(api)}/.default",
        }
        path = f"{segment(self._option('tenant'))}/oauth2/v2.0/token"
        return self._api.ask("POST", path, form=form, secrets=(secret,))

    def trial(self, api: JsonApi) -> Trial:
        """Whether Entra gives an access token to this API for the configured secret."""
        return trial(
            self._caller,
            "client_secret",
            lambda: self.attempt(self.client_id, self._caller.credential("client_secret"), api),
        )

    def _token(self, api: JsonApi) -> Secret | NoAnswer:
        until, token = self._tokens.get(_origin(api), (None, None))
        now = self._clock()
        if until is not None and token is not None and now < until:
            return token
        reply = self.attempt(self.client_id, self._caller.credential("client_secret"), api)
        if isinstance(reply, Reply) and reply.ok and reply.data and isinstance(reply.data.get("access_token"), str):
            token = Secret(reply.data["access_token"].encode())
            until = now + lifetime(reply.data.get("expires_in")) - MARGIN
            self._tokens[_origin(api)] = (until, token)
            return token
        code = code_of(reply)
        why = f"it says AADSTS{code}" if code else unclear(reply, self._api.host)
        return NoAnswer(f"keyfuse could not log in at Entra: {why}", sent=False)

    def _option(self, name: str) -> str:
        value = str(self._caller.option(name))
        if not value:
            raise ProviderError(f"[provider.azure] needs {name}; see keyfuse providers show azure")
        return value


def code_of(reply: Reply | NoAnswer) -> str:
    """The number of Entra's error; "" where it gives none."""
    if not isinstance(reply, Reply) or not reply.data or reply.limited:
        return ""
    codes = reply.data.get("error_codes")
    if isinstance(codes, list) and codes and isinstance(codes[0], int):
        return str(codes[0])
    found = CODE.search(str(reply.data.get("error_description", "")))
    return found[1] if found else ""


def _origin(api: JsonApi) -> str:
    scheme, _, rest = api.base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
