"""Watched connections: whom they reach is checked before a byte is sent, and an exchange may last only so long.

The address is looked at on the socket that was connected, not in an answer of the name service that could be another
one the next moment. Behind a proxy the address is the proxy's, which the person who set it answers for.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import time
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
        self._end = float("inf")

    def begin(self, seconds: float) -> None:
        """From now on an exchange may last so long."""
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left of it. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def check(self, connection: HTTPConnection, reached: socket.socket) -> None:
        """Looks at whom a connection reached. Raises PrivateAddress, the socket closed."""
        if not self.private and connection.proxy is None and is_private(str(reached.getpeername()[0])):
            reached.close()
            raise PrivateAddress


class _Timed(io.RawIOBase):
    """What a server sends, each piece within what is left of the exchange: one that drips is left too."""

    def __init__(self, reached: socket.socket, watch: Watch) -> None:
        self._socket = reached
        self._inner = reached.makefile("rb", buffering=0)
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left, patience = self._watch.left(), self._socket.gettimeout()
        self._socket.settimeout(left if patience is None else min(left, patience))
        try:
            return self._inner.readinto(buffer)
        finally:
            self._socket.settimeout(patience)

    def close(self) -> None:
        self._inner.close()
        super().close()


def is_private(address: str) -> bool:
    """Whether an address is one that only this machine or its network knows (also where it hides in IPv6)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return not found.is_global or found.is_multicast


def adapter(watch: Watch) -> requests.adapters.HTTPAdapter:
    """What makes a session's connections watched ones; nothing is retried."""

    class Timed(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp.close()
            self.fp = io.BufferedReader(_Timed(sock, watch))

    class Plain(HTTPConnection):
        response_class = Timed

        def _new_conn(self) -> socket.socket:
            reached = super()._new_conn()
            watch.check(self, reached)
            return reached

    class Tls(HTTPSConnection):
        response_class = Timed

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
