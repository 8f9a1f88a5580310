"""A program that responds to a leak and kills itself, with SIGKILL, at its n-th step.

    python -m tests.support.responding DIRECTORY STEP        (the leaked value comes on stdin)

It prints the name of each step it gets through. With a step beyond the last one it lives.
"""

from __future__ import annotations

import os
import signal
import sys
import uuid
from pathlib import Path

from scanner.model import Secret
from tests.support.answering import open_office
from tests.support.stores import Clock


def main(directory: Path, fatal: int) -> None:
    """Reports, responds and delivers, as an audit does."""
    steps = 0

    def checkpoint(step: str) -> None:
        nonlocal steps
        print(step, flush=True)
        if steps == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    with open_office(directory, Clock(), checkpoint=checkpoint, ids=lambda: uuid.uuid4().hex) as office:
        office.leak(Secret(sys.stdin.buffer.read()))
        office.courier.deliver()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
