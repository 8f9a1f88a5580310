"""Kills the daemon at random moments under load, and looks whether anything was lost or done twice.

    python -m tools.bench.crash [--minutes 3] [--database URL] [--seed N]

Keys are written into watched files and pushed to a watched repository while the daemon is killed (SIGKILL) and started
again, over and over. In the end every key must have one incident, contained; no key may have been changed twice; every
notice that was written down must have been sent; and the audit log must verify.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from responders.auditlog import verify
from responders.errors import LogBroken
from responders.registry import KeyState
from scanner.model import Secret
from tools.bench.daemonworld import World

GIT = ["git", "-c", "user.name=crash", "-c", "user.email=crash@example.org"]


def main() -> int:
    """Prints what was lost or repeated; 0 when nothing was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--database", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", type=int, default=600)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="keyfuse-crash-") as scratch:
        world = World(Path(scratch), database=options.database)
        secrets = world.issue(options.keys)
        world.start()
        leaking = threading.Thread(target=_leak, args=(world, secrets, options.minutes * 60, random.Random(2)))
        leaking.start()
        kills = 0
        while leaking.is_alive():
            time.sleep(rng.uniform(0.05, 4.0))
            world.kill()
            kills += 1
            world.start()
        leaking.join()
        print(f"{kills} kills; waiting for what was left unfinished", flush=True)
        _settle(world, secrets)
        world.stop()
        return _judge(world, secrets)


def _leak(world: World, secrets: list[Secret], seconds: float, rng: random.Random) -> None:
    bare, clone = world.watched / "shared.git", world.root / "clone"
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run([*GIT, "init", "-q", "--bare", str(bare)], check=True, env=env)
    subprocess.run([*GIT, "clone", "-q", str(bare), str(clone)], check=True, env=env, capture_output=True)
    for number, secret in enumerate(secrets):
        content = b"TOKEN=" + secret.reveal() + b"\n"
        if number % 10:
            (world.watched / f"{number}.env").write_bytes(content)
        else:
            (clone / f"{number}.env").write_bytes(content)
            subprocess.run([*GIT, "-C", str(clone), "add", "."], check=True, env=env)
            subprocess.run([*GIT, "-C", str(clone), "commit", "-qm", str(number)], check=True, env=env)
            subprocess.run([*GIT, "-C", str(clone), "push", "-q", "origin", "HEAD"], check=True, env=env)
        time.sleep(rng.uniform(0, 2 * seconds / len(secrets)))


def _settle(world: World, secrets: list[Secret]) -> None:
    """Lets the daemon finish. What a killed one held in a shared database is another's after five minutes."""
    end = time.monotonic() + 480
    while time.monotonic() < end:
        if len(world.contained()) == len(secrets) and not world.undelivered():
            return
        time.sleep(2)


def _judge(world: World, secrets: list[Secret]) -> int:
    incidents = Counter(incident.fingerprint for incident in world.incidents())
    contained = world.contained()
    wanted = {world.fingerprint(secret) for secret in secrets}
    lost = [each for each in wanted if not incidents[each]]
    twice = [each for each in wanted if incidents[each] > 1]
    open_ = [each for each in wanted if incidents[each] and each not in contained]
    with world.session.records().read() as tx:
        keys = tx.keys.lookup(wanted)
        changed = {each: [c.action for c in tx.keys.get(key.id).history].count("disable") for each, key in keys.items()}
        try:
            broken = f"verifies, {verify(tx.audit.read(), tx.audit.head()).records} records"
            bad = False
        except LogBroken as error:
            broken, bad = str(error), True
    repeated = [each for each, count in changed.items() if count > 1]
    alive = [each for each, key in keys.items() if key.state is KeyState.ACTIVE]
    told = Counter(str(notice.get("id")) + str(notice.get("to", "")) for notice in world.notices())
    unsent = world.undelivered()
    print(f"{len(wanted)} keys: {len(contained)} contained, {len(lost)} lost, {len(twice)} with two incidents, "
          f"{len(open_)} not contained, {len(alive)} alive, {len(repeated)} changed twice")  # fmt: skip
    repeats = sum(count - 1 for count in told.values())
    print(f"{sum(told.values())} notices sent ({repeats} repeated under the same id), {unsent} not delivered")
    print(f"audit log: {broken}")
    return int(bool(lost or twice or open_ or alive or repeated or unsent or bad))


if __name__ == "__main__":
    sys.exit(main())
