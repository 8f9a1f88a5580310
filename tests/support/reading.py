"""Reads what sources yield, the way the pipeline does, but in this process and without scanning it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from scanner.model import Blob, Place, Skipped, Unit
from scanner.sources.target import Target, TargetOptions, open_target


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
