"""The Channel protocol, what a channel may answer, its settings, and the set of channels that are configured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from responders.notify.notice import Notice


class ChannelType(StrEnum):
    """The kinds of channel."""

    APPRISE = "apprise"
    WEBHOOK = "webhook"
    CONSOLE = "console"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One `[notify.channel.<name>]`. Whatever may hold a credential comes by reference, never in the file itself.

    name: the name that routes and the queue use.
    type: `apprise` (e-mail, Slack and a hundred more), `webhook` (signed JSON), `console` or `file` (JSON lines).
    personal: one delivery per person instead of one for all; an Apprise URL then holds `{address}` where the person's
        address goes, `mailto://user:password@mail.example.org?to={address}`.
    url_env, url_file: the environment variable or the file that holds the URL (`apprise` and `webhook` need one).
    secret_env, secret_file: where the webhook's signing secret is, at least 16 characters (`webhook` needs one).
    path: the file that `file` appends to, created with mode 0600.
    timeout: seconds that one delivery may take to connect, and again to be answered.
    """

    name: str
    type: ChannelType
    personal: bool = False
    url_env: str = ""
    url_file: Path | None = None
    secret_env: str = ""
    secret_file: Path | None = None
    path: Path | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took the notice."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """It did not, and why, without any credential. `for_good` says that trying again is no use."""

    reason: str
    for_good: bool = False


Sending = Sent | NotSent


class Channel(Protocol):
    """One way to reach people. Implementations map every failure of theirs to NotSent."""

    @property
    def name(self) -> str:
        """The name from the configuration."""
        ...

    @property
    def personal(self) -> bool:
        """Whether each person gets a delivery, rather than all of them one together."""
        ...

    def send(self, notice: Notice, recipient: str) -> Sending:
        """Sends one notice; `recipient` is a person's address, or empty on a channel that is not personal."""
        ...


@dataclass(frozen=True, slots=True)
class Unusable:
    """A channel whose settings do not work. What is sent to it waits, so that mending the settings loses nothing."""

    name: str
    personal: bool
    reason: str

    def send(self, notice: Notice, recipient: str) -> Sending:
        """Says why nothing can be sent."""
        return NotSent(self.reason)


class Channels:
    """The configured channels, by name."""

    def __init__(self, channels: Iterable[Channel] = ()) -> None:
        self._channels = {channel.name: channel for channel in channels}

    def get(self, name: str) -> Channel | None:
        """The channel with this name; None when it is no longer configured."""
        return self._channels.get(name)

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def __len__(self) -> int:
        return len(self._channels)
