"""The guard that keeps the tests on this machine does so, here and in processes that they start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.loopback.sitecustomize import NOTES

ELSEWHERE = "192.0.2.1"
"""An address for documentation; nobody has it."""


def noted() -> str:
    """What was refused, taken out of the notes."""
    path = Path(os.environ[NOTES])
    text = path.read_text()
    path.unlink()
    return text


def test_a_connection_to_elsewhere_is_refused_and_written_down() -> None:
    with socket.socket() as one, pytest.raises(OSError, match="tests stay on loopback"):
        one.connect((ELSEWHERE, 443))
    assert ELSEWHERE in noted()


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(OSError, match="tests stay on loopback"):
        socket.getaddrinfo("example.org", 443)
    assert "example.org" in noted()


def test_a_process_of_a_test_is_kept_at_home_too() -> None:
    script = f"import socket; socket.socket().connect(('{ELSEWHERE}', 443))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode != 0
    assert "LeftLoopback" in done.stderr
    assert ELSEWHERE in noted()
