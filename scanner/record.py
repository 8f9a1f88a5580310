"""Record: frozen values, like frozen slotted dataclasses, that cost a start twenty times less.

Defining a dataclass writes and compiles six functions (a millisecond a class, thirty classes on the way of every
commit). A Record compiles only its `__init__`, and only when the first one is made. It is for values on the way of
every start; elsewhere dataclasses are the usual choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, dataclass_transform

R = TypeVar("R", bound="Record")


@dataclass_transform(frozen_default=True)
class RecordType(type):
    """Makes slots out of a class's annotations, and defaults out of their values."""

    _fields: tuple[str, ...]
    _defaults: dict[str, Any]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> RecordType:
        fields = tuple(
            field for field, kind in namespace.get("__annotations__", {}).items() if not kind.startswith("ClassVar")
        )
        defaults = {field: namespace.pop(field) for field in fields if field in namespace}
        made = super().__new__(mcs, name, bases, {**namespace, "__slots__": fields, "__match_args__": fields})
        made._fields = fields
        made._defaults = defaults
        return made


def _initialiser(cls: RecordType) -> Callable[..., None]:
    """`__init__(self, first, second=…)`, which fills the slots. Compiled from the names of the fields alone."""
    setters = {f"_set_{field}": cls.__dict__[field].__set__ for field in cls._fields}
    defaults = {f"_default_{field}": value for field, value in cls._defaults.items()}
    parameters = ", ".join(
        f"{field}=_default_{field}" if field in cls._defaults else field for field in ("self", *cls._fields)
    )
    body = "; ".join(f"_set_{field}(self, {field})" for field in cls._fields) or "pass"
    namespace: dict[str, Any] = {**setters, **defaults}
    exec(f"def __init__({parameters}): {body}", namespace)  # noqa: S102 (names of fields, written in our own classes)
    made: Callable[..., None] = namespace["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


class Record(metaclass=RecordType):
    """A frozen value with the fields that its class annotates. A subclass's fields are all its own: no inheritance."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = type(self)
        made = _initialiser(kind)
        type.__setattr__(kind, "__init__", made)
        made(self, *args, **kwargs)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and values(self) == values(other)

    def __hash__(self) -> int:
        return hash((type(self), values(self)))

    def __lt__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return values(self) < values(other)

    def __repr__(self) -> str:
        shown = ", ".join(f"{field}={getattr(self, field)!r}" for field in type(self)._fields)
        return f"{type(self).__qualname__}({shown})"

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), values(self)


def values(record: Record) -> tuple[Any, ...]:
    """The values of a record's fields, in their order."""
    return tuple([getattr(record, field) for field in type(record)._fields])


def replace(record: R, **changes: Any) -> R:
    """A record like this one but for some fields. Raises TypeError for a field that there is not."""
    kind = type(record)
    now = {field: getattr(record, field) for field in kind._fields}
    return kind(**{**now, **changes})
