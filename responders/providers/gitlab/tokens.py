"""GitLab, gitlab.com and servers of one's own: access tokens as themselves, every kind of token as an administrator.

- Access tokens (personal, project, group): GET /personal_access_tokens/self tells id and state; they end by DELETE of
  the same, or by DELETE /personal_access_tokens/{id} with an administrator's token where there is one. GitLab's
  documentation and several scanners; that every scope may end itself is not verified, so a 403 is told as such.
- All other kinds (deploy, runner, trigger, feed, agent tokens and so on): POST and DELETE /admin/token, with an
  administrator's token on a server of one's own; by its documentation an experiment, codes partly from memory.
- There is no way to disable a token.

The administrator's token needs scope `api` and `admin_mode`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from responders.about import Trial
from responders.http import NoAnswer
from responders.provider import (
    ITSELF,
    Alive,
    Ambiguous,
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
    known_id,
    not_done,
    out_of_reach,
    segment,
    text_of,
    trial,
    unclear,
)
from responders.providers.gitlab import ABOUT, FOR_ADMIN, NAME
from responders.providers.servers import Server
from responders.registry import KeyState, KnownKey
from scanner.model import Secret

OTHER_PREFIXES = (
    b"gldt-", b"glrt-", b"glrtr-", b"glptt-", b"glcbt-", b"glft-", b"glffct-", b"glimt-", b"glagent-", b"gloas-",
    b"glsoat-", b"glwt-", b"GR1348941", b"_gitlab_session=",
)  # fmt: skip
OTHER_RULES = frozenset({"gitlab-incoming-mail-address"})
SERVER, TOKEN_ID, BY = "server", "token", "by"
SELF, ADMIN = "itself", "administrator"


@dataclass(frozen=True, slots=True)
class _Read:
    """What one server says of a token: its state, and its id there."""

    state: KeyState
    token_id: str = ""


class GitlabProvider:
    """Tries and revokes GitLab's tokens (see `responders.provider.Provider`).

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
        """Whose token it is: asked with the token itself, or by an administrator. Refused everywhere, it is dead."""
        if leak.secret is None:
            return Unknown("GitLab is asked with the token itself, which is not at hand any more")
        by = ADMIN if _is_other(leak) else SELF
        urls = [url for url, server in self._servers.items() if by == SELF or server.trusted]
        if not urls:
            why = f"a {leak.kind.name} of GitLab is reached only with {FOR_ADMIN}"
            return out_of_reach(NAME, known, why)
        found: list[tuple[str, _Read]] = []
        unsure = []
        for url in urls:
            reply = self._ask(url, leak.secret, by)
            read = _read(reply, by)
            if read is None:
                unsure.append(unclear(reply, self._servers[url].api.host))
            elif read.state is not KeyState.DELETED or read.token_id:
                found.append((url, read))
        if len(found) > 1:
            hosts = tuple(self._servers[url].api.host for url, _ in found)
            return Ambiguous(hosts, "several servers know this token")
        if unsure and not found:
            return Unknown("; ".join(unsure))
        return self._identified(leak.secret, known, by, found, urls)

    def _identified(
        self, secret: Secret, known: KnownKey | None, by: str, found: list[tuple[str, _Read]], asked: Sequence[str]
    ) -> Identity:
        ours = known is not None and known.provider == NAME
        if not found:
            evidence = f"{' and '.join(self._servers[url].api.host for url in asked)} does not know the token"
            if not ours:
                return NotFound(evidence, sees_all=False)
            found = [(asked[0], _Read(KeyState.DELETED))]
        else:
            evidence = f"{self._servers[found[0][0]].api.host} knows the token"
        [(url, read)] = found
        token_id = read.token_id and f"{self._servers[url].api.host}/{read.token_id}"
        ref = KeyRef(
            NAME,
            known_id(NAME, known) or token_id or ITSELF,
            {SERVER: url, BY: by, TOKEN_ID: read.token_id},
        )
        return Identified(ref, read.state, evidence=evidence, owners=known.owners if known and ours else ())

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("GitLab cannot disable a token, only revoke it for good")

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("GitLab cannot bring a token back; make a new one")

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("GitLab has no locks on tokens")

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Revokes the token: by its id where an administrator may, else with the token itself."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        url, token_id = self._where(ref)
        if url not in self._servers:
            return Unsupported("the server that knows this token is not configured any more")
        api, admin = self._servers[url].api, self._servers[url].login()
        if ref.details.get(BY) == ADMIN:
            return self._delete_as_admin(api, admin, leak.secret)
        if admin is not None and token_id:
            reply = api.ask("DELETE", f"personal_access_tokens/{segment(token_id)}", headers=_login(admin))
            if isinstance(reply, Reply) and reply.ok:
                return Done(f"{api.host} revoked token {token_id} for the administrator ({reply.status})")
            return not_done(reply, api.host, needs=FOR_ADMIN)
        if leak.secret is None:
            return Unsupported("without the token itself or an administrator's it cannot be revoked")
        reply = api.ask("DELETE", "personal_access_tokens/self", headers=_login(leak.secret))
        if isinstance(reply, Reply):
            if reply.ok:
                return Done(f"{api.host} let the token revoke itself ({reply.status})")
            if reply.says(401):
                return Done(f"{api.host} refuses the token already (401)")
        return not_done(reply, api.host, needs="a token whose scopes let it revoke itself, or " + FOR_ADMIN)

    def _where(self, ref: KeyRef) -> tuple[str, str]:
        """The server and the token's id there; also for a reference that is an id alone, HOST/NUMBER."""
        if SERVER in ref.details:
            return ref.details[SERVER], ref.details.get(TOKEN_ID, "")
        host, _, number = ref.id.rpartition("/")
        urls = [url for url, server in self._servers.items() if server.api.host == host and number.isdecimal()]
        return (urls[0], number) if len(urls) == 1 else ("", "")

    def _delete_as_admin(self, api: JsonApi, admin: Secret | None, token: Secret | None) -> Receipt:
        if admin is None or token is None:
            return Unsupported(f"without the token itself and {FOR_ADMIN} it cannot be revoked")
        reply = api.ask("DELETE", "admin/token", headers=_login(admin), body={"token": text_of(token)})
        if isinstance(reply, Reply):
            if reply.ok:
                return Done(f"{api.host} revoked the token for the administrator ({reply.status})")
            if reply.says(404):
                return Done(f"{api.host} knows no such token any more (404)")
            if reply.says(422):
                return Unsupported(f"{api.host} cannot revoke tokens of this kind (422)")
        return not_done(reply, api.host, needs=FOR_ADMIN)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Tries the token, or asks as an administrator; without the token, reads its record back by its id."""
        url, by = ref.details.get(SERVER, ""), ref.details.get(BY, SELF)
        if BEYOND in ref.details:
            return Unknown(ref.details[BEYOND])
        if url not in self._servers:
            return Unknown("the server that knows this token is not configured any more")
        api, admin = self._servers[url].api, self._servers[url].login()
        token_id = ref.details.get(TOKEN_ID, "")
        if leak.secret is not None:
            reply = self._ask(url, leak.secret, by)
        elif admin is not None and token_id and by == SELF:
            reply, by = api.ask("GET", f"personal_access_tokens/{segment(token_id)}", headers=_login(admin)), "id"
        else:
            return Unknown("without the token itself nothing can be proven")
        read = _read(reply, by)
        if read is None:
            return Unknown(unclear(reply, api.host))
        if read.state is KeyState.ACTIVE:
            return Alive(f"{api.host} still takes the token")
        if read.state is KeyState.EXPIRED and wanted is KeyState.DELETED:
            return Alive(f"{api.host} says that the token has expired, not that it is revoked")
        return Dead(f"{api.host} {'refuses the token' if by == SELF else 'says that the token is gone'}", read.state)

    def needs_secret(self) -> bool:
        """Trying and revoking take the token itself."""
        return True

    def trials(self) -> Sequence[Trial]:
        """Tries the administrator's token."""
        main = next(iter(self._servers.values()))
        return [trial(main.caller, "token", lambda: _own_record(main))]

    def _ask(self, url: str, token: Secret, by: str) -> Reply | NoAnswer:
        api, admin = self._servers[url].api, self._servers[url].login()
        if by == SELF:
            return api.ask("GET", "personal_access_tokens/self", headers=_login(token))
        if admin is None:
            return NoAnswer(f"{api.host} is asked with {FOR_ADMIN}, which is not configured any more", sent=False)
        return api.ask("POST", "admin/token", headers=_login(admin), body={"token": text_of(token)})


def _own_record(server: Server) -> Reply | NoAnswer:
    token = server.login()
    return server.api.ask("GET", "personal_access_tokens/self", headers=_login(token) if token else {})


def _login(token: Secret) -> dict[str, str]:
    return {"PRIVATE-TOKEN": text_of(token)}


def _is_other(leak: Leak) -> bool:
    """Whether it is no access token, and so can say nothing for itself."""
    if leak.secret is None or leak.kind.id in OTHER_RULES:
        return True
    return leak.secret.reveal().startswith(OTHER_PREFIXES)


def _read(reply: Reply | NoAnswer, by: str) -> _Read | None:
    """The state that an answer tells, or None. A token that is refused or unknown reads deleted, without an id."""
    if not isinstance(reply, Reply) or reply.data is None:
        return None
    if reply.says(200) and "id" in reply.data:
        return _Read(_state(reply.data, by), str(reply.data["id"])[:40])
    gone = {SELF: 401, ADMIN: 404}.get(by, 0)
    if reply.says(gone) and ("message" in reply.data or "error" in reply.data):
        return _Read(KeyState.DELETED)
    if by == SELF and reply.says(403) and ("message" in reply.data or "error" in reply.data):
        return _Read(KeyState.ACTIVE)  # it is known, and may not even ask about itself
    return None


def _state(data: Mapping[str, Any], by: str) -> KeyState:
    """Runners have an `active` of another meaning, so only an access token's own record is read for it."""
    if data.get("revoked") is True:
        return KeyState.DELETED
    if data.get("expired") is True or (by != ADMIN and data.get("active") is False):
        return KeyState.EXPIRED
    return KeyState.ACTIVE
