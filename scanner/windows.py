"""Where the windows of a large file overlap: what two of them see is reported once, by the one that sees it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scanner.model import Blob, Finding, Skipped, Suppressed

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
