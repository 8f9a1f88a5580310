"""How one provider is connected: its part of the configuration, as values. Light: no HTTP is loaded for it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from responders.about import Default
from responders.errors import ProviderError
from responders.references import Reference, resolve
from scanner.errors import ConfigError
from scanner.model import Secret

METADATA = "169.254.169.254"
"""Where clouds tell a machine about itself: it is the machine's own host that answers, and it speaks no TLS."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """`[provider.<name>]`. `urls` holds base URLs by setting (`base_url`, `iam_url`); `connected` that it is there.

    `command` is the argument list of a provider that is a command of one's own.
    """

    connected: bool = False
    urls: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, Reference] = field(default_factory=dict)
    options: Mapping[str, Default] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    timeout: float = 10.0
    ca_file: Path | None = None
    prove_after: tuple[timedelta, ...] = ()
    type: str = ""
    command: tuple[str, ...] = ()


def credential_of(provider: str, settings: ProviderSettings, name: str, environ: Mapping[str, str]) -> Secret:
    """A credential of keyfuse's own. Raises ProviderError, which names the setting, when there is none."""
    try:
        return resolve(settings.credentials.get(name, Reference()), name, environ)
    except ConfigError as error:
        raise ProviderError(f"[provider.{provider}] {error}") from None


def base_fault(url: str) -> str:
    """What is wrong with a base URL, or nothing."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL"
    if parts.username or parts.password:
        return "holds a user name or a password; credentials have settings of their own"
    if parts.query or parts.fragment:
        return "has a query or a fragment; it is joined to paths"
    if parts.scheme == "http" and not _is_loopback(host):
        return "must begin with https:// (http:// is for this machine alone)"
    if parts.scheme not in ("https", "http") or not host:
        return "must begin with https:// and name a host"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return host in ("localhost", METADATA) or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
