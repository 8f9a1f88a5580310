"""What every channel does, over real servers on loopback; then what is particular to each."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import logging
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from responders.http import MOST_BYTES, Answer, Http, NoAnswer
from responders.notify.channels import Channel, ChannelSettings, ChannelType, NotSent, Sent
from responders.notify.notice import Event, Notice
from responders.notify.opening import open_channel, open_channels
from scanner.errors import ConfigError
from tests.support.smtp import Mailbox, smtp_server
from tests.support.stores import START, Clock
from tests.support.webserver import Site, web_server

NOTICE = Notice(
    id="0123456789abcdef",
    event=Event.CONTAINED,
    subject='[keyfuse] The key "deploy" leaked and is now dead',
    body="The key leaked.\n\nWhat to do next:\n1. Issue a new key & use it <there>: {address} \\n ${HOME} :smile:\n",
    incident_id="incident-1",
    data={"key_name": "deploy", "state": "contained"},
    created_at=START,
)
SIGNING = "a shared secret of some length"
PASSWORD = "-".join(["said", "over", "the", "phone"])
SETTINGS = {
    ChannelType.CONSOLE: ChannelSettings("console", ChannelType.CONSOLE, personal=True),
    ChannelType.FILE: ChannelSettings("file", ChannelType.FILE, personal=True),
    ChannelType.WEBHOOK: ChannelSettings(
        "webhook", ChannelType.WEBHOOK, personal=True, url_env="HOOK_URL", secret_env="HOOK_SECRET", timeout=5
    ),
    ChannelType.APPRISE: ChannelSettings("mail", ChannelType.APPRISE, personal=True, url_env="MAIL_URL", timeout=5),
}


@dataclass
class Line:
    """A channel and its far end; `cut` makes the far end refuse."""

    channel: Channel
    received: Callable[[], list[str]]
    cut: Callable[[], None]


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as site:
        yield site


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as mailbox:
        yield mailbox


def environ(url: str = "", port: int = 0, query: str = "") -> dict[str, str]:
    mail = f"mailto://127.0.0.1:{port}/?from=keyfuse@example.org&to={{address}}&format=text{query}"
    return {"HOOK_URL": f"{url}/hook/token-in-path", "HOOK_SECRET": SIGNING, "MAIL_URL": mail}


@pytest.fixture(params=list(ChannelType))
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Line:
    kind: ChannelType = request.param
    console = io.StringIO()
    path = tmp_path / "notices.jsonl"
    settings, surroundings = SETTINGS[kind], environ()
    if kind is ChannelType.FILE:
        settings = replace(settings, path=path)
    if kind is ChannelType.WEBHOOK:
        site: Site = request.getfixturevalue("site")
        surroundings = environ(url=site.url)
    if kind is ChannelType.APPRISE:
        mailbox: Mailbox = request.getfixturevalue("mailbox")
        surroundings = environ(port=mailbox.port)
    channel = open_channel(settings, environ=surroundings, console=console, clock=Clock())
    match kind:
        case ChannelType.CONSOLE:
            return Line(channel, lambda: [console.getvalue()], console.close)
        case ChannelType.FILE:
            return Line(channel, lambda: path.read_text().splitlines(), path.mkdir)
        case ChannelType.WEBHOOK:
            return Line(channel, lambda: [r.body.decode() for r in site.requests], lambda: site.answers.append(503))
        case ChannelType.APPRISE:

            def refuse() -> None:
                mailbox.refusal = "451 not now"

            return Line(channel, lambda: [str(m.message["Subject"]) + m.text for m in mailbox.mails], refuse)


def test_a_notice_arrives_once_and_whole(line: Line) -> None:
    assert line.channel.send(NOTICE, "owner@example.org") == Sent()
    [text] = line.received()
    assert "deploy" in text
    for word in ("Issue a new key & use it", "{address}", "${HOME}", ":smile:"):
        assert word in text


def test_a_far_end_that_refuses_is_said_without_raising(line: Line) -> None:
    line.cut()
    sending = line.channel.send(NOTICE, "owner@example.org")
    assert isinstance(sending, NotSent)
    assert sending.reason
    assert not sending.for_good
    assert "token-in-path" not in sending.reason


# --- webhook --------------------------------------------------------------------------------------------------------


def webhook(site: Site, timeout: float = 5) -> Channel:
    settings = replace(SETTINGS[ChannelType.WEBHOOK], timeout=timeout)
    return open_channel(settings, environ=environ(url=site.url), console=io.StringIO(), clock=Clock())


def test_the_webhooks_signature_covers_timestamp_and_raw_body(site: Site) -> None:
    webhook(site).send(NOTICE, "owner@example.org")
    [request] = site.requests
    timestamp = request.headers["X-Keyfuse-Timestamp"]
    expected = hmac.new(SIGNING.encode(), timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Keyfuse-Signature"] == f"sha256={expected}"
    assert timestamp == str(int(START.timestamp()))
    assert request.headers["X-Keyfuse-Notice-Id"] == NOTICE.id
    content = json.loads(request.body)
    assert (content["version"], content["id"], content["event"]) == (1, NOTICE.id, "contained")
    assert content["recipient"] == "owner@example.org"
    assert content["data"] == dict(NOTICE.data)


def test_redirects_are_not_followed(site: Site) -> None:
    site.answers, site.headers = [307], {"Location": f"{site.url}/elsewhere"}
    sending = webhook(site).send(NOTICE, "")
    assert isinstance(sending, NotSent)
    assert "redirect" in sending.reason
    assert [request.path for request in site.requests] == ["/hook/token-in-path"]


def test_a_refused_connection_and_a_silent_server_are_told_apart(site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert Http(timeout=5).send("POST", nobody, body=b"") == NoAnswer("127.0.0.1 cannot be reached", sent=False)
    site.hold = threading.Event()
    assert Http(timeout=0.2).send("POST", site.url, body=b"") == NoAnswer("127.0.0.1 did not answer in time", sent=True)


def test_http_says_nothing_of_urls_and_takes_no_credentials_from_them(site: Site) -> None:
    url = site.url.replace("http://", f"http://user:{PASSWORD}@")
    assert isinstance(Http(timeout=5).send("GET", f"{url}/{PASSWORD}"), Answer)
    assert "Authorization" not in site.requests[0].headers
    for bad in (
        f"https://127.0.0.1:{site.url.rpartition(':')[2]}/{PASSWORD}",
        f"nonsense://{PASSWORD}/",
        "http://[::1",
    ):
        answer = Http(timeout=5).send("GET", bad)
        assert isinstance(answer, NoAnswer)
        assert PASSWORD not in answer.reason


def test_an_endless_answer_is_cut_short(site: Site) -> None:
    site.body = b"x" * (MOST_BYTES + 1)
    site.answers = [200]
    answer = Http(timeout=5).send("GET", site.url)
    assert isinstance(answer, NoAnswer)
    assert answer.sent


# --- apprise --------------------------------------------------------------------------------------------------------


def test_mail_goes_to_the_person_it_is_for(mailbox: Mailbox) -> None:
    channel = open_channel(
        SETTINGS[ChannelType.APPRISE], environ=environ(port=mailbox.port), console=io.StringIO(), clock=Clock()
    )
    for person in ("one@example.org", "two+keys@example.org"):
        assert channel.send(NOTICE, person) == Sent()
    assert [mail.recipients for mail in mailbox.mails] == [["one@example.org"], ["two+keys@example.org"]]


def test_an_address_cannot_change_the_url(mailbox: Mailbox) -> None:
    channel = open_channel(
        SETTINGS[ChannelType.APPRISE], environ=environ(port=mailbox.port), console=io.StringIO(), clock=Clock()
    )
    channel.send(NOTICE, "a@example.org&bcc=thief@example.org")
    assert all("thief@example.org" not in mail.recipients for mail in mailbox.mails)


@contextmanager
def listening() -> Iterator[set[str]]:
    """The names of all loggers whose records reach the root's handlers."""
    heard: set[str] = set()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.add(record.name)

    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        yield heard
    finally:
        logging.getLogger().removeHandler(ear)


def test_apprise_logs_no_credential(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    mailbox.refusal = "451 not now"
    url = f"mailto://user:{PASSWORD}@127.0.0.1:{mailbox.port}/?from=k@example.org&to={{address}}"
    with caplog.at_level(logging.DEBUG), listening() as heard:
        channel = open_channel(
            SETTINGS[ChannelType.APPRISE], environ={"MAIL_URL": url}, console=io.StringIO(), clock=Clock()
        )
        sending = channel.send(NOTICE, "owner@example.org")
    assert isinstance(sending, NotSent)
    assert PASSWORD not in caplog.text + sending.reason
    assert "apprise" not in heard
    assert "mail.log" in heard


# --- file and settings ----------------------------------------------------------------------------------------------


def test_the_file_is_the_owners_alone_and_no_link_is_followed(tmp_path: Path) -> None:
    settings = replace(SETTINGS[ChannelType.FILE], path=tmp_path / "notices.jsonl")
    channel = open_channel(settings, environ={}, console=io.StringIO(), clock=Clock())
    assert channel.send(NOTICE, "") == Sent()
    assert stat.S_IMODE((tmp_path / "notices.jsonl").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "target")
    linked = open_channel(replace(settings, path=tmp_path / "link"), environ={}, console=io.StringIO(), clock=Clock())
    assert isinstance(linked.send(NOTICE, ""), NotSent)
    assert not (tmp_path / "target").exists()


def test_the_console_shows_no_control_characters() -> None:
    console = io.StringIO()
    channel = open_channel(SETTINGS[ChannelType.CONSOLE], environ={}, console=console, clock=Clock())
    channel.send(replace(NOTICE, subject="\x1b[31mred", body="\x1b]0;title\x07\n"), "a\x1b[0m@example.org")
    assert "\x1b" not in console.getvalue()
    assert "\x07" not in console.getvalue()


@pytest.mark.parametrize(
    ("settings", "surroundings", "says"),
    [
        (SETTINGS[ChannelType.WEBHOOK], {}, "HOOK_URL"),
        (SETTINGS[ChannelType.WEBHOOK], {"HOOK_URL": "https://example.org"}, "HOOK_SECRET"),
        (SETTINGS[ChannelType.WEBHOOK], {"HOOK_URL": "https://e.org", "HOOK_SECRET": "short"}, "16 characters"),
        (SETTINGS[ChannelType.WEBHOOK], {"HOOK_URL": "ftp://e.org", "HOOK_SECRET": SIGNING}, "https://"),
        (SETTINGS[ChannelType.APPRISE], {"MAIL_URL": "mailto://u:p@example.org"}, "{address}"),
        (SETTINGS[ChannelType.APPRISE], {"MAIL_URL": "nothing://known/{address}"}, "Apprise understands"),
        (SETTINGS[ChannelType.FILE], {}, "path"),
        (replace(SETTINGS[ChannelType.APPRISE], url_env="", url_file=Path("/nowhere/url")), {}, "cannot be read"),
    ],
)
def test_settings_that_do_not_work_are_said_and_what_is_sent_waits(
    settings: ChannelSettings, surroundings: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        open_channel(settings, environ=surroundings, console=io.StringIO(), clock=Clock())
    assert says in str(refused.value)
    [channel] = open_channels([settings], environ=surroundings, console=io.StringIO(), clock=Clock())
    assert channel.send(NOTICE, "") == NotSent(str(refused.value))


def test_references_may_be_files(site: Site, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{site.url}/x\n")
    (tmp_path / "secret").write_text(f"{SIGNING}\n")
    settings = ChannelSettings(
        "webhook", ChannelType.WEBHOOK, url_file=tmp_path / "url", secret_file=tmp_path / "secret", timeout=5
    )
    channel = open_channel(settings, environ={}, console=io.StringIO(), clock=Clock())
    assert channel.send(NOTICE, "") == Sent()
