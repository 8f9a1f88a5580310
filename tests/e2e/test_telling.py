"""From a leak to what arrives: real mail and a real webhook, each once, whatever fails on the way."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from responders.incident import IncidentState
from responders.notify.channels import ChannelSettings, ChannelType
from responders.notify.opening import open_channels
from responders.notify.queue import Delivery, DeliveryState
from tests.support.answering import ADMINISTRATOR, OWNER, Office, open_office
from tests.support.smtp import smtp_server
from tests.support.stores import Clock
from tests.support.webserver import Site, web_server

SIGNING = "a shared secret of some length"
MAIL = ChannelSettings("mail", ChannelType.APPRISE, personal=True, url_env="MAIL", timeout=5)
HOOK = ChannelSettings("hook", ChannelType.WEBHOOK, url_env="HOOK", secret_env="SECRET", timeout=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def office(
    directory: Path, clock: Clock, *settings: ChannelSettings, mail: int = 0, hook: str = ""
) -> AbstractContextManager[Office]:
    environ = {
        "MAIL": f"mailto://127.0.0.1:{mail}/?from=keyfuse@example.org&to={{address}}&format=text",
        "HOOK": hook,
        "SECRET": SIGNING,
    }
    channels = open_channels(settings, environ=environ, console=io.StringIO(), clock=clock)
    return open_office(directory, clock, channels={channel.name: channel for channel in channels})


def deliveries(office: Office, incident_id: str) -> list[Delivery]:
    with office.records.read() as tx:
        return list(tx.notices.of_incident(incident_id))


def verifies(site: Site) -> bool:
    """Whether every request carries the right signature."""
    return all(
        hmac.compare_digest(
            request.headers["X-Keyfuse-Signature"],
            "sha256="
            + hmac.new(
                SIGNING.encode(), request.headers["X-Keyfuse-Timestamp"].encode() + b"." + request.body, hashlib.sha256
            ).hexdigest(),
        )
        for request in site.requests
    )


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_owner_and_administrator_get_mail_without_the_value(tmp_path: Path, clock: Clock) -> None:
    with smtp_server() as mailbox, office(tmp_path, clock, MAIL, mail=mailbox.port) as desk:
        issued = desk.issue()
        desk.leak(issued.secret)
        desk.courier.deliver()
        desk.courier.deliver()
    assert sorted(mail.recipients for mail in mailbox.mails) == [[OWNER], [ADMINISTRATOR]]
    for mail in mailbox.mails:
        assert '"deploy"' in str(mail.message["Subject"])
        assert "keyfuse keys reissue" in mail.text
        assert issued.secret.reveal().decode() not in mail.message.as_string()


def test_after_a_503_the_webhook_gets_the_same_notice_again_and_then_no_more(tmp_path: Path, clock: Clock) -> None:
    with web_server() as site, office(tmp_path, clock, HOOK, hook=site.url) as desk:
        site.answers = [503]
        incident = desk.leak(desk.issue().secret)
        desk.courier.deliver()
        [waiting] = deliveries(desk, incident.id)
        assert (waiting.state, waiting.attempts) == (DeliveryState.WAITING, 1)
        assert waiting.last_error == "the webhook answered 503"
        for _ in range(3):
            clock.forward(minutes=10)
            desk.courier.deliver()
        assert [delivery.state for delivery in deliveries(desk, incident.id)] == [DeliveryState.SENT]
    assert len(site.requests) == 2
    assert len({request.headers["X-Keyfuse-Notice-Id"] for request in site.requests}) == 1
    assert verifies(site)
    content = json.loads(site.requests[1].body)
    assert (content["event"], content["data"]["state"]) == ("contained", "contained")


def test_a_refused_connection_is_outlasted(tmp_path: Path, clock: Clock) -> None:
    with closed_port() as port, office(tmp_path, clock, HOOK, hook=f"http://127.0.0.1:{port}") as desk:
        incident = desk.leak(desk.issue().secret)
        desk.courier.deliver()
        assert deliveries(desk, incident.id)[0].last_error == "127.0.0.1 cannot be reached"
    with web_server() as site, office(tmp_path, clock, HOOK, hook=site.url) as desk:
        clock.forward(minutes=1)
        desk.courier.deliver()
    assert len(site.requests) == 1


def test_a_channel_that_is_down_keeps_no_key_alive_and_no_other_channel_waiting(tmp_path: Path, clock: Clock) -> None:
    with (
        web_server() as site,
        closed_port() as port,
        office(tmp_path, clock, MAIL, HOOK, mail=port, hook=site.url) as desk,
    ):
        incident = desk.leak(desk.issue().secret)
        assert incident.state is IncidentState.CONTAINED
        desk.courier.deliver()
        states = {(delivery.channel, delivery.state) for delivery in deliveries(desk, incident.id)}
    assert states == {("mail", DeliveryState.WAITING), ("hook", DeliveryState.SENT)}
    assert len(site.requests) == 1
