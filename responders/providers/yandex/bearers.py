"""IAM tokens and OAuth tokens of Yandex that leaked: whoever holds one works as its subject.

Facts: `POST /iam/v1/tokens:revoke` ends an IAM token at once and names its subject; the documented call authenticates
with the token itself. No call tells what a token is without ending it, so a registered one is tried with a harmless
read. An OAuth token is tried by exchanging it; it is ended at oauth.yandex.ru by the application that it was given to
(from memory, unverified), and IAM tokens made from it live on for 12 hours at most.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from responders.calling import Answer, Caller, NoAnswer, json_of
from responders.errors import ProviderError
from responders.provider import (
    Alive,
    Dead,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    Proof,
    Receipt,
    Refused,
    Unknown,
    Unsupported,
)
from responders.providers.replies import not_taken, taken, told
from responders.providers.yandex.api import DENIED, TOKENS, UNAUTHENTICATED, WHO, Api, is_refusal, said, says
from responders.registry import KeyState, KnownKey
from scanner.model import Secret

NAME = "yandex"
IAM_TOKEN, OAUTH_TOKEN = "iam-token", "oauth-token"
OF_RULES = {
    "yandex-iam-token": IAM_TOKEN,
    "yandex-oauth-token": OAUTH_TOKEN,
    "yandex-metrica-token": OAUTH_TOKEN,
}
HARMLESS = "/resource-manager/v1/clouds"
OUTLIVES = "IAM tokens that were made from it before"
IAM_TOKEN_LIVES = timedelta(hours=12)


def bearer_kind(leak: Leak) -> str | None:
    """Whether this is a token, by the rule that found it, or by its form where it is found as a registered value."""
    if leak.kind.id in OF_RULES or leak.secret is None:
        return OF_RULES.get(leak.kind.id)
    value = leak.secret.reveal()
    if value.startswith(b"t1.") and value.count(b".") == 2:
        return IAM_TOKEN
    return OAUTH_TOKEN if value[:1] == b"y" and value[1:2].isdigit() and value[2:3] == b"_" else None


class Bearers:
    """Tokens, each acted on with itself."""

    def __init__(self, api: Api, caller: Caller, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._caller = caller
        self._clock = clock

    def identify(self, kind: str, leak: Leak, known: KnownKey | None) -> Identity:
        """By the value itself: it is tried."""
        if leak.secret is None:
            return Unknown("the token is not at hand any more; report the leak once more")
        alive = self._alive(kind, leak.secret)
        if isinstance(alive, Unknown):
            return alive
        ref = KeyRef(NAME, known.provider_key_id or known.id if known is not None else kind, {"type": kind})
        state = KeyState.ACTIVE if alive else KeyState.DELETED
        return Identified(ref, state, evidence=f"tried: {WHO} {'takes' if alive else 'refuses'} it")

    def delete(self, kind: str, leak: Leak) -> Receipt:
        """Ends the token, as far as that can be done from here."""
        if leak.secret is None:
            return Refused("the token is not at hand any more; report the leak once more")
        return self._revoke(leak.secret) if kind == IAM_TOKEN else self._revoke_oauth(leak.secret)

    def prove(self, kind: str, leak: Leak) -> Proof:
        """Tries it until it is refused."""
        if leak.secret is None:
            return Unknown("the token is not at hand any more, so it cannot be tried")
        alive = self._alive(kind, leak.secret)
        if isinstance(alive, Unknown):
            return alive
        if alive:
            return Alive(f"tried: {WHO} takes it")
        if kind == OAUTH_TOKEN:
            return Dead(f"tried: {WHO} refuses it", KeyState.DELETED, OUTLIVES, self._clock() + IAM_TOKEN_LIVES)
        return Dead(f"tried: {WHO} refuses it", KeyState.DELETED)

    def _alive(self, kind: str, value: Secret) -> bool | Unknown:
        if kind == OAUTH_TOKEN:
            got = self._api.exchange("yandexPassportOauthToken", value)
            if isinstance(got, Secret):
                return True
            return False if is_refusal(got) else got
        query = {"pageSize": "1"}
        answer = self._api.ask("GET", HARMLESS, service="resource_manager", query=query, token=value)
        if not isinstance(answer, Answer):
            return Unknown(answer.reason)
        if says(answer, 403, DENIED) or (answer.ok and isinstance(json_of(answer), dict)):
            return True  # it may see nothing, but it is somebody's
        return False if says(answer, 401, UNAUTHENTICATED) else Unknown(f"{WHO}'s answer is no answer ({said(answer)})")

    def _revoke(self, value: Secret) -> Receipt:
        body = {"iamToken": value.reveal().decode("utf-8", "replace")}
        answer = self._api.ask("POST", f"{TOKENS}:revoke", json_body=body, token=value)
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        if isinstance(answer, Answer) and says(answer, 401, UNAUTHENTICATED):
            return Done(f"it is not valid any more ({said(answer)})")
        if isinstance(answer, NoAnswer) or not taken(answer):
            return not_taken(answer, WHO, "the token itself")
        body_said = json_of(answer)
        subject = body_said.get("subjectId") if isinstance(body_said, dict) else None
        whose = f"; it was a token of {subject}" if isinstance(subject, str) and subject.isalnum() else ""
        return Done(f"{WHO} revoked it{whose}")

    def _revoke_oauth(self, value: Secret) -> Receipt:
        if not self._caller.has("oauth_client_secret"):
            return Unsupported(
                "an OAuth token is ended by the application it was given to (set oauth_client_id and "
                "oauth_client_secret), or by its owner at https://id.yandex.ru under Security"
            )
        form = {
            "access_token": value.reveal().decode("utf-8", "replace"),
            "client_id": str(self._caller.option("oauth_client_id")),
            "client_secret": self._caller.credential("oauth_client_secret").reveal().decode("utf-8", "replace"),
        }
        answer = self._caller.send("POST", "/revoke_token", service="oauth", form=form, secrets=[value])
        if isinstance(answer, Answer) and taken(answer):
            return Done(f"Yandex OAuth took it ({told(answer)})")
        if isinstance(answer, Answer) and answer.status == 400:
            body = json_of(answer)
            if isinstance(body, dict) and body.get("error") == "invalid_grant":
                return Done("Yandex OAuth knows no such token any more")
        return not_taken(answer, "Yandex OAuth", "the id and secret of the application that the token was given to")


NOT_FROM_HERE = frozenset(
    {
        "yandex-iam-cookie",
        "yandex-smartcaptcha-server-key",
        "yandex-oauth-client-secret",
        "yandex-legacy-api-key",
    }
)


def by_hand(leak: Leak) -> ProviderError:
    """Why nothing can be done from here about what is neither a key of a service account nor a token."""
    return ProviderError(
        f"keyfuse cannot look up a Yandex {leak.kind.name}; replace and delete it where it was made, then note that "
        "with `keyfuse leaks resolve`"
    )
