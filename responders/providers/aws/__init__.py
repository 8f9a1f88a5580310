"""AWS, described; `provider` does the work, and `client` needs botocore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.about import Ability, About, CredentialNeed, OptionNeed, Service
from responders.errors import ProviderError
from responders.provider import Capabilities, DisableKind, Lookup, ProveKind, Provider

if TYPE_CHECKING:
    from responders.catalog import Desk

NAME = "aws"
KEY_KINDS = (
    "aws-secret-access-key",
    "aws-session-token",
    "aws-access-key-id",
    "aws-temporary-access-key-id",
    "aws-ses-smtp-password",
)
ABOUT = About(
    NAME,
    "Amazon Web Services",
    (
        Ability(
            "access keys of IAM users",
            Capabilities(
                lookup=Lookup.BY_ID,
                disable=DisableKind.NATIVE,
                reversible=True,
                delete=True,
                prove=ProveKind.READ_BACK,
                authoriser="an administrator of the key's account",
            ),
            KEY_KINDS,
            evidence="V-SRC",
            note="Temporary keys (ASIA…) cannot be switched off one by one: with `cut_sessions` all sessions of their "
            "user or role from before the leak was answered are denied everything, else a person is asked. Keys of "
            "the root account can be reached by its owner alone.",
        ),
        Ability(
            "service keys: Bedrock, AppSync, Marketplace, CodeCommit",
            Capabilities(
                Lookup.NONE, DisableKind.NONE, False, False, ProveKind.NONE, "a person, at the provider's console"
            ),
            (
                "aws-bedrock-api-key-long-term",
                "aws-bedrock-api-key-short-term",
                "aws-appsync-api-key",
                "aws-mws-auth-token",
                "aws-codecatalyst-git-url",
                "aws-codecommit-git-url",
                "aws-api-gateway-key",
                "aws-service-bearer-token-id",
                "aws-context-specific-credential-id",
            ),
            by_hand="delete it in the console of its service, or under its user's security credentials",
        ),
    ),
    services=(
        Service("https://iam.amazonaws.com", "iam", "Where IAM is, for other partitions."),
        Service("https://sts.amazonaws.com", "sts", "Where STS is, for other partitions."),
    ),
    credentials=(
        CredentialNeed(
            "secret_access_key",
            "Belongs to access_key_id; without both, what AWS's own tools find is used (profile, instance role).",
            "iam:GetAccessKeyLastUsed, iam:ListAccessKeys, iam:UpdateAccessKey, iam:DeleteAccessKey; with cut_sessions "
            "also iam:GetUserPolicy, iam:PutUserPolicy, iam:GetRolePolicy, iam:PutRolePolicy; with quarantine_policy "
            "also iam:AttachUserPolicy; with role also sts:AssumeRole",
        ),
    ),
    options=(
        OptionNeed("access_key_id", "The id of keyfuse's own access key; no secret."),
        OptionNeed("profile", "A profile of ~/.aws/config to use instead."),
        OptionNeed("accounts", "The accounts whose keys are answered for; empty means keyfuse's own account.", ()),
        OptionNeed("role", "The role that is assumed in accounts other than keyfuse's own: its name, with its path."),
        OptionNeed("cut_sessions", "Deny everything to sessions that a leaked key's user or role made before.", False),
        OptionNeed(
            "quarantine_policy",
            "A policy of AWS's to attach to the user as well, such as AWSCompromisedKeyQuarantineV3.",
        ),
    ),
    docs="https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html",
    notes=(
        "Needs botocore: pip install 'keyfuse[aws]'.",
        "keyfuse never changes the key it works with itself.",
        "Policies that keyfuse gave a user or role stay when a key is switched on again: take them off by hand.",
    ),
    outlives="sessions that were made with the key, up to 36 hours, unless cut_sessions ends them",
)


def make(desk: Desk) -> Provider:
    """AWS as configured. Raises ProviderError without botocore."""
    try:
        from responders.providers.aws.client import AwsClient  # noqa: PLC0415  (an extra, and slow to load)
    except ImportError:
        raise ProviderError("AWS needs botocore, which is not installed: pip install 'keyfuse[aws]'") from None
    from responders.providers.aws.owner import Owner  # noqa: PLC0415
    from responders.providers.aws.provider import AwsProvider  # noqa: PLC0415

    option = desk.caller.option
    client = AwsClient(desk.caller, desk.clock)
    owner = Owner(client, desk.clock, cut_sessions=option("cut_sessions"), quarantine=option("quarantine_policy"))
    return AwsProvider(client, owner, desk.clock, tuple(option("accounts")))
