"""keyfuse refuses to run with another distribution's `rules` or `scanner`."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from keyfuse import check_rooms
from scanner.errors import CannotRun


def test_its_own_rooms_are_accepted() -> None:
    check_rooms()


def test_a_stranger_of_the_same_name_is_named(tmp_path: Path) -> None:
    stranger = types.ModuleType("rules")
    stranger.__file__ = str(tmp_path / "rules" / "__init__.py")
    with pytest.raises(CannotRun, match=r"'rules'.*pipx install keyfuse"):
        check_rooms((stranger,))
