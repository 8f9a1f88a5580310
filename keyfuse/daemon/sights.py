"""The compiled scanners, kept hot: one for files as they change, one for large work, each used by one thread alone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from keyfuse.auditing import limits_of
from keyfuse.session import Session
from responders.shapes import read_shapes
from rules import FOLDER
from scanner.model import Finding, Fingerprint, ScanEvent, Scanned, Shape, Skipped
from scanner.options import Options
from scanner.pipeline import Scanner, build_scanner

ASKED_AT_ONCE = 500


@dataclass(slots=True)
class Catch:
    """What scanning brought in."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    blobs: int = 0
    bytes: int = 0

    def take(self, events: Iterable[ScanEvent]) -> None:
        """Adds events; what was suppressed is left out."""
        for event in events:
            match event:
                case Finding():
                    self.findings.append(event)
                case Skipped():
                    self.skipped.append(event)
                case Scanned(blobs, size):
                    self.blobs += blobs
                    self.bytes += size
                case _:
                    pass


class Sights:
    """A scanner, and what it looks for: the rules and the shapes of registered keys."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shapes: tuple[Shape, ...] = ()
        self._scanner: Scanner | None = None

    def scanner(self) -> Scanner:
        """The scanner, made anew when keys of a new shape were registered. Raises RuleError, StoreError."""
        shapes = read_shapes(self._session.config.data_dir)
        if self._scanner is None or shapes != self._shapes:
            self._scanner = self._build(shapes)
            self._shapes = shapes
        return self._scanner

    def identity(self) -> str:
        """Changes whenever something else is looked for: then what was seen has to be looked at again."""
        scanner = self.scanner()
        options = self._session.config.scan
        about = f"{scanner.engine.rules_hash}\n{self._shapes!r}\n{options.decode}{options.unpack}"
        return hashlib.sha256(about.encode()).hexdigest()[:16]

    def known(self, fingerprints: Collection[Fingerprint]) -> set[Fingerprint]:
        """Which of these belong to registered keys. Raises StoreError: who cannot ask must look again."""
        if not fingerprints:
            return set()
        with self._session.records().read() as tx:
            return set(tx.keys.lookup(fingerprints))

    def _build(self, shapes: tuple[Shape, ...]) -> Scanner:
        config = self._session.config
        files = (Path(FOLDER), *config.rules.files) if config.rules.files else None
        return build_scanner(
            self._session.fingerprinter(),
            rule_files=files,
            shapes=shapes,
            options=Options(
                min_confidence=config.scan.min_confidence,
                only_rules=frozenset(config.rules.only),
                disabled_rules=frozenset(config.rules.disable),
                foreign_marks=config.scan.foreign_marks,
                archives=config.scan.unpack,
                encodings=config.scan.decode,
                limits=limits_of(self._session),
            ),
            cache_directory=config.cache_dir,
        )
