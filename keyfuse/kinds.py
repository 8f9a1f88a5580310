"""The kinds of setting: what each takes, how it is read, and how it is written back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TypeVar

from keyfuse.settings import Setting, Unfit, quoted, word

E = TypeVar("E", bound=Enum)


class Flag(Setting[bool]):
    """true or false."""

    @property
    def expected(self) -> str:
        return "true or false"

    def parse(self, value: object, here: Path) -> bool:
        if not isinstance(value, bool):
            raise Unfit(self.expected, value)
        return value

    def toml(self, value: bool) -> str:
        return "true" if value else "false"


class Whole(Setting[int]):
    """A whole number within limits."""

    def __init__(self, default: int, why: str, *, least: int = 0, most: int | None = None) -> None:
        super().__init__(default, why)
        self.least = least
        self.most = most

    @property
    def expected(self) -> str:
        return f"a whole number, {self.least} " + ("or more" if self.most is None else f"to {self.most}")

    def parse(self, value: object, here: Path) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unfit(self.expected, value)
        if value < self.least or (self.most is not None and value > self.most):
            raise Unfit(self.expected, value)
        return value

    def toml(self, value: int) -> str:
        return str(value)


class Text(Setting[str]):
    """A string."""

    @property
    def expected(self) -> str:
        return "a string"

    def parse(self, value: object, here: Path) -> str:
        if not isinstance(value, str):
            raise Unfit(self.expected, value)
        return value


class Texts(Setting[tuple[str, ...]]):
    """A list of strings."""

    @property
    def expected(self) -> str:
        return "a list of strings"

    def parse(self, value: object, here: Path) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Unfit(self.expected, value)
        return tuple(value)

    def toml(self, value: tuple[str, ...]) -> str:
        return "[" + ", ".join(map(quoted, value)) + "]"


class Paths(Setting[tuple[Path, ...]]):
    """A list of files; relative ones begin where the configuration file lies, and `~` is the home directory."""

    @property
    def expected(self) -> str:
        return "a list of file names"

    def parse(self, value: object, here: Path) -> tuple[Path, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise Unfit(self.expected, value)
        return tuple(here / Path(item).expanduser() for item in value)

    def toml(self, value: tuple[Path, ...]) -> str:
        return "[" + ", ".join(quoted(str(item)) for item in value) + "]"


class FilePath(Setting["Path | None"]):
    """A file or nothing; see Paths."""

    @property
    def expected(self) -> str:
        return "a file name"

    def parse(self, value: object, here: Path) -> Path | None:
        if not isinstance(value, str) or not value:
            raise Unfit(self.expected, value)
        return here / Path(value).expanduser()


class Choice(Setting[E]):
    """One word out of an enum; by its value, or by its lower-case name where the values are numbers."""

    def __init__(self, default: E, why: str) -> None:
        super().__init__(default, why)
        self.words: dict[str, E] = {word(member): member for member in type(default)}

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.words)

    def parse(self, value: object, here: Path) -> E:
        if not isinstance(value, str) or value not in self.words:
            raise Unfit(self.expected, value)
        return self.words[value]

    def toml(self, value: E) -> str:
        return quoted(word(value))


class Word(Setting[str]):
    """One word out of a fixed few, where the enum that they belong to is too heavy to import at start."""

    def __init__(self, default: str, options: tuple[str, ...], why: str) -> None:
        super().__init__(default, why)
        self.options = options

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.options)

    def parse(self, value: object, here: Path) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise Unfit(self.expected, value)
        return value


class Words(Setting[tuple[str, ...]]):
    """A list of words out of a fixed few; see Word."""

    def __init__(self, options: tuple[str, ...], why: str) -> None:
        super().__init__((), why)
        self.options = options

    @property
    def expected(self) -> str:
        return "a list of words out of " + ", ".join(self.options)

    def parse(self, value: object, here: Path) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(item in self.options for item in value):
            raise Unfit(self.expected, value)
        return tuple(value)

    def toml(self, value: tuple[str, ...]) -> str:
        return "[" + ", ".join(map(quoted, value)) + "]"


UNITS: Mapping[str, timedelta] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
DURATION = 'a length of time such as "30s", "10m", "24h" or "1h30m"'


def duration(value: object) -> timedelta:
    """A length of time out of "30s", "1h30m", "250ms" or "7d". Raises Unfit."""
    if not isinstance(value, str) or not re.fullmatch(r"(?:[0-9]{1,6}(?:ms|[dhms]))+", value):
        raise Unfit(DURATION, value)
    pieces = re.findall(r"([0-9]+)(ms|[dhms])", value)
    return sum((int(count) * UNITS[unit] for count, unit in pieces), timedelta())


def shown_duration(value: timedelta) -> str:
    """A length of time in the fewest units that say it exactly."""
    text = ""
    for unit, length in UNITS.items():
        count, value = divmod(value, length)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


class Duration(Setting[timedelta]):
    """A length of time."""

    @property
    def expected(self) -> str:
        return DURATION

    def parse(self, value: object, here: Path) -> timedelta:
        return duration(value)

    def toml(self, value: timedelta) -> str:
        return quoted(shown_duration(value))


class Durations(Setting[tuple[timedelta, ...]]):
    """A list of lengths of time; at least one, but where the default is none."""

    @property
    def expected(self) -> str:
        return 'a list of lengths of time such as ["30s", "10m", "24h"]'

    def parse(self, value: object, here: Path) -> tuple[timedelta, ...]:
        if not isinstance(value, list) or not (value or self.default == ()):
            raise Unfit(self.expected, value)
        return tuple(map(duration, value))

    def toml(self, value: tuple[timedelta, ...]) -> str:
        return "[" + ", ".join(quoted(shown_duration(item)) for item in value) + "]"


SIZES: Mapping[str, int] = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}


class Size(Setting[int]):
    """A number of bytes."""

    @property
    def expected(self) -> str:
        return 'a size such as "64 KiB", "10 MiB" or "1 GiB"'

    def parse(self, value: object, here: Path) -> int:
        fits = re.fullmatch(r"([0-9]{1,9}) ?(B|[KMG]iB)", value) if isinstance(value, str) else None
        if fits is None:
            raise Unfit(self.expected, value)
        return int(fits[1]) * SIZES[fits[2]]

    def toml(self, value: int) -> str:
        unit, size = next((unit, size) for unit, size in SIZES.items() if value % size == 0 and (value or unit == "B"))
        return quoted(f"{value // size} {unit}")


class Lists(Setting[Mapping[str, tuple[str, ...]]]):
    """A table whose keys the user chooses and whose values are lists of strings."""

    def __init__(self, why: str, *, example: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__({}, why)
        self.example = example

    @property
    def expected(self) -> str:
        return "a table of lists of strings"

    def parse(self, value: object, here: Path) -> Mapping[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            raise Unfit(self.expected, value)
        for item in value.values():
            if not isinstance(item, list) or not all(isinstance(text, str) for text in item):
                raise Unfit(self.expected, item)
        return {name: tuple(item) for name, item in value.items()}

    def toml(self, value: Mapping[str, tuple[str, ...]]) -> str:
        pairs = (f"{quoted(name)} = [{', '.join(map(quoted, item))}]" for name, item in value.items())
        return "{" + ", ".join(pairs) + "}"
