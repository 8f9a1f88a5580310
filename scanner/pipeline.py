"""The path of a blob: unpack, decode, first pass, second pass, suppress; and many blobs, in several processes.

`Scanner` is one process's half: a blob in, findings out. `scan` is the other: units in, events out, with registered
keys confirmed by the caller's registry. What only a hit needs is imported at the first hit.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from scanner import decode, rulebook
from scanner.engine.engine import Engine, engine_of, open_engine
from scanner.errors import KeyfuseError, UsageError
from scanner.model import (
    REGISTERED,
    Blob,
    Finding,
    Fingerprint,
    Fingerprinter,
    Origin,
    ScanEvent,
    Scanned,
    Shape,
    Skipped,
    Suppressed,
    Unit,
)
from scanner.options import Options
from scanner.record import replace, values
from scanner.unpack.kinds import LEGIBLE, ZIP, ZIP_TAIL, ends_as_zip, kind_of
from scanner.windows import Seam, Sightings

if TYPE_CHECKING:
    from scanner.engine.extent import Extents
    from scanner.finder import Finder
    from scanner.sources.git.pack.store import PackJob

_SMALL = 6 << 20
"""Work of so many bytes is done sooner than workers are started."""
_PROGRESS = 1 << 20

Result = Finding | Suppressed | Skipped
Known = Callable[[Collection[Fingerprint]], Collection[Fingerprint]]
"""Which of some fingerprints belong to registered keys. Called in the main process only, with many at a time."""


class Scanner:
    """Scans blobs one by one. Not for several threads at once."""

    __slots__ = ("_extents", "_finder", "_fingerprinter", "_seen", "engine", "options")

    def __init__(self, engine: Engine, fingerprinter: Fingerprinter, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self.engine = engine
        self.options = options
        self._fingerprinter = fingerprinter
        self._finder: Finder | None = None
        self._seen = Sightings()  # in the container whose windows are being scanned
        self._extents: Extents | None = None

    def scan(self, blob: Blob) -> Iterator[Result]:
        """Everything found in a blob: in what it contains, if it is a container, and in itself.

        What both hold is reported once: by the lines of what people read as text, else by the way in.
        """
        if not blob.offset:
            self._seen = Sightings()
        seen = self._seen
        kind = self._kind(blob)
        if not kind:
            yield from seen.new(self._searched(blob)) if blob.offset else self._searched(blob)
            return
        if kind in LEGIBLE:
            yield from seen.new(self._searched(blob))
        yield from self._contained(blob, kind, seen)
        if kind not in LEGIBLE:
            yield from seen.new(self._searched(blob))

    def unit(self, unit: Unit, note: Callable[[Origin], None] = lambda _: None) -> Iterator[Result | Scanned]:
        """Everything found in a unit, and after some blobs that they have been looked at.

        `note` is told of each blob before it is scanned. A unit that fails costs a Skipped.
        """
        if getattr(unit, "packed", False):
            from scanner.history import packed  # noqa: PLC0415 - for repositories alone

            yield from packed(self, cast("PackJob", unit), note)
            return
        seam = Seam()
        blobs = size = 0
        origin: Origin | None = None
        try:
            for blob in unit.blobs():
                if isinstance(blob, Skipped):
                    yield blob
                    continue
                origin = blob.origin
                note(origin)
                yield from seam.joined(blob, self.scan(blob))
                blobs += not blob.offset
                size += len(blob.data)
                if size >= _PROGRESS:
                    yield Scanned(blobs, size)
                    blobs = size = 0
        except KeyfuseError as error:
            yield Skipped(str(origin or "a batch of content"), str(error))
        except Exception as error:  # one hostile content must not end the scan of all others
            reason = f"an internal error ({type(error).__name__}); the rest of its batch was not scanned"
            yield Skipped(str(origin or "a batch of content"), reason)
        yield from seam.rest()
        yield Scanned(blobs, size)

    def _contained(self, blob: Blob, kind: str, seen: Sightings) -> Iterator[Result]:
        """What is found in the members of a container."""
        from scanner.unpack.members import members  # noqa: PLC0415 - zipfile, tarfile and lzma, for archives alone

        stream = blob.stream or io.BytesIO(blob.data)
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        seam = Seam()
        for leaf in members(stream, kind, blob.origin, size, self.options.limits):
            if isinstance(leaf, Skipped):
                yield leaf
                continue
            if not leaf.offset:
                yield from seen.new(seam.rest())
                seen.turn()
            yield from seen.new(seam.joined(leaf, self._searched(leaf)))
        yield from seen.new(seam.rest())
        seen.turn()

    def _searched(self, blob: Blob) -> Iterator[Result]:
        for text in decode.texts(blob.data):
            candidates = self.engine.candidates(text.data)
            shaped = self.engine.shaped(text.data)
            if candidates or shaped:
                yield from self.second_pass().results(blob, text, candidates, shaped)

    def _kind(self, blob: Blob) -> str:
        """The kind of container that a blob begins; "" for none, and where containers stay closed."""
        if blob.offset or not self.options.archives:
            return ""
        return kind_of(blob.data) or (ZIP if _hidden_zip(blob) else "")

    def second_pass(self) -> Finder:
        """What is done about candidates."""
        if self._finder is None:
            from scanner.finder import Finder  # noqa: PLC0415 - regex and the rules, for hits alone

            self._finder = Finder(self.engine, self._fingerprinter, self.options)
        return self._finder

    @property
    def stamp(self) -> str:
        """Changes whenever what is found in the same content may change, but for a baseline's part in it."""
        told = replace(self.options, baseline=None)
        text = f"{self.engine.stamp} {self.engine.shapes!r} {_sorted(told)!r}"
        return hashlib.sha256(text.encode()).hexdigest()

    def extents(self, margin: int) -> Extents:
        """How far around a hit must be looked, where the text is a clipping with this margin."""
        if self._extents is None or self._extents.margin != margin:
            from scanner.engine.extent import Extents  # noqa: PLC0415 - for repositories alone

            self._extents = Extents(self.engine, margin)
        return self._extents


def _sorted(options: Options) -> list[object]:
    """The options as values that always print alike."""
    return [sorted(value) if isinstance(value, frozenset) else value for value in values(options)]


def build_scanner(
    fingerprinter: Fingerprinter,
    *,
    rule_files: Sequence[Path] | None = None,
    shapes: Sequence[Shape] = (),
    options: Options = Options(),  # noqa: B008 - frozen
    cache_directory: Path | None = None,
) -> Scanner:
    """A scanner with the rules of some files (without any, the shipped ones) and the shapes of registered keys.

    Compiled rules are kept in the cache directory. Raises RuleError when the rules cannot be used, UsageError when
    `options` names a rule that is not among them.
    """
    engine = open_engine(lambda: rulebook.load(rule_files), rulebook.stamp(rule_files), cache_directory, shapes)
    _check_names(options, engine)
    return Scanner(engine, fingerprinter, options)


def scanner_of(
    book: rulebook.RuleBook,
    fingerprinter: Fingerprinter,
    options: Options = Options(),  # noqa: B008 - frozen
    shapes: Sequence[Shape] = (),
) -> Scanner:
    """A scanner for a book at hand, compiled on the spot."""
    engine = engine_of(book, shapes)
    _check_names(options, engine)
    return Scanner(engine, fingerprinter, options)


def scan(
    units: Iterable[Unit | Skipped],
    scanner: Scanner,
    *,
    jobs: int = 1,
    known: Known | None = None,
    note: Callable[[ScanEvent], None] | None = None,
) -> Iterator[ScanEvent]:
    """Everything found in some units, in no particular order, with `Scanned` in between as work goes on.

    `jobs` is how many processes to use at most; small work is done in this one. `known` confirms registered keys:
    without it none is reported by shape alone. `note` is told of everything, before anything is left out.
    """
    for events in _worked(units, scanner, jobs):
        if note is not None:
            for event in events:
                note(event)
        yield from confirmed(events, known)


def _worked(units: Iterable[Unit | Skipped], scanner: Scanner, jobs: int) -> Iterator[Sequence[ScanEvent]]:
    """The events of the units, a batch at a time."""
    queue = iter(units)
    first: list[Unit | Skipped] = []
    weight = 0
    while jobs > 1 and weight <= _SMALL:
        unit = next(queue, None)
        if unit is None:
            break
        first.append(unit)
        weight += 0 if isinstance(unit, Skipped) else unit.weight
    if weight > _SMALL:
        from scanner.pool import can_fork, pooled  # noqa: PLC0415 - multiprocessing, for larger work alone

        if can_fork():
            yield from pooled(chain(first, queue), scanner.unit, jobs)
            return
    for unit in chain(first, queue):
        yield [unit] if isinstance(unit, Skipped) else list(scanner.unit(unit))


def confirmed(events: Sequence[ScanEvent], known: Known | None) -> Iterator[ScanEvent]:
    """The events, without what only looks like a registered key, and with every mark on a registered key undone."""
    asked = {f.fingerprint for f in map(_in_question, events) if f is not None}
    registered = set(known(asked)) if known is not None and asked else set()
    for event in events:
        finding = _in_question(event)
        if finding is None:
            yield event
        elif finding.fingerprint in registered:
            yield event if isinstance(event, Suppressed) and event.by != "inline" else finding
        elif finding.kind != REGISTERED:
            yield event


def _in_question(event: ScanEvent) -> Finding | None:
    """The finding of an event that the registry is asked about."""
    match event:
        case Finding(kind=kind) if kind == REGISTERED:
            return event
        case Suppressed(finding=finding, by=by) if by == "inline" or finding.kind == REGISTERED:
            return finding
        case _:
            return None


def _hidden_zip(blob: Blob) -> bool:
    """Whether a binary ends as a ZIP archive does."""
    if not decode.is_binary(blob.data):
        return False
    if blob.stream is None:
        return ends_as_zip(blob.data[-ZIP_TAIL:])
    size = blob.stream.seek(0, io.SEEK_END)
    blob.stream.seek(max(0, size - ZIP_TAIL))
    return ends_as_zip(blob.stream.read(ZIP_TAIL))


def _check_names(options: Options, engine: Engine) -> None:
    """Refuses options that name rules which do not exist: a mistyped name must not switch off an alarm silently."""
    named = options.only_rules | options.disabled_rules
    if not named:
        return
    names = {rule.kind.id for rule in engine.book.rules} | {REGISTERED.id}
    for name in sorted(named - names):
        from difflib import get_close_matches  # noqa: PLC0415 - for a mistake alone

        near = get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else "; `keyfuse rules list` shows them"
        raise UsageError(f"there is no rule {name!r}{hint}")
