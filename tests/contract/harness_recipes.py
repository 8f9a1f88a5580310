"""The harnesses of the recipes: which fake, which rule, which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from responders.catalog import about
from responders.connection import ProviderSettings
from responders.provider import Capabilities, Leak
from responders.registry import KeyState, KnownKey
from scanner.model import Secret, Severity, TokenKind
from tests.contract.provider_harness import Before
from tests.contract.vendor import VendorHarness, connected
from tests.support.fakes import administered as a
from tests.support.fakes import self_service as s
from tests.support.fakes.keys import KeyFake
from tests.support.stores import FINGERPRINTER, Clock, known_key

STATES = {"active": KeyState.ACTIVE, "disabled": KeyState.DISABLED, "gone": KeyState.DELETED, None: None}
NO_DISABLING = frozenset({Before.ACTIVE, Before.DELETED, Before.UNKNOWN, Before.SOMEONE_ELSES})


@dataclass(frozen=True)
class Case:
    """One sort of key of one recipe. `registered` is the form of the id that its record must name, if it must."""

    provider: str
    rule: str
    fake: Callable[[], KeyFake]
    credentials: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    registered: str = ""
    in_urls: bool = False


class RecipeHarness(VendorHarness):
    """A recipe over a fake that was written from the vendor's documentation."""

    fake: KeyFake

    def __init__(self, case: Case, clock: Clock) -> None:
        self._case = case
        self.name = case.provider
        self._kind = TokenKind(case.rule, case.rule, case.provider, Severity.CRITICAL)
        described = about(case.provider)
        assert described is not None
        self.able: Capabilities = next(row.capabilities for row in described.abilities if case.rule in row.kinds)
        self.states = NO_DISABLING | ({Before.DISABLED} if self.able.reversible else frozenset())
        super().__init__(clock)
        self.fake.in_urls = case.in_urls

    def make_fake(self) -> KeyFake:
        return self._case.fake()

    def settings(self) -> ProviderSettings:
        variables = {name: f"TEST_{name.upper()}" for name in self._case.credentials}
        return connected(self.name, self.fake, self._case.options, **variables)

    def environ(self) -> Mapping[str, str]:
        return {
            f"TEST_{name.upper()}": str(getattr(self.fake, attribute))
            for name, attribute in self._case.credentials.items()
        }

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        self.fake.arrange({Before.DISABLED: "disabled", Before.DELETED: "gone"}.get(before, "active"))
        stranger = before in (Before.UNKNOWN, Before.SOMEONE_ELSES)
        value = (self.fake.stranger if stranger else self.fake.value).encode()
        parts = {} if stranger else {name: Secret(text.encode()) for name, text in self.fake.parts().items()}
        leak = Leak(self._kind, Secret(value), parts)
        if before is Before.UNKNOWN:
            return leak, None
        known = known_key(
            1,
            provider="elsewhere" if stranger else self.name,
            provider_key_id=self._case.registered.format(id=self.fake.id),
            fingerprint=FINGERPRINTER.of(value),
        )
        return leak, known

    def state(self, leak: Leak) -> KeyState | None:
        assert leak.secret is not None
        return STATES[self.fake.state_of(leak.secret.reveal().decode())]

    def enable_again(self, leak: Leak) -> None:
        changes = self.fake.changes
        self.fake.arrange("active")
        self.fake.changes = changes


ADMIN = {"token": "admin"}
CASES = {
    "anthropic": Case("anthropic", "anthropic-api-key", a.Anthropic, ADMIN),
    "atlassian": Case("atlassian", "atlassian-api-token", a.Atlassian, ADMIN, registered="person-1/{id}"),
    "atlassian organization": Case("atlassian", "atlassian-org-api-key", a.AtlassianOrg),
    "buildkite": Case("buildkite", "buildkite-user-access-token", s.Buildkite),
    "circleci": Case("circleci", "circleci-personal-token", s.CircleCi),
    "cloudflare": Case("cloudflare", "cloudflare-user-api-token", a.Cloudflare, ADMIN),
    "cloudflare account": Case(
        "cloudflare", "cloudflare-account-api-token", a.CloudflareAccount, ADMIN, {"account": "acc1"}
    ),
    "crates-io": Case("crates-io", "crates-io-api-token", s.CratesIo),
    "databricks": Case("databricks", "databricks-personal-access-token", a.Databricks, ADMIN, registered="{id}"),
    "datadog": Case("datadog", "datadog-api-key", a.Datadog, {**ADMIN, "application": "application"}),
    "datadog application": Case(
        "datadog", "datadog-application-key", a.DatadogApplication, {**ADMIN, "application": "application"}
    ),
    "digitalocean": Case("digitalocean", "digitalocean-personal-access-token", s.DigitalOcean),
    "discord bot": Case("discord", "discord-bot-token", s.DiscordBot),
    "discord webhook": Case("discord", "discord-webhook-url", s.DiscordWebhook, in_urls=True),
    "doppler": Case("doppler", "doppler-service-token", s.Doppler),
    "fastly": Case("fastly", "fastly-api-token", s.Fastly, ADMIN),
    "fastly alone": Case("fastly", "fastly-api-token", s.Fastly),
    "grafana": Case("grafana", "grafana-service-account-token", a.Grafana, ADMIN, registered="5/{id}"),
    "heroku": Case("heroku", "heroku-api-token", a.Heroku),
    "huggingface": Case("huggingface", "huggingface-access-token", s.HuggingFace),
    "linear": Case("linear", "linear-api-key", s.Linear),
    "linear oauth": Case("linear", "linear-oauth-token", s.LinearOauth),
    "mailgun": Case("mailgun", "mailgun-api-key", a.Mailgun, ADMIN),
    "netlify": Case("netlify", "netlify-personal-access-token", s.Netlify, registered="{id}"),
    "new-relic": Case("new-relic", "new-relic-user-key", s.NewRelic, ADMIN, registered="{id}"),
    "npm": Case("npm", "npm-access-token", a.Npm),
    "okta": Case("okta", "okta-api-token", s.Okta),
    "openai": Case("openai", "openai-project-key", a.OpenAi, ADMIN),
    "pagerduty": Case("pagerduty", "pagerduty-user-token", s.PagerDuty),
    "pypi": Case("pypi", "pypi-api-token", s.PyPi),
    "sendgrid": Case("sendgrid", "sendgrid-api-key", a.SendGrid, ADMIN),
    "sentry organization": Case(
        "sentry", "sentry-org-token", s.SentryOrg, ADMIN, {"organization": "acme"}, registered="{id}"
    ),
    "sentry user": Case("sentry", "sentry-user-token", s.SentryUser),
    "snyk": Case("snyk", "snyk-api-token", s.Snyk),
    "stripe": Case("stripe", "stripe-secret-key-live", s.Stripe),
    "telegram": Case("telegram", "telegram-bot-token", s.Telegram, in_urls=True),
    "terraform": Case("terraform", "terraform-cloud-token", s.Terraform, registered="{id}"),
    "twilio": Case(
        "twilio", "twilio-api-key-secret", a.TwilioKey, ADMIN, {"account": a.TwilioKey.account}, registered="{id}"
    ),
    "twilio token": Case("twilio", "twilio-auth-token", a.TwilioToken),
    "twitch": Case("twitch", "twitch-access-token", s.Twitch),
    "vault": Case("vault", "vault-service-token", s.Vault, ADMIN),
    "vault alone": Case("vault", "vault-service-token", s.Vault),
    "vercel": Case("vercel", "vercel-personal-access-token", s.Vercel),
}

HARNESSES: dict[str, Callable[[Clock], VendorHarness]] = {
    name: partial(RecipeHarness, case) for name, case in CASES.items()
}
