"""Hangs the HTTP side into the daemon: listens, hands taken-in leaks on, follows new configurations, ends in order.

The daemon imports this module without its libraries being there: what is missing is said when it is to start.
"""

from __future__ import annotations

import importlib.util
import logging
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from keyfuse.api.recognition import Recognition
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.services import Services
from responders.batches import unpack
from responders.work import WorkItem
from scanner.errors import CannotRun, ConfigError

if TYPE_CHECKING:
    from uvicorn import Server

    from keyfuse.api.desk import Desk

KIND = "leaks"
NEEDED = ("fastapi", "uvicorn")
PART = "http"
BACKLOG = 1024
CONNECTIONS = 1000
KEEP_ALIVE = 10


def open_service(services: Services) -> Http | None:
    """The HTTP side; None where the configuration wants none. Raises CannotRun when its libraries are missing."""
    if not services.session.config.api.enabled:
        return None
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CannotRun(
            f"the daemon's HTTP side needs {' and '.join(missing)}; run: pip install 'keyfuse[daemon]' (or set "
            "enabled = false in [api])"
        )
    return Http(services)


class Http:
    """The HTTP side (see `keyfuse.daemon.services.Extension`). `url` says where it listens, once it does."""

    kinds: Collection[str] = (KIND,)

    def __init__(self, services: Services) -> None:
        from keyfuse.api.desk import make_desk  # noqa: PLC0415  (needs FastAPI)

        self._services = services
        self._desk: Desk = make_desk(services)
        self._recognition = Recognition(services.session)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def handle(self, item: WorkItem) -> Mapping[str, Any]:
        """Opens an incident for each leak of a piece; responses follow in the background."""
        sealed = self._services.work.secret(item)
        if sealed is None:
            return {"incidents": 0}
        reports = self._recognition.of(unpack(sealed))
        ids = self._services.reports.report(reports, actor=str(item.payload["actor"]))
        return {"incidents": len(set(ids))}

    def start(self) -> None:
        """Listens. Raises CannotRun when the address is taken or the certificate cannot be used."""
        import uvicorn  # noqa: PLC0415  (takes 0.1 s to load, and may be missing)

        from keyfuse.api.app import create_app  # noqa: PLC0415  (as above)

        settings = self._desk.settings
        tls = settings.tls_certificate is not None
        listener = _listen(settings.listen, settings.port)
        try:
            config = uvicorn.Config(
                create_app(lambda: self._desk),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="on",
                loop="asyncio",
                http="h11",
                ws="none",
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=max(1, int(self._services.session.config.daemon.drain.total_seconds())),
                ssl_certfile=str(settings.tls_certificate) if tls else None,
                ssl_keyfile=str(settings.tls_key) if tls else None,
            )
            config.load()
        except (OSError, ssl.SSLError) as error:
            listener.close()
            raise ConfigError(
                f"[api] tls_certificate and tls_key cannot be used ({error.strerror or type(error).__name__})"
            ) from None
        _hear(self._services.journal)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="http", daemon=True)
        self._thread.start()
        host, port = listener.getsockname()[:2]
        self.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
        self._services.journal.info("listening", url=self.url)

    def reloaded(self, services: Services) -> None:
        """There is a new configuration, in force for every request from now on, but for address and certificate."""
        from keyfuse.api.desk import make_desk  # noqa: PLC0415  (needs FastAPI)

        desk = make_desk(services)
        before, after = self._desk.settings, desk.settings
        for name in ("listen", "port", "tls_certificate", "tls_key", "trusted_proxies"):
            if getattr(before, name) != getattr(after, name):
                services.journal.warning("only a restart brings this into force", setting=f"api.{name}")
        self._services, self._desk, self._recognition = services, desk, Recognition(services.session)

    def stop(self, seconds: float) -> None:
        """Takes no new requests, and lets those under way end within so many seconds."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(1)

    def _run(self, listener: socket.socket) -> None:
        assert self._server is not None  # noqa: S101 - narrows for the type checker
        try:
            self._server.run(sockets=[listener])
        except Exception as error:  # the daemon goes on, and says that nobody can ask it any more
            self._services.journal.error("the HTTP side has ended", kind=type(error).__name__)
            self._services.health.trouble(PART, f"it has ended ({type(error).__name__}); restart the daemon")
        finally:
            listener.close()


class _Heard(logging.Handler):
    """Has what uvicorn says stand in the daemon's own log, without exceptions' texts."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one event."""
        self._journal.warning("http server", says=str(record.msg)[:200])


def _hear(journal: Journal) -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.handlers, logger.propagate = [_Heard(journal)], False


def _listen(address: str, port: int) -> socket.socket:
    """A socket that is bound, so that a taken address is known before anything else begins. Raises CannotRun."""
    try:
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotRun(f"[api] listen = {address!r} is no address of this machine ({error.strerror})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotRun(
            f"port {port} of {address} cannot be used ({error.strerror}); another daemon may run already; choose "
            "another port in [api]"
        ) from None
    listener.setblocking(False)
    return listener
