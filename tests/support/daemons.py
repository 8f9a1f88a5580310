"""A real daemon in a process of its own, and what it has written down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from keyfuse.session import Session
from responders.incident import Incident, IncidentState
from responders.issuer import NewKey
from responders.registrar import By
from scanner.model import Secret

PATIENCE = 90.0
"""Seconds until a test gives up on something that takes a moment, however busy the machine is."""


class DaemonProcess:
    """`keyfuse daemon` over one directory: `watched` is watched, `data` is its data directory."""

    def __init__(self, root: Path, cache: Path, *, config: str = "", env: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.watched = root / "watched"
        self.watched.mkdir(parents=True, exist_ok=True)
        self.config = root / "keyfuse.toml"
        self.write_config(config)
        self.env = {
            **os.environ,
            "KEYFUSE_DATA_DIR": str(root / "data"),
            "KEYFUSE_CACHE_DIR": str(cache),
            **(env or {}),
        }
        self.session = Session(str(self.config), env=self.env)
        self._process: subprocess.Popen[bytes] | None = None

    def write_config(self, more: str = "") -> None:
        """The file it reads: one target, `watched`, and what else is given; HTTP is on a free port."""
        api = "" if "[api]" in more else "[api]\nport = 0\n"
        self.config.write_text(f'{more}\n{api}[[target]]\nname = "watched"\npath = "watched"\n')

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs another keyfuse over the same data."""
        line = [sys.executable, "-m", "keyfuse", "--config", str(self.config), *words]
        return subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=PATIENCE)

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        begins = len(self.log())
        with (self.root / "log").open("ab") as out:
            line = [sys.executable, "-m", "keyfuse", "--config", str(self.config), "daemon"]
            self._process = subprocess.Popen(line, env=self.env, stdout=out, stderr=out)
        self.until(lambda: " ready " in self.log()[begins:], "it says that it is ready")

    def log(self) -> str:
        """What it has said so far."""
        path = self.root / "log"
        return path.read_text() if path.exists() else ""

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for something."""
        end = time.monotonic() + PATIENCE
        while not holds():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > end:
                raise AssertionError(f"not so: {what}\n{self.log()}")
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it, and returns its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self.send(number)
        code = self._process.wait(PATIENCE)
        self._process = None
        return code

    def issue(self, name: str) -> Secret:
        """The value of a new key."""
        return self.session.issuer().create(NewKey(name, owners=("owner@example.org",)), By("test")).secret

    def incident(self, secret: Secret) -> Incident | None:
        """What is known of a leak of this key."""
        with self.session.records().read() as tx:
            return tx.incidents.by_fingerprint(self.session.fingerprinter().of(secret.reveal()))

    def is_contained(self, secret: Secret) -> bool:
        """Whether this key's leak was answered, and the answer proven."""
        incident = self.incident(secret)
        return incident is not None and incident.state is IncidentState.CONTAINED
