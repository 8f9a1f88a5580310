"""`keyfuse rules`: what a key looks like, to read, to check and to try."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyfuse.cli.rules_check import check
from keyfuse.cli.rules_test import test
from keyfuse.cli.tables import fields, table
from rules import FOLDER
from scanner import rulebook
from scanner.errors import UsageError
from scanner.rule import Rule

if TYPE_CHECKING:
    from scanner.rulebook import RuleBook

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
RULES = click.option(
    *("--rules", "files"),
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Rule file or directory to use besides the shipped ones; may be given more than once.",
)


@click.group(epilog="Example: keyfuse rules show github-pat")
def command() -> None:
    """What a key looks like: list, show, check, sample, test."""


command.add_command(check)
command.add_command(test)


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
                ("keywords", ", ".join(rule.keywords or rule.words)),
                ("path", rule.path),
                ("entropy", f"above {rule.entropy:g} bits a character" if rule.entropy else ""),
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
        "keywords": rule.keywords or rule.words,
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
