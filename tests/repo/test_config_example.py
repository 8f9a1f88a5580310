"""config.example.toml and docs/configuration.md hold every setting, and say what the program does."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyfuse.config import Config, load
from keyfuse.configtext import example, reference
from keyfuse.settings import Group, Named, Section, Tables

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"


def names(kind: type[Section]) -> Iterator[str]:
    """Every setting's own name, that of tables too."""
    for name, setting in kind.settings.items():
        yield name
        if isinstance(setting, Group | Named | Tables):
            yield from names(setting.kind)


def uncommented(text: str) -> str:
    """The example with its examples switched on."""
    return re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE)


def test_the_example_is_fresh() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example(), "run: keyfuse config example > config.example.toml"


def test_the_wheel_ships_the_same_text() -> None:
    shipped = importlib.resources.files("keyfuse").joinpath("config.example.toml")
    assert shipped.read_text(encoding="utf-8") == example(), "run: cp config.example.toml keyfuse/"


def test_the_example_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "keyfuse.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"))
    env = {"HOME": str(tmp_path)}
    assert load(path, env) == load(None, env)


@pytest.mark.parametrize("name", sorted(set(names(Config))))
def test_the_example_is_complete(name: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert re.search(rf"^#?(?:{name} = |\[+(?:\w+\.)*{name}(?:\.\w+)*\]+$)", text, flags=re.MULTILINE)


def test_its_examples_are_valid_too(tmp_path: Path) -> None:
    text = uncommented(EXAMPLE.read_text(encoding="utf-8"))
    tables = tomllib.loads(text)
    assert set(tables["notify"]["channel"]) == {"mail"}
    switched_on = re.sub(r'^(\w+) = "…"$', "", text, flags=re.MULTILINE)
    path = tmp_path / "keyfuse.toml"
    path.write_text(switched_on)
    config = load(path, {"HOME": str(tmp_path)})
    assert config.notify.route[0].channels == ("mail",)
    assert config.notify.account_administrators


def test_every_setting_says_why() -> None:
    def whys(kind: type[Section]) -> Iterator[str]:
        for setting in kind.settings.values():
            yield setting.why
            if isinstance(setting, Group | Named | Tables):
                yield from whys(setting.kind)

    assert [why for why in whys(Config) if not why.endswith(".") or len(why) > 116 or "\n" in why] == []


def test_the_reference_page_is_fresh() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    _, begin, rest = page.partition("<!-- settings -->\n")
    table, end, _ = rest.partition("<!-- end of settings -->")
    assert begin
    assert end
    assert table.strip() == reference().strip(), "the tables come from keyfuse.configtext.reference()"
