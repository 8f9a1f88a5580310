"""docs/providers.md and the recipes say what the program does, and fit the rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keyfuse.providertext import page
from responders.catalog import about, names
from responders.connection import base_fault
from responders.provider import DisableKind, ProveKind
from scanner import rulebook

ROOT = Path(__file__).parents[2]
TAG = re.compile(r"\b(?:V-[A-Z]+|T-[A-Z]+|3P|M\??)(?:\b|(?=\W|$))")


def test_the_page_is_fresh() -> None:
    text = (ROOT / "docs/providers.md").read_text(encoding="utf-8")
    again = "python -c 'from keyfuse.providertext import page; print(page(), end=\"\")' > docs/providers.md"
    assert text == page(), f"run: {again}"


@pytest.mark.parametrize("name", names())
def test_a_provider_is_described_whole(name: str) -> None:
    described = about(name)
    assert described is not None
    assert described.name == name
    for service in described.services:
        assert not service.url or base_fault(service.url) == ""
        assert service.url.startswith("https://") or not service.url
    for need in described.credentials:
        assert need.why.endswith(".")
        assert need.permissions
    for row in described.abilities:
        able = row.capabilities
        assert able.disable is not DisableKind.NONE or not able.reversible
        assert able.delete or able.disable is not DisableKind.NONE or row.by_hand, "else nobody knows what to do"
        if able.prove is not ProveKind.NONE and name != "keyfuse":
            assert TAG.search(row.evidence), f"{name}, {row.what}: how is that known?"


def test_each_rule_has_one_row_at_its_own_provider() -> None:
    rules = {rule.kind.id: rule.kind.provider for rule in rulebook.load().rules}
    rows: dict[str, str] = {}
    for name in names():
        described = about(name)
        assert described is not None
        for kind in (kind for row in described.abilities for kind in row.kinds):
            assert kind not in rows, f"{kind} has two rows"
            assert rules[kind] == name, f"{kind} is found as a key of {rules[kind]}"
            rows[kind] = name
