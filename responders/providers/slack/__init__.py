"""Slack, described; `tokens` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.about import Ability, About, Service
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind, Provider

if TYPE_CHECKING:
    from responders.catalog import Desk

NAME = "slack"
CAN_REVOKE = Capabilities(
    lookup=Lookup.BY_VALUE_SELF,
    disable=DisableKind.NONE,
    reversible=False,
    delete=True,
    prove=ProveKind.TRY_KEY,
    authoriser="the token itself",
)
CANNOT = Capabilities(
    Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, at the provider's console"
)
SETTINGS_ONLY = (
    "slack-refresh-token",
    "slack-session-token",
    "slack-session-cookie",
    "slack-webhook-url",
    "slack-workflow-url",
    "slack-trigger-url",
    "slack-signing-secret",
)
ABOUT = About(
    NAME,
    "Slack",
    (
        Ability(
            "tokens: bots', users', apps'",
            CAN_REVOKE,
            evidence="T-KF",
            note="Revoking is final. For app-level (xapp-) and configuration tokens it is not verified that Slack "
            "takes it; what it answers is believed.",
        ),
        Ability(
            "webhooks, signing secrets, cookies, refresh tokens",
            CANNOT,
            SETTINGS_ONLY,
            by_hand="remove or renew it in the app's settings at https://api.slack.com/apps; for a browser session, "
            "sign the user out of all sessions",
        ),
    ),
    services=(Service("https://slack.com/api"),),
    docs="https://docs.slack.dev/reference/methods/auth.revoke",
    notes=("No credential is needed: a leaked token is asked about, and revoked, with itself.",),
    outlives="nothing",
)


def make(desk: Desk) -> Provider:
    """Slack as configured."""
    from responders.providers.asking import JsonApi  # noqa: PLC0415  (describing it loads no HTTP)
    from responders.providers.slack.tokens import SlackProvider  # noqa: PLC0415

    return SlackProvider(JsonApi(desk.caller))
