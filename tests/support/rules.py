"""Rules and scanners for tests, built the way rule files are."""

from __future__ import annotations

from typing import Any

from scanner.model import Blob, Finding, Fingerprinter, Origin, Place, Shape, Suppressed
from scanner.options import Options
from scanner.pipeline import Result, Scanner, scanner_of
from scanner.rule import Rule
from scanner.rulebook import RuleBook
from scanner.rulefile import RawFile, RawRule, build

KEY = b"a key that only tests have, 32 and more"


def rule(name: str, layout: str = "", **fields: Any) -> Rule:
    """A rule of a provider that does not exist."""
    raw = RawRule(name, name.replace("-", " "), fields.pop("severity", "high"), layout=layout, **fields)
    return build(RawFile("acme", "Acme"), raw)


def book(*rules: Rule) -> RuleBook:
    """A book of these rules."""
    return RuleBook(rules, "test")


def scanner(*rules: Rule, options: Options = Options(), shapes: tuple[Shape, ...] = ()) -> Scanner:  # noqa: B008 - frozen
    """A scanner of these rules and shapes."""
    return scanner_of(book(*rules), Fingerprinter(KEY), options, shapes)


def blob(data: bytes, path: str = "app.conf", **fields: Any) -> Blob:
    """A file's content."""
    return Blob(data, Origin(Place.FILE, path), **fields)


def results(scanner: Scanner, data: bytes, path: str = "app.conf") -> list[Result]:
    """All that a scan of a content gives."""
    return list(scanner.scan(blob(data, path)))


def findings(scanner: Scanner, data: bytes, path: str = "app.conf") -> list[Finding]:
    """The findings in a content."""
    return [result for result in results(scanner, data, path) if isinstance(result, Finding)]


def secrets(scanner: Scanner, data: bytes, path: str = "app.conf") -> list[bytes]:
    """The secrets found in a content."""
    return [finding.secret.reveal() for finding in findings(scanner, data, path)]


def suppressed(scanner: Scanner, data: bytes) -> list[Suppressed]:
    """What is found and silenced."""
    return [result for result in results(scanner, data) if isinstance(result, Suppressed)]
