"""Samples: the same from the same seed, new from a new one, and an honest no where there are none."""

from __future__ import annotations

import random

import pytest
import regex

from scanner import rulebook, samples
from scanner.checks import CHECKS
from scanner.errors import UsageError
from scanner.record import replace

RULES = rulebook.load().by_id()


def test_a_seed_decides() -> None:
    rule = RULES["github-pat"]
    first, again, other = (samples.sample(rule, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert CHECKS["github"].passes(first.secret)


def test_a_contextual_sample_is_an_assignment_to_a_keyword() -> None:
    rule = RULES["aws-secret-access-key"]
    made = samples.sample(rule, random.Random(3))
    word, _, value = made.text.partition(b" = ")
    assert word.decode() in rule.keywords
    assert value == b'"' + made.secret + b'"'


def test_a_structured_sample_has_its_surroundings() -> None:
    made = samples.sample(RULES["url-credentials"], random.Random(4))
    assert b"://" in made.text
    found = regex.fullmatch(RULES["url-credentials"].pattern.encode(), made.text)
    assert found
    assert found["secret"] == made.secret


def test_a_sample_does_not_print_itself() -> None:
    made = samples.sample(RULES["github-pat"], random.Random(1))
    assert made.secret.decode() not in repr(made)


def test_no_sample_is_an_error_not_a_loop() -> None:
    rule = replace(RULES["github-pat"], pattern="(?P<secret>nothing like it)")
    with pytest.raises(UsageError, match="no sample of github-pat"):
        samples.sample(rule, random.Random(1))
