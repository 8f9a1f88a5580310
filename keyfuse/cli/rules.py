"""`keyfuse rules`: what a key looks like, to read, to check and to try."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyfuse.cli.tables import fields, table
from rules import FOLDER
from scanner import rulebook
from scanner.errors import RuleError, UsageError
from scanner.rule import Rule

if TYPE_CHECKING:
    from scanner.rulebook import RuleBook

FILES = click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[FILE]…")
FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
RULES = click.option(
    *("--rules", "files"),
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Rule file or directory to use besides the shipped ones; may be given more than once.",
)
_CORPUS = 4 << 20


@click.group(epilog="Example: keyfuse rules show github-pat")
def command() -> None:
    """What a key looks like: list, show, check, sample."""


@command.command("list", epilog="Example: keyfuse rules list --format json")
@RULES
@FORMAT
def list_rules(files: tuple[Path, ...], form: str) -> None:
    """List every kind of key that is looked for."""
    book = _book(files)
    if form == "json":
        click.echo(
            json.dumps({"version": 1, "hash": book.hash, "rules": [_summary(rule) for rule in book.rules]}, indent=2)
        )
        return
    rows = ((rule.kind.id, rule.kind.severity.label, rule.family.value, rule.kind.name) for rule in book.rules)
    click.echo(table(("ID", "SEVERITY", "FAMILY", "NAME"), rows))


@command.command(epilog="Example: keyfuse rules show github-pat")
@click.argument("rule_id", metavar="ID")
@RULES
@FORMAT
def show(rule_id: str, files: tuple[Path, ...], form: str) -> None:
    """Show one kind: how it is written, what each pass matches with, how it is checked, and how that is known."""
    rule = _rule(_book(files), rule_id)
    if form == "json":
        click.echo(json.dumps({"version": 1, "rule": _details(rule)}, indent=2))
        return
    pairs = ", ".join(f"{pair.name} = {pair.rule} within {pair.within} lines" for pair in rule.pairs)
    click.echo(
        fields(
            [
                ("id", rule.kind.id),
                ("name", rule.kind.name),
                ("provider", f"{rule.kind.provider} {rule.site}".strip()),
                (
                    "severity",
                    rule.kind.severity.label + (" (an identifier, never reported alone)" if rule.identifier else ""),
                ),
                ("family", rule.family.value),
                (rule.notation, rule.written),
                ("keywords", ", ".join(rule.keywords)),
                ("checks", ", ".join(rule.checks) + (f" (a failure {_failure(rule)})" if rule.checks else "")),
                ("filters", ", ".join(rule.filters)),
                ("pairs", pairs),
                ("confidence", rule.confidence.label),
                ("trigger", rule.trigger),
                ("pattern", rule.pattern),
                ("note", rule.note),
                ("source", rule.source),
            ]
        )
    )


@command.command(epilog="Example: keyfuse rules check ./our-rules.toml --cost")
@FILES
@FORMAT
@click.option("--cost", is_flag=True, help="Measure what each rule costs the first pass, dearest first.")
def check(files: tuple[Path, ...], form: str, cost: bool) -> None:
    """Check rule files (directories stand for the *.toml in them; without FILE, the shipped ones).

    Says everything that is wrong, with file, rule and reason; exit code 2 then.
    """
    found, errors = rulebook.inspect(files or None)
    errors += _refused(found)
    costs = _costs(found) if cost and not errors else []
    if form == "json":
        dear = [
            {"rule": rule, "mb_per_second": round(speed), "hits_per_mb": round(hits, 2)} for rule, speed, hits in costs
        ]
        click.echo(
            json.dumps({"version": 1, "rules": len(found), "errors": list(map(str, errors)), "costs": dear}, indent=2)
        )
    elif not errors:
        if costs:
            rows = [(rule, f"{speed:.0f}", f"{hits:.2f}") for rule, speed, hits in costs]
            click.echo(table(("ID", "MB/S ALONE", "HITS/MB"), rows))
        click.echo(f"OK: {len(found)} rules")
    if errors:
        raise RuleError("\n".join(map(str, errors)))


@command.command(epilog="Example: keyfuse rules sample github-pat --count 3 --seed 7")
@click.argument("rule_id", metavar="ID")
@RULES
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 10_000), help="How many to make.")
@click.option("--seed", type=int, help="The same seed gives the same samples.")
def sample(rule_id: str, files: tuple[Path, ...], count: int, seed: int | None) -> None:
    """Print made-up text that the rule finds, its checksum right: for trying scanners. They open nothing."""
    from scanner import samples  # noqa: PLC0415 - the notations and `regex`; no other subcommand needs them

    rule = _rule(_book(files), rule_id)
    rng = random.Random(seed)  # noqa: S311 - nothing here is to be kept secret
    for _ in range(count):
        click.echo(samples.sample(rule, rng).text)


def _book(files: Sequence[Path]) -> RuleBook:
    return rulebook.load([Path(FOLDER), *files] if files else None)


def _rule(book: RuleBook, rule_id: str) -> Rule:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistyped id

    rules = book.by_id()
    if rule_id in rules:
        return rules[rule_id]
    near = get_close_matches(rule_id, rules, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`keyfuse rules list` shows all of them"
    raise UsageError(f"there is no rule {rule_id!r}; {hint}")


def _summary(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.kind.id,
        "name": rule.kind.name,
        "provider": rule.kind.provider,
        "severity": rule.kind.severity.label,
        "family": rule.family.value,
        "identifier": rule.identifier,
    }


def _details(rule: Rule) -> dict[str, Any]:
    return _summary(rule) | {
        "site": rule.site,
        "written": {rule.notation: rule.written},
        "keywords": rule.keywords,
        "checks": rule.checks,
        "check_fails": "reject" if rule.reject else "low",
        "filters": rule.filters,
        "pairs": [{"name": p.name, "rule": p.rule, "within": p.within, "required": p.required} for p in rule.pairs],
        "confidence": rule.confidence.label,
        "trigger": rule.trigger,
        "pattern": rule.pattern,
        "note": rule.note,
        "source": rule.source,
    }


def _failure(rule: Rule) -> str:
    return "means that it is no token" if rule.reject else "lowers the confidence"


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
    from scanner.engine.database import Database  # noqa: PLC0415 - heavy, and only needed here
    from scanner.engine.expressions import plan  # noqa: PLC0415 - heavy, and only needed here

    text = _corpus()
    size = len(text) / 1e6
    costs = []
    for rule in found:
        database = Database.compile(plan([rule]).expressions)
        start = time.perf_counter()
        hits = len(database.candidates(text))
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
