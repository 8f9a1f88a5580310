"""Settings: what one may write in the configuration file, as a table that loader, example, docs and checks all read.

A section is a class whose attributes are settings; each says its type, its default and one line of why. Descriptors do
this, not dataclasses: building a dataclass costs half a millisecond, and every audit and every commit pays for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, overload

T = TypeVar("T")
S = TypeVar("S", bound="Section")

DEFAULT = "default"
"""The origin of a value that nobody set."""


class Unfit(Exception):
    """A value that a setting cannot take. The text says what was expected and what was found, never the value."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"must be {expected}; found {found(value)}")


class Misnamed(Unfit):
    """A table under a name that none can have; the sentence says what to do."""

    def __init__(self, sentence: str) -> None:
        Exception.__init__(self, sentence)


def found(value: object) -> str:
    """What a TOML value is, in words. Never the value itself: it may be a secret in the wrong place."""
    match value:
        case bool():
            return "a boolean"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return "a date or time"


class Setting(Generic[T]):
    """One setting. Read from a section's class it is itself, read from a section it is the value in force."""

    def __init__(self, default: T, why: str) -> None:
        self.default = default
        self.why = why
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, section: None, owner: type) -> Self: ...
    @overload
    def __get__(self, section: Section, owner: type) -> T: ...
    def __get__(self, section: Section | None, owner: type) -> Self | T:
        if section is None:
            return self
        value: T = section.values.get(self.name, self.default)
        return value

    def __set__(self, section: Section, value: T) -> NoReturn:
        raise AttributeError(f"settings do not change: {self.name}")

    @property
    def expected(self) -> str:
        """What may stand there, in words."""
        raise NotImplementedError

    def parse(self, value: object, here: Path) -> T:
        """The value that a TOML value means; relative paths begin at `here`. Raises Unfit."""
        raise NotImplementedError

    def toml(self, value: T) -> str:
        """The value as one writes it in the file."""
        return quoted(str(value))


class Group(Setting[S]):
    """A table below this one: `[name]`."""

    def __init__(self, kind: type[S], why: str) -> None:
        super().__init__(kind(), why)
        self.kind = kind

    @property
    def expected(self) -> str:
        return "a table"


class Named(Setting[Mapping[str, S]]):
    """Tables that the user names: `[name.<word>]`. `example` shows what one may look like."""

    def __init__(self, kind: type[S], why: str, *, example: Mapping[str, S]) -> None:
        super().__init__({}, why)
        self.kind = kind
        self.example = example

    def kind_of(self, name: str, table: Mapping[str, object]) -> type[S]:
        """The kind of the table with that name. Raises Unfit where no table may have it."""
        return self.kind

    @property
    def expected(self) -> str:
        return "tables with names of your choice"


class Tables(Setting[tuple[S, ...]]):
    """A list of tables: `[[name]]`. `example` shows what one may look like."""

    def __init__(self, kind: type[S], why: str, *, example: S) -> None:
        super().__init__((), why)
        self.kind = kind
        self.example = example

    @property
    def expected(self) -> str:
        return "a list of tables"


class Section:
    """One table of the configuration: the values that were set, and who set each."""

    settings: ClassVar[Mapping[str, Setting[Any]]] = {}

    def __init_subclass__(cls) -> None:
        cls.settings = {name: item for name, item in vars(cls).items() if isinstance(item, Setting)}

    def __init__(self, values: Mapping[str, Any] | None = None, origins: Mapping[str, str] | None = None) -> None:
        self.values: Mapping[str, Any] = values or {}
        self.origins: Mapping[str, str] = origins or {}

    def origin(self, name: str) -> str:
        """Who set this: `default`, or the file or variable it came from."""
        return self.origins.get(name, DEFAULT)

    def faults(self) -> Iterable[str]:
        """What no single setting can see: settings that do not go together. One sentence each."""
        return ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, name) == getattr(other, name) for name in self.settings)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self.values))})"


def word(member: Enum) -> str:
    """How a member of an enum is written in the file."""
    return member.value if isinstance(member.value, str) else member.name.lower()


def quoted(text: str) -> str:
    """A TOML basic string."""
    escapes = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(escapes.get(c) or (c if c.isprintable() else f"\\U{ord(c):08X}") for c in text) + '"'
