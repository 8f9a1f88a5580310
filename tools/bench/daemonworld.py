"""A keyfuse daemon in a scratch directory, for measurements: keys to leak, and what became of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from keyfuse.session import Session
from responders.incident import Incident, IncidentState
from responders.issuer import NewKey
from responders.notify.queue import DeliveryState
from responders.registrar import By
from scanner.model import Fingerprint, Secret

BY = By("bench")
CONFIG = """\
[registry]
user_keys = 1000000
[limits]
actions_per_hour = 1000000
[notify]
administrators = ["security@example.org"]
digest_above = 1000000
[notify.channel.file]
type = "file"
path = "notices.jsonl"
[daemon]
log_format = "json"
"""


class World:
    """One daemon, its data and what it watches, below `root`."""

    def __init__(self, root: Path, *, database: str = "", extra: str = "") -> None:
        self.root = root
        self.watched = root / "watched"
        self.watched.mkdir(parents=True)
        self.config = root / "keyfuse.toml"
        url = f'[database]\nurl = "{database}"\n' if database else ""
        target = f'[api]\nport = 0\n[[target]]\nname = "watched"\npath = "{self.watched}"\n'
        self.config.write_text(CONFIG + url + extra + target)
        self.env = os.environ | {"KEYFUSE_DATA_DIR": str(root / "data")}
        self.session = Session(str(self.config), env=self.env)
        self.process: subprocess.Popen[bytes] | None = None

    def issue(self, count: int) -> list[Secret]:
        """New keys' values."""
        issuer = self.session.issuer()
        return [
            issuer.create(NewKey(f"key {number}", owners=("owner@example.org",)), BY).secret for number in range(count)
        ]

    def start(self, *, ready: float = 120.0) -> None:
        """Starts the daemon, and waits until it says that it is ready."""
        log = self.root / "daemon.log"
        begins = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            command = [sys.executable, "-m", "keyfuse", "--config", str(self.config), "daemon"]
            self.process = subprocess.Popen(
                command, env=self.env, stdout=out, stderr=out, cwd=Path(__file__).resolve().parents[2]
            )
        end = time.monotonic() + ready
        while b'"ready"' not in log.read_bytes()[begins:]:
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the daemon did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends it at once, whatever it is doing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ends it as a service manager does."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def memory(self) -> int:
        """Resident bytes of the daemon."""
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
        return 0

    def incidents(self) -> list[Incident]:
        """All of them."""
        with self.session.records().read() as tx:
            return list(tx.incidents.list(limit=1_000_000))

    def contained(self) -> dict[Fingerprint, datetime]:
        """When each leaked key's incident was contained, by fingerprint."""
        return {i.fingerprint: i.changed_at for i in self.incidents() if i.state is IncidentState.CONTAINED}

    def fingerprint(self, secret: Secret) -> Fingerprint:
        """As the registry knows it."""
        return self.session.fingerprinter().of(secret.reveal())

    def wait_contained(self, count: int, seconds: float) -> dict[Fingerprint, datetime]:
        """Waits until so many incidents are contained, at most so long."""
        end = time.monotonic() + seconds
        while len(found := self.contained()) < count and time.monotonic() < end:
            time.sleep(0.5)
        return found

    def notices(self) -> list[dict[str, object]]:
        """Every notice that got through."""
        path = self.root / "notices.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def undelivered(self) -> int:
        """How many deliveries wait or were given up."""
        with self.session.records().read() as tx:
            return tx.notices.count(DeliveryState.WAITING) + tx.notices.count(DeliveryState.DEAD)


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
