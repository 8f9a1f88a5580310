"""The engine: all rules and registered shapes over bytes at once, and the rules themselves when something hit.

A book of rules is compiled once and kept in the cache directory; after that a start costs reading one file. The rules
behind the pattern numbers are restored only when they are first asked for.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.engine.cache import Cache
from scanner.engine.database import Database, Words, candidates_of, platform_key
from scanner.errors import EngineError
from scanner.model import Candidate, Shape
from scanner.rulebook import RuleBook

if TYPE_CHECKING:
    from scanner.engine.nearby import Nearby
    from scanner.rule import Rule

_VERSION = 17
"""Changes whenever what is compiled out of the same rules does."""
TELLS = "tells"
"""The encoding that marks the pattern number of values that look like a machine's; it is no rule's."""
_MANY_SHAPES = 24
"""Fewer shapes than this are compiled at each start, which is quicker than reading a file."""

Meaning = tuple[str, tuple[int, ...]]
"""What a pattern number stands for: the encoding of its text ("" for none), and rules by their places in the book."""


class Engine:
    """The first pass. Pattern numbers are those of `meanings`; what `shaped` gives are places in `shapes`."""

    __slots__ = (
        "_book",
        "_database",
        "_nearby",
        "_restore",
        "_shapes",
        "_tells",
        "_words",
        "meanings",
        "rules_hash",
        "shapes",
    )

    def __init__(
        self,
        database: Database,
        words: Words | None,
        meanings: Sequence[Meaning],
        rules_hash: str,
        restore: Callable[[], RuleBook],
        shapes: Sequence[Shape] = (),
        shape_database: Database | None = None,
    ) -> None:
        self._database = database
        self._words = words
        self._tells = meanings.index((TELLS, ())) if words is not None else -1
        self._nearby: Nearby | None = None
        self._restore = restore
        self._book: RuleBook | None = None
        self._shapes = shape_database
        self.meanings = meanings
        self.rules_hash = rules_hash
        self.shapes = tuple(shapes)

    @property
    def book(self) -> RuleBook:
        """The rules; restored when first asked for, which a scan that finds nothing never does."""
        if self._book is None:
            self._book = self._restore()
        return self._book

    @property
    def stamp(self) -> str:
        """The rules' hash, and the version of what is done with them."""
        return f"{_VERSION} {self.rules_hash}"

    def candidates(self, data: bytes) -> list[Candidate]:
        """Where a rule may match."""
        found = self._database.ends(data)
        told = found.pop(self._tells, None)
        candidates = candidates_of(found)
        if told is not None:
            if self._nearby is None:
                self._nearby = _nearby(self._words)
            candidates += self._nearby.candidates(data, told)
        return candidates

    def shaped(self, data: bytes) -> list[Candidate]:
        """Where a registered key may stand."""
        return [] if self._shapes is None else self._shapes.candidates(data)


def _nearby(words: Words | None) -> Nearby:
    from scanner.engine.nearby import Nearby  # noqa: PLC0415 - expressions to compile, for a hit alone

    if words is None:
        raise EngineError("the compiled rules have no keywords; delete the cache directory")
    return Nearby(words)


def open_engine(
    load: Callable[[], RuleBook], stamp: str, cache_directory: Path | None, shapes: Sequence[Shape] = ()
) -> Engine:
    """The engine for a rule book: out of the cache, or compiled (some seconds) and put there.

    `load` reads the book and is called only when it must be; `stamp` changes when what it would read does. Without a
    cache directory everything is compiled. Raises RuleError when the rules cannot be loaded or compiled.
    """
    cache = Cache(cache_directory) if cache_directory else None
    key = "rules-" + _key(stamp)
    shape_database = _shape_database(shapes, cache)
    stored = cache.read(key) if cache else None
    if stored is not None and {"meanings", "book"} <= stored.keys():
        database, words = _loaded(stored, "database"), _loaded_words(stored)
        if database is not None and (words is not None or "words" not in stored):
            rules_hash, meanings = _read_meanings(stored["meanings"])
            dumped = stored["book"]
            return Engine(
                database, words, meanings, rules_hash, lambda: _restored(dumped, load), shapes, shape_database
            )
    book = load()
    database, words, meanings = _compiled(book.rules)
    if cache:
        sections = {"meanings": _written_meanings(book.hash, meanings), "database": database.dump()}
        if words is not None:
            sections |= {
                "words": words.database.dump(),
                "numbers": bytes(words.numbers),
                "lengths": bytes(words.lengths),
            }
        cache.write(key, sections | {"book": book.dump()})
    return Engine(database, words, meanings, book.hash, lambda: book, shapes, shape_database)


def engine_of(book: RuleBook, shapes: Sequence[Shape] = ()) -> Engine:
    """An engine for a book at hand, compiled on the spot and not kept."""
    database, words, meanings = _compiled(book.rules)
    return Engine(database, words, meanings, book.hash, lambda: book, shapes, _shape_database(shapes, None))


def _loaded(stored: Mapping[str, bytes] | None, section: str) -> Database | None:
    """A database of a cache file; None when there is none, or it is another machine's."""
    if stored is None or section not in stored:
        return None
    try:
        return Database.load(stored[section])
    except EngineError:
        return None


def _loaded_words(stored: Mapping[str, bytes]) -> Words | None:
    database = _loaded(stored, "words")
    if database is None or not {"numbers", "lengths"} <= stored.keys():
        return None
    return Words(database, array("I", stored["numbers"]), array("I", stored["lengths"]))


def _restored(dumped: bytes, load: Callable[[], RuleBook]) -> RuleBook:
    try:
        return RuleBook.restore(dumped)
    except ValueError:
        return load()


def _written_meanings(rules_hash: str, meanings: Sequence[Meaning]) -> bytes:
    rows = (" ".join((encoding or "-", *map(str, places))) for encoding, places in meanings)
    return "\n".join((rules_hash, *rows)).encode("ascii")


def _read_meanings(data: bytes) -> tuple[str, list[Meaning]]:
    rules_hash, *rows = data.decode("ascii").split("\n")
    split = (row.split(" ") for row in rows)
    return rules_hash, [("" if encoding == "-" else encoding, tuple(map(int, places))) for encoding, *places in split]


def _compiled(rules: Sequence[Rule]) -> tuple[Database, Words | None, list[Meaning]]:
    from scanner.engine.expressions import escaped, plan  # noqa: PLC0415 - the notations, needed only when there is no cache

    planned = plan(rules)
    database, meanings = Database.compile(planned.expressions), list(planned.meanings)
    if not planned.words:
        return database, None, meanings
    numbers = array("I", (number for _, number in planned.words))
    lengths = array("I", (len(text) for text, _ in planned.words))
    expressions = [(f"(?i:{escaped(text)})".encode("latin-1"), at) for at, (text, _) in enumerate(planned.words)]
    return database, Words(Database.compile(expressions), numbers, lengths), meanings


def _shape_database(shapes: Sequence[Shape], cache: Cache | None) -> Database | None:
    if not shapes:
        return None
    keep = cache if len(shapes) >= _MANY_SHAPES else None
    key = "shapes-" + _key(repr(list(shapes)))
    database = _loaded(keep.read(key), "database") if keep else None
    if database is not None:
        return database
    from scanner.engine.expressions import shape_plan  # noqa: PLC0415 - only with registered keys

    database = Database.compile([(text, number) for number, text in enumerate(shape_plan(shapes))])
    if keep:
        keep.write(key, {"database": database.dump()})
    return database


def _key(stamp: str) -> str:
    return hashlib.sha256(f"{_VERSION}\n{platform_key()}\n{stamp}".encode()).hexdigest()[:32]
