"""Channels through Apprise: e-mail, Slack, Teams, PagerDuty and a hundred more, each named by a URL.

Apprise logs parts of its URLs and says only whether it worked. Its logger is therefore kept from reaching any handler,
and a failure names the service, never the URL.
"""

from __future__ import annotations

import logging
import warnings
from urllib.parse import quote

import apprise

from responders.notify.channels import NotSent, Sending, Sent
from responders.notify.notice import Notice
from scanner.errors import ConfigError
from scanner.model import Secret

PLACE = "{address}"
"""Where the person's address goes in the URL of a personal channel."""


class AppriseChannel:
    """One Apprise URL. Raises ConfigError when the URL is none, or lacks the place for a person's address."""

    def __init__(self, name: str, *, personal: bool, url: Secret, timeout: float) -> None:
        self.name = name
        self.personal = personal
        self._url = url
        self._timeout = timeout
        self._asset = apprise.AppriseAsset(
            app_id="keyfuse",
            app_desc="keyfuse",
            async_mode=False,
            http_redirects=False,
            interpret_escapes=False,
            pem_autogen=False,
            pgp_autogen=False,
            secure_logging=True,
            service_timeout=timeout * 3,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        _silence()
        _load_plugins()
        if personal and PLACE not in self._text():
            raise ConfigError(f"channel {name} is personal, so its URL must hold {PLACE} where the address goes")
        if self._service("someone@example.org") is None:
            raise ConfigError(f"the URL of channel {name} is none that Apprise understands; see its list of services")

    def send(self, notice: Notice, recipient: str) -> Sending:
        """Hands one notice to the service."""
        service = self._service(recipient)
        if service is None:
            return NotSent("the address does not fit into the channel's URL", for_good=True)
        sender = apprise.Apprise(asset=self._asset)
        sender.add(service)
        try:
            taken = sender.notify(title=notice.subject, body=notice.body, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # plugins raise what they like, and their texts may quote the URL
            return NotSent(f"{service.service_name} failed ({type(error).__name__})")
        return Sent() if taken else NotSent(f"{service.service_name} did not take the notice")

    def _service(self, recipient: str) -> apprise.NotifyBase | None:
        url = self._text().replace(PLACE, quote(recipient, safe="@"))
        service = apprise.Apprise.instantiate(url, asset=self._asset)
        if isinstance(service, apprise.NotifyBase):
            service.socket_connect_timeout = service.socket_read_timeout = self._timeout
            return service
        return None

    def _text(self) -> str:
        return self._url.reveal().decode().strip()


def _load_plugins() -> None:
    """Loads Apprise's plugins, some of which import deprecated modules; that is no news for our users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://localhost")


def _silence() -> None:
    """Keeps Apprise's log, which quotes URLs, from reaching any handler."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
