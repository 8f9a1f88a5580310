"""`keyfuse rules test`: rules of one's own, tried."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyfuse.cli.tables import table
from keyfuse.exits import Exit
from rules import FOLDER
from scanner import rulebook

if TYPE_CHECKING:
    from scanner.trial import Case

_SEED = 1


@click.command(epilog="Example: keyfuse rules test ./our-rules.toml ./our-cases.toml")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE…")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--shipped", is_flag=True, help="Use the shipped rules beside them, as an audit does.")
def test(files: tuple[Path, ...], form: str, shipped: bool) -> int:
    """Try rules: made-up values of each must be hit, matched and reported.

    A FILE with [[case]] tables holds texts and what must be found in them; without a rule file they are tried on the
    shipped rules. Exit code 1 when anything fails.
    """
    from scanner import trial  # noqa: PLC0415 - all of the scanner; `--help` must not load it
    from scanner.model import Fingerprinter  # noqa: PLC0415
    from scanner.pipeline import scanner_of  # noqa: PLC0415

    rule_files, cases = _sorted(files)
    gathered = rulebook.gather(rule_files or None)
    book = (rulebook.gather([Path(FOLDER), *rule_files]) if shipped and rule_files else gathered).book()
    scanner = scanner_of(book, Fingerprinter(bytes(32)))
    rng = random.Random(_SEED)  # noqa: S311 - nothing here is to be kept secret
    own = set(gathered.own) if rule_files else set()
    verdicts = [("rule", trial.try_rule(rule, scanner, rng)) for rule in book.rules if rule.kind.id in own]
    lost = [note for reading in gathered.foreign for note in reading.notes if note.lost]
    verdicts += [("rule", trial.Verdict(note.rule, passed=False, detail=note.text)) for note in lost]
    verdicts += [("case", trial.try_case(case, scanner, rng)) for case in cases]
    passed = all(verdict.passed for _, verdict in verdicts)
    if form == "json":
        rows = [
            {"kind": kind, "name": verdict.name, "passed": verdict.passed, "detail": verdict.detail}
            for kind, verdict in verdicts
        ]
        click.echo(json.dumps({"version": 1, "passed": passed, "results": rows}, indent=2))
    else:
        lines = [("ok" if each.passed else "FAIL", kind, each.name, each.detail) for kind, each in verdicts]
        click.echo(table(("", "", "NAME", "RESULT"), lines))
    return Exit.OK if passed else Exit.LEAKS


def _sorted(files: Sequence[Path]) -> tuple[list[Path], list[Case]]:
    """Which of the files hold rules, and the cases that the others hold. Raises RuleError."""
    from scanner import rulefile, trial  # noqa: PLC0415 - as above

    rule_files: list[Path] = []
    cases: list[Case] = []
    for path in files:
        content = {} if path.is_dir() else rulefile.table(path)
        if "case" in content and not content.keys() & {"kind", "rules"}:
            cases += trial.cases(path.name, content)
        else:
            rule_files.append(path)
    return rule_files, cases
