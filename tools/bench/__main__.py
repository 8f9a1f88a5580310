"""Measures and writes down.

python -m tools.bench [--scratch DIR] [--rounds N] [--job NAME …] [--growth] [--write]

`--write` puts the tables into docs/performance.md, between their marks, and the picture beside it.
"""

from __future__ import annotations

import argparse
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tools.bench import compare, growth

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
PICTURE = PAGE.with_name("growth.svg")


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=Path, default=Path("build/bench"), help="inputs and scanners are kept there")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--job", action="append", choices=list(compare.JOBS), help="only this comparison")
    parser.add_argument("--growth", action="store_true", help="also how cost grows")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    scratch: Path = options.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    compare.build(scratch)
    tables = {
        "compared": _machine()
        + compare.table(compare.compare(scratch, options.rounds, options.job or list(compare.JOBS)))
    }
    if options.growth:
        grown = growth.grow(scratch)
        tables["grown"] = growth.table(grown)
        if options.write:
            growth.picture(grown, PICTURE)
    for name, text in tables.items():
        print(f"\n{text}")
        if options.write:
            _write(name, text)


def _machine() -> str:
    """What was measured on, when, and which versions."""
    about = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    cpu = re.search(r"^model name\s*:\s*(.+)$", about, re.MULTILINE)
    cores = len(re.findall(r"^processor", about, re.MULTILINE))
    system = f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    scanners = ", ".join((f"keyfuse {version('keyfuse')}", *(pin.replace("==", " ") for pin in compare.PEERS.values())))
    name = cpu[1] if cpu else "an unnamed processor"
    return f"{datetime.now(UTC):%d %B %Y}; {cores} cores of {name}, {system}; {scanners}.\n\n"


def _write(name: str, text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not begin or not end:
        raise SystemExit(f"{PAGE} has no place for {name!r}")
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
