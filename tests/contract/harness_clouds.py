"""The harnesses of the vendors whose providers are Python: AWS, Azure, GitHub, GitLab, Google Cloud, Slack."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from responders.catalog import about
from responders.connection import ProviderSettings
from responders.provider import Leak
from responders.registry import KeyState, KnownKey
from scanner.model import Secret, Severity, TokenKind
from tests.contract.provider_harness import Before
from tests.contract.vendor import VendorHarness, connected
from tests.support.fakes.aws import ACCOUNT, Aws, backend
from tests.support.fakes.azure import OWN_APP, SUBSCRIPTION, TENANT, Azure
from tests.support.fakes.github import Github
from tests.support.fakes.gitlab import Gitlab
from tests.support.fakes.google import Google, pem
from tests.support.fakes.slack import Slack
from tests.support.stores import FINGERPRINTER, Clock, known_key
from tests.support.tokens import github_token, text

RNG = random.Random(20260301)


def kind_of(rule: str, provider: str) -> TokenKind:
    """A rule's kind, as a finding has it."""
    return TokenKind(rule, rule, provider, Severity.CRITICAL)


def registered(provider: str, value: str, **more: object) -> KnownKey:
    """The registry's record of a value."""
    return known_key(1, provider=provider, fingerprint=FINGERPRINTER.of(value.encode()), **more)


class CloudHarness(VendorHarness):
    """A vendor that can do more with some kinds of key than with others."""

    kind = ""

    def __init__(self, clock: Clock) -> None:
        described = about(self.name)
        assert described is not None
        rows = [row for row in described.abilities if self.kind in row.kinds]
        if rows:
            self.able = rows[0].capabilities
        super().__init__(clock)

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        """As `leaked`."""
        raise NotImplementedError

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        leak, known = self.put(before)
        self.fake.before = copy.deepcopy(self.fake.state)
        self.fake.changes = 0
        return leak, known


class TokenHarness(CloudHarness):
    """Vendors whose tokens are tried and revoked as themselves: dead is dead, and nothing is disabled."""

    def new(self) -> str:
        """A fresh value."""
        raise NotImplementedError

    def add(self, value: str) -> None:
        """The vendor knows it from now on."""
        raise NotImplementedError

    def revoke(self, value: str) -> None:
        """It is dead from now on."""
        raise NotImplementedError

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        value = self.new()
        secret = Secret(value.encode())
        self.fake.secrets.append(secret)
        leak = Leak(kind_of(self.kind, self.name), secret)
        match before:
            case Before.UNKNOWN:
                return leak, None
            case Before.SOMEONE_ELSES:
                return leak, registered("elsewhere", value)
            case Before.DELETED:
                self.add(value)
                self.revoke(value)
            case _:
                self.add(value)
        return leak, registered(self.name, value)


class GithubHarness(TokenHarness):
    """github.com."""

    name = "github"
    kind = "github-pat"
    fake: Github

    def make_fake(self) -> Github:
        return Github()

    def new(self) -> str:
        return github_token(RNG)

    def add(self, value: str) -> None:
        self.fake.add(value)

    def revoke(self, value: str) -> None:
        self.fake.state["tokens"][value]["state"] = "revoked"

    def state(self, leak: Leak) -> KeyState | None:
        token = self.fake.state["tokens"].get(said(leak))
        return None if token is None else KeyState.ACTIVE if token["state"] == "active" else KeyState.DELETED

    def works(self, leak: Leak) -> bool:
        token = self.fake.state["tokens"].get(said(leak))
        return token is not None and token["state"] != "revoked"


class GithubEnterpriseHarness(GithubHarness):
    """An Enterprise Server, where revoking takes a token."""

    def make_fake(self) -> Github:
        return Github(enterprise="an-account-of-the-server")

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, token="GHES_TOKEN")

    def environ(self) -> dict[str, str]:
        return {"GHES_TOKEN": self.fake.enterprise}


class GithubInstallationHarness(GithubHarness):
    """An App's installation token."""

    kind = "github-app-installation-token"

    def new(self) -> str:
        return github_token(RNG, "ghs")


class GitlabHarness(TokenHarness):
    """gitlab.com, where nobody is an administrator."""

    name = "gitlab"
    kind = "gitlab-personal-access-token"
    fake: Gitlab

    def make_fake(self) -> Gitlab:
        return Gitlab()

    def new(self) -> str:
        return "glpat" + "-" + text(RNG, 20)

    def add(self, value: str) -> None:
        self.fake.add(value)

    def revoke(self, value: str) -> None:
        self.fake.state["tokens"][value] |= {"revoked": True, "active": False}

    def state(self, leak: Leak) -> KeyState | None:
        token = self.fake.state["tokens"].get(said(leak))
        return None if token is None else KeyState.DELETED if token["revoked"] else KeyState.ACTIVE


class GitlabAdminHarness(GitlabHarness):
    """A server of one's own, as its administrator."""

    def make_fake(self) -> Gitlab:
        return Gitlab(admin="the-administrator's-token")

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, token="GITLAB_ADMIN")

    def environ(self) -> dict[str, str]:
        return {"GITLAB_ADMIN": self.fake.admin}


class GitlabRunnerHarness(GitlabAdminHarness):
    """A runner's token, which only an administrator reaches."""

    kind = "gitlab-runner-token"

    def new(self) -> str:
        return "glrt" + "-" + text(RNG, 20)

    def add(self, value: str) -> None:
        self.fake.add(value, access=False)


class SlackHarness(TokenHarness):
    """Slack."""

    name = "slack"
    kind = "slack-bot-token"
    fake: Slack

    def make_fake(self) -> Slack:
        return Slack()

    def new(self) -> str:
        return "-".join(("xoxb", text(RNG, 12, "0123456789"), text(RNG, 12, "0123456789"), text(RNG, 24)))

    def add(self, value: str) -> None:
        self.fake.add(value)

    def revoke(self, value: str) -> None:
        self.fake.state["tokens"][value] = "revoked"

    def state(self, leak: Leak) -> KeyState | None:
        state = self.fake.state["tokens"].get(said(leak))
        return None if state is None else KeyState.DELETED if state == "revoked" else KeyState.ACTIVE


class GoogleFileHarness(CloudHarness):
    """Keys of service accounts."""

    name = "google"
    kind = "gcp-service-account-key"
    states = frozenset({Before.ACTIVE, Before.DISABLED, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})
    email = "app@ours.iam.gserviceaccount.com"
    fake: Google

    def make_fake(self) -> Google:
        return Google()

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, service_account="GOOGLE_KEY")

    def environ(self) -> dict[str, str]:
        return {"GOOGLE_KEY": self.fake.key_file()}

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        key_id, email = text(RNG, 40, "0123456789abcdef"), self.email
        if before is Before.SOMEONE_ELSES:
            email = "app@theirs.iam.gserviceaccount.com"
        elif before not in (Before.UNKNOWN, Before.DELETED):
            self.fake.state["files"][key_id] = {"email": email, "disabled": before is Before.DISABLED}
        parts = {"id": Secret(key_id.encode()), "email": Secret(email.encode())}
        leak = Leak(kind_of(self.kind, self.name), Secret(pem().encode()), parts)
        if before in (Before.UNKNOWN, Before.SOMEONE_ELSES):
            return leak, None
        return leak, registered(self.name, pem(), provider_key_id=key_id, iam_id=email)

    def state(self, leak: Leak) -> KeyState | None:
        key = self.fake.state["files"].get(leak.parts["id"].reveal().decode())
        return None if key is None else KeyState.DISABLED if key["disabled"] else KeyState.ACTIVE

    def enable_again(self, leak: Leak) -> None:
        self.fake.state["files"][leak.parts["id"].reveal().decode()]["disabled"] = False


class GoogleApiKeyHarness(CloudHarness):
    """API keys."""

    name = "google"
    kind = "google-api-key"
    fake: Google

    def make_fake(self) -> Google:
        return Google()

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, service_account="GOOGLE_KEY")

    def environ(self) -> dict[str, str]:
        return {"GOOGLE_KEY": self.fake.key_file()}

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        value = "AI" + "za" + text(RNG, 35)
        self.fake.secrets.append(Secret(value.encode()))
        leak = Leak(kind_of(self.kind, self.name), Secret(value.encode()))
        if before is Before.SOMEONE_ELSES:
            return leak, registered("elsewhere", value)
        if before is Before.UNKNOWN:
            return leak, None
        name = f"projects/1/locations/global/keys/{uuid.UUID(int=RNG.getrandbits(128))}"
        self.fake.state["api_keys"][name] = {"value": value, "deleted": before is Before.DELETED}
        return leak, registered(self.name, value, provider_key_id=name)

    def state(self, leak: Leak) -> KeyState | None:
        for key in self.fake.state["api_keys"].values():
            if key["value"] == said(leak):
                return KeyState.DELETED if key["deleted"] else KeyState.ACTIVE
        return None


class AzureHarness(CloudHarness):
    """What both sorts of Azure's keys share. Nothing is disabled but the owner."""

    name = "azure"
    states = frozenset({Before.ACTIVE, Before.DISABLED, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})
    fake: Azure

    def make_fake(self) -> Azure:
        return Azure(own="abc8Q~" + text(RNG, 34))

    def settings(self) -> ProviderSettings:
        settings = connected(
            self.name, self.fake, {"tenant": TENANT, "client_id": OWN_APP}, client_secret="AZURE_SECRET"
        )
        return replace(settings, options={**settings.options, "subscriptions": (SUBSCRIPTION,)})

    def environ(self) -> dict[str, str]:
        return {"AZURE_SECRET": self.fake.own}


class AzureSecretHarness(AzureHarness):
    """Client secrets of an application with another secret besides."""

    kind = "azure-entra-client-secret"
    app = "aaaaaaaa-1111-4000-8000-000000000000"

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        value, key_id = text(RNG, 3) + "8Q~" + text(RNG, 34), str(uuid.UUID(int=RNG.getrandbits(128)))
        self.fake.secrets.append(Secret(value.encode()))
        there = {} if before in (Before.UNKNOWN, Before.DELETED) else {key_id: value}
        if before is not Before.SOMEONE_ELSES:
            self.fake.add_app(self.app, {str(uuid.UUID(int=5)): "---another", **there})
            self.fake.state["apps"][self.app]["enabled"] = before is not Before.DISABLED
        parts = {"client": Secret(self.app.encode())}
        leak = Leak(kind_of(self.kind, self.name), Secret(value.encode()), parts)
        if before in (Before.UNKNOWN, Before.SOMEONE_ELSES):
            return leak, None
        return leak, registered(self.name, value, provider_key_id=key_id, iam_id=self.app)

    def state(self, leak: Leak) -> KeyState | None:
        app = self.fake.state["apps"].get(self.app)
        if app is None or said(leak) not in app["secrets"].values():
            return None
        return KeyState.ACTIVE if app["enabled"] else KeyState.DISABLED

    def enable_again(self, leak: Leak) -> None:
        self.fake.state["apps"][self.app]["enabled"] = True


class AzureStorageHarness(AzureHarness):
    """The second key of the third of three storage accounts, which is on the last page."""

    kind = "azure-storage-connection-string"

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        value = text(RNG, 86) + "=="
        self.fake.secrets.append(Secret(value.encode()))
        for name in ("first", "second"):
            self.fake.add_storage(name, (text(RNG, 88), text(RNG, 88)))
        there = before not in (Before.UNKNOWN, Before.DELETED, Before.SOMEONE_ELSES)
        self.fake.add_storage("third", (text(RNG, 88), value if there else text(RNG, 88)))
        self.fake.state["storage"]["third"]["shared"] = False if before is Before.DISABLED else None
        parts = {} if before is Before.SOMEONE_ELSES else {"account": Secret(b"third")}
        leak = Leak(kind_of(self.kind, self.name), Secret(value.encode()), parts)
        if before in (Before.UNKNOWN, Before.SOMEONE_ELSES):
            return leak, None
        return leak, registered(self.name, value)

    def state(self, leak: Leak) -> KeyState | None:
        for account in self.fake.state["storage"].values():
            if said(leak) in (account["key1"], account["key2"]):
                return KeyState.DISABLED if account["shared"] is False else KeyState.ACTIVE
        return None

    def enable_again(self, leak: Leak) -> None:
        self.fake.state["storage"]["third"]["shared"] = True


class AwsHarness(CloudHarness):
    """Access keys of an IAM user."""

    name = "aws"
    kind = "aws-secret-access-key"
    states = frozenset({Before.ACTIVE, Before.DISABLED, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})
    fake: Aws

    def make_fake(self) -> Aws:
        return Aws()

    def settings(self) -> ProviderSettings:
        return connected(self.name, self.fake, {"access_key_id": "keyfuse-itself"}, secret_access_key="AWS_OWN")

    def environ(self) -> dict[str, str]:
        return {"AWS_OWN": "keyfuse's own secret access key"}

    def put(self, before: Before) -> tuple[Leak, KnownKey | None]:
        iam, user = backend(), f"user-{uuid.uuid4().hex}"
        iam.create_user(region_name="us-east-1", user_name=user, path="/")
        key = iam.create_access_key(user)
        key_id, value = key.access_key_id, key.secret_access_key
        if before is Before.SOMEONE_ELSES:
            key_id = "AKIA" + "QAAAAAAVAAAQEAYE"  # of account 42
        elif before in (Before.DELETED, Before.UNKNOWN):
            iam.delete_access_key(key_id, user)
        elif before is Before.DISABLED:
            iam.update_access_key(user, key_id, "Inactive")
        self.fake.secrets.append(Secret(value.encode()))
        parts = {"id": Secret(key_id.encode())}
        leak = Leak(kind_of(self.kind, self.name), Secret(value.encode()), parts)
        if before in (Before.UNKNOWN, Before.SOMEONE_ELSES):
            return leak, None
        return leak, registered(self.name, value, provider_key_id=key_id, account_id=ACCOUNT)

    def state(self, leak: Leak) -> KeyState | None:
        for user in backend().users.values():
            for key in user.access_keys:
                if key.access_key_id == leak.parts["id"].reveal().decode():
                    return {"Active": KeyState.ACTIVE, "Inactive": KeyState.DISABLED}[key.status]
        return None

    def enable_again(self, leak: Leak) -> None:
        for user in backend().users.values():
            for key in user.access_keys:
                if key.access_key_id == leak.parts["id"].reveal().decode():
                    backend().update_access_key(user.name, key.access_key_id, "Active")


def said(leak: Leak) -> str:
    """The leaked value."""
    return cast(Secret, leak.secret).reveal().decode()


HARNESSES: dict[str, Callable[[Clock], VendorHarness]] = {
    "aws": AwsHarness,
    "azure-secret": AzureSecretHarness,
    "azure-storage": AzureStorageHarness,
    "github": GithubHarness,
    "github-enterprise": GithubEnterpriseHarness,
    "github-installation": GithubInstallationHarness,
    "gitlab": GitlabHarness,
    "gitlab-admin": GitlabAdminHarness,
    "gitlab-runner": GitlabRunnerHarness,
    "google-file": GoogleFileHarness,
    "google-api-key": GoogleApiKeyHarness,
    "slack": SlackHarness,
}
