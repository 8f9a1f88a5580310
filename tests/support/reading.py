"""Reads what sources yield, the way the pipeline does, but in this process and without scanning it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from scanner.model import (
    Blob,
    Confidence,
    Finding,
    Fingerprinter,
    Place,
    Secret,
    Severity,
    Skipped,
    Span,
    TokenKind,
    Unit,
)
from scanner.sources.target import Target, TargetOptions, open_target

KIND = TokenKind("made-up", "Made up", "nobody", Severity.HIGH)


@dataclass
class Reading:
    """Everything a source gave."""

    blobs: list[Blob] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def at(self, *places: Place) -> list[Blob]:
        """The blobs met in some places."""
        return [blob for blob in self.blobs if blob.origin.place in places]

    def contents(self, *places: Place) -> list[bytes]:
        """Their bytes, in a stable order."""
        return sorted(blob.data for blob in (self.at(*places) if places else self.blobs))

    def paths(self, *places: Place) -> list[str]:
        """Their paths, in a stable order."""
        return sorted(blob.origin.path for blob in (self.at(*places) if places else self.blobs))

    def holds(self, text: bytes) -> bool:
        """Whether any blob holds the text."""
        return any(text in blob.data for blob in self.blobs)


def read_units(units: Iterable[Unit | Skipped]) -> Reading:
    """Reads units, each after a journey through pickle, as if another process did it."""
    reading = Reading()
    for unit in units:
        if isinstance(unit, Skipped):
            reading.skipped.append(unit)
            continue
        assert unit.weight >= 0
        for item in pickle.loads(pickle.dumps(unit)).blobs():
            if isinstance(item, Skipped):
                reading.skipped.append(item)
            else:
                reading.blobs.append(item)
    return reading


def read_target(target: Target | Path | str, **options: object) -> Reading:
    """Opens a target with options and reads all of it."""
    if not isinstance(target, Target):
        target = open_target(str(target), TargetOptions(**options))  # type: ignore[arg-type]
    return read_units(target.units())


def findings_of(reading: Reading, *secrets: bytes) -> list[Finding]:
    """What a scanner that looks for nothing but these texts would find."""
    fingerprinter = Fingerprinter(b"only for tests; 32 bytes or more")
    found = []
    for blob in reading.blobs:
        for secret in secrets:
            at = blob.data.find(secret)
            while at >= 0:
                line = blob.first_line + blob.data.count(b"\n", 0, at)
                span = Span(blob.offset + at, blob.offset + at + len(secret), line, 1, line, 1 + len(secret))
                fingerprint = fingerprinter.of(secret)
                found.append(Finding(KIND, Secret(secret), fingerprint, span, blob.origin, Confidence.HIGH, "***"))
                at = blob.data.find(secret, at + 1)
    return found


def audit(path: Path | str, *secrets: bytes, **options: object) -> list[Finding]:
    """Opens a target, reads it, looks for the texts and finishes what was found."""
    target = open_target(str(path), TargetOptions(**options))  # type: ignore[arg-type]
    reading = read_units(target.units())
    return target.finish(findings_of(reading, *secrets))
