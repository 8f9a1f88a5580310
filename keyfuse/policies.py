"""Turns sections of the configuration into the values that responders take. Objects get values, never the Config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from keyfuse.config import Config
from responders.connection import ProviderSettings
from responders.notify.channels import ChannelSettings, ChannelType
from responders.notify.courier import CourierSettings
from responders.notify.notice import Event
from responders.notify.routing import Route, Routing
from responders.policy import Policy
from responders.references import Reference


def policy_of(config: Config) -> Policy:
    """`[response]` and `[limits]`."""
    response = config.response
    return Policy(
        dry_run=response.dry_run,
        unlock_leaked_keys=response.unlock_leaked_keys,
        protected=response.protected,
        actions_per_hour=config.limits.actions_per_hour,
        escalate_after=response.escalate_after,
        prove_after=response.prove_after,
        prove_for=response.prove_for,
        retry_after=response.retry_after,
        seal_for=response.seal_for,
        repeat_after=response.repeat_after,
    )


def with_schedules(policy: Policy, schedules: Mapping[str, tuple[timedelta, ...]]) -> Policy:
    """The policy, with the schedules of proof that single providers have of their own."""
    return replace(policy, prove_after_at=schedules) if schedules else policy


def providers_of(config: Config) -> Mapping[str, ProviderSettings]:
    """`[provider.<name>]`: which providers are connected, and with what. Credentials stay references."""
    found = {}
    for name, section in config.provider.items():
        about = section.about  # type: ignore[attr-defined]  # the sections are made in keyfuse.vendors
        values = section.values
        found[name] = ProviderSettings(
            connected=True,
            urls={each.setting: values[each.setting] for each in about.services if values.get(each.setting)},
            credentials={
                need.name: Reference(
                    values.get(f"{need.name}_env", ""),
                    values.get(f"{need.name}_file"),
                    values.get(f"{need.name}_keyring", ""),
                )
                for need in about.credentials
                if any(values.get(f"{need.name}_{way}") for way in ("env", "file", "keyring"))
            },
            options={option.name: values[option.name] for option in about.options if option.name in values},
            allowed_hosts=values.get("allowed_hosts", ()),
            requests_per_minute=values.get("requests_per_minute"),
            timeout=values["timeout"].total_seconds() if "timeout" in values else ProviderSettings().timeout,
            ca_file=values.get("ca_file"),
            prove_after=values.get("prove_after", ()),
            type=values.get("type", ""),
            command=values.get("command", ()),
        )
    return found


def routing_of(config: Config) -> Routing:
    """`[notify]`: who is told."""
    notify = config.notify
    return Routing(
        routes=tuple(
            Route(
                channels=route.channels,
                providers=route.providers,
                min_severity=route.min_severity,
                owners=route.owners,
                events=tuple(map(Event, route.events)),
                to=route.to,
            )
            for route in notify.route
        ),
        administrators=notify.administrators,
        account_administrators=notify.account_administrators,
        default=notify.default,
        default_channels=notify.default_channels,
    )


def channels_of(config: Config) -> tuple[ChannelSettings, ...]:
    """`[notify.channel.<name>]`: how notices travel."""
    return tuple(
        ChannelSettings(
            name=name,
            type=ChannelType(channel.type),
            personal=channel.personal,
            url_env=channel.url_env,
            url_file=channel.url_file,
            secret_env=channel.secret_env,
            secret_file=channel.secret_file,
            path=channel.path,
            timeout=channel.timeout.total_seconds(),
        )
        for name, channel in config.notify.channel.items()
    )


def courier_of(config: Config) -> CourierSettings:
    """`[notify]`: how patiently they are sent."""
    notify = config.notify
    return CourierSettings(
        retry_after=notify.retry_after, digest_above=notify.digest_above, digest_window=notify.digest_window
    )
