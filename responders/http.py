"""The one way to speak HTTP: time-outs, no redirects, no netrc, a limit on answers, exceptions mapped to values.

Nothing said here holds a URL beyond its host: paths, queries and headers may carry credentials. Nothing is retried: a
change is sent at most once per call, and whether to ask again is the caller's decision.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
import urllib3

from responders.sockets import PrivateAddress, Watch, adapter

MOST_BYTES = 4 * 1024 * 1024
"""How much of an answer is read; more makes it no answer."""
CHUNK = 64 * 1024
LONGEST = 60.0
"""Seconds that a whole exchange may take: a server that sends a byte now and then is no reason to wait for ever."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said. Redirects are answers too: they are never followed."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it is one of the 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing that could be understood came back. `sent` says that the request may have taken effect all the same."""

    reason: str
    sent: bool


class _NoLogin(requests.auth.AuthBase):
    """Keeps requests from taking credentials out of netrc files and URLs."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Http:
    """One session. `timeout` is in seconds, to connect and again for every wait on data; TLS is always verified.

    `longest` bounds the whole exchange. `ca_file` names the certificates to trust instead of the usual ones. Without
    `private` no address is spoken to that is not on the internet. Not to be shared between threads.
    """

    def __init__(
        self,
        *,
        timeout: float,
        user_agent: str = "keyfuse",
        ca_file: str | None = None,
        private: bool = True,
        longest: float = LONGEST,
    ) -> None:
        self._timeout = timeout
        self._longest = longest
        self._watch = Watch(private=private)
        self._session = requests.Session()
        self._session.auth = _NoLogin()
        self._session.headers["User-Agent"] = user_agent
        watched = adapter(self._watch)
        self._session.mount("https://", watched)
        self._session.mount("http://", watched)
        # What the environment says of proxies and certificates is looked up once, not with every request.
        self._session.trust_env = False
        self._session.verify = (
            ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        )
        self._proxies: dict[str, dict[str, str]] = {}

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer | NoAnswer:
        """Sends one request, once. Cookies are not kept."""
        host = "the server"
        try:
            host = urlsplit(url).hostname or host
            self._watch.begin(self._longest)
            return self._exchange(method, url, host, headers, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            return _explained(error, host)
        finally:
            self._session.cookies.clear()

    def _exchange(
        self, method: str, url: str, host: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> Answer | NoAnswer:
        if host not in self._proxies:
            self._proxies[host] = requests.utils.get_environ_proxies(url)
        with self._session.request(
            method,
            url,
            headers=headers,
            data=body,
            timeout=self._timeout,
            proxies=self._proxies[host],
            allow_redirects=False,
            stream=True,
        ) as response:
            content = _read(response)
            if content is None:
                return NoAnswer(f"{host} answered with more than {MOST_BYTES} bytes", sent=True)
            return Answer(response.status_code, content, response.headers)

    def close(self) -> None:
        """Lets go of the connections."""
        self._session.close()


def _read(response: requests.Response) -> bytes | None:
    content = bytearray()
    for chunk in response.iter_content(CHUNK):
        content += chunk
        if len(content) > MOST_BYTES:
            return None
    return bytes(content)


def _explained(error: Exception, host: str) -> NoAnswer:
    """What went wrong, without the exception's own text: that quotes URLs."""
    match error:
        case _ if _private(error):
            return NoAnswer(f"{host} is no address on the internet, and the configuration does not name it", sent=False)
        case requests.exceptions.SSLError():
            return NoAnswer(f"the certificate of {host} cannot be trusted, or it does not speak TLS", sent=False)
        case requests.exceptions.ProxyError():
            return NoAnswer(f"the proxy on the way to {host} cannot be used", sent=False)
        case requests.exceptions.ConnectTimeout():
            return NoAnswer(f"{host} did not take the connection in time", sent=False)
        case requests.exceptions.Timeout() | TimeoutError():
            return NoAnswer(f"{host} did not answer in time", sent=True)
        case requests.exceptions.ConnectionError(args=(urllib3.exceptions.ReadTimeoutError(), *_)):
            return NoAnswer(f"{host} did not answer in time", sent=True)
        case requests.exceptions.ConnectionError() if _never_connected(error):
            return NoAnswer(f"{host} cannot be reached", sent=False)
        case requests.exceptions.ConnectionError() | requests.exceptions.ChunkedEncodingError():
            return NoAnswer(f"the connection to {host} broke off", sent=True)
        case (
            requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema() | requests.exceptions.InvalidSchema()
        ):
            return NoAnswer("the URL is not a valid http or https URL", sent=False)
        case _:
            return NoAnswer(f"talking to {host} failed ({type(error).__name__})", sent=True)


def _private(error: BaseException | None) -> bool:
    """Whether this goes back to an address that is not allowed: the libraries wrap what a connection raises."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, PrivateAddress):
            return True
        inner = next((each for each in error.args if isinstance(each, BaseException)), None)
        reason = getattr(error, "reason", None)
        error, seen = inner or (reason if isinstance(reason, BaseException) else error.__context__), seen + 1
    return False


def _never_connected(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
