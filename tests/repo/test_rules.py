"""The shipped book: every rule finds its own samples in both passes, and the page about rules says all there is."""

from __future__ import annotations

import random
import re
from dataclasses import fields
from pathlib import Path

import hyperscan
import pytest
import regex

import rules
from scanner import rulebook, samples
from scanner.checks import CHECKS
from scanner.filters import FILTERS
from scanner.model import Confidence, Severity
from scanner.notation.layout import ALPHABETS
from scanner.pipeline import Scanner
from scanner.rule import Family, Rule
from scanner.rulefile import RawFile, RawPair, RawRule

BOOK = rulebook.load()
PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
SOURCES = re.compile(
    r"our own issuer|(?:provider )?documentation|specification|issuer's source|seen (?:by|in|elsewhere)|structure seen"
    r"|from memory, unverified"
)


def rule_ids(rule: Rule) -> str:
    return rule.kind.id


@pytest.mark.parametrize("rule", BOOK.rules, ids=rule_ids)
def test_both_passes_find_its_samples(rule: Rule) -> None:
    rng = random.Random(rule.kind.id)
    pattern = regex.compile(rule.pattern.encode())
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_ALLOWEMPTY
    database.compile(expressions=[(rule.trigger or rule.value).encode()], flags=[flags])
    for _ in range(5):
        made = samples.sample(rule, rng)
        data = b"a: " + made.text + b"\n"
        found = next((hit for hit in pattern.finditer(data) if hit["secret"] == made.secret), None)
        assert found
        assert len(made.secret) >= rule.shortest
        assert made.secret.startswith(rule.prefix.encode())
        assert not rule.literals or any(text.encode("latin-1") in found[0] for text in rule.literals)
        ends: list[int] = []
        database.scan(data, match_event_handler=lambda number, start, end, flags, context: ends.append(end))  # noqa: B023
        assert any(end - rule.before <= found.start() < end and found.end() <= end + rule.after for end in ends)


def test_the_book_is_large_and_its_kinds_are_well_named() -> None:
    assert len(BOOK.rules) >= 250
    for rule in BOOK.rules:
        assert rule.source, rule.kind.id
        assert SOURCES.search(rule.source), (rule.kind.id, rule.source)
        assert rule.kind.name[-1] not in ". ", rule.kind.id
        assert rule.note == "" or rule.note.endswith("."), rule.kind.id


def test_every_file_is_named_after_its_provider() -> None:
    for path in sorted(Path(rules.FOLDER).iterdir()):
        assert path.suffix == ".toml"
        assert f'provider = "{path.stem}"' in path.read_text("utf-8").split("[[kind]]")[0]


def test_identifiers_are_parts_of_pairs_or_say_why_they_are_there() -> None:
    paired = {pair.rule for rule in BOOK.rules for pair in rule.pairs}
    lonely = {rule.kind.id for rule in BOOK.rules if rule.identifier} - paired
    assert lonely <= {
        *("aws-service-bearer-token-id", "aws-context-specific-credential-id", "stripe-publishable-key"),
        "ibm-cloud-api-key-id",
    }


def test_no_two_kinds_of_fixed_text_have_the_same_form() -> None:
    forms: dict[str, str] = {}
    for rule in BOOK.rules:
        if rule.family is not Family.CONTEXTUAL:
            assert forms.setdefault(rule.pattern, rule.kind.id) == rule.kind.id


@pytest.mark.parametrize(
    "name",
    [
        *(field.name for shape in (RawFile, RawRule, RawPair) for field in fields(shape)),
        *(family.value for family in Family),
        *(level.label for level in Severity),
        *(level.label for level in Confidence),
        *CHECKS,
        *FILTERS,
        *ALPHABETS,
        *("uuid", "UUID", "uuidi"),
    ],
)
def test_the_page_names_everything_a_rule_can_say(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_page_s_examples_are_rules(tmp_path: Path) -> None:
    blocks = [block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[[kind]]" in block]
    assert blocks
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        assert rulebook.load([path]).rules


def test_the_page_s_layouts_are_layouts() -> None:
    from scanner.notation import dialect, layout

    section = PAGE.split("## Layouts")[1].split("\n## ")[0]
    written = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(written) >= 8
    for text in written:
        layout.parse(text)
    section = PAGE.split("## Patterns")[1].split("\n## ")[0]
    for text in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE):
        dialect.parse(text.replace("\\|", "|"))


def test_the_engine_points_at_the_samples_of_every_rule(shipped: Scanner) -> None:
    engine = shipped.engine
    rng = random.Random(8)
    missed = []
    for index, rule in enumerate(BOOK.rules):
        data = b"# a file\n" + samples.sample(rule, rng).text + b"\n"
        if not any(index in engine.meanings[hit.pattern][1] for hit in engine.candidates(data)):
            missed.append(rule.kind.id)
    assert missed == []
