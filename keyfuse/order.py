"""What a command line asks an audit for, before the configuration has its say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scanner.record import Record


class AuditOrder(Record):
    """The options of `keyfuse audit` as they were given; None and () mean: not given."""

    targets: tuple[str, ...] = ()
    staged: bool = False
    since: str | None = None
    commits: str | None = None
    no_history: bool = False
    all_refs: bool = False
    ref: str | None = None
    form: str = "text"
    output: Path | None = None
    respond: bool = False
    verify: bool = False
    rule_files: tuple[Path, ...] = ()
    only_rule: tuple[str, ...] = ()
    disable_rule: tuple[str, ...] = ()
    min_confidence: str | None = None
    baseline: Path | None = None
    exit_zero: bool = False
    reveal: bool = False
    jobs: int | None = None


FLAGS = {
    "--staged": "staged",
    "--no-history": "no_history",
    "--all-refs": "all_refs",
    "--respond": "respond",
    "--verify": "verify",
    "--exit-zero": "exit_zero",
    "--reveal": "reveal",
}
TEXTS = {"--since": "since", "--range": "commits", "--ref": "ref"}
CHOICES = {
    "--format": ("form", ("text", "json", "jsonl", "sarif", "html", "csv", "junit", "gitlab", "markdown")),
    "--min-confidence": ("min_confidence", ("low", "medium", "high")),
}
FILES = {"--output": "output", "--baseline": "baseline"}


def plain(words: list[str]) -> AuditOrder | None:
    """The order that a plain command line gives; None for all that is rare, wrong, or asks for help.

    Those are left to click, which knows every way of writing and says what is wrong. It takes 50 ms to load, which is
    half of what an audit of one small file takes.
    """
    given: dict[str, Any] = {}
    targets: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-" or not word.startswith("-"):
            targets.append(word)
        elif name := FLAGS.get(word):
            given[name] = True
        else:
            value = next(rest, None)
            if value is None or value.startswith("-") or not _take(given, word, value):
                return None
    return AuditOrder(tuple(targets), **given)


def _take(given: dict[str, Any], word: str, value: str) -> bool:
    if name := TEXTS.get(word):
        given[name] = value
    elif (name := FILES.get(word)) and not Path(value).is_dir():
        given[name] = Path(value)
    elif word in CHOICES and value in CHOICES[word][1]:
        given[CHOICES[word][0]] = value
    else:
        return False
    return True
