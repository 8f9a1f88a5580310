"""Content that is seen more than once is reported once: where windows of a large file overlap, and where a document is
looked at as it is stored and as it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scanner.model import Blob, Finding, Fingerprint, Place, Skipped, Suppressed

Result = Finding | Suppressed | Skipped

SEAM = 32 << 10
"""Half of what windows overlap by. A match that ends before the middle of the overlap is the earlier window's."""


class Seam:
    """Holds back what ends near a window's end until the next window shows whether the file goes on."""

    __slots__ = ("_end", "_held", "_path")

    def __init__(self) -> None:
        self._held: list[Result] = []
        self._path: tuple[str, tuple[str, ...]] | None = None
        self._end = 0

    def joined(self, blob: Blob, results: Iterable[Result]) -> Iterator[Result]:
        """The results of the next blob, without those that belong to a window before or after it."""
        path = (blob.origin.path, blob.origin.inside)
        goes_on = self._path == path and 0 < blob.offset < self._end
        if goes_on:
            self._held.clear()
        yield from self.rest()
        begin = self._end - SEAM if goes_on else -1
        self._path, self._end = path, blob.offset + len(blob.data)
        for result in results:
            finding = result.finding if isinstance(result, Suppressed) else result
            if isinstance(finding, Skipped) or finding.origin.inside != blob.origin.inside:
                yield result
            elif finding.span.end <= begin:
                continue
            elif finding.span.end > self._end - SEAM and len(blob.data) > 2 * SEAM:
                self._held.append(result)
            else:
                yield result

    def rest(self) -> Iterator[Result]:
        """What is still held back, when nothing follows."""
        held, self._held = self._held, []
        yield from held


class Sightings:
    """Which secrets were met on which way into one container.

    A document comes as its own bytes and as the text in it; what comes again on the same way, further in or further
    out, in another blob, is no news. Two places in one blob are two places.
    """

    __slots__ = ("_fresh", "_met")

    def __init__(self) -> None:
        self._met: dict[Fingerprint, set[tuple[str, ...]]] = {}
        self._fresh: list[tuple[Fingerprint, tuple[str, ...]]] = []

    def turn(self) -> None:
        """Another blob comes next."""
        for fingerprint, way in self._fresh:
            self._met.setdefault(fingerprint, set()).add(way)
        self._fresh.clear()

    def new(self, results: Iterable[Result]) -> Iterator[Result]:
        """The results that were not met in another blob on this way."""
        for result in results:
            finding = result.finding if isinstance(result, Suppressed) else result
            if isinstance(finding, Skipped) or finding.origin.place is Place.FILE_NAME:
                yield result
                continue
            way = finding.origin.inside
            if any(met[: len(way)] == way[: len(met)] for met in self._met.get(finding.fingerprint, ())):
                continue
            self._fresh.append((finding.fingerprint, way))
            yield result
