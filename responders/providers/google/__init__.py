"""Google Cloud, described; `service_accounts` and `api_keys` do the work, `provider` puts them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.about import Ability, About, CredentialNeed, OptionNeed, Service
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind, Provider

if TYPE_CHECKING:
    from responders.catalog import Desk

NAME = "google"
FILE_KINDS = ("gcp-service-account-key",)
API_KINDS = ("google-api-key", "google-gemini-api-key")
ABOUT = About(
    NAME,
    "Google Cloud",
    (
        Ability(
            "keys of service accounts",
            Capabilities(
                lookup=Lookup.BY_ID,
                disable=DisableKind.NATIVE,
                reversible=True,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="a service account of keyfuse's own",
            ),
            FILE_KINDS,
            evidence="V-DOC",
        ),
        Ability(
            "API keys",
            Capabilities(
                lookup=Lookup.BY_VALUE_ADMIN,
                disable=DisableKind.NONE,
                reversible=False,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="a service account of keyfuse's own",
            ),
            API_KINDS,
            evidence="M",
            note="There is no disable, but Google keeps a deleted key for 30 days: keys:undelete brings it back.",
        ),
        Ability(
            "OAuth clients' secrets and tokens, reCAPTCHA and HMAC keys",
            Capabilities(
                Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, at the provider's console"
            ),
            (
                "google-oauth-client-secret",
                "google-oauth-client-secret-legacy",
                "google-oauth-access-token",
                "google-oauth-refresh-token",
                "google-recaptcha-key",
                "gcs-hmac-secret",
            ),
            by_hand="replace it in the console under APIs and services; HMAC keys under Cloud Storage, Settings",
        ),
    ),
    services=(
        Service("https://iam.googleapis.com", "iam", "Where the IAM API is."),
        Service("https://apikeys.googleapis.com", "apikeys", "Where the API Keys API is."),
        Service("https://oauth2.googleapis.com", "oauth", "Where access tokens come from."),
    ),
    credentials=(
        CredentialNeed(
            "service_account",
            "The JSON key of keyfuse's own service account, as Google makes it.",
            "iam.serviceAccountKeys.get, .disable, .enable and .delete (roles/iam.serviceAccountKeyAdmin); for API "
            "keys apikeys.keys.lookup, .get and .delete (roles/serviceusage.apiKeysAdmin)",
            required=True,
        ),
    ),
    options=(
        OptionNeed(
            "projects",
            "The projects whose keys are answered for; also searched when a leaked file does not name its account.",
            (),
        ),
    ),
    docs="https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys",
    notes=("The value of an API key is looked up in the body of a request, never in its URL.",),
    outlives="access tokens that were made with the key, up to an hour",
)


def make(desk: Desk) -> Provider:
    """Google Cloud as configured."""
    from responders.providers.asking import JsonApi  # noqa: PLC0415  (describing it loads no HTTP)
    from responders.providers.google.api_keys import ApiKeys  # noqa: PLC0415
    from responders.providers.google.login import GoogleLogin  # noqa: PLC0415
    from responders.providers.google.provider import GoogleProvider  # noqa: PLC0415
    from responders.providers.google.service_accounts import ServiceAccountKeys  # noqa: PLC0415

    login = GoogleLogin(desk.caller, JsonApi(desk.caller, "oauth"), desk.clock)
    projects = tuple(desk.caller.option("projects"))
    return GoogleProvider(
        login,
        ServiceAccountKeys(JsonApi(desk.caller, "iam", under="/v1"), login, desk.clock, projects),
        ApiKeys(JsonApi(desk.caller, "apikeys", under="/v2"), login),
    )
