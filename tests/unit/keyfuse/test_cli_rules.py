"""`keyfuse rules`, as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import regex
from click.testing import CliRunner, Result

from keyfuse.cli.rules import command
from scanner import rulebook
from scanner.checks import CHECKS
from scanner.errors import RuleError, UsageError

OWN = """provider = "acme"
title = "Acme"
[[kind]]
id = "acme-key"
name = "API key"
severity = "high"
layout = "acme_ + hex{32}"
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(command, words, catch_exceptions=True)


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "acme.toml"
    path.write_text(OWN)
    return str(path)


def test_list_for_people_and_for_programs(own: str) -> None:
    text = run("list", "--rules", own).stdout
    assert "github-pat " in text
    assert "acme-key " in text
    listed = json.loads(run("list", "--format", "json").stdout)
    assert listed["hash"] == rulebook.load().hash
    assert [rule["id"] for rule in listed["rules"]] == list(rulebook.load().ids())


def test_show_one() -> None:
    text = run("show", "github-pat").stdout
    assert "layout:     ghp_ + base62{36}" in text
    assert "lowers the confidence" in text
    shown = json.loads(run("show", "aws-secret-access-key", "--format", "json").stdout)["rule"]
    assert shown["pairs"][0] == {"name": "id", "rule": "aws-access-key-id", "within": 20, "required": False}
    assert shown["written"] == {"layout": "base64{40}"}


def test_show_one_that_is_not_there() -> None:
    refused = run("show", "github-pta").exception
    assert isinstance(refused, UsageError)
    assert "did you mean github-pat" in str(refused)


def test_check_the_shipped_book_and_own_files(own: str) -> None:
    assert f"OK: {len(rulebook.load().rules)} rules" in run("check").stdout
    assert "OK: 1 rules" in run("check", own).stdout
    answer = json.loads(run("check", own, "--cost", "--format", "json").stdout)
    assert answer["costs"][0]["rule"] == "acme-key"
    assert answer["costs"][0]["mb_per_second"] > 0


def test_check_says_what_is_wrong(own: str) -> None:
    Path(own).write_text(OWN.replace("acme_ + ", ""))
    result = run("check", own)
    assert isinstance(result.exception, RuleError)
    assert "rule acme-key: too broad" in str(result.exception)
    assert json.loads(run("check", own, "--format", "json").stdout)["errors"]


def test_samples_are_found_by_their_rule() -> None:
    lines = run("sample", "github-pat", "--count", "3", "--seed", "7").stdout_bytes.split()
    again = run("sample", "github-pat", "--count", "3", "--seed", "7").stdout_bytes.split()
    assert lines == again
    assert len(set(lines)) == 3
    pattern = rulebook.load().by_id()["github-pat"].pattern.encode()
    for line in lines:
        assert regex.fullmatch(pattern, line)
        assert CHECKS["github"].passes(line)


@pytest.mark.parametrize("words", [[], ["list"], ["show"], ["check"], ["sample"]])
def test_help_shows_an_example(words: list[str]) -> None:
    assert "Example: keyfuse rules" in run(*words, "--help").stdout
