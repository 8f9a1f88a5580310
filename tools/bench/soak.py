"""Weeks of the daemon's life in minutes: its schedules, work, responses, notices and upkeep on a simulated clock.

    python -m tools.bench.soak [--days 14] [--step 300]

A repository is fetched every hour by two daemons over one database, keys leak into it, and keys expire. In the end each
scheduled time must have come up once, every leak must be contained and told, the log must verify, and memory must not
have grown with the days.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keyfuse.daemon.answers import Answers
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.labour import KINDS, Scans
from keyfuse.daemon.memory import Memory
from keyfuse.daemon.meters import Meters
from keyfuse.daemon.schedule import Schedules
from keyfuse.daemon.sights import Sights
from keyfuse.daemon.targets import add_target
from keyfuse.daemon.work import Work
from keyfuse.session import Session
from responders.auditlog import verify
from responders.incident import IncidentState
from responders.issuer import NewKey
from responders.keyfile import sealer
from responders.notify.queue import DeliveryState
from responders.registrar import By
from responders.targets import Target, TargetKind
from tools.bench.daemonworld import CONFIG

GIT = ["git", "-c", "user.name=soak", "-c", "user.email=soak@example.org", "-c", "init.defaultBranch=main"]
START = datetime(2026, 3, 1, tzinfo=UTC)


class Node:
    """One daemon without its threads: what they do is done in turn."""

    def __init__(self, session: Session, name: str) -> None:
        self.session = session
        journal, health, records = Journal(level="error"), Health(), session.records()
        meters = Meters(lambda: records)
        self.work = Work(records, session.clock, lambda: sealer(session.config.data_dir), node=name)
        self.answers = Answers(session, meters, journal, health, lambda: None)
        self.schedules = Schedules(lambda: records, self.work, session.clock)
        self.scans = Scans(session, Sights(session), self.answers, Memory(lambda: records), self.work, meters, journal)
        self.courier = session.courier()

    def step(self) -> tuple[int, int]:
        """Everything that is due now; returns how many schedules fired, and how many scans were done."""
        fired, done = len(self.schedules.fire()), 0
        for item in self.work.claim(KINDS, 10):
            self.work.complete(item, self.scans.handle(item))
            done += 1
        while self.answers.waiting():
            job = self.answers._waiting.get()
            if job is not None:
                self.answers._answer(*job)
        self.answers.responder.tend()
        self.courier.deliver()
        with self.session.records().begin() as tx:
            tx.work.purge(self.session.clock() - timedelta(days=7))
        return fired, done


def main() -> int:
    """Prints what happened; 0 when it was what should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--step", type=int, default=300)
    options = parser.parse_args()
    now = [START]
    with tempfile.TemporaryDirectory(prefix="keyfuse-soak-") as scratch:
        root = Path(scratch)
        (root / "keyfuse.toml").write_text(CONFIG)
        env = os.environ | {"KEYFUSE_DATA_DIR": str(root / "data"), "KEYFUSE_CACHE_DIR": str(root / "cache")}
        session = Session(str(root / "keyfuse.toml"), lambda: now[0], env)
        origin = root / "origin"
        subprocess.run([*GIT, "init", "-q", str(origin)], check=True)
        _commit(origin, "README", b"nothing yet\n")
        target = Target("origin", TargetKind.URL, origin.as_uri(), START, settings={"every": 3600.0}, next_at=START)
        add_target(session.records(), target, "soak")
        nodes = [Node(session, "one"), Node(session, "two")]
        rng, issuer, leaked, fired, rss = random.Random(3), session.issuer(), 0, 0, 0
        began = time.monotonic()
        for number in range(options.days * 86400 // options.step):
            now[0] = START + timedelta(seconds=number * options.step)
            if rng.random() < 0.02:
                expires = now[0] + timedelta(days=rng.randrange(1, 40)) if rng.random() < 0.5 else None
                wanted = NewKey(f"key {number}", owners=("owner@example.org",), expires_at=expires)
                secret = issuer.create(wanted, By("soak")).secret
                _commit(origin, f"{number}.env", b"TOKEN=" + secret.reveal() + b"\n")
                leaked += 1
            rng.shuffle(nodes)
            fired += sum(node.step()[0] for node in nodes)
            if number * options.step == 86400:
                rss = _resident()
        return _judge(session, options.days * 24, leaked, fired, _resident() - rss, time.monotonic() - began)


def _judge(session: Session, hours: int, leaked: int, fired: int, grown: int, seconds: float) -> int:
    with session.records().read() as tx:
        states = tx.incidents.counts()
        waiting, dead = tx.notices.count(DeliveryState.WAITING), tx.notices.count(DeliveryState.DEAD)
        records = verify(tx.audit.read(), tx.audit.head()).records
    contained = states.get(IncidentState.CONTAINED, 0)
    print(f"{hours // 24} days in {seconds:.0f} s: {fired} of {hours} times came up; {leaked} keys leaked, "
          f"{contained} contained; {waiting} notices wait, {dead} were given up; audit log verifies ({records}); "
          f"memory grew by {grown >> 20} MiB after the first day")  # fmt: skip
    return int(fired != hours or contained < leaked - 2 or dead > 0)


def _commit(origin: Path, name: str, content: bytes) -> None:
    (origin / name).write_bytes(content)
    subprocess.run([*GIT, "-C", str(origin), "add", name], check=True)
    subprocess.run([*GIT, "-C", str(origin), "commit", "-qm", name], check=True)


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    sys.exit(main())
