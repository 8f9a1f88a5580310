"""How long a leaked key lives: from the moment it is written (or pushed) until it is proven disabled.

    python -m tools.bench.daemon [--leaks 1000] [--others 10000] [--pushes 30] [--seconds 300] [--database URL]

A real daemon watches a directory. Keys of the embedded provider are written into files there, evenly over the time,
while other files change; then keys are pushed to a bare repository in the same directory.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from scanner.model import Fingerprint, Secret
from tools.bench.daemonworld import World, now, percentile

GIT = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "init.defaultBranch=main"]


def main() -> None:
    """Prints median, p99 and the longest time of both ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("leaks", 1000), ("others", 10_000), ("pushes", 30), ("seconds", 300), ("checkout", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyfuse-bench-") as scratch:
        world = World(Path(scratch), database=options.database)
        secrets = world.issue(options.leaks + options.pushes + 1)
        world.start()
        try:
            time.sleep(3)
            written = _files(world, secrets[: options.leaks], options.others, options.seconds)
            _tell("written file", written, world, options.leaks)
            print(f"resident: {world.memory() >> 20} MiB")
            pushed = _pushes(world, secrets[options.leaks : -1])
            _tell("git push", pushed, world, options.leaks + options.pushes)
            if options.checkout:
                checked_out = _checkout(world, secrets[-1], options.checkout)
                _tell(f"checkout of {options.checkout} files", checked_out, world, len(secrets))
                print(f"resident: {world.memory() >> 20} MiB")
        finally:
            world.stop()


def _files(world: World, secrets: Sequence[Secret], others: int, seconds: float) -> dict[Fingerprint, datetime]:
    """Writes all of it, evenly over the time; returns when each key was written."""
    rng = random.Random(1)
    for number in range(50):
        (world.watched / f"d{number}").mkdir()
    plan: list[Secret | None] = [*secrets, *[None] * others]
    rng.shuffle(plan)
    written: dict[Fingerprint, datetime] = {}
    began = time.monotonic()
    for number, secret in enumerate(plan):
        time.sleep(max(0.0, began + number * seconds / len(plan) - time.monotonic()))
        path = world.watched / f"d{rng.randrange(50)}" / f"f{rng.randrange(5000)}.py"
        filler = b"".join(b"value_%d = %d\n" % (line, rng.randrange(1 << 40)) for line in range(40))
        if secret is not None:
            written[world.fingerprint(secret)] = now()
            path.with_suffix(f".{number}.env").write_bytes(filler + b"TOKEN=" + secret.reveal() + b"\n")
        else:
            path.write_bytes(filler)
    return written


def _pushes(world: World, secrets: Sequence[Secret]) -> dict[Fingerprint, datetime]:
    bare, clone = world.watched / "shared.git", world.root / "clone"
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run([*GIT, "init", "-q", "--bare", str(bare)], check=True, env=env)
    subprocess.run([*GIT, "clone", "-q", str(bare), str(clone)], check=True, env=env, capture_output=True)
    (clone / "README").write_text("nothing yet\n")
    subprocess.run([*GIT, "-C", str(clone), "add", "."], check=True, env=env)
    subprocess.run([*GIT, "-C", str(clone), "commit", "-qm", "begin"], check=True, env=env)
    subprocess.run([*GIT, "-C", str(clone), "push", "-q", "origin", "HEAD"], check=True, env=env)
    time.sleep(5)
    pushed = {}
    for number, secret in enumerate(secrets):
        (clone / f"settings{number}.env").write_bytes(b"TOKEN=" + secret.reveal() + b"\n")
        subprocess.run([*GIT, "-C", str(clone), "add", "."], check=True, env=env)
        subprocess.run([*GIT, "-C", str(clone), "commit", "-qm", f"change {number}"], check=True, env=env)
        pushed[world.fingerprint(secret)] = now()
        subprocess.run([*GIT, "-C", str(clone), "push", "-q", "origin", "HEAD"], check=True, env=env)
        time.sleep(0.3)
    return pushed


def _checkout(world: World, secret: Secret, count: int) -> dict[Fingerprint, datetime]:
    """A repository elsewhere, checked out into the watched directory; one of its files holds a key."""
    origin, env = world.root / "origin", os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    rng = random.Random(2)
    for number in range(count):
        path = origin / f"d{number % 500}" / f"f{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"value = {rng.random()}\nother = {rng.random()}\n")
    (origin / "d7" / "last.env").write_bytes(b"TOKEN=" + secret.reveal() + b"\n")
    subprocess.run([*GIT, "init", "-q", str(origin)], check=True, env=env)
    subprocess.run([*GIT, "-C", str(origin), "add", "."], check=True, env=env)
    subprocess.run([*GIT, "-C", str(origin), "commit", "-qm", "all"], check=True, env=env)
    began = now()
    subprocess.run([*GIT, "clone", "-q", str(origin), str(world.watched / "clone")], check=True, env=env)
    print(f"git needed {(now() - began).total_seconds():.1f} s")
    return {world.fingerprint(secret): began}


def _tell(what: str, leaked: dict[Fingerprint, datetime], world: World, count: int) -> None:
    contained = world.wait_contained(count, 120)
    times = [(contained[key] - at).total_seconds() for key, at in leaked.items() if key in contained]
    missing = len(leaked) - len(times)
    figures = f"median {percentile(times, 0.5):.3f} s, p99 {percentile(times, 0.99):.3f} s, longest {max(times):.3f} s"
    print(f"{what}: {len(times)} leaks contained, {missing} not; {figures}", flush=True)


if __name__ == "__main__":
    main()
