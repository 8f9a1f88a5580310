"""Trying rules: does what a rule describes really get found, and do written-down cases come out as they should?

A rule is tried with values made up from itself. A case is a text and the kinds that must be found in it; `{{id}}` in it
stands for a made-up value of that rule, so that a file of cases need hold no key.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scanner import samples
from scanner.confirm import Confirmer, Match
from scanner.errors import RuleError, UsageError
from scanner.model import Blob, Finding, Origin, Place, Skipped
from scanner.notation import re2, re2forms
from scanner.notation.tree import NotationError
from scanner.pipeline import Scanner
from scanner.rule import Family, Rule
from scanner.terms import entropy

SAMPLES = 10
LOST = 2
"""So many samples may be lost: chance makes words and placeholders, which are no keys."""
_TRIES = 40
_PATH = "tried.txt"
_FIELDS = {"name": str, "text": str, "path": str, "secret": str}
_HOLE = re.compile(r"\{\{([a-z0-9.-]+)\}\}")


@dataclass(frozen=True, slots=True)
class Case:
    """A text, and the rules by which something must be found in it: exactly these; one of the values is `secret`."""

    name: str
    text: str
    finds: frozenset[str]
    path: str = _PATH
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one trial went, and why."""

    name: str
    passed: bool
    detail: str


def cases(name: str, table: Mapping[str, Any]) -> list[Case]:
    """The cases of a file (`[[case]]` tables) that is called `name`. Raises RuleError."""
    found = []
    for number, each in enumerate(table["case"] if isinstance(table["case"], list) else [None], 1):
        where = f"{name}: case {number}"
        if not isinstance(each, dict) or not isinstance(each.get("text"), str) or "finds" not in each:
            raise RuleError(f'{where}: a case is [[case]] with text = "…" and finds = "rule-id" (or "" for nothing)')
        for field, value in each.items():
            if field != "finds" and (field not in _FIELDS or not isinstance(value, str)):
                raise RuleError(f"{where}: {field}: there are text, finds, name, path and secret, all of them texts")
        finds = each["finds"] if isinstance(each["finds"], list) else [each["finds"]]
        if not all(isinstance(rule, str) for rule in finds):
            raise RuleError(f"{where}: finds is a rule's id, a list of them, or an empty text")
        label = f"{where} ({each['name']})" if "name" in each else where
        wanted = frozenset(filter(None, finds))
        found.append(Case(label, each["text"], wanted, each.get("path", _PATH), each.get("secret", "")))
    return found


def try_case(case: Case, scanner: Scanner, rng: random.Random) -> Verdict:
    """Scans a case's text."""
    rules = scanner.engine.book.by_id()
    for name in sorted({*case.finds, *_HOLE.findall(case.text)} - set(rules)):
        return Verdict(case.name, passed=False, detail=f"there is no rule {name!r}")
    try:
        text = _HOLE.sub(lambda hole: _secret(rules[hole[1]], rng).decode("latin-1"), case.text)
    except UsageError as error:
        return Verdict(case.name, passed=False, detail=str(error))
    found = []
    for result in scanner.scan(Blob(text.encode("utf-8", "surrogatepass"), Origin(Place.FILE, case.path))):
        if isinstance(result, Skipped):
            return Verdict(case.name, passed=False, detail=f"not looked into: {result.reason}")
        if isinstance(result, Finding):
            found.append(result)
    kinds = frozenset(finding.kind.id for finding in found)
    if kinds != case.finds:
        return Verdict(case.name, passed=False, detail=f"finds {_listed(kinds)} instead of {_listed(case.finds)}")
    if case.secret and case.secret.encode() not in [finding.secret.reveal() for finding in found]:
        return Verdict(case.name, passed=False, detail=f"finds {_listed(kinds)}, but not that secret")
    return Verdict(case.name, passed=True, detail=f"finds {_listed(kinds)}")


def try_rule(rule: Rule, scanner: Scanner, rng: random.Random) -> Verdict:
    """Makes samples of a rule up and looks for them: hit by the first pass, matched by the second, reported."""
    name = rule.kind.id
    place = scanner.engine.book.ids().index(name)
    problems: list[str] = []
    for _ in range(SAMPLES):
        try:
            secret, text = _sample(rule, scanner, rng)
            path = _path(rule, rng)
        except UsageError as error:
            return Verdict(name, passed=False, detail=str(error))
        if problem := _missed(rule, place, secret, Blob(text, Origin(Place.FILE, path)), scanner):
            problems.append(problem)
    done = "hit and matched; not reported by itself" if rule.identifier else "hit, matched and reported"
    count = f"{SAMPLES - len(problems)} of {SAMPLES}" if problems else f"{SAMPLES}"
    detail = f"{count} samples {done}" + "".join(f"; {problem}" for problem in dict.fromkeys(problems))
    return Verdict(name, passed=len(problems) <= LOST, detail=detail)


def _missed(rule: Rule, place: int, secret: bytes, blob: Blob, scanner: Scanner) -> str:
    """Where a sample gets lost; "" when it does not."""
    if rule.family is not Family.GENERIC and (problem := _unmatched(rule, place, secret, blob, scanner)):
        return problem
    if rule.identifier:
        return ""
    findings = [result for result in scanner.scan(blob) if isinstance(result, Finding)]
    if any(each.kind.id == rule.kind.id and each.secret.reveal() == secret for each in findings):
        return ""
    others = frozenset(each.kind.id for each in findings if secret in each.secret.reveal())
    if others:
        return f"a sample is reported as {_listed(others)}"
    return "a sample is matched, but not reported: an allowlist, a path or a required part speaks against it"


def _unmatched(rule: Rule, place: int, secret: bytes, blob: Blob, scanner: Scanner) -> str:
    """Which of the two passes loses a sample; "" when neither does."""
    meanings = scanner.engine.meanings
    hits = [(meanings[hit.pattern][1], hit) for hit in scanner.engine.candidates(blob.data)]
    hits = [hit for hit in hits if place in hit[0] and not meanings[hit[1].pattern][0]]
    if not hits:
        return "the first pass does not hit a sample"
    confirmer = Confirmer(scanner.engine.book.rules, scanner.options.limits.seconds_per_rule)
    matches = [each for each in confirmer.matches(blob.data, hits) if isinstance(each, Match) and each.rule == rule]
    if not any(blob.data[match.start : match.end] == secret for match in matches):
        return "the second pass does not match a sample whole" if matches else "the second pass rules a sample out"
    return ""


def _sample(rule: Rule, scanner: Scanner, rng: random.Random) -> tuple[bytes, bytes]:
    """A secret and a text that holds it, with what the rule asks for around it. Raises UsageError."""
    for _ in range(_TRIES):
        made = samples.sample(rule, rng)
        if not rule.entropy or entropy(made.secret) > rule.entropy:
            break
    else:
        raise UsageError(f"no sample has an entropy above {rule.entropy:g}; its form allows less")
    rules = scanner.engine.book.by_id()
    lines = [made.text, *(samples.sample(rules[pair.rule], rng).text for pair in rule.pairs if pair.required)]
    text = b"\n".join(lines)
    if rule.words and not any(word.encode() in text.lower() for word in rule.words):
        text += b"\n" + rule.words[0].encode()
    return (text[:256] if rule.whole else made.secret), text


def _secret(rule: Rule, rng: random.Random) -> bytes:
    return samples.sample(rule, rng).secret


def _path(rule: Rule, rng: random.Random) -> str:
    """A path of which the rule takes note. Raises UsageError."""
    if not rule.path:
        return _PATH
    try:
        tree = re2forms.fitted(re2.parse(rule.path.replace(r"\Z", r"\z")).node, 1 << 12)[0]
    except NotationError as error:
        raise UsageError(f"no path can be made up for it: {error}") from error
    return samples.text_of(tree, rng).decode("utf-8", "replace")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
