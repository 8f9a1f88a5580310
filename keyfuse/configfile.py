"""Reads a configuration file: TOML in, valid sections or every fault at once out."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from keyfuse.settings import Group, Misnamed, Named, Section, Setting, Tables, Unfit
from scanner.errors import ConfigError
from scanner.model import printable

LARGEST = 1 << 20
"""Bytes. A configuration is written by people."""

SECRETS = ("token", "password", "passwd", "secret", "api_key", "apikey", "credential")


class ConfigFaults(ConfigError):
    """Everything that is wrong with one file; `faults` holds one sentence each."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        where = printable(str(path))
        self.faults = tuple(f"{where}: {fault}" for fault in faults)
        super().__init__("\n".join(self.faults))


def read(path: Path, kind: type[Section], env: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of the root section and who set them. Raises ConfigFaults."""
    reading = _Reading(path.absolute(), env)
    section = reading.section(kind, _parse(path), "")
    if reading.faults:
        raise ConfigFaults(path, reading.faults)
    return dict(section.values), dict(section.origins)


def _parse(path: Path) -> dict[str, Any]:
    """The file's tables. A file that others may write is refused: who can write it can switch alarms off."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigFaults(path, ["is not a file"])
            if status.st_mode & stat.S_IWOTH:
                raise ConfigFaults(path, [f"may be written by everybody; run: chmod o-w {printable(str(path))}"])
            if hasattr(os, "geteuid") and status.st_uid not in (os.geteuid(), 0):
                raise ConfigFaults(path, ["belongs to another user, who could switch alarms off; make it your own"])
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigFaults(path, [f"cannot be read: {error.strerror}"]) from None
    if len(data) > LARGEST:
        raise ConfigFaults(path, [f"is larger than {LARGEST >> 20} MiB"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ConfigFaults(path, [f"is not UTF-8 (at line {line}, column {column})"]) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"at line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}, the end of the file"
        reason = str(error).replace("at end of document", end)
        raise ConfigFaults(path, [f"is not TOML: {printable(reason)}"]) from None
    except RecursionError:
        raise ConfigFaults(path, ["is not TOML that anybody would write: it is nested too deeply"]) from None


def _open_without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


class _Reading:
    """One pass over one file; faults are gathered, so that a person sees all of them at once."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self.path = path
        self.env = env
        self.faults: list[str] = []

    def section(self, kind: type[Section], table: Mapping[str, Any], at: str) -> Section:
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        faults_before = len(self.faults)
        for key, value in table.items():
            setting = kind.settings.get(key)
            where = f"{at}.{key}" if at else key
            if setting is None:
                self.faults.append(f"{printable(where)} {_unknown(kind, key, at)}")
                continue
            try:
                values[key] = self._value(setting, value, where)
                origins[key] = str(self.path)
            except Unfit as unfit:
                self.faults.append(f"{printable(where)} {unfit}")
            except RuntimeError:
                self.faults.append(f"{printable(where)} begins with ~, but this user has no home directory")
        section = kind(values, origins)
        if len(self.faults) == faults_before:  # else what goes together is anybody's guess
            self.faults += (f"{printable(at)} {fault}".lstrip() for fault in section.faults())
        if {"url", "url_env", "url_file"} <= kind.settings.keys():
            section = self._resolved(section, at)
        return section

    def _value(self, setting: Setting[Any], value: object, where: str) -> object:
        match setting:
            case Group():
                return self.section(setting.kind, _table(setting, value), where)
            case Named():
                tables = _table(setting, value)
                return {name: self._named(setting, name, item, f"{where}.{name}") for name, item in tables.items()}
            case Tables():
                if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                    raise Unfit(setting.expected, value)
                return tuple(
                    self.section(setting.kind, item, f"{where}[{number}]") for number, item in enumerate(value, 1)
                )
            case _:
                return setting.parse(value, self.path.parent)

    def _named(self, setting: Named[Any], name: str, item: object, where: str) -> Section:
        table = _table(Group(setting.kind, ""), item)
        try:
            return self.section(setting.kind_of(name, table), table, where)
        except Misnamed as unfit:
            self.faults.append(f"{printable(where)} {unfit}")
            unread: Section = setting.kind()
            return unread

    def _resolved(self, section: Section, at: str) -> Section:
        """A section whose URL may come from elsewhere, with that URL in place of the reference."""
        name, file = section.values.get("url_env"), section.values.get("url_file")
        try:
            if name:
                url, origin = self.env[name].strip(), f"${name}"
            elif file:
                url, origin = Path(file).read_text(encoding="utf-8").strip(), str(file)
            else:
                return section
        except KeyError:
            self.faults.append(f"{at}.url_env names the variable {printable(str(name))}, which is not set")
            return section
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self.faults.append(f"{at}.url_file cannot be read: {reason} ({printable(str(file))})")
            return section
        if not url:
            self.faults.append(f"{at} takes its url from {printable(origin)}, which is empty")
        return type(section)({**section.values, "url": url}, {**section.origins, "url": origin})


def _table(setting: Setting[Any], value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(setting.expected, value)
    return value


def _unknown(kind: type[Section], key: str, at: str) -> str:
    """Why a key cannot stand there, and which one is meant. Its value is never shown: it may be a secret."""
    ways = [name for name in (f"{key}_env", f"{key}_file") if name in kind.settings]
    if ways:
        return (
            f"would hold a credential in plain text; use {ways[0]} (the name of an environment variable) "
            f"or {ways[-1]} (a file that only you can read)"
        )
    prefix = f"{at}." if at else ""
    if any(hint in key.lower() for hint in SECRETS):
        references = [prefix + name for name in kind.settings if name.endswith(("_env", "_file"))]
        return "is not a setting, and secrets do not belong in this file" + (
            f"; there is {', '.join(references)}" if references else ""
        )
    nearest = get_close_matches(key, kind.settings, n=1, cutoff=0.5)
    if nearest:
        return f"is not a setting; did you mean {printable(prefix)}{nearest[0]}?"
    names = ", ".join(kind.settings)
    return f"is not a setting; {f'[{printable(at)}]' if at else 'the file'} may have: {names}"
