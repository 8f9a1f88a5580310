"""Azure, described; `secrets` and `storage` do the work, `provider` puts them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.about import Ability, About, CredentialNeed, OptionNeed, Service
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind, Provider

if TYPE_CHECKING:
    from responders.catalog import Desk

NAME = "azure"
SECRET_KINDS = (
    "azure-entra-client-secret",
    "azure-entra-client-secret-older",
    "azure-entra-client-secret-legacy",
    "azure-service-principal-file",
    "azure-service-principal-output",
)
STORAGE_KINDS = (
    "azure-storage-account-key",
    "azure-storage-account-key-legacy",
    "azure-storage-connection-string",
)
ABOUT = About(
    NAME,
    "Microsoft Azure",
    (
        Ability(
            "client secrets of Entra applications",
            Capabilities(
                lookup=Lookup.BY_MASK,
                disable=DisableKind.OWNER,
                reversible=True,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="an application of keyfuse's own",
            ),
            SECRET_KINDS,
            evidence="M",
            note="`suspend-owner` disables the application's service principal: all its secrets and certificates stop.",
        ),
        Ability(
            "access keys of storage accounts",
            Capabilities(
                lookup=Lookup.BY_VALUE_ADMIN,
                disable=DisableKind.OWNER,
                reversible=True,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="an application of keyfuse's own",
            ),
            STORAGE_KINDS,
            evidence="M",
            note="To delete is to regenerate: the key's place gets a new value. `suspend-owner` forbids shared keys "
            "for the whole storage account. Signatures (SAS) made with a key end with it.",
        ),
        Ability(
            "all others: service keys, SAS, DevOps tokens",
            Capabilities(
                Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, at the provider's console"
            ),
            by_hand="regenerate it where the service shows its keys; revoke DevOps tokens under the user's settings",
        ),
    ),
    services=(
        Service("https://login.microsoftonline.com", "login", "Where access tokens come from, for other clouds."),
        Service("https://graph.microsoft.com", "graph", "Where Microsoft Graph is, for other clouds."),
        Service("https://management.azure.com", "arm", "Where the Resource Manager is, for other clouds."),
    ),
    credentials=(
        CredentialNeed(
            "client_secret",
            "Of the application that keyfuse works as (tenant, client_id).",
            "Graph: Application.ReadWrite.OwnedBy of the applications it owns, or Application.ReadWrite.All; storage: "
            "Microsoft.Storage/storageAccounts/read, /listKeys/action, /regenerateKey/action and, for suspend-owner, "
            "/write",
            required=True,
        ),
    ),
    options=(
        OptionNeed("tenant", "The tenant's id.", required=True),
        OptionNeed("client_id", "The id of the application that keyfuse works as.", required=True),
        OptionNeed("subscriptions", "Ids of the subscriptions whose storage accounts are answered for.", ()),
    ),
    docs="https://learn.microsoft.com/en-us/graph/api/application-removepassword",
    notes=(
        "A client secret is tried once, at the tenant's own login, to tell it from others with the same beginning.",
    ),
    outlives="access tokens that were made with a client secret, up to 90 minutes",
)


def make(desk: Desk) -> Provider:
    """Azure as configured."""
    from responders.providers.asking import JsonApi  # noqa: PLC0415  (describing it loads no HTTP)
    from responders.providers.azure.login import AzureLogin  # noqa: PLC0415
    from responders.providers.azure.provider import AzureProvider  # noqa: PLC0415
    from responders.providers.azure.secrets import ClientSecrets  # noqa: PLC0415
    from responders.providers.azure.storage import StorageKeys  # noqa: PLC0415

    login = AzureLogin(desk.caller, JsonApi(desk.caller, "login"), desk.clock)
    graph = JsonApi(desk.caller, "graph", under="/v1.0")
    return AzureProvider(
        ClientSecrets(graph, login, desk.clock),
        StorageKeys(JsonApi(desk.caller, "arm"), login, tuple(desk.caller.option("subscriptions"))),
    )
