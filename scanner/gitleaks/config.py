"""Configuration files: recognised, read together with what they extend, and merged the way their own tool does it.

Of two tables for one rule, the one of the extending file decides field by field; lists are joined. Keys count in any
letter case.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanner.gitleaks.note import Note, Refused

Table = dict[str, Any]

_SECTIONS = ("title", "description", "minversion", "extend", "rules", "allowlist", "allowlists")
_JOINED = ("keywords", "tags", "allowlists", "required")


@dataclass(slots=True)
class Config:
    """A file and what it extends, as tables whose keys are in lower case.

    `use_default` tells that the shipped rules belong to it, without those in `disabled`.
    """

    rules: dict[str, Table] = field(default_factory=dict)
    allowlists: list[Table] = field(default_factory=list)
    use_default: bool = False
    disabled: tuple[str, ...] = ()
    notes: list[Note] = field(default_factory=list)


def recognised(table: Mapping[str, Any]) -> bool:
    """Whether a TOML file is such a configuration: it has rules, allowlists or an `[extend]`, and no `[[kind]]`."""
    names = {name.lower() for name in table}
    return "kind" not in names and bool(names & {"rules", "extend", "allowlist", "allowlists"})


def gathered(path: Path, table: Mapping[str, Any], above: tuple[Path, ...] = ()) -> Config:
    """The configuration of a file. Raises Refused."""
    here = path.resolve()
    if here in above:
        chain = " -> ".join(map(str, (*above[above.index(here) :], here)))
        raise Refused(f"[extend] leads in a circle: {chain}")
    own = lowered(table)
    extend = table_of(own.get("extend", {}), "[extend]")
    config = _base(path, extend, (*above, here))
    for name in own:
        if name not in _SECTIONS:
            config.notes.append(Note("", name, "no such section is known", "it is ignored"))
    if "minversion" in own:
        config.notes.append(Note("", "minVersion", "it names a version of the other tool", "it is ignored"))
    seen: set[str] = set()
    for rule in tables_of(own.get("rules", []), "[[rules]]"):
        name = text_of(rule, "id") or ""
        if not name:
            raise Refused("a rule without an id")
        if name in seen:
            raise Refused(f"two rules have the id {name!r}")
        seen.add(name)
        config.rules[name] = _merged(config.rules[name], rule) if name in config.rules else joined_lists(rule)
    config.allowlists += joined_lists(own)["allowlists"]
    return config


def bases(path: Path, above: tuple[Path, ...] = ()) -> tuple[list[Path], bool]:
    """The files that a configuration extends, and whether it wants the shipped rules; nothing where it cannot be read.

    For telling whether anything changed; `gathered` finds what is wrong.
    """
    if path.resolve() in above:
        return [], False
    try:
        extend = lowered(tomllib.loads(path.read_text("utf-8"))).get("extend", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return [], False
    if not isinstance(extend, dict) or not isinstance(extend.get("path", ""), str):
        return [], False
    if not extend.get("path"):
        return [], bool(extend.get("usedefault"))
    base = _located(path, extend["path"])
    more, default = bases(base, (*above, path.resolve()))
    return [base, *more], default


def _base(path: Path, extend: Table, above: tuple[Path, ...]) -> Config:
    """What a file extends, without the rules it disables."""
    config = Config()
    for name in extend:
        if name not in ("path", "usedefault", "disabledrules", "url"):
            config.notes.append(Note("", f"[extend] {name}", "no such field is known", "it is ignored"))
    if "url" in extend:
        config.notes.append(
            Note("", "[extend] url", "rules are not fetched from the network", "fetch the file and name it as path")
        )
    default, base = extend.get("usedefault", False), text_of(extend, "path")
    if default and base:
        raise Refused("[extend] has both useDefault and path; it takes one of them")
    disabled = texts_of(extend, "disabledrules")
    if base:
        config = _read_base(path, _located(path, base), above, config.notes)
        missing = tuple(name for name in disabled if config.rules.pop(name, None) is None)
        disabled = missing
    config.use_default = config.use_default or bool(default)
    if config.use_default:
        config.disabled += disabled
    else:
        config.notes += [
            Note("", f"[extend] disabledRules {name!r}", "what is extended has no such rule", "nothing is disabled")
            for name in disabled
        ]
    return config


def _read_base(path: Path, base: Path, above: tuple[Path, ...], notes: list[Note]) -> Config:
    try:
        table = tomllib.loads(base.read_text("utf-8"))
    except OSError as error:
        raise Refused(
            f"[extend] path {base} cannot be read ({error.strerror}); it is looked for in the current directory, then "
            f"beside {path.name}"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"[extend] path {base} is not a TOML file in UTF-8: {error}") from error
    config = gathered(base, table, above)
    config.notes += notes
    return config


def _located(path: Path, base: str) -> Path:
    """The file that `path = "…"` means: as seen from the current directory, or else from beside the configuration."""
    plain = Path(base)
    return plain if plain.is_absolute() or plain.exists() else path.parent / plain


def _merged(base: Table, rule: Table) -> Table:
    """The table of a rule that is defined in both files."""
    own = joined_lists(rule)
    merged = {**base, **{name: value for name, value in own.items() if name not in _JOINED}}
    for name in _JOINED:
        if base.get(name) or own.get(name):
            merged[name] = [*base.get(name, []), *own.get(name, [])]
    return merged


def joined_lists(table: Table) -> Table:
    """A table whose allowlists, in either spelling, are one list."""
    old, new = table.get("allowlist"), table.get("allowlists", [])
    if old is not None and new:
        raise Refused("both [allowlist] and [[allowlists]]; it takes one of them")
    lists = [old] if isinstance(old, dict) else old or new
    rest = {name: value for name, value in table.items() if name != "allowlist"}
    return rest | {"allowlists": tables_of(lists, "[[allowlists]]")}


def lowered(value: Any) -> Any:
    """A table with its keys, and those of the tables in it, in lower case."""
    if isinstance(value, dict):
        return {name.lower(): lowered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [lowered(each) for each in value]
    return value


def table_of(value: object, what: str) -> Table:
    """The value, which is a table. Raises Refused."""
    if not isinstance(value, dict):
        raise Refused(f"{what} is no table")
    return value


def tables_of(value: object, what: str) -> list[Table]:
    """The value, which is a list of tables. Raises Refused."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Refused(f"{what} is no list of tables")
    return value


def text_of(table: Table, name: str) -> str | None:
    """A field that is a text, None when it is not there. Raises Refused."""
    value = table.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(f"{name} must be a text")
    return value


def texts_of(table: Table, name: str) -> tuple[str, ...]:
    """A field that is a list of texts. Raises Refused."""
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused(f"{name} must be a list of texts")
    return tuple(value)


def number_of(table: Table, name: str) -> float:
    """A field that is a number, 0 when it is not there. Raises Refused."""
    value = table.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Refused(f"{name} must be a number, 0 or more")
    return float(value)
