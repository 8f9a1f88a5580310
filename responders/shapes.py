"""How registered keys look, in a small file that is read without a database.

The scanner searches for these shapes and lets the fingerprint decide, so that a registered key of any form is found.
`shapes.json` in the data directory always holds at least the shapes of all stored keys: it is written before the
transaction that needs it commits. This module knows neither the database nor the engine.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

from responders.errors import StoreError
from scanner.errors import UsageError
from scanner.model import ALPHABETS, Shape

FILE_NAME = "shapes.json"
DATABASE_NAME = "keyfuse.db"
SHORTEST_VALUE = 8
MOST_SHAPES = 64
_VERSION = 1

_WIDTH = {name: width for width, name in enumerate(ALPHABETS)}


def _expanded(inside: str) -> frozenset[str]:
    """The characters of a class: ranges as `a-z`, others by themselves, a last `-` for itself."""
    characters: set[str] = set()
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            characters.update(map(chr, range(ord(inside[at]), ord(inside[at + 2]) + 1)))
            at += 3
        else:
            characters.add(inside[at])
            at += 1
    return frozenset(characters)


_CHARACTERS: Mapping[str, frozenset[str]] = {name: _expanded(inside) for name, inside in ALPHABETS.items()}
# One to three words that end at a separator, as issuers write them in front of the random part.
_HEAD = re.compile(r"(?:(?:[a-z]{1,10}|[A-Z]{1,10})[0-9]{0,2}[_.-]){1,3}")
# Heads without a separator that providers document: AWS key ids, Google API keys, Yandex Cloud, JSON web tokens.
_KNOWN_HEADS = ("AKIA", "ASIA", "AIza", "AQVN", "YCAJE", "eyJ")


def derive(value: bytes) -> Shape | None:
    """The shape of a key's value; None when it holds spaces or characters beyond ASCII, which no shape describes.

    Raises UsageError for values shorter than 8 characters: they would match ordinary words.
    """
    if len(value) < SHORTEST_VALUE:
        raise UsageError(
            f"a value of {len(value)} characters is too short to be told from ordinary words; "
            f"register values of at least {SHORTEST_VALUE}"
        )
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return None
    prefix = _head(text)
    used = frozenset(text[len(prefix) :])
    return next((Shape(prefix, name, len(text)) for name, letters in _CHARACTERS.items() if used <= letters), None)


def _head(text: str) -> str:
    """The fixed prefix of a value: words up to a separator, or a head that is well known; "" when neither."""
    found = _HEAD.match(text)
    if found is not None and len(text) - found.end() >= SHORTEST_VALUE:
        return found.group()
    return next(
        (head for head in _KNOWN_HEADS if text.startswith(head) and len(text) - len(head) >= SHORTEST_VALUE), ""
    )


def covers(wide: Shape, narrow: Shape) -> bool:
    """Whether every text of shape `narrow` is also one of shape `wide`."""
    letters = _CHARACTERS[wide.alphabet]
    return (
        narrow.prefix.startswith(wide.prefix)
        and letters.issuperset(narrow.prefix[len(wide.prefix) :])
        and _CHARACTERS[narrow.alphabet] <= letters
        and wide.length <= narrow.length
        and _longest(narrow) <= _longest(wide)
    )


def place(shape: Shape, known: Iterable[Shape]) -> Shape | None:
    """The known shape under which a new one is counted: itself, else the narrowest that covers it."""
    fitting = [other for other in known if other == shape or covers(other, shape)]
    if shape in fitting:
        return shape
    return min(fitting, key=_breadth, default=None)


def condense(counts: Mapping[Shape, int], most: int = MOST_SHAPES // 2) -> dict[Shape, Shape]:
    """Merges shapes until at most `most` are left (never fewer than there are alphabets); returns old -> new.

    Prefixes go first, those of the fewest keys before others; then neighbouring lengths of one alphabet become a range.
    What a merged shape describes is always a superset, so no key is lost; it only costs a few more comparisons.
    """
    into = {shape: shape for shape in counts}
    weight = dict(counts)

    def merge(old: Shape, new: Shape) -> None:
        weight[new] = weight.get(new, 0) + weight.pop(old)
        for source, target in into.items():
            if target == old:
                into[source] = new

    for shape in sorted((shape for shape in counts if shape.prefix), key=lambda shape: (counts[shape], shape)):
        if len(weight) <= most:
            break
        merge(shape, _without_prefix(shape))
    while len(weight) > most and (pair := _closest(weight)) is not None:
        both = _joined(*pair)
        for shape in pair:
            if shape != both:
                merge(shape, both)
    return into


def _longest(shape: Shape) -> int:
    return shape.longest or shape.length


def _breadth(shape: Shape) -> tuple[int, int, int, Shape]:
    return (_WIDTH[shape.alphabet], _longest(shape) - shape.length, -len(shape.prefix), shape)


def _without_prefix(shape: Shape) -> Shape:
    wanted = _CHARACTERS[shape.alphabet].union(shape.prefix)
    alphabet = next(name for name in ALPHABETS if wanted <= _CHARACTERS[name])
    return Shape("", alphabet, shape.length, shape.longest)


def _joined(one: Shape, other: Shape) -> Shape:
    shortest, longest = min(one.length, other.length), max(_longest(one), _longest(other))
    return Shape("", one.alphabet, shortest, 0 if shortest == longest else longest)


def _closest(shapes: Iterable[Shape]) -> tuple[Shape, Shape] | None:
    """The two prefixless shapes of one alphabet whose lengths lie closest."""
    ordered = sorted((shape for shape in shapes if not shape.prefix), key=lambda s: (s.alphabet, s.length, s.longest))
    pairs = [(one, other) for one, other in pairwise(ordered) if one.alphabet == other.alphabet]
    return min(pairs, key=lambda pair: (pair[1].length - _longest(pair[0]), pair), default=None)


# --- the file -------------------------------------------------------------------------------------------------------


def read_shapes(data_dir: Path) -> tuple[Shape, ...]:
    """The shapes of all registered keys, without opening the database.

    Raises StoreError when the file cannot be used, or is missing although a database lies beside it; opening the
    store then writes it anew.
    """
    written = _read(data_dir)
    if written is not None:
        return written[1]
    if (data_dir / DATABASE_NAME).exists():
        raise StoreError(
            f"{data_dir / FILE_NAME} is missing; `keyfuse doctor` and every other command that opens the "
            "registry write it anew"
        )
    return ()


def token_of(data_dir: Path) -> str | None:
    """Which set of shapes the file holds; None when it is missing or damaged."""
    try:
        written = _read(data_dir)
    except StoreError:
        return None
    return None if written is None else written[0]


def write_shapes(data_dir: Path, token: str, shapes: Iterable[Shape]) -> None:
    """Replaces the file as a whole, mode 0600, safely on disk when this returns. Raises StoreError."""
    body = {
        "version": _VERSION,
        "token": token,
        "shapes": [[shape.prefix, shape.alphabet, shape.length, shape.longest] for shape in sorted(shapes)],
    }
    target = data_dir / FILE_NAME
    fresh = data_dir / f".{FILE_NAME}.{os.getpid()}.{token}"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreError(f"{target} cannot be written ({error.strerror}); nothing was changed") from None


def _read(data_dir: Path) -> tuple[str, tuple[Shape, ...]] | None:
    path = data_dir / FILE_NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); check its owner and mode") from None
    try:
        body = json.loads(text)
        if body["version"] != _VERSION:
            raise StoreError(f"{path} was written by a newer keyfuse; use that version, or a data directory of its own")
        return body["token"], tuple(Shape(*_fields(entry)) for entry in body["shapes"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path} is damaged; delete it, and `keyfuse doctor` writes it anew") from None


def _fields(entry: object) -> tuple[str, str, int, int]:
    match entry:
        case [str(prefix), str(alphabet), int(length), int(longest)] if alphabet in ALPHABETS:
            return prefix, alphabet, length, longest
        case _:
            raise ValueError("not a shape")
