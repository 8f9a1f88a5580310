"""Slack: a token is asked about and revoked by calling as itself.

- Whose: POST auth.test. Slack answers 200 also where it refuses; `ok` and `error` say which. As several scanners do.
- End: POST auth.revoke, done only when both `ok` and `revoked` are true; final. As one scanner does; for app-level
  tokens (`xapp-`) and configuration tokens not verified.
- There is no way to disable a token. Webhooks, signing secrets and cookies are removed in the app's settings only.

No right is needed beside the token itself.
"""

from __future__ import annotations

from responders.http import NoAnswer
from responders.provider import (
    ITSELF,
    Alive,
    Capabilities,
    Dead,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    NotFound,
    Proof,
    Receipt,
    Refused,
    Uncertain,
    Unknown,
    Unsupported,
)
from responders.providers.asking import (
    BEYOND,
    JsonApi,
    Reply,
    known_id,
    not_done,
    out_of_reach,
    unclear,
    word,
)
from responders.providers.slack import ABOUT, NAME
from responders.registry import KeyState, KnownKey
from scanner.model import Secret

TOKENS = (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xoxo-", b"xapp-", b"xoxe.", b"xwfp-")
"""What auth.test and auth.revoke may be asked about. xoxc- takes a cookie, xoxe-1- is spent by use."""
SEEN = "seen"
"""The detail that says that the token was seen alive from here."""
DEAD = {
    "token_revoked": KeyState.DELETED,
    "account_inactive": KeyState.DELETED,
    "token_expired": KeyState.EXPIRED,
}
NOT_NOW = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "team_added_to_org"})
PERHAPS = frozenset({"internal_error", "fatal_error"})


class SlackProvider:
    """Tries and revokes Slack's tokens (see `responders.provider.Provider`)."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return NAME

    @property
    def capabilities(self) -> Capabilities:
        """It can only revoke."""
        return ABOUT.capabilities

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """Whose token it is, by asking with the token itself."""
        if leak.secret is None:
            return Unknown("Slack is asked with the token itself, which is not at hand any more")
        if not leak.secret.reveal().startswith(TOKENS):
            return out_of_reach(NAME, known, f"a {leak.kind.name} of Slack can only be replaced in the app's settings")
        ref_id = known_id(NAME, known) or ITSELF
        reply = self._test(leak.secret)
        match _verdict(reply):
            case KeyState.ACTIVE:
                evidence = f"auth.test knows the token{_whose(reply)}"
                return Identified(KeyRef(NAME, ref_id, {SEEN: "alive"}), KeyState.ACTIVE, evidence=evidence)
            case KeyState() as state:
                return Identified(KeyRef(NAME, ref_id), state, evidence=f"auth.test says {_error(reply)}")
            case "invalid_auth":
                why = "auth.test says invalid_auth, as it does for unknown tokens and for addresses that may not call"
                return NotFound(why, sees_all=False)
            case _:
                return Unknown(self._unclear(reply))

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("Slack cannot disable a token, only revoke it for good")

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("Slack cannot bring a token back; install the app anew")

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("Slack has no locks on tokens")

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Revokes the token."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        if leak.secret is None:
            return Unsupported("without the token itself it cannot be revoked")
        reply = self._api.ask("POST", "auth.revoke", bearer=leak.secret, form={})
        if not isinstance(reply, Reply) or reply.limited or not reply.says(200) or not reply.data:
            return not_done(reply, self._api.host)
        error = _error(reply)
        if reply.data.get("ok") is True:
            if reply.data.get("revoked") is True:
                return Done("auth.revoke says that the token is revoked")
            return Uncertain("auth.revoke says ok, but not that the token is revoked")
        if error in DEAD:
            return Done(f"auth.revoke says that the token is dead already ({error})")
        if error in NOT_NOW:
            return Refused(f"Slack does not take it now ({error})", for_good=False)
        if error in PERHAPS or not error:
            return Uncertain(f"Slack failed ({error or 'without saying why'})")
        return Refused(f"auth.revoke says {error}")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Tries the token. `invalid_auth` proves its death only where it was seen alive from here before."""
        if BEYOND in ref.details:
            return Unknown(ref.details[BEYOND])
        if leak.secret is None:
            return Unknown("without the token itself nothing can be proven")
        reply = self._test(leak.secret)
        verdict = _verdict(reply)
        if verdict == "invalid_auth" and ref.details.get(SEEN):
            verdict = KeyState.DELETED
        match verdict:
            case KeyState.ACTIVE:
                return Alive(f"auth.test still knows the token{_whose(reply)}")
            case KeyState() as state:  # an expired one, too: it never comes back, and cannot be revoked any more
                return Dead(f"the token was tried and refused ({_error(reply)})", state)
            case _:
                return Unknown(self._unclear(reply))

    def needs_secret(self) -> bool:
        """Trying and revoking take the token itself."""
        return True

    def _test(self, token: Secret) -> Reply | NoAnswer:
        return self._api.ask("POST", "auth.test", bearer=token, form={})

    def _unclear(self, reply: Reply | NoAnswer) -> str:
        error = _error(reply)
        return f"auth.test says {error}, which tells nothing of the token" if error else unclear(reply, self._api.host)


def _error(reply: Reply | NoAnswer) -> str:
    return word(reply.data.get("error")) if isinstance(reply, Reply) and reply.data else ""


def _verdict(reply: Reply | NoAnswer) -> KeyState | str | None:
    """The state that an answer of auth.test tells, or its error, or None for no answer of Slack's."""
    if not isinstance(reply, Reply) or not reply.says(200) or not reply.data:
        return None
    if reply.data.get("ok") is True:
        return KeyState.ACTIVE
    return DEAD.get(_error(reply), _error(reply)) if reply.data.get("ok") is False else None


def _whose(reply: Reply | NoAnswer) -> str:
    data = reply.data if isinstance(reply, Reply) and reply.data else {}
    user, team = word(data.get("user")), word(data.get("team_id"))
    return (f" of {user}" if user else "") + (f" in {team}" if team else "")
