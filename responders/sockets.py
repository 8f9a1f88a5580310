"""Watched connections: whom they reach is checked before a byte is sent, and an exchange may last only so long.

The address is looked at on the socket that was connected, not in an answer of the name service that could be another
one the next moment. Behind a proxy the address is the proxy's, which the person who set it answers for.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class PrivateAddress(OSError):
    """The name leads to this machine or to a network that is not the internet, which nobody has allowed."""


class Watch:
    """What one session's connections are held to. `private` allows addresses that are not on the internet."""

    def __init__(self, *, private: bool) -> None:
        self.private = private
        self.late = False
        self._connections: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()

    def check(self, connection: HTTPConnection, reached: socket.socket) -> None:
        """Takes note of a connection that was made. Raises PrivateAddress, the socket closed."""
        if not self.private and connection.proxy is None and is_private(str(reached.getpeername()[0])):
            reached.close()
            raise PrivateAddress
        self._connections.add(connection)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Breaks all connections off if what is done takes longer; `late` says afterwards whether it did."""
        self.late = False
        timer = threading.Timer(seconds, self._break_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _break_off(self) -> None:
        self.late = True
        for connection in list(self._connections):
            if isinstance(connection.sock, socket.socket):
                try:
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # not TLS's own: another thread reads
                except OSError:
                    continue


def is_private(address: str) -> bool:
    """Whether an address is one that only this machine or its network knows (also where it hides in IPv6)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return not found.is_global or found.is_multicast


def adapter(watch: Watch) -> requests.adapters.HTTPAdapter:
    """What makes a session's connections watched ones; nothing is retried."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            reached = super()._new_conn()
            watch.check(self, reached)
            return reached

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            reached = super()._new_conn()
            watch.check(self, reached)
            return reached

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    pools = {"http": PlainPool, "https": TlsPool}

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
            manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
            manager.pool_classes_by_scheme = pools
            return manager

    return Adapter(max_retries=0)
