"""What the handlers work with. New settings make a new desk; requests under way keep the one they began with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from keyfuse.api.rates import Buckets
from keyfuse.config_api import Api
from keyfuse.daemon.services import Services
from keyfuse.reference import referred
from responders.catalog import Catalog
from responders.gatekeeper import Gatekeeper
from responders.issuer import Issuer
from responders.publickeys import PublicKeys
from responders.records import Records
from responders.registrar import Registrar
from responders.respond import Responder
from scanner.model import Fingerprinter, Secret


@dataclass(frozen=True, slots=True)
class Trust:
    """How the services that report are known; what is not set up is None or not `configured`."""

    github: PublicKeys
    gitlab: PublicKeys
    github_push: Secret | None
    gitlab_push: Secret | None
    revocation: Secret | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything at hand for one configuration."""

    services: Services
    settings: Api
    records: Records
    fingerprinter: Fingerprinter
    clock: Callable[[], datetime]
    issuer: Issuer
    registrar: Registrar
    gatekeeper: Gatekeeper
    trust: Trust
    requests: Buckets
    refusals: Buckets

    def responder(self) -> Responder:
        """The coordinator of responses: one for each request, since its connections belong to one thread."""
        return self.services.session.responder()

    def catalog(self) -> Catalog:
        """Every provider that can be asked; one for each request, as above."""
        return self.services.session.catalog()


def make_desk(services: Services) -> Desk:
    """Raises ConfigError when a reference leads nowhere, and StoreError when the records cannot be opened."""
    session = services.session
    settings = session.config.api
    records, fingerprinter = session.records(), session.fingerprinter()
    return Desk(
        services=services,
        settings=settings,
        records=records,
        fingerprinter=fingerprinter,
        clock=session.clock,
        issuer=session.issuer(),
        registrar=Registrar(records, session.clock),
        gatekeeper=Gatekeeper(records, fingerprinter, session.clock),
        trust=_trust(settings, session.clock, session.env),
        requests=Buckets(settings.requests_per_minute),
        refusals=Buckets(settings.refusals_per_minute),
    )


def _trust(settings: Api, clock: Callable[[], datetime], environ: Mapping[str, str]) -> Trust:
    intake = settings.intake
    at = "[api.intake]"
    return Trust(
        github=PublicKeys(clock, url=intake.github_keys_url, file=intake.github_keys_file),
        gitlab=PublicKeys(clock, url=intake.gitlab_keys_url, file=intake.gitlab_keys_file),
        github_push=referred(at, "github_push", intake.github_push_env, intake.github_push_file, environ),
        gitlab_push=referred(at, "gitlab_push", intake.gitlab_push_env, intake.gitlab_push_file, environ),
        revocation=referred(at, "revocation_token", intake.revocation_token_env, intake.revocation_token_file, environ),
    )


def desk_of(request: Request) -> Desk:
    """The desk of this request."""
    desk: Desk = request.state.desk
    return desk
