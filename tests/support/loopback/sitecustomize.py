"""Keeps a Python process on this machine: whatever would leave loopback is refused, and written down.

Python loads a module of this name at start, so it guards the processes that tests start too, by way of PYTHONPATH. It
imports nothing, since some tests look at what a start has loaded. What other programs do (git, gpg) it does not see.
"""

import sys

NOTES = "KEYFUSE_TEST_LEFT_LOOPBACK"
"""The environment variable that names the file in which refusals are written down."""


class LeftLoopback(OSError):
    """Something in the tests wanted to speak to somebody who is not on this machine."""


def _at_home(host: object) -> bool:
    if host is None or isinstance(host, bytes | bytearray):
        host = (host or b"").decode("ascii", "replace")
    if not isinstance(host, str):
        return False
    return host in ("", "localhost", "::1", "0.0.0.0", "::") or host.startswith(("127.", "::ffff:127."))


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if not isinstance(address, tuple) or _at_home(address[0]):
            return
        _refuse(f"{event} {address[0]}")
    elif event == "socket.getaddrinfo" and not _at_home(args[0]):
        host = str(args[0])
        if not host.replace(".", "").isdigit() and ":" not in host:  # addresses are not looked up anywhere
            _refuse(f"{event} {host}")


def _refuse(what: str) -> None:
    import os

    if path := os.environ.get(NOTES):
        with open(path, "a") as notes:
            notes.write(what + "\n")
    raise LeftLoopback(f"tests stay on loopback: {what}")


sys.addaudithook(_guard)
