"""What all tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.model import Fingerprinter
from scanner.pipeline import Scanner, build_scanner
from tests.support.loopback.sitecustomize import NOTES
from tests.support.rules import KEY

# Guards this process (by being imported) and every Python process that a test starts with this environment.
GUARD = Path(__file__).parent / "support" / "loopback"
os.environ["PYTHONPATH"] = os.pathsep.join([str(GUARD), *filter(None, [os.environ.get("PYTHONPATH")])])
_NOTES = Path(tempfile.mkdtemp(prefix="keyfuse-loopback-")) / "left"
os.environ[NOTES] = str(_NOTES)


@pytest.fixture(autouse=True)
def nothing_leaves_loopback() -> Iterator[None]:
    """No test, and no Python process of a test, speaks to anybody who is not on this machine."""
    yield
    if _NOTES.exists():
        left = _NOTES.read_text()
        _NOTES.unlink()
        pytest.fail(f"a request would have left loopback: {left}")


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
