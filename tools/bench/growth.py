"""How time and memory grow with the work, as figures and as a picture."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.bench import inputs
from tools.bench.measuring import Cost, measured, median, own_command, own_environment

ROUNDS = 3

WORK: Mapping[str, tuple[tuple[int, ...], Callable[[Path, int], None]]] = {
    "files": ((2_000, 8_000, 32_000), inputs.build_files),
    "commits": ((1_000, 4_000, 16_000), inputs.build_history),
    "findings": ((10, 100, 1_000, 10_000, 100_000), inputs.build_findings),
}
"""What grows, how, and what makes it."""


def grow(scratch: Path) -> Mapping[str, Mapping[int, Cost]]:
    """The median cost of each amount of work; histories are scanned cold."""
    answer: dict[str, dict[int, Cost]] = {}
    for what, (sizes, build) in WORK.items():
        for size in sizes:
            place = scratch / "growth" / f"{what}-{size}"
            inputs.apart(build, place, size)
            command = [*own_command(), "audit", str(place), "--format", "json", "--output", str(scratch / "out")]
            costs = []
            for _ in range(ROUNDS):
                shutil.rmtree(scratch / "data" / "growth", ignore_errors=True)
                costs.append(measured(command, own_environment(scratch / "data" / "growth", scratch / "cache")))
            answer.setdefault(what, {})[size] = cost = median(costs)
            print(f"  {size:>7,} {what:9} {cost.wall:8.2f} s {cost.memory:6.0f} MB", flush=True)
    return answer


def table(answer: Mapping[str, Mapping[int, Cost]]) -> str:
    """The figures in Markdown."""
    rows = ["| work | amount | wall, s | CPU, s | memory, MB |", "|---|---|---|---|---|"]
    for what, costs in answer.items():
        for at, (size, cost) in enumerate(costs.items()):
            shown = f"{cost.wall:.2f} | {cost.cpu:.2f} | {cost.memory:.0f}"
            rows.append(f"| {what if not at else ''} | {size:,} | {shown} |")
    return "\n".join(rows) + "\n"


def picture(answer: Mapping[str, Mapping[int, Cost]], path: Path) -> None:
    """Draws them, both axes logarithmic; the dotted line is what growth in proportion would be."""
    import matplotlib as mpl  # noqa: PLC0415 - for this alone

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "keyfuse"
    from matplotlib import pyplot  # noqa: PLC0415

    figure, panels = pyplot.subplots(2, len(answer), figsize=(4 * len(answer), 6), sharey="row", layout="constrained")
    for column, (what, costs) in enumerate(answer.items()):
        sizes = list(costs)
        for row, (name, figures) in enumerate(
            {"wall time, s": [c.wall for c in costs.values()], "memory, MB": [c.memory for c in costs.values()]}.items()
        ):
            panel = panels[row][column]
            panel.loglog(sizes, figures, marker="o", color="tab:blue")
            panel.loglog(sizes, [figures[-1] * size / sizes[-1] for size in sizes], linestyle=":", color="tab:gray")
            panel.set_xlabel(what)
            panel.grid(visible=True, which="major", alpha=0.3)
            if not column:
                panel.set_ylabel(name)
    figure.savefig(path, metadata={"Date": None})
