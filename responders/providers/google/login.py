"""How keyfuse logs in at Google: as a service account, by an assertion that its key signs (RFC 7523).

POST /token with grant_type urn:ietf:params:oauth:grant-type:jwt-bearer, as Google's own libraries do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from responders.about import Trial
from responders.assertion import Unsignable, signed
from responders.calling import Caller
from responders.errors import ProviderError
from responders.http import NoAnswer
from responders.providers.asking import JsonApi, Reply, lifetime, trial, unclear
from scanner.model import Secret

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whom the assertion is for, whatever the way there: what Google's own library signs."""
LIVES = timedelta(hours=1)
MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Account:
    """The service account that a JSON key file is for."""

    email: str
    key_id: str
    key: Secret = field(repr=False)


class GoogleLogin:
    """Access tokens for keyfuse's own service account, each used until shortly before its end."""

    def __init__(self, caller: Caller, api: JsonApi, clock: Callable[[], datetime]) -> None:
        self._caller = caller
        self._api = api
        self._clock = clock
        self._token: Secret | None = None
        self._until = datetime.min.replace(tzinfo=clock().tzinfo)

    def account(self) -> Account:
        """Whose key it is. Raises ProviderError when it is not configured or no such file."""
        secret = self._caller.credential("service_account")
        try:
            data = json.loads(secret.reveal())
            return Account(
                str(data["client_email"]), str(data["private_key_id"]), Secret(str(data["private_key"]).encode())
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ProviderError(
                "[provider.google] service_account is no JSON key of a service account; make one with "
                "gcloud iam service-accounts keys create"
            ) from None

    def token(self) -> Secret | NoAnswer:
        """An access token, or why there is none. Raises ProviderError when the key is of no use."""
        now = self._clock()
        if self._token is not None and now < self._until:
            return self._token
        reply = self._grant(now)
        if isinstance(reply, Reply) and reply.ok and reply.data and isinstance(reply.data.get("access_token"), str):
            self._token = Secret(reply.data["access_token"].encode())
            self._until = now + lifetime(reply.data.get("expires_in")) - MARGIN
            return self._token
        return NoAnswer(f"keyfuse could not log in: {unclear(reply, self._api.host)}", sent=False)

    def _grant(self, now: datetime) -> Reply | NoAnswer:
        account = self.account()
        issued = int(now.timestamp())
        claims = {
            "iss": account.email,
            "scope": SCOPE,
            "aud": AUDIENCE,
            "iat": issued,
            "exp": issued + int(LIVES.total_seconds()),
        }
        try:
            assertion = signed(claims, account.key, key_id=account.key_id)
        except Unsignable as error:
            raise ProviderError(f"[provider.google] service_account: {error}; make a new key") from None
        return self._api.ask("POST", "token", form={"grant_type": GRANT, "assertion": assertion})

    def trial(self) -> Trial:
        """Whether Google gives an access token for the configured key."""
        return trial(self._caller, "service_account", lambda: self._grant(self._clock()))

    def ask(self, api: JsonApi, method: str, path: str, **more: object) -> Reply | NoAnswer:
        """One request as keyfuse's own service account."""
        token = self.token()
        return token if isinstance(token, NoAnswer) else api.ask(method, path, bearer=token, **more)  # type: ignore[arg-type]
