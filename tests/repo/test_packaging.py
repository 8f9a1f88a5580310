"""What is shipped is all there is, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))
ROOMS = ("rules", "scanner", "responders", "keyfuse")


def test_every_package_is_shipped() -> None:
    there = {
        ".".join(path.parent.relative_to(HERE).parts) for room in ROOMS for path in (HERE / room).rglob("__init__.py")
    }
    if not there:
        pytest.skip("beside an installed wheel there are only the tests")
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == there


def test_the_readme_begins_with_the_two_commands() -> None:
    first, second, *_ = (HERE / "README.md").read_text("utf-8").splitlines()
    assert first.split()[:2] == ["make", "demo"]
    assert second.split()[:2] == ["make", "test"]


def test_every_page_that_the_readme_names_is_there() -> None:
    text = (HERE / "README.md").read_text("utf-8")
    pages = [part.partition(")")[0] for part in text.split("](")[1:]]
    named = [page for page in pages if not page.startswith("http")]
    assert len(named) >= 8
    assert [page for page in named if not (HERE / page).exists()] == []


def test_dependencies_have_ranges_and_no_addresses() -> None:
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    for requirement in (each for group in groups for each in group):
        assert ">=" in requirement, requirement
        assert "@" not in requirement, requirement
        assert "://" not in requirement, requirement
