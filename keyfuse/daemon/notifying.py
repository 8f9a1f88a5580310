"""Tells systemd how the daemon is: sd_notify(3), one datagram to the socket that the environment names."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Supervisor:
    """What started this process, if it wants to hear. Without a socket every call does nothing."""

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        mine = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        micros = env.get("WATCHDOG_USEC", "") if mine else ""
        self.interval = int(micros) / 2e6 if micros.isdigit() and int(micros) else None
        """Seconds between signs of life; None when nobody waits for them. Half of what systemd waits, as it advises."""

    def tell(self, *lines: str) -> bool:
        """Sends states such as `READY=1`; false when nobody listens."""
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.connect(self._address)
                sender.send("\n".join(lines).encode())
        except OSError:
            return False
        return True
