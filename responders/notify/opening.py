"""From settings to channels. The one explicit list of the kinds of channel there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO, assert_never

from responders.notify.channels import Channel, Channels, ChannelSettings, ChannelType, Unusable
from responders.notify.outlets import Console, LinesFile
from scanner.errors import ConfigError
from scanner.model import Secret

SHORTEST_SECRET = 16


def open_channels(
    settings: Sequence[ChannelSettings],
    *,
    environ: Mapping[str, str],
    console: TextIO,
    clock: Callable[[], datetime],
) -> Channels:
    """All configured channels. One whose settings do not work is there too, and says why when something is sent."""
    return Channels(_open_or_explain(each, environ, console, clock) for each in settings)


def _open_or_explain(
    settings: ChannelSettings, environ: Mapping[str, str], console: TextIO, clock: Callable[[], datetime]
) -> Channel:
    try:
        return open_channel(settings, environ=environ, console=console, clock=clock)
    except ConfigError as error:
        return Unusable(settings.name, settings.personal, str(error))


def open_channel(
    settings: ChannelSettings, *, environ: Mapping[str, str], console: TextIO, clock: Callable[[], datetime]
) -> Channel:
    """One channel. Raises ConfigError when its settings do not work."""
    name, personal = settings.name, settings.personal
    match settings.type:
        case ChannelType.CONSOLE:
            return Console(name, personal=personal, stream=console)
        case ChannelType.FILE:
            if settings.path is None:
                raise ConfigError(f"channel {name} needs `path`, the file to append to")
            return LinesFile(name, personal=personal, path=settings.path)
        case ChannelType.WEBHOOK:
            return _webhook(settings, environ, clock)
        case ChannelType.APPRISE:
            from responders.notify.apprise_channel import AppriseChannel  # noqa: PLC0415  (takes 0.2 s to load)

            url = _referred(name, "url", settings.url_env, settings.url_file, environ)
            return AppriseChannel(name, personal=personal, url=url, timeout=settings.timeout)
        case _:
            assert_never(settings.type)


def _webhook(settings: ChannelSettings, environ: Mapping[str, str], clock: Callable[[], datetime]) -> Channel:
    from responders.http import Http  # noqa: PLC0415  (requests takes 0.1 s to load)
    from responders.notify.webhook import Webhook  # noqa: PLC0415  (it needs the former)

    url = _referred(settings.name, "url", settings.url_env, settings.url_file, environ)
    secret = _referred(settings.name, "secret", settings.secret_env, settings.secret_file, environ)
    if len(secret) < SHORTEST_SECRET:
        raise ConfigError(f"the secret of channel {settings.name} needs at least {SHORTEST_SECRET} characters")
    if not url.reveal().startswith((b"https://", b"http://")):
        raise ConfigError(f"the URL of channel {settings.name} must begin with https:// (or http://)")
    http = Http(timeout=settings.timeout)
    return Webhook(settings.name, personal=settings.personal, url=url, secret=secret, http=http, clock=clock)


def _referred(name: str, what: str, variable: str, file: Path | None, environ: Mapping[str, str]) -> Secret:
    """A value that is given by reference: the environment variable's, else the file's."""
    if variable:
        value = environ.get(variable, "").strip()
        if not value:
            raise ConfigError(f"channel {name}: the environment variable {variable} ({what}_env) is not set")
        return Secret(value.encode())
    if file is None:
        raise ConfigError(f"channel {name} needs {what}_env or {what}_file")
    try:
        content = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"channel {name}: the file {file} ({what}_file) cannot be read ({error.strerror})") from None
    if not content:
        raise ConfigError(f"channel {name}: the file {file} ({what}_file) is empty")
    return Secret(content)
