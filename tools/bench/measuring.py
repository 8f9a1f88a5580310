"""Runs commands and tells what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

FOUND = frozenset((0, 1, 4, 200, 205))
"""Exit codes of scanners that did their work."""


class Cost(NamedTuple):
    """Wall and CPU time in seconds; peak memory of the largest process in MB."""

    wall: float
    cpu: float
    memory: float


def measured(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Runs one command. Raises SystemExit when it does not do its work: a failure's time is no figure."""
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in FOUND:
        raise SystemExit(f"exit {process.returncode}: {' '.join(command)}\n{said.decode(errors='replace')[-500:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(*(statistics.median(figures) for figures in zip(*costs, strict=True)))


def own_command() -> list[str]:
    """How this environment's keyfuse is started."""
    return [str(Path(sys.executable).with_name("keyfuse"))]


def own_environment(data: Path, cache: Path) -> dict[str, str]:
    """What it is given: a data directory of its own, and the cache of compiled rules."""
    return {**os.environ, "KEYFUSE_DATA_DIR": str(data), "KEYFUSE_CACHE_DIR": str(cache)}
