"""Who is told, and over which channels. Pure: it knows names of channels, not how they send.

People: the key's owners and the account's administrators; where there are neither, the default. Channels: those of
every route that matches; where none matches, the default channels; where there are none either, all channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from responders.notify.notice import Event
from scanner.model import Severity


@dataclass(frozen=True, slots=True)
class Route:
    """One `[[notify.route]]`: the notices that match all of its conditions go to its channels.

    channels: names of channels, as `[notify.channel.<name>]` defines them; at least one.
    providers: only keys of these providers (empty: of any).
    min_severity: only leaks at least this severe.
    owners: only keys with an owner that matches one of these patterns, `*@example.org` (empty: of anybody or nobody).
    events: only these events, `blocked` and `failed`, say (empty: all).
    to: further people to tell beside the owners and the administrators.
    """

    channels: tuple[str, ...]
    providers: tuple[str, ...] = ()
    min_severity: Severity = Severity.INFO
    owners: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """The settings of `[notify]` that say who is told.

    routes: every one that matches applies.
    administrators: told of every leak, whatever the account.
    account_administrators: account id -> people, told of the leaks of that account's keys.
    default: told where a leak has neither owners nor administrators.
    default_channels: channels for notices that no route matches (empty: all channels).
    """

    routes: tuple[Route, ...] = ()
    administrators: tuple[str, ...] = ()
    account_administrators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: tuple[str, ...] = ()
    default_channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What routes look at: the leak, and who owns the key."""

    event: Event
    provider: str
    severity: Severity
    owners: tuple[str, ...] = ()
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class Addressed:
    """One delivery to make. `recipient` is empty on a channel that is not personal."""

    channel: str
    recipient: str


def people(routing: Routing, subject: Subject) -> tuple[str, ...]:
    """Who is told, each once: owners first, unless it is an escalation, which is the administrators' business."""
    owners = () if subject.event is Event.ESCALATED else subject.owners
    administrators = (*routing.account_administrators.get(subject.account_id, ()), *routing.administrators)
    further = (person for route in matching(routing, subject) for person in route.to)
    return tuple(dict.fromkeys((*(owners + administrators or routing.default), *further)))


def matching(routing: Routing, subject: Subject) -> list[Route]:
    """The routes whose conditions all hold."""
    return [route for route in routing.routes if _matches(route, subject)]


def _matches(route: Route, subject: Subject) -> bool:
    return (
        (not route.providers or subject.provider in route.providers)
        and subject.severity >= route.min_severity
        and (not route.events or subject.event in route.events)
        and (not route.owners or any(fnmatchcase(o, pattern) for o in subject.owners for pattern in route.owners))
    )


def address(routing: Routing, subject: Subject, channels: Mapping[str, bool]) -> list[Addressed]:
    """Every delivery to make. `channels` maps the name of each configured channel to whether it is personal."""
    routed = [name for route in matching(routing, subject) for name in route.channels]
    wanted: Iterable[str] = routed or routing.default_channels or channels
    told = people(routing, subject)
    return [
        Addressed(name, recipient)
        for name in dict.fromkeys(wanted)
        if name in channels
        for recipient in (told if channels[name] else ("",))
    ]
