"""The Channel protocol, what a channel may answer, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


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
