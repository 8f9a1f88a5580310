"""GitHub, described; `tokens` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.about import Ability, About, CredentialNeed, Service
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind, Provider
from responders.providers.servers import FURTHER, servers_of

if TYPE_CHECKING:
    from responders.catalog import Desk

NAME = "github"
PUBLIC = "api.github.com"
CLIENT_SECRETS = ("github-oauth-client-secret",)
CAN_REVOKE = Capabilities(
    lookup=Lookup.BY_VALUE_SELF,
    disable=DisableKind.NONE,
    reversible=False,
    delete=True,
    prove=ProveKind.TRY_KEY,
    authoriser="nobody at github.com; any account's token at an Enterprise Server",
)
CANNOT = Capabilities(
    Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, at the provider's console"
)
ABOUT = About(
    NAME,
    "GitHub",
    (
        Ability(
            "tokens: personal (classic and fine-grained), OAuth apps', Apps'",
            CAN_REVOKE,
            evidence="V-DOC",
            note="Revoking is final. It is accepted at once and done later, so the token is tried until it is refused. "
            "A refresh token cannot be tried without spending it: its end is never proven.",
        ),
        Ability(
            "client secrets of OAuth apps",
            CANNOT,
            CLIENT_SECRETS,
            by_hand="make a new client secret in the app's settings, then delete the old one",
        ),
    ),
    services=(Service("https://api.github.com", why="https://HOST/api/v3 for an Enterprise Server."),),
    credentials=(
        CredentialNeed(
            "token",
            "For an Enterprise Server alone, which lets nobody revoke anonymously; never sent to github.com.",
            "any account's token, without scopes",
        ),
    ),
    options=(FURTHER,),
    docs="https://docs.github.com/en/rest/credentials/revoke",
    notes=(
        "github.com takes 60 anonymous requests an hour from one address.",
        "A registered token that every configured server refuses counts as dead: configure all servers that you use.",
    ),
    outlives="nothing: access made with it ends with it",
)


def make(desk: Desk) -> Provider:
    """GitHub as configured; keyfuse's own token never goes to github.com, which would refuse the request for it."""
    from dataclasses import replace  # noqa: PLC0415  (describing it loads no HTTP)

    from responders.providers.github.tokens import GithubProvider  # noqa: PLC0415

    servers = servers_of(desk, "token")
    public = [replace(each, credential="") if each.api.host == PUBLIC else each for each in servers]
    return GithubProvider(public)
