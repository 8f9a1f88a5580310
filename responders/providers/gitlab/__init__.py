"""GitLab, described; `tokens` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.about import Ability, About, CredentialNeed, Service
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind, Provider
from responders.providers.servers import FURTHER, servers_of

if TYPE_CHECKING:
    from responders.catalog import Desk

NAME = "gitlab"
FOR_ADMIN = "an administrator's token with scopes api and admin_mode (token_env)"
ACCESS_TOKENS = ("gitlab-personal-access-token", "gitlab-routable-pat", "gitlab-token-legacy")
ABOUT = About(
    NAME,
    "GitLab",
    (
        Ability(
            "access tokens: personal, project, group",
            Capabilities(
                lookup=Lookup.BY_VALUE_SELF,
                disable=DisableKind.NONE,
                reversible=False,
                delete=True,
                prove=ProveKind.TRY_KEY,
                authoriser="the token itself, or an administrator of the server",
            ),
            ACCESS_TOKENS,
            evidence="V-DOC",
            note="Revoking is final. That a token of every scope may revoke itself is not verified.",
        ),
        Ability(
            "all others: deploy, runner, trigger, feed, agent tokens",
            Capabilities(
                lookup=Lookup.BY_VALUE_ADMIN,
                disable=DisableKind.NONE,
                reversible=False,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="an administrator of the server",
            ),
            evidence="V-DOC",
            note="Through an interface for administrators that GitLab calls an experiment; on servers of one's own.",
            by_hand="revoke or reset it where it was made: the project's, group's or user's settings",
        ),
    ),
    services=(Service("https://gitlab.com", why="The server, without /api/v4."),),
    credentials=(
        CredentialNeed(
            "token",
            "An administrator's, on a server of one's own: revokes by id, and reaches the other kinds of token.",
            "scopes api and admin_mode, of an administrator",
        ),
    ),
    options=(FURTHER,),
    docs="https://docs.gitlab.com/api/personal_access_tokens/",
    notes=(
        "A registered token that every configured server refuses counts as dead: configure all servers that you use.",
    ),
    outlives="nothing",
)


def make(desk: Desk) -> Provider:
    """GitLab as configured."""
    from responders.providers.gitlab.tokens import GitlabProvider  # noqa: PLC0415  (describing it loads no HTTP)

    return GitlabProvider(servers_of(desk, "token", under="/api/v4"))
