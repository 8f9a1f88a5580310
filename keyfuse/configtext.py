"""Writes the configuration for people: the example file, the reference page, and what is in force and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from keyfuse.config import Config, shown_url
from keyfuse.kinds import Lists
from keyfuse.settings import Group, Named, Section, Setting, Tables, word

HEAD = """\
# Every setting of keyfuse with its default. All of it is optional: keep what you change, drop the rest.
# keyfuse reads the file that --config names, else $KEYFUSE_CONFIG, else keyfuse.toml in your configuration directory;
# never one that lies in what it scans. `keyfuse config check` finds faults, `keyfuse config show` what is in force.
# Secrets do not belong here: a setting named …_env names an environment variable, one named …_file a file.
# Lines that begin with "#" and no space are settings without a default, or examples.
"""


def example() -> str:
    """The text of config.example.toml."""
    return HEAD + "".join(_section(Config, Config(), "", "", "")).rstrip("\n") + "\n"


def _section(kind: type[Section], values: Section, at: str, heading: str, mark: str) -> Iterator[str]:
    """One table and those below it. `mark` is put before every line of what is only an example."""
    if heading:
        yield f"{mark}{heading}\n"
    tables = []
    for name, setting in kind.settings.items():
        if isinstance(setting, Group | Named | Tables):
            tables.append((name, setting))
            continue
        value = getattr(values, name)
        yield f"# {setting.why}\n"
        yield _line(name, setting, value, mark)
    for name, setting in tables:
        yield from _table(f"{at}.{name}".lstrip("."), setting)


def _line(name: str, setting: Setting[Any], value: Any, mark: str) -> str:
    if isinstance(setting, Lists) and not value:
        return f"#{name} = {setting.toml(setting.example)}\n"
    if value is None or (value == "" and name.endswith(("_env", "url"))):
        return f'#{name} = "…"\n'
    return f"{mark}{name} = {setting.toml(value)}\n"


def _table(at: str, setting: Setting[Any]) -> Iterator[str]:
    yield f"\n# {setting.why}\n"
    match setting:
        case Group():
            yield from _section(setting.kind, setting.default, at, f"[{at}]", "")
        case Named():
            for name, section in setting.example.items():
                yield from _section(setting.kind, section, f"{at}.{name}", f"[{at}.{name}]", "#")
        case Tables():
            yield from _section(setting.kind, setting.example, at, f"[[{at}]]", "#")


def reference() -> str:
    """The tables of docs/configuration.md: a heading for each section and a row for each setting."""
    return "\n".join(_reference(Config, "")).strip("\n") + "\n"


def _reference(kind: type[Section], at: str) -> Iterator[str]:
    tables = [(name, s) for name, s in kind.settings.items() if isinstance(s, Group | Named | Tables)]
    rows = [(name, s) for name, s in kind.settings.items() if not isinstance(s, Group | Named | Tables)]
    if rows:
        yield "| setting | takes | default | why |\n|---|---|---|---|"
    for name, setting in rows:
        default = "–" if setting.default in (None, "", {}) else f"`{setting.toml(setting.default)}`"
        yield f"| `{name}` | {setting.expected} | {default} | {setting.why} |"
    for name, setting in tables:
        path = f"{at}.{name}".lstrip(".")
        match setting:
            case Tables():
                heading = f"[[{path}]]"
            case Named():
                heading = f"[{path}.<name>]"
            case _:
                heading = f"[{path}]"
        yield f"\n## `{heading}`\n\n{setting.why}\n"
        yield from _reference(setting.kind, path)


class InForce(NamedTuple):
    """One setting that is in force: its full name, its value (JSON types and TOML; no password), and who set it."""

    name: str
    value: object
    text: str
    origin: str


def in_force(config: Config) -> Iterator[InForce]:
    """Every setting in force, directories first."""
    file = None if config.path is None else str(config.path)
    yield InForce("file", file, file or "–", "default" if file is None else "found")
    for name, place in (("data_dir", config.data_dir), ("cache_dir", config.cache_dir)):
        yield InForce(name, str(place), str(place), config.origin(name))
    yield from _in_force(config, "")


def _in_force(section: Section, at: str) -> Iterator[InForce]:
    for name, setting in section.settings.items():
        value = getattr(section, name)
        path = f"{at}{name}"
        match setting:
            case Group():
                yield from _in_force(value, f"{path}.")
            case Named():
                for given, item in value.items():
                    yield from _in_force(item, f"{path}.{given}.")
            case Tables():
                for number, item in enumerate(value, 1):
                    yield from _in_force(item, f"{path}[{number}].")
            case _:
                shown = shown_url(value) if name == "url" else value
                text = "–" if shown is None else setting.toml(shown)
                yield InForce(path, _plain(shown), text, section.origin(name))


def _plain(value: Any) -> object:
    """A value in JSON's types; lengths of time in seconds."""
    match value:
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
        case Enum():
            return word(value)
        case tuple():
            return [_plain(item) for item in value]
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case _:
            return value
