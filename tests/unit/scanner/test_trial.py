"""Trying rules and cases: what is found passes, and whatever goes wrong is said where it does."""

from __future__ import annotations

import random

import pytest

from scanner import trial
from scanner.errors import RuleError
from scanner.model import Fingerprinter
from scanner.pipeline import Scanner, scanner_of
from scanner.record import replace
from scanner.rule import Allow, Rule
from scanner.rulebook import RuleBook
from scanner.rulefile import RawPair
from tests.support.rules import KEY, rule, scanner

FIXED = rule("acme-token", "acmt_ + base62{24}")
NAMED = rule("acme-key", "hex{32}", keywords=("acme",))


def tried(one: Rule, scanner: Scanner) -> trial.Verdict:
    return trial.try_rule(one, scanner, random.Random(4))


def case(text: str, *finds: str, **fields: str) -> trial.Case:
    return trial.Case("case 1", text, frozenset(finds), **fields)


def judged(each: trial.Case, *rules: Rule) -> trial.Verdict:
    return trial.try_case(each, scanner(*rules), random.Random(4))


def test_a_good_rule_passes() -> None:
    use = scanner(FIXED, NAMED)
    assert tried(FIXED, use) == trial.Verdict("acme-token", True, "10 samples hit, matched and reported")
    assert tried(NAMED, use).passed


def test_a_rule_with_terms_gets_what_they_ask_for() -> None:
    asking = replace(FIXED, words=("zenith",), path=r"conf/[a-z]{3}\.py\Z", entropy=4.0)
    assert tried(asking, scanner(asking)).passed
    owner = rule("owner", "own_ + hex{32}", pairs=(RawPair("part", "acme-token", required=True),))
    assert tried(owner, scanner(owner, FIXED)).passed


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (replace(FIXED, trigger="zenith_[0-9]{9}"), "the first pass does not hit"),
        (replace(FIXED, before=1), "the second pass rules a sample out"),
        (replace(FIXED, entropy=7.9), "entropy above 7.9"),
        (replace(FIXED, path="(?!)"), "no path can be made up"),
    ],
)
def test_a_rule_that_loses_its_samples_fails(broken: Rule, why: str) -> None:
    verdict = tried(broken, scanner(broken))
    assert not verdict.passed
    assert why in verdict.detail


def test_a_kind_that_takes_its_samples_away_is_named() -> None:
    wide = rule("zzz-wide", pattern=r"acmt_(?P<secret>\w{24})")
    verdict = tried(wide, scanner(FIXED, wide))
    assert not verdict.passed
    assert verdict.detail.endswith("; a sample is reported as acme-token")


def test_an_allowlist_that_names_everything_is_noticed() -> None:
    book = RuleBook((FIXED,), "test", (Allow(paths=("txt",)),))
    verdict = tried(FIXED, scanner_of(book, Fingerprinter(KEY)))
    assert not verdict.passed
    assert "an allowlist" in verdict.detail


def test_cases() -> None:
    assert judged(case("x = '{{acme-token}}'", "acme-token"), FIXED).passed
    assert judged(case("x = 'acmt_'"), FIXED).passed
    assert judged(case("x = '{{acme-token}}'"), FIXED).detail == "finds acme-token instead of nothing"
    assert judged(case("x", "acme-token"), FIXED).detail == "finds nothing instead of acme-token"
    assert judged(case("x", "zenith"), FIXED).detail == "there is no rule 'zenith'"
    assert judged(case("{{zenith}}"), FIXED).detail == "there is no rule 'zenith'"
    assert not judged(case("x = '{{acme-token}}'", "acme-token", secret="other"), FIXED).passed
    bound = replace(FIXED, path=r"\.py\Z")
    assert judged(case("{{acme-token}}", "acme-token", path="a.py"), bound).passed
    assert judged(case("{{acme-token}}"), bound).passed


def test_files_of_cases() -> None:
    table = {"case": [{"text": "a", "finds": ""}, {"name": "n", "text": "b", "finds": ["x", "y"], "path": "p"}]}
    one, two = trial.cases("c.toml", table)
    assert one == trial.Case("c.toml: case 1", "a", frozenset())
    assert two == trial.Case("c.toml: case 2 (n)", "b", frozenset({"x", "y"}), "p")


@pytest.mark.parametrize(
    "each",
    [
        {"text": "a"},
        {"finds": ""},
        {"text": 1, "finds": ""},
        {"text": "a", "finds": 1},
        dict.fromkeys(("text", "finds", "x"), ""),
    ],
)
def test_a_case_that_is_none_is_refused(each: dict[str, object]) -> None:
    with pytest.raises(RuleError, match=r"c\.toml: case 1"):
        trial.cases("c.toml", {"case": [each]})
