"""The rule book: rule files in, valid rules out; and out of a cache just as well.

Reading some hundreds of TOML files takes seconds, so a book can be dumped to bytes and restored in milliseconds.
Everything needed for the reading itself is imported only when files are really read.
"""
# ruff: noqa: PTH112, PTH116, PTH118, PTH120
# pathlib costs 9 ms at start.

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from rules import FOLDER
from scanner.errors import RuleError
from scanner.model import Confidence, Severity, TokenKind
from scanner.record import Record, values

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.gitleaks.reading import Reading
    from scanner.rule import Allow, Rule

_FORMAT = 2
"""Changes whenever the dumped form does."""


class Rows(Sequence["Rule"]):
    """The rules of a restored book, each made when it is first asked for: a scan needs few of them."""

    __slots__ = ("_made", "_rows")

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._made: dict[int, Rule] = {}

    @overload
    def __getitem__(self, at: int) -> Rule: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Rule]: ...
    def __getitem__(self, at: int | slice) -> Rule | Sequence[Rule]:
        if isinstance(at, slice):
            return [self[index] for index in range(*at.indices(len(self)))]
        rule = self._made.get(at)
        if rule is None:
            rule = self._made[at] = _rule(self._rows[at])
        return rule

    def __len__(self) -> int:
        return len(self._rows)

    def ids(self) -> tuple[str, ...]:
        """The ids of all rules, without making the rules."""
        return tuple(row[0] for row in self._rows)


@dataclass(frozen=True, slots=True, eq=False)
class RuleBook:
    """Valid rules, in the order of their files. `hash` identifies what they match, for caches and reports.

    `allow` names matches that do not count. `unused` says which rules of a foreign configuration could not be carried
    over, and why: what they would find is not looked for.
    """

    rules: Sequence[Rule]
    hash: str
    allow: tuple[Allow, ...] = ()
    unused: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleBook) and self.hash == other.hash and [*self.rules] == [*other.rules]

    def __hash__(self) -> int:
        return hash(self.hash)

    def ids(self) -> tuple[str, ...]:
        """The ids of all rules, in order; cheap also for a restored book."""
        return self.rules.ids() if isinstance(self.rules, Rows) else tuple(rule.kind.id for rule in self.rules)

    def by_id(self) -> Mapping[str, Rule]:
        """The rules by their ids."""
        return {rule.kind.id: rule for rule in self.rules}

    def dump(self) -> bytes:
        """The book as bytes, for a cache of this machine and this Python."""
        rows, allow = [_flat(rule) for rule in self.rules], [values(each) for each in self.allow]
        return marshal.dumps((_FORMAT, sys.version, self.hash, rows, allow, self.unused), 2)

    @classmethod
    def restore(cls, data: bytes) -> RuleBook:
        """The book that `dump` wrote. Raises ValueError when it did not, or another version of it did.

        Not for data that a stranger may have written: the cache directory is the user's own.
        """
        try:
            stamp, python, *rest = marshal.loads(data)  # noqa: S302 - plain tuples from our own cache
        except (EOFError, TypeError, ValueError) as error:
            raise ValueError("not a dumped rule book") from error
        if (stamp, python) != (_FORMAT, sys.version):
            raise ValueError("a rule book dumped by another version")
        book_hash, rows, allow, unused = rest
        return cls(Rows(rows), book_hash, _allow(allow), unused)


class Gathered(Record):
    """What rule files hold, sound or not.

    `own` are the ids of the rules that stand in these files themselves, `foreign` the configurations of other tools
    among them, as read.
    """

    rules: tuple[Rule, ...]
    errors: tuple[RuleError, ...]
    own: tuple[str, ...] = ()
    foreign: tuple[Reading, ...] = ()

    def book(self) -> RuleBook:
        """The book. Raises RuleError with a line for each thing that is wrong: file, rule and reason."""
        if self.errors:
            raise RuleError("\n".join(map(str, self.errors)))
        allow = tuple(allow for reading in self.foreign for allow in reading.allow)
        unused = tuple(line for reading in self.foreign for line in reading.unused)
        return RuleBook(self.rules, _hash(self.rules, allow), allow, unused)


def load(paths: Sequence[Path] | None = None) -> RuleBook:
    """The book of the given files (directories stand for the `*.toml` in them); without any, the shipped one.

    Raises RuleError with a line for each thing that is wrong: file, rule and reason.
    """
    return gather(paths).book()


def inspect(paths: Sequence[Path] | None = None) -> tuple[list[Rule], list[RuleError]]:
    """What `load` would load, and everything that keeps it from doing so."""
    gathered = gather(paths)
    return [*gathered.rules], [*gathered.errors]


def gather(paths: Sequence[Path] | None = None) -> Gathered:
    """Everything that the files hold. Configurations of gitleaks are known by what is in them, and come last.

    One that says `useDefault = true` brings the shipped rules along.
    """
    from pathlib import Path  # noqa: PLC0415 - as below

    from scanner import rulefile  # noqa: PLC0415 - TOML and the notations are not needed with a cached book

    found: dict[str, Rule] = {}
    homes: dict[str, str] = {}
    errors: list[RuleError] = []
    foreign: list[Reading] = []
    waiting = list(_files((FOLDER,) if paths is None else paths, ".toml"))
    given = frozenset(waiting)
    for path in waiting:
        try:
            table = rulefile.table(Path(path))
        except RuleError as error:
            errors.append(error)
            continue
        if "kind" not in table and (reading := _foreign(Path(path), table)):
            foreign.append(reading)
            if reading.use_default:
                waiting += (each for each in _files((FOLDER,), ".toml") if each not in waiting)
            continue
        for rule in rulefile.read(Path(path), table):
            if isinstance(rule, RuleError):
                errors.append(rule)
            elif rule.kind.id in found:
                errors.append(
                    RuleError(f"{path}: rule {rule.kind.id}: this id stands in {homes[rule.kind.id]} already")
                )
            else:
                found[rule.kind.id] = rule
                homes[rule.kind.id] = path
    for reading in foreign:
        _settle(reading, found, homes)
        errors += (RuleError(f"{reading.path}: {error}") for error in reading.errors)
    for rule in found.values():
        for pair in rule.pairs:
            if pair.rule not in found and not errors:
                errors.append(
                    RuleError(f"{homes[rule.kind.id]}: rule {rule.kind.id}: pairs: there is no rule {pair.rule!r}")
                )
    own = tuple(name for name in found if homes[name] in given)
    return Gathered(tuple(found.values()), tuple(errors), own, tuple(foreign))


def _foreign(path: Path, table: dict[str, Any]) -> Reading | None:
    """The configuration of another tool, if a file is one."""
    from scanner.gitleaks.config import recognised  # noqa: PLC0415 - most have no such file
    from scanner.gitleaks.reading import read  # noqa: PLC0415

    return read(path, table) if recognised(table) else None


def _settle(reading: Reading, found: dict[str, Rule], homes: dict[str, str]) -> None:
    from scanner.gitleaks.reading import settle  # noqa: PLC0415 - as above

    settle(reading, found)
    for carried in reading.carried:
        if carried.rule is not None:
            homes[carried.id] = reading.path


def stamp(paths: Sequence[Path] | None = None) -> str:
    """A hash of names, sizes and times of the files and of the code that reads them; it changes when they do.

    A cache keyed by it needs no file to be read. Files that cannot be looked at count as empty.
    """
    digest = hashlib.sha256(f"{_FORMAT} {sys.version}".encode())
    code = (
        __file__,
        os.path.join(os.path.dirname(__file__), "rulefile.py"),
        os.path.join(os.path.dirname(__file__), "notation"),
        os.path.join(os.path.dirname(__file__), "gitleaks"),
    )
    given = list(_files((FOLDER,) if paths is None else paths, ".toml"))
    for path in (*_files(code, ".py"), *given, *_bases(given)):
        try:
            status = os.stat(path)
        except OSError:
            digest.update(f"{path}\0-\0".encode(errors="surrogateescape"))
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _bases(paths: Iterable[str]) -> Iterator[str]:
    """The files that configurations of other tools extend, which a book depends on too."""
    for path in paths:
        if os.path.dirname(path) == FOLDER:
            continue
        try:
            with open(path, "rb") as file:
                extends = b"extend" in file.read().lower()
        except OSError:
            continue
        if extends:
            from pathlib import Path  # noqa: PLC0415 - most have no such file

            from scanner.gitleaks.config import bases  # noqa: PLC0415 - as above

            more, default = bases(Path(path))
            yield from map(os.path.abspath, more)
            if default:
                yield from _files((FOLDER,), ".toml")


def _files(paths: Iterable[str | Path], suffix: str) -> Iterator[str]:
    for given in paths:
        path = os.fspath(given)
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                yield from sorted(entry.path for entry in entries if entry.name.endswith(suffix))
        else:
            yield path


def _hash(found: Iterable[Rule], allow: Iterable[Allow] = ()) -> str:
    rows = sorted(_flat(rule) for rule in found)
    return hashlib.sha256(repr((_FORMAT, rows, sorted(map(values, allow)))).encode()).hexdigest()[:16]


def _flat(rule: Rule) -> tuple[Any, ...]:
    kind = rule.kind
    return (
        *(kind.id, kind.name, kind.provider, int(kind.severity), rule.family.value),
        *(rule.trigger, rule.pattern, rule.value, rule.shortest, rule.before, rule.after, rule.prefix),
        *(rule.literals, rule.keywords, rule.checks, rule.reject, int(rule.confidence), rule.filters),
        tuple(values(pair) for pair in rule.pairs),
        *(rule.identifier, rule.site, rule.note, rule.written, rule.notation, rule.source, rule.general),
        *(rule.entropy, rule.words, rule.path, rule.whole),
    )


def _rule(row: tuple[Any, ...]) -> Rule:
    from scanner.rule import Family, Pair, Rule  # noqa: PLC0415 - 3 ms that only a hit is worth

    name, title, provider, severity, family, trigger, pattern, value, shortest, before, after, prefix, *rest = row
    literals, keywords, checks, reject, confidence, filters, pairs, identifier, *words = rest
    site, note, written, notation, source, general, *terms = words
    kind = TokenKind(name, title, provider, Severity(severity))
    strength, second = Confidence(confidence), tuple(Pair(*pair) for pair in pairs)
    # By position, which is half as slow as by name; `_flat` and the fields of Rule keep the order.
    return Rule(
        kind, Family(family), trigger, pattern, value, shortest, before, after, prefix, literals, keywords,
        checks, reject, strength, filters, second, identifier, site, note, written, notation, source, general, *terms,
    )  # fmt: skip


def _allow(rows: Sequence[tuple[Any, ...]]) -> tuple[Allow, ...]:
    if not rows:
        return ()
    from scanner.rule import Allow  # noqa: PLC0415 - as above; books of our own rules alone have none

    return tuple(Allow(*row) for row in rows)
