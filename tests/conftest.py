"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scanner.model import Fingerprinter
from scanner.pipeline import Scanner, build_scanner
from tests.support.rules import KEY


@pytest.fixture(scope="session")
def rule_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One rule cache for the whole test run, so that the shipped rules are compiled once."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "rule-cache"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def shipped(rule_cache: Path) -> Scanner:
    """A scanner with the shipped rules."""
    return build_scanner(Fingerprinter(KEY), cache_directory=rule_cache)
