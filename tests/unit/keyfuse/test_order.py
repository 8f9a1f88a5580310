"""A plain command line means the same whether click reads it or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from keyfuse.cli.audit import command
from keyfuse.order import CHOICES, FILES, FLAGS, TEXTS, AuditOrder, plain
from scanner.report import FORMATS

PLAIN = [
    [],
    ["."],
    ["a", "-", "b c"],
    ["--staged"],
    [".", "--format", "json", "--output", "out.json"],
    ["--since", "v1", ".", "--exit-zero"],
    ["--range", "a..b", "--min-confidence", "high", "--baseline", "kept", "--reveal"],
    ["--ref", "main", "--respond", "--verify", "x", "y"],
    ["--no-history", "--all-refs"],
]
LEFT_TO_CLICK = [
    ["--help"],
    ["-h"],
    ["--format"],
    ["--format", "yaml"],
    ["--format=json"],
    ["--output", "."],
    ["--rules", "mine.toml"],
    ["--only-rule", "x"],
    ["--jobs", "2"],
    ["--since", "--staged"],
    ["--no-such-option"],
    ["--", "file"],
]


def by_click(words: list[str]) -> AuditOrder:
    context = command.make_context("audit", list(words))
    return AuditOrder(**context.params)


@pytest.mark.parametrize("words", PLAIN, ids=" ".join)
def test_both_readings_are_the_same(words: list[str]) -> None:
    assert plain(words) == by_click(words)


@pytest.mark.parametrize("words", LEFT_TO_CLICK, ids=" ".join)
def test_the_rest_is_left_to_click(words: list[str]) -> None:
    assert plain(words) is None


def test_every_option_is_an_option_of_the_command() -> None:
    known: dict[str, Any] = {name: param for param in command.params for name in param.opts}
    for word, name in {**FLAGS, **TEXTS, **FILES, **{word: name for word, (name, _) in CHOICES.items()}}.items():
        assert known[word].name == name
    assert {param.name for param in command.params} == set(AuditOrder().__match_args__)
    assert all(isinstance(known[word], click.Option) and known[word].is_flag for word in FLAGS)


def test_the_formats_are_those_of_the_reports() -> None:
    assert CHOICES["--format"][1] == tuple(FORMATS)


def test_paths_are_paths() -> None:
    order = plain(["--output", "x.json"])
    assert order is not None
    assert order.output == Path("x.json")
