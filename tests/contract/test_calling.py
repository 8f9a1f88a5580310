"""The one way in which providers speak HTTP: where it goes, what it refuses, and what it never says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from responders.about import About, CredentialNeed, OptionNeed, Service
from responders.calling import Caller
from responders.connection import ProviderSettings, base_fault
from responders.errors import ProviderError
from responders.http import Answer, Http, NoAnswer
from responders.references import Reference
from responders.sockets import is_private
from scanner.model import Secret
from tests.support.webserver import Site, web_server

ABOUT = About(
    "acme",
    "Acme",
    (),
    services=(Service("https://api.acme.example"), Service("https://id.acme.example", "id")),
    credentials=(CredentialNeed("token", "To ask.", "least"),),
    options=(OptionNeed("account", "Whose.", "default"),),
)
OWN = "own-credential-" + "x" * 20
LEAKED = "leaked-value-" + "y" * 20


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as site:
        yield site


def caller(site: Site, **changes: Any) -> Caller:
    settings: dict[str, Any] = {
        "urls": {"base_url": f"{site.url}/v1/"},
        "credentials": {"token": Reference("T")},
        "requests_per_minute": 0,
        "timeout": 5,
    }
    return Caller(ABOUT, ProviderSettings(**settings | changes), {"T": OWN}, pause=lambda _seconds: None)


def test_paths_are_joined_to_the_base_and_parameters_quoted(site: Site) -> None:
    answer = caller(site).send("GET", "/keys/a%2Fb", query={"page[size]": "1 0", "x": "&"})
    assert isinstance(answer, Answer)
    assert site.requests[0].path == "/v1/keys/a%2Fb?page%5Bsize%5D=1%200&x=%26"


def test_bodies_say_what_they_are(site: Site) -> None:
    acme = caller(site)
    acme.send("POST", "/a", json_body={"a": 1})
    acme.send("POST", "/b", form={"a": "b c"})
    assert [(r.headers["Content-Type"], r.body) for r in site.requests] == [
        ("application/json", b'{"a": 1}'),
        ("application/x-www-form-urlencoded", b"a=b+c"),
    ]


@pytest.mark.parametrize("path", ["@elsewhere.example/x", ".elsewhere.example/x", ":80@elsewhere.example/"])
def test_no_path_leads_to_another_host(site: Site, path: str) -> None:
    acme = caller(site, urls={"base_url": site.url})
    answer = acme.send("GET", path)
    assert isinstance(answer, NoAnswer)
    assert not answer.sent
    assert site.requests == []


def test_a_page_elsewhere_is_not_asked_for(site: Site) -> None:
    acme = caller(site)
    with web_server() as other:
        answer = acme.send_url("GET", f"{other.url}/v1/next", headers={"Authorization": "Bearer x"})
        assert isinstance(answer, NoAnswer)
        assert other.requests == []
    assert isinstance(acme.send_url("GET", f"{site.url}/v1/next?page=2"), Answer)
    assert isinstance(acme.send_url("GET", "/next"), Answer)
    assert [request.path for request in site.requests] == ["/v1/next?page=2", "/v1/next"]


@pytest.mark.parametrize("secret", [OWN, LEAKED])
def test_a_secret_does_not_go_into_a_url(site: Site, secret: str) -> None:
    acme, leaked = caller(site), [Secret(LEAKED.encode())]
    for answer in (
        acme.send("GET", f"/keys/{secret}", secrets=leaked),
        acme.send("GET", "/keys", query={"q": secret}, secrets=leaked),
    ):
        assert isinstance(answer, NoAnswer)
        assert secret not in repr(answer)
    assert site.requests == []
    assert isinstance(acme.send("GET", f"/bot{LEAKED}", secrets=leaked, secret_in_url=True), Answer)


def test_addresses_that_are_not_on_the_internet_are_refused_unless_configured(site: Site) -> None:
    answer = Http(timeout=5, private=False).send("GET", site.url)
    assert isinstance(answer, NoAnswer)
    assert not answer.sent
    assert "no address on the internet" in answer.reason
    assert site.requests == []
    inward = About("acme", "Acme", (), services=(Service(site.url),))
    refused = Caller(inward, ProviderSettings(requests_per_minute=0), {}).send("GET", "/x")
    assert isinstance(refused, NoAnswer), "what is in the code leads to the internet"
    assert not refused.sent


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("169.254.169.254", True),
        ("192.168.0.1", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("2002:7f00:1::", True),
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
    ],
)
def test_what_is_private(address: str, private: bool) -> None:
    assert is_private(address) is private


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://api.example.org", ""),
        ("https://api.example.org:8443/prefix", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://localhost", ""),
        ("http://[::1]:80", ""),
        ("http://api.example.org", "https://"),
        ("http://10.0.0.1", "https://"),
        ("ftp://api.example.org", "https://"),
        ("api.example.org", "https://"),
        ("https://", "name a host"),
        ("https://api.example.org?a=b", "query"),
        ("https://[::1", "not a URL"),
        ("https://" + "me:" + "hush@api.example.org", "password"),
    ],
)
def test_base_urls(url: str, fault: str) -> None:
    assert fault in base_fault(url)
    assert bool(fault) == bool(base_fault(url))


def test_a_429_closes_the_gate(site: Site) -> None:
    site.answers, site.headers = [429], {"Retry-After": "30"}
    acme = caller(site)
    assert isinstance(acme.send("GET", "/a"), Answer)
    answer = acme.send("GET", "/a")
    assert isinstance(answer, NoAnswer)
    assert "asks to wait" in answer.reason
    assert not answer.sent
    assert len(site.requests) == 1


def test_failures_in_a_row_are_not_added_to(site: Site) -> None:
    site.answers = [500] * 10
    acme = caller(site)
    answers = [acme.send("GET", "/a") for _ in range(7)]
    assert [isinstance(answer, Answer) for answer in answers] == [True] * 5 + [False] * 2
    assert len(site.requests) == 5


def test_a_redirect_is_an_answer_and_credentials_stay(site: Site) -> None:
    with web_server() as other:
        site.answers, site.headers = [307], {"Location": other.url}
        answer = caller(site).send("GET", "/a", headers={"Authorization": "Bearer x"})
        assert isinstance(answer, Answer)
        assert answer.status == 307
        assert other.requests == []


def test_cookies_are_not_kept(site: Site) -> None:
    site.headers = {"Set-Cookie": "a=b"}
    acme = caller(site)
    acme.send("GET", "/a")
    acme.send("GET", "/a")
    assert "Cookie" not in site.requests[1].headers


def test_a_server_that_drips_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                try:
                    while not over.wait(0.05):
                        connection.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        answer = Http(timeout=5, longest=0.4).send("GET", f"http://127.0.0.1:{server.getsockname()[1]}/")
        over.set()
        thread.join()
    assert answer == NoAnswer("127.0.0.1 did not answer in time", sent=True)


def test_settings_that_are_missing_are_named(site: Site) -> None:
    acme = Caller(About("acme", "Acme", (), services=(Service("", why="Your own."),)), ProviderSettings(), {})
    with pytest.raises(ProviderError, match=r"\[provider.acme\] needs base_url: Your own."):
        acme.send("GET", "/")
    with pytest.raises(ProviderError, match=r"\[provider.acme\] no token is configured"):
        acme.credential("token")
    assert caller(site).option("account") == "default"
    assert caller(site, options={"account": "a1"}).option("account") == "a1"
    assert (caller(site).has("token"), acme.has("token")) == (True, False)
