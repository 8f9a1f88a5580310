"""Shows that the intakes hold what they promise: large reports and many at once, answered in time, none lost.

    python tools/intake_load.py [--tokens 10000] [--requests 100] [--each 100]

Starts the HTTP side over a fresh database in a scratch directory, as GitHub would see it: signed with a key made for
this run. Prints one line for each trial: how long the answers took, what lies in the queue, and the most memory.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import string
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keyfuse.api.service import Http
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.services import Services
from keyfuse.daemon.work import Work
from keyfuse.session import Session
from responders.batches import unpack
from responders.keyfile import sealer
from responders.leakreport import LeakReport

LETTERS = string.ascii_letters + string.digits


class Nobody:
    """Takes no leaks: only the way into the queue is looked at."""

    def report(self, reports: Sequence[LeakReport], *, actor: str) -> list[str]:
        """Never called here."""
        raise NotImplementedError

    def respond(self, incident_id: str) -> None:
        """Never called here."""
        raise NotImplementedError


def body(rng: random.Random, count: int) -> bytes:
    """A report of made-up tokens, each in a place of its own."""
    tokens = [
        {
            "token": "".join(rng.choices(LETTERS, k=40)),
            "type": "some_api_key",
            "url": f"https://git.example.org/shop/blob/{number:040x}/src/config-{number}.py#L{number}",
            "source": "commit",
        }
        for number in range(count)
    ]
    return json.dumps(tokens).encode()


def main() -> int:
    """Runs the trials; 0 when nothing was lost and everything answered within GitHub's 30 seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--each", type=int, default=100)
    wanted = parser.parse_args()
    rng = random.Random(1)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        keys = place / "keys.json"
        keys.write_text(json.dumps({"public_keys": [{"key_identifier": "k", "key": pem.decode(), "is_current": True}]}))
        config = place / "keyfuse.toml"
        config.write_text(
            f'[api]\nport = 0\nrequests_per_minute = 1000000\n[api.intake]\ngithub_keys_file = "{keys}"\n'
        )
        env = {"KEYFUSE_DATA_DIR": str(place / "data"), "KEYFUSE_CACHE_DIR": str(place / "cache")}
        with Session(str(config), env=env) as session:
            work = Work(session.records(), session.clock, lambda: sealer(place / "data"), node="load")
            services = Services(
                session=session,
                work=work,
                reports=Nobody(),
                health=Health(),
                metrics=lambda: b"",
                told=lambda: None,
                journal=Journal(StringIO(), level="error"),
            )
            http = Http(services)
            http.start()
            try:
                trials = [(1, wanted.tokens), (wanted.requests, wanted.each), (wanted.requests // 5, wanted.tokens)]
                return max(trial(http.url, key, work, rng, count, each) for count, each in trials)
            finally:
                http.stop(10)


def trial(url: str, key: ec.EllipticCurvePrivateKey, work: Work, rng: random.Random, count: int, each: int) -> int:
    """So many requests at once with so many tokens each."""
    bodies = [body(rng, each) for _ in range(count)]
    signed = [(content, b64encode(key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()) for content in bodies]

    def send(pair: tuple[bytes, str]) -> tuple[int, float]:
        headers = {"Github-Public-Key-Identifier": "k", "Github-Public-Key-Signature": pair[1]}
        began = time.monotonic()
        answer = requests.post(f"{url}/intake/github", data=pair[0], headers=headers, timeout=120)
        return answer.status_code, time.monotonic() - began

    began = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(send, signed))
    seconds = time.monotonic() - began
    held = 0
    while items := work.claim(["leaks"], limit=50):
        for item in items:
            secret = work.secret(item)
            held += len(unpack(secret)) if secret is not None else 0
            work.complete(item)
    slowest = max(took for _, took in answers)
    refused = sum(1 for status, _ in answers if status != 200)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    well = refused == 0 and held == count * each and slowest < 30
    sys.stdout.write(
        f"{'ok' if well else 'NOT OK'}: {count} at once of {each} tokens ({len(bodies[0]) >> 10} KiB): all answered in "
        f"{seconds:.1f} s, the slowest in {slowest:.1f} s, {refused} refused; {held} of {count * each} tokens wait in "
        f"the queue; at most {memory:.0f} MiB, sender included\n"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
