"""GitHub: tokens are tried by calling as themselves, and ended by its public revocation API.

- Whether a token lives: GET /user (GET /installation/repositories for an App's installation token), 200 or 401. From
  memory, and as several scanners do.
- The end of a token: POST /credentials/revoke with up to 1000 tokens, anonymously at github.com (an authenticated call
  gets 403), with a token at an Enterprise Server. The answer is 202 whatever the tokens are, and the effect comes
  later, so it is proven by trying the token until it is refused. GitHub's documentation, not tried against it.
- An installation token ends by DELETE /installation/token with the token itself: 204. From memory.
- GitHub cannot disable a token. An App's refresh token cannot be tried without spending it.

No right is needed at github.com; at an Enterprise Server any account's token without scopes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from responders.about import Trial
from responders.http import NoAnswer
from responders.provider import (
    Accepted,
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
    Unknown,
    Unsupported,
)
from responders.providers.asking import (
    BEYOND,
    JsonApi,
    Reply,
    digest,
    known_id,
    not_done,
    out_of_reach,
    text_of,
    trial,
    unclear,
    word,
)
from responders.providers.github import ABOUT, CLIENT_SECRETS, NAME
from responders.providers.servers import Server
from responders.registry import KeyState, KnownKey
from scanner.model import Secret

MOST_AT_ONCE = 1000
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
SERVER = "server"


class GithubProvider:
    """Tries and revokes GitHub's tokens (see `responders.provider.Provider`).

    A token is tried at each of `servers` in turn: it does not say which it belongs to.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = {server.api.base: server for server in servers}

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return NAME

    @property
    def capabilities(self) -> Capabilities:
        """It can only revoke."""
        return ABOUT.capabilities

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """Whose token it is, by asking with the token itself. One that every server refuses is dead."""
        if leak.kind.id in CLIENT_SECRETS:
            why = "the client secret of an OAuth app can only be replaced in the app's settings"
            return out_of_reach(NAME, known, why)
        if leak.secret is None:
            return Unknown("GitHub is asked with the token itself, which is not at hand any more")
        ref_id = known_id(NAME, known) or digest(leak.secret)
        if _is_refresh(leak.secret):
            return self._identify_refresh(ref_id, known)
        unsure = []
        for url, server in self._servers.items():
            api = server.api
            reply = _try(api, leak.secret)
            match _state(reply):
                case KeyState.ACTIVE:
                    evidence = f"{api.host} knows the token{_whose(reply)}"
                    return Identified(KeyRef(NAME, ref_id, {SERVER: url}), KeyState.ACTIVE, evidence=evidence)
                case None:
                    unsure.append(unclear(reply, api.host))
        if unsure:
            return Unknown("; ".join(unsure))
        evidence = f"{self._hosts()} refused the token (401)"
        if known is None or known.provider != NAME:
            return NotFound(evidence, sees_all=False)
        ref = KeyRef(NAME, ref_id, {SERVER: next(iter(self._servers))})
        return Identified(ref, KeyState.DELETED, evidence=evidence, owners=known.owners)

    def _identify_refresh(self, ref_id: str, known: KnownKey | None) -> Identity:
        if known is None or known.provider != NAME:
            return Unknown("a refresh token cannot be tried without spending it, and the registry does not know it")
        if len(self._servers) > 1:
            return NotFound("a refresh token does not tell which of the configured servers it is for", sees_all=False)
        evidence = "the registry's record; a refresh token cannot be tried without spending it"
        ref = KeyRef(NAME, ref_id, {SERVER: next(iter(self._servers))})
        return Identified(ref, known.state, locked=known.locked, evidence=evidence, owners=known.owners, asked=False)

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("GitHub cannot disable a token, only revoke it for good")

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("GitHub cannot bring a token back; make a new one")

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("GitHub has no locks on tokens")

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Revokes the token. GitHub accepts that and does it some time."""
        server = self._servers.get(ref.details.get(SERVER, ""))
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        if server is None or leak.secret is None:
            return Unsupported("without the token itself, or its server in the configuration, it cannot be revoked")
        if _is_installation(leak.secret):
            return _end_installation(server.api, leak.secret)
        return _revoke(server, [leak.secret])

    def revoke(self, server: str, tokens: Sequence[Secret]) -> Iterator[tuple[Sequence[Secret], Receipt]]:
        """Revokes many tokens of one configured server, as many at once as it takes; each batch with its receipt.

        github.com takes 60 requests an hour from one address, so that a flood of single ones would be turned away.
        """
        for start in range(0, len(tokens), MOST_AT_ONCE):
            batch = tokens[start : start + MOST_AT_ONCE]
            yield batch, _revoke(self._servers[server], batch)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Tries the token: dead when it is refused."""
        server = self._servers.get(ref.details.get(SERVER, ""))
        if BEYOND in ref.details:
            return Unknown(ref.details[BEYOND])
        if server is None or leak.secret is None:
            return Unknown("without the token itself, or its server in the configuration, nothing can be proven")
        if _is_refresh(leak.secret):
            return Unknown(
                "a refresh token cannot be tried without spending it; see the owner's security log at GitHub"
            )
        api = server.api
        reply = _try(api, leak.secret)
        match _state(reply):
            case KeyState.ACTIVE:
                return Alive(f"{api.host} still takes the token{_whose(reply)}")
            case KeyState.DELETED:
                return Dead(f"the token was tried and refused by {api.host} (401)", KeyState.DELETED)
            case _:
                return Unknown(unclear(reply, api.host))

    def needs_secret(self) -> bool:
        """Trying and revoking take the token itself."""
        return True

    def trials(self) -> Sequence[Trial]:
        """Tries the token for an Enterprise Server."""
        main = next(iter(self._servers.values()))
        return [trial(main.caller, "token", lambda: main.api.ask("GET", "user", bearer=main.login(), headers=HEADERS))]

    def _hosts(self) -> str:
        return " and ".join(server.api.host for server in self._servers.values())


def _is_installation(token: Secret) -> bool:
    return token.reveal().startswith(b"ghs_")


def _is_refresh(token: Secret) -> bool:
    return token.reveal().startswith(b"ghr_")


def _try(api: JsonApi, token: Secret) -> Reply | NoAnswer:
    if _is_installation(token):
        return api.ask("GET", "installation/repositories", bearer=token, headers=HEADERS, query={"per_page": "1"})
    return api.ask("GET", "user", bearer=token, headers=HEADERS)


def _state(reply: Reply | NoAnswer) -> KeyState | None:
    """What an answer to a try says. A 403 that is no limit knows the token and forbids what was asked."""
    if not isinstance(reply, Reply) or not reply.data:
        return None
    if reply.says(200) and ("login" in reply.data or "repositories" in reply.data):
        return KeyState.ACTIVE
    if reply.says(403) and "message" in reply.data:
        return KeyState.ACTIVE
    return KeyState.DELETED if reply.says(401) and "message" in reply.data else None


def _whose(reply: Reply | NoAnswer) -> str:
    login = word(reply.data.get("login")) if isinstance(reply, Reply) and reply.data else ""
    return f" of {login}" if login else ""


def _revoke(server: Server, tokens: Sequence[Secret]) -> Receipt:
    host, body = server.api.host, {"credentials": [text_of(token) for token in tokens]}
    reply = server.api.ask(
        "POST", "credentials/revoke", bearer=server.login(), headers=HEADERS, body=body, secrets=tokens
    )
    if isinstance(reply, Reply):
        if reply.status == 202:
            return Accepted(f"{host} took the revocation (202), which takes effect some time later")
        if reply.says(404):
            return Unsupported(f"{host} has no revocation API; older Enterprise Servers have none")
    return not_done(reply, host, needs="a token of any account at an Enterprise Server (token_env)")


def _end_installation(api: JsonApi, token: Secret) -> Receipt:
    reply = api.ask("DELETE", "installation/token", bearer=token, headers=HEADERS)
    if isinstance(reply, Reply):
        if reply.status == 204:
            return Done(f"{api.host} ended the installation token (204)")
        if reply.says(401):
            return Done(f"{api.host} refuses the installation token already (401)")
    return not_done(reply, api.host)
