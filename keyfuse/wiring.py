"""Wiring: makes the objects of the rooms below out of the configuration. The only place that knows the store."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import datetime

from keyfuse.config import Config
from keyfuse.policies import channels_of, courier_of, policy_of, providers_of, routing_of, with_schedules
from responders.catalog import Catalog, Surroundings
from responders.issuer import Issuer, IssueRules
from responders.keyfile import load_or_create, sealer
from responders.notify.channels import Channels
from responders.notify.courier import Courier
from responders.notify.opening import open_channels
from responders.notify.telling import Telling
from responders.provider import Provider
from responders.records import Records
from responders.references import Reference, resolve
from responders.respond import Responder
from responders.store import open_store
from scanner.errors import ConfigError
from scanner.model import Fingerprint, Fingerprinter

Clock = Callable[[], datetime]


def open_records(config: Config, clock: Clock) -> Records:
    """The database, made or brought up to date where needed. Raises StoreError and KeyFileError with the next step.

    The fingerprint key comes first: a database without it is of no use to anybody.
    """
    load_or_create(config.data_dir)
    return open_store(config.database.url, clock=clock, data_dir=config.data_dir)


def issue_rules(config: Config) -> IssueRules:
    """`[registry]`, as the embedded provider takes it."""
    registry = config.registry
    return IssueRules(
        user_keys=registry.user_keys,
        restrict_creation=registry.restrict_creation,
        administrators=registry.administrators,
    )


def build_issuer(config: Config, records: Records, fingerprinter: Fingerprinter, clock: Clock) -> Issuer:
    """The embedded provider's issuing side."""
    return Issuer(records, fingerprinter, clock, rules=issue_rules(config))


def build_catalog(config: Config, records: Records, clock: Clock) -> Catalog:
    """Every provider that can be asked."""
    fingerprinter = load_or_create(config.data_dir)
    return Catalog(Surroundings(records, fingerprinter, clock, issue_rules(config), providers_of(config)))


def own_credentials(config: Config, catalog: Catalog) -> frozenset[Fingerprint]:
    """The fingerprints of every credential that keyfuse itself works with, as far as they can be read."""
    fingerprinter = load_or_create(config.data_dir)
    found = set(catalog.own())
    for channel in channels_of(config):
        for variable, file in ((channel.url_env, channel.url_file), (channel.secret_env, channel.secret_file)):
            try:
                found.add(fingerprinter.of(resolve(Reference(variable, file), "credential", os.environ)))
            except ConfigError:
                continue  # what keyfuse cannot read it does not work with
    return frozenset(found)


def build_channels(config: Config, clock: Clock) -> Channels:
    """The configured channels; `console` writes to stderr."""
    return open_channels(channels_of(config), environ=os.environ, console=sys.stderr, clock=clock)


def build_responder(
    config: Config, records: Records, clock: Clock, providers: Mapping[str, Provider] | None = None
) -> Responder:
    """The coordinator of responses; over the catalog's providers, where no others are given."""
    catalog = build_catalog(config, records, clock)
    policy = with_schedules(policy_of(config), catalog.schedules())
    personal = {settings.name: settings.personal for settings in channels_of(config)}
    return Responder(
        records,
        catalog if providers is None else providers,
        policy,
        Telling(routing_of(config), personal, repeat_after=policy.repeat_after),
        clock=clock,
        ids=lambda: secrets.token_hex(8),
        sealer=lambda: sealer(config.data_dir),
        own=own_credentials(config, catalog),
    )


def build_courier(config: Config, records: Records, clock: Clock) -> Courier:
    """Delivers what waits in the queue of notices."""
    return Courier(records, build_channels(config, clock), courier_of(config), clock=clock)
