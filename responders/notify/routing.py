"""Who is told, and over which channels. Pure: it knows names of channels, not how they send.

People: the key's owners and the account's administrators; where there are neither, the default. Channels: those of
every route that matches; where none matches, the default channels; where there are none either, all channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
