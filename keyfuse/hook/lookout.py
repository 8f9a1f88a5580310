"""The scanner and the registry as hooks use them: the scanner at once, the registry only when something was found.

Nothing is written. Where no installation key exists yet there is no registry either, and fingerprints, which only have
to tell secrets of this one run apart, are made with a key that is thrown away.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from keyfuse.config import Config, load
from keyfuse.hook.message import Hit, Outcome
from responders.errors import StoreError
from responders.keyfile import FILE_NAME, TRACES, load_or_create
from rules import FOLDER
from scanner.model import (
    REGISTERED,
    Blob,
    Finding,
    Fingerprint,
    Fingerprinter,
    Scanned,
    Shape,
    Skipped,
    Suppressed,
    Unit,
)
from scanner.options import Limits, Options
from scanner.pipeline import Scanner, build_scanner

if TYPE_CHECKING:
    from responders.registry import KnownKey
    from scanner.sources.git.command import Git

_REGISTRY = "key registry"
_SQLITE = "sqlite:///"
_AT_ONCE = 500
"""How many fingerprints are looked up at once."""


class Caught(NamedTuple):
    """A finding; `mark` is the reason that an inline mark gives for it, None without a mark."""

    finding: Finding
    mark: str | None = None


class Seen(NamedTuple):
    """What looking at some content brought."""

    caught: Sequence[Caught]
    skipped: Sequence[Skipped]


class Lookout:
    """One run's scanner and registry. Raises ConfigError, RuleError, EngineError and KeyFileError when it is made."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._config = load(None, env)
        self._unread: list[Skipped] = []
        self._scanner = _scanner(self._config, self._shapes())
        self._seen_before: dict[str, frozenset[Fingerprint]] = {}

    def look(self, units: Iterable[Unit | Skipped]) -> Seen:
        """Scans, and notes what was found and what could not be looked at."""
        caught: list[Caught] = []
        skipped: list[Skipped] = list(self._unread)
        for unit in units:
            for event in (unit,) if isinstance(unit, Skipped) else self._scanner.unit(unit):
                match event:
                    case Finding():
                        caught.append(Caught(event))
                    case Suppressed():
                        caught.append(Caught(event.finding, event.reason))
                    case Skipped():
                        skipped.append(event)
                    case Scanned():
                        pass
        return Seen(caught, skipped)

    def fingerprints(self, git: Git, name: str, blobs: Collection[str]) -> frozenset[Fingerprint]:
        """The secrets in some blobs, marked or not. A blob that cannot be read has none: then all is new against it."""
        from keyfuse.hook.arrivals import contents  # noqa: PLC0415  (only when something was found)

        missing = [blob for blob in blobs if blob not in self._seen_before]
        for content in contents(git, name, missing):
            if isinstance(content, Blob):
                self._seen_before[content.origin.blob or ""] = frozenset(self._secrets(content))
        return frozenset().union(*(self._seen_before.get(blob, frozenset()) for blob in blobs))

    def judge(self, new: Sequence[Caught], older: Sequence[Caught], skipped: Sequence[Skipped]) -> Outcome:
        """What blocks: each new secret, unless an inline mark allows it and it is no active key of the registry."""
        known: Mapping[Fingerprint, KnownKey] = {}
        notes: list[str] = []
        if new or older:
            try:
                known = self._known({caught.finding.fingerprint for caught in (*new, *older)})
            except StoreError as error:
                if any(caught.mark is not None or caught.finding.kind == REGISTERED for caught in new):
                    skipped = [*skipped, Skipped(_REGISTRY, str(error))]
                else:
                    notes.append(f"the key registry could not be asked whose these are: {error}")
        return Outcome(
            blocking=list(_hits(new, known)),
            older=list(_hits(older, known)),
            skipped=skipped,
            notes=notes,
        )

    def _secrets(self, blob: Blob) -> Iterator[Fingerprint]:
        for result in self._scanner.scan(blob):
            match result:
                case Finding():
                    yield result.fingerprint
                case Suppressed():
                    yield result.finding.fingerprint
                case Skipped():
                    pass  # what could not be unpacked there is not known to be old

    def _shapes(self) -> tuple[Shape, ...]:
        """How registered keys look. Where the registry cannot say, the rest is looked at, and it is told."""
        try:
            if self._config.database.url.startswith("sqlite"):
                if not _in_use(self._config.data_dir):
                    return ()
                from responders.shapes import read_shapes  # noqa: PLC0415  (only where a registry is)

                return read_shapes(self._config.data_dir)
            from keyfuse.wiring import open_records  # noqa: PLC0415  (only where the registry is on a server)

            records = open_records(self._config, _utc_now)
            try:
                with records.read() as transaction:
                    return transaction.keys.shapes()
            finally:
                records.close()
        except StoreError as error:
            self._unread.append(Skipped(_REGISTRY, f"registered keys are not looked for: {error}"))
            return ()

    def _known(self, fingerprints: Collection[Fingerprint]) -> Mapping[Fingerprint, KnownKey]:
        """The registry's records of these. Raises StoreError."""
        if not self._has_registry():
            return {}
        from keyfuse.wiring import open_records  # noqa: PLC0415  (SQLAlchemy takes 0.2 s: only when something was found)

        records = open_records(self._config, _utc_now)
        try:
            wanted = sorted(fingerprints)
            known: dict[Fingerprint, KnownKey] = {}
            with records.read() as transaction:
                for start in range(0, len(wanted), _AT_ONCE):
                    known |= transaction.keys.lookup(wanted[start : start + _AT_ONCE])
            return known
        finally:
            records.close()

    def _has_registry(self) -> bool:
        url = self._config.database.url
        return not url.startswith(_SQLITE) or os.path.exists(url.removeprefix(_SQLITE))  # noqa: PTH110


def _scanner(config: Config, shapes: Sequence[Shape]) -> Scanner:
    scan, rules = config.scan, config.rules
    return build_scanner(
        _fingerprinter(config.data_dir),
        rule_files=(Path(FOLDER), *rules.files) if rules.files else None,
        shapes=shapes,
        options=Options(
            min_confidence=scan.hook_confidence,
            only_rules=frozenset(rules.only),
            disabled_rules=frozenset(rules.disable),
            foreign_marks=scan.foreign_marks,
            archives=scan.unpack,
            encodings=scan.decode,
            limits=Limits(
                seconds_per_rule=scan.match_timeout.total_seconds(),
                depth=scan.unpack_depth,
                members=scan.unpack_members,
                total_bytes=scan.unpack_size,
                member_bytes=scan.unpack_member_size,
                ratio=scan.unpack_ratio,
                seconds_per_document=scan.document_timeout.total_seconds(),
            ),
        ),
        cache_directory=config.cache_dir,
    )


def _fingerprinter(data_dir: Path) -> Fingerprinter:
    return load_or_create(data_dir) if _in_use(data_dir) else Fingerprinter(os.urandom(32))


def _in_use(data_dir: Path) -> bool:
    """Whether anything of an installation lies there: then what is missing must be told, not made up."""
    return any((data_dir / name).exists() for name in (FILE_NAME, *TRACES))


def _hits(caught: Iterable[Caught], known: Mapping[Fingerprint, KnownKey]) -> Iterator[Hit]:
    now = _utc_now()
    for finding, mark in caught:
        key = known.get(finding.fingerprint)
        active = key is not None and key.effective_state(now).value == "active"
        if (mark is not None and not active) or (finding.kind == REGISTERED and key is None):
            continue
        yield Hit(finding, key, mark)


def _utc_now() -> datetime:
    return datetime.now(UTC)
