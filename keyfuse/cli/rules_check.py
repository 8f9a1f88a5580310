"""`keyfuse rules check`: what is wrong with rule files, what of a foreign one is carried over, what a rule costs."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyfuse.cli.tables import table
from scanner import rulebook
from scanner.errors import RuleError
from scanner.model import printable
from scanner.rule import Rule

if TYPE_CHECKING:
    from scanner.gitleaks.reading import Reading

_CORPUS = 4 << 20
_NAMED = 5
"""How many rules a note names before it only counts them."""


@click.command(epilog="Example: keyfuse rules check ./our-rules.toml --cost")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[FILE]…")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--cost", is_flag=True, help="Measure what each rule costs the first pass, dearest first.")
def check(files: tuple[Path, ...], form: str, cost: bool) -> None:
    """Check rule files (directories stand for the *.toml in them; without FILE, the shipped ones).

    Says everything that is wrong, with file, rule and reason; exit code 2 then. Of a gitleaks configuration it shows
    what is carried over, and everything that is not.
    """
    gathered = rulebook.gather(files or None)
    found, errors = gathered.rules, [*gathered.errors]
    errors += _refused(found)
    costs = _costs(found) if cost and not errors else []
    if form == "json":
        dear = [
            {"rule": rule, "mb_per_second": round(speed), "hits_per_mb": round(hits, 2)} for rule, speed, hits in costs
        ]
        report: dict[str, Any] = {"version": 1, "rules": len(found), "errors": list(map(str, errors)), "costs": dear}
        click.echo(json.dumps(report | {"foreign": list(map(_summary, gathered.foreign))}, indent=2))
    else:
        for reading in gathered.foreign:
            click.echo("\n".join(_shown(reading)))
        if costs:
            rows = [(rule, f"{speed:.0f}", f"{hits:.2f}") for rule, speed, hits in costs]
            click.echo(table(("ID", "MB/S ALONE", "HITS/MB"), rows))
        if not errors:
            click.echo(f"OK: {len(found)} rules")
    if errors:
        raise RuleError("\n".join(map(str, errors)))


def _summary(reading: Reading) -> dict[str, Any]:
    return {
        "file": reading.path,
        "rules": [{"id": each.id, "used": _used(each), "carried_over": each.parts} for each in reading.carried],
        "notes": [
            {"rule": note.rule, "what": note.what, "why": note.why, "instead": note.instead, "rule_lost": note.lost}
            for note in reading.notes
        ],
    }


def _used(carried: Any) -> bool:
    return carried.rule is not None or carried.amends


def _shown(reading: Reading) -> Iterator[str]:
    """What is carried over of a configuration, and each thing that is not; alike notes of many rules in one line."""
    used = [each for each in reading.carried if _used(each)]
    yield printable(f"{reading.path}: a gitleaks configuration; {len(used)} of {len(reading.carried)} rules are used")
    if used:
        yield table(("RULE", "CARRIED OVER"), [(each.id, ", ".join(each.parts) or "-") for each in used])
    notes: dict[str, list[str]] = {}
    for note in reading.notes:
        notes.setdefault(note.text, []).append(note.rule)
    if notes:
        yield "Not carried over as it stands:"
    for text, rules in notes.items():
        named = [rule for rule in rules if rule]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        yield printable(f"  {', '.join(named[:_NAMED])}{more}{': ' if named else ''}{text}")


def _refused(found: Sequence[Rule]) -> list[RuleError]:
    """The rules that Hyperscan or `regex` cannot compile."""
    import regex  # noqa: PLC0415 - heavy, and only needed here

    from scanner.engine.database import compile_errors  # noqa: PLC0415 - heavy, and only needed here

    triggers = [(rule.trigger.encode(), number) for number, rule in enumerate(found) if rule.trigger]
    errors = [RuleError(f"rule {found[number].kind.id}: {why}") for number, why in compile_errors(triggers).items()]
    for rule in found:
        try:
            regex.compile(rule.pattern.encode())
        except regex.error as error:
            errors.append(RuleError(f"rule {rule.kind.id}: {error}"))
    return errors


def _costs(found: Sequence[Rule]) -> list[tuple[str, float, float]]:
    """(rule, MB a second alone, hits a MB) over the source of Python's library; slowest first."""
    from scanner.engine.engine import engine_of  # noqa: PLC0415 - heavy, and only needed here

    text = _corpus()
    size = len(text) / 1e6
    costs = []
    for rule in found:
        engine = engine_of(rulebook.RuleBook((rule,), rule.kind.id))
        start = time.perf_counter()
        hits = len(engine.candidates(text))
        costs.append((rule.kind.id, size / (time.perf_counter() - start), hits / size))
    return sorted(costs, key=lambda row: row[1])


def _corpus() -> bytes:
    """Some megabytes of real text that every installation has."""
    text = b""
    for path in sorted(Path(random.__file__).parent.glob("*.py")):
        text += path.read_bytes()
        if len(text) >= _CORPUS:
            break
    return text
