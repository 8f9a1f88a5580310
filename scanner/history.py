"""Packs: what is new in every object is scanned, and where something may come of it, the whole object is.

First all that is new goes through the first pass, many objects' at once. A hit is judged by what stands around it,
which says yes too often and never no. Then the objects in which it said yes are scanned as wholes, and what is found in
one is followed into those that copied it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from scanner import decode
from scanner.errors import KeyfuseError
from scanner.lines import Lines
from scanner.model import Blob, Candidate, Finding, Origin, Place, Scanned, Skipped, Suppressed
from scanner.pipeline import Result, Scanner
from scanner.record import Record, replace
from scanner.sources.git.messages import commit_blobs, tag_blobs
from scanner.sources.git.pack.store import PackJob
from scanner.sources.git.pack.table import (
    BASE,
    BLOB,
    CHILD,
    COLUMNS,
    COMMIT,
    CUT,
    FLAGS,
    KIND,
    KNOWN,
    NAME,
    NEEDED,
    SIBLING,
)
from scanner.sources.git.pack.walk import CLIP, LINE, MARGIN
from scanner.sources.git.reading import GitObject
from scanner.unpack.kinds import kind_of

_BEFORE = 512
_BEHIND = 256
"""What stands so near a finding, and on its lines, may have a say in it."""
_WRAPPED = 1400
"""The same for what is found in base64, which takes more room."""
_PAIRED = 24
"""So many lines around a secret its other parts may stand in."""
_FAR = 1 << 16
_PROGRESS = 1 << 20

Region = tuple[int, int]
_NO_ONE: Callable[[Origin], None] = lambda _: None  # noqa: E731


def packed(
    scanner: Scanner, job: PackJob, note: Callable[[Origin], None] = _NO_ONE, margin: int = MARGIN
) -> Iterator[Result | Scanned]:
    """Everything found in a job's objects, each blob's as if it had been scanned by itself."""
    work = _Job(scanner, job, note, margin)
    note(work.origin(0))
    try:
        yield from work.results()
        work.close()
    except KeyfuseError as error:
        yield Skipped(str(job.name), str(error))
    except Exception as error:  # one hostile object must not end the scan of all others
        yield Skipped(str(job.name), f"an internal error ({type(error).__name__}); the rest of a pack was not scanned")


class _State(Record):
    """What was found in an object, and the stretches of it that had a say in that."""

    results: tuple[Finding | Suppressed, ...]
    regions: tuple[Region, ...]


class _Job:
    """One job's work; the sink of its walk."""

    def __init__(self, scanner: Scanner, job: PackJob, note: Callable[[Origin], None], margin: int) -> None:
        self._scanner = scanner
        self._engine = scanner.engine
        self._job = job
        self._note = note
        self._rows = job.pack.rows
        self._extents = scanner.extents(margin)
        self._walk = job.pack.walk(self, kind_of, margin)
        self._hits: set[int] = set()
        self._lost: list[int] = []
        self._binary: set[int] = set()
        self._results: list[Result] = []

    def results(self) -> Iterator[Result | Scanned]:
        """The work, from beginning to end."""
        self._walk.run(list(self._job.starts))
        yield from self._taken()
        messages = [place for place in self._hits if self._cell(place, KIND) != BLOB]
        for place in sorted(messages):
            yield from self._message(place)
        families: dict[int, set[int]] = {}
        for place in self._hits.difference(messages):
            self._climb(place, families)
        for start, path in sorted(families.items()):
            self._follow(start, path)
            yield from self._taken()
        yield Scanned(self._walk.objects, self._walk.size)
        for blob in self._job.read(self._lost):
            if isinstance(blob, Skipped):
                yield blob
            else:
                yield from self._scanner.scan(blob)
                yield Scanned(1, len(blob.data))

    def close(self) -> None:
        """Lets go of the walk, which knows this job: two that know each other are not freed at once."""
        del self._walk

    # What the walk calls.

    def scan(self, data: bytes, clips: memoryview, count: int, cores: memoryview) -> None:
        """Looks for hits in gathered text."""
        candidates = self._engine.candidates(data)
        shaped = self._engine.shaped(data)
        if not candidates and not shaped:
            return
        starts: list[int] = clips[1 : CLIP * count : CLIP].tolist()
        found: dict[int, tuple[list[Candidate], list[Candidate]]] = {}
        for which, some in enumerate((candidates, shaped)):
            for hit in some:
                first = max(bisect_right(starts, hit.first - 1) - 1, 0)
                for number in range(first, max(bisect_right(starts, hit.end - 1), first + 1)):
                    low, high = starts[number], clips[CLIP * number + 2]
                    inside = Candidate(hit.pattern, max(hit.first, low) - low, min(hit.end, high) - low, hit.keyword)
                    if inside.first <= inside.end:
                        found.setdefault(number, ([], []))[which].append(inside)
        for number, (plain, shapes) in found.items():
            row = CLIP * number
            place, low, high = clips[row], clips[row + 1], clips[row + 2]
            if place not in self._hits:
                pairs = cores[2 * clips[row + 4] : 2 * clips[row + CLIP + 4]].tolist()
                self._judge(place, data[low:high], plain, shapes, [number - low for number in pairs])

    def whole(self, place: int, content: bytes) -> None:
        """Looks for hits in a long text that is new."""
        candidates, shaped = self._engine.candidates(content), self._engine.shaped(content)
        if place not in self._hits and (candidates or shaped):
            self._judge(place, content, candidates, shaped, [0, len(content)])

    def binary(self, place: int, content: bytes) -> None:
        """Scans what is more than one text."""
        self._binary.add(place)
        if content:
            blob = Blob(content, self.origin(place))
            self._note(blob.origin)
            self._results += self._scanner.scan(blob)

    def lost(self, places: Sequence[int]) -> None:
        """Notes what git must read."""
        self._lost += places

    # The rest is this module's.

    def _cell(self, place: int, column: int) -> int:
        value: int = self._rows[COLUMNS * place + column]
        return value

    def _taken(self) -> Iterator[Result]:
        results, self._results = self._results, []
        yield from results

    def origin(self, place: int) -> Origin:
        """Where an object's content is met."""
        id = self._job.pack.name(self._cell(place, NAME))
        return Origin(Place.BLOB, "", repository=self._job.name, blob=id)

    def _judge(
        self, place: int, text: bytes, candidates: Sequence[Candidate], shaped: Sequence[Candidate], cores: list[int]
    ) -> None:
        """Notes an object if something may come of hits in a stretch of it."""
        near: list[Candidate] = []
        for hit in candidates:
            extent = self._extents[hit.pattern]
            if _touched(hit.first - extent.before, hit.end + extent.after, cores):
                if extent.wide:
                    self._hits.add(place)
                    return
                near.append(hit)
        if (near and self._scanner.second_pass().promising(text, near)) or shaped:
            self._hits.add(place)

    def _message(self, place: int) -> Iterator[Result]:
        """Scans a commit or tag."""
        pack, kind = self._job.pack, self._cell(place, KIND)
        id = pack.name(self._cell(place, NAME))
        read, name = (commit_blobs, "commit") if kind == COMMIT else (tag_blobs, "tag")
        for blob in read(GitObject(id, name, self._walk.content(place)), self._job.name, set()):
            yield from self._scanner.scan(blob)

    def _climb(self, place: int, families: dict[int, set[int]]) -> None:
        """Notes the objects on the way to an object from where its family begins here."""
        path = []
        while self._cell(place, BASE) >= 0 and not self._cell(place, FLAGS) & CUT:
            path.append(place)
            place = self._cell(place, BASE)
        families.setdefault(place, {place}).update(path)

    def _follow(self, start: int, path: set[int]) -> None:
        """Scans what was noted in a family, and follows what is found into what was made of it."""
        content = self._walk.content(start)
        state = self._exact(start, content) if start in self._hits else _NOTHING
        stack = [(self._cell(start, CHILD), content, state)]
        lost = set(self._lost)
        while stack:
            child, base, state = stack.pop()
            if child < 0:
                continue
            stack.append((self._cell(child, SIBLING), base, state))
            wanted = (state.regions or child in path) and child not in lost
            if wanted and self._cell(child, FLAGS) & (CUT | NEEDED) == NEEDED and self._cell(child, KIND):
                made = self._walk.made(child, base)
                then = self._state(child, made, state)
                if then.regions or child in path:
                    stack.append((self._cell(child, CHILD), made, then))

    def _state(self, place: int, content: bytes, base: _State) -> _State:
        """What is found in an object that was just made."""
        if place in self._binary or self._cell(place, FLAGS) & KNOWN:
            return _NOTHING
        if place in self._hits:
            return self._exact(place, content)
        if not base.regions:
            return _NOTHING
        carried = self._walk.carried(list(base.regions))
        if carried is None or len(carried) != len(base.regions):
            return self._exact(place, content)
        origin, lines = self.origin(place), Lines(content)
        shifts = [shift for _, shift in sorted(carried)]
        regions = tuple((low + shift, high + shift) for (low, high), shift in zip(base.regions, shifts, strict=True))
        results = tuple(
            _moved(result, shift, origin, lines) for result, shift in zip(base.results, shifts, strict=False)
        )
        self._results += results
        return _State(results, regions)

    def _exact(self, place: int, content: bytes) -> _State:
        """Scans an object's whole text."""
        blob = Blob(content, self.origin(place))
        self._note(blob.origin)
        candidates, shaped = self._engine.candidates(content), self._engine.shaped(content)
        found = list(self._scanner.second_pass().results(blob, decode.Text(content), candidates, shaped))
        self._results += found
        if any(isinstance(result, Skipped) for result in found):
            return _State((), ((0, len(content)),))
        results = tuple(result for result in found if not isinstance(result, Skipped))
        regions = [self._region(content, result) for result in results]
        for hit in candidates:
            extent = self._extents[hit.pattern]
            if extent.wide:
                regions.append((max(0, hit.first - extent.before), min(len(content), hit.end + extent.after)))
        return _State(results, tuple(regions))

    def _region(self, content: bytes, result: Finding | Suppressed) -> Region:
        """The stretch of a text that had a say in a finding."""
        finding = result.finding if isinstance(result, Suppressed) else result
        before, behind = (_WRAPPED, _WRAPPED) if finding.encoding else (_BEFORE, _BEHIND)
        low, high = finding.span.start, finding.span.end
        if finding.kind.id in self._extents.paired:
            for _ in range(_PAIRED):
                low = max(content.rfind(b"\n", max(0, low - LINE), low), 0)
                end = content.find(b"\n", high + 1, high + LINE)
                high = end if end >= 0 else min(high + LINE, len(content))
        low, high = max(0, low - before), min(len(content), high + behind)
        low = content.rfind(b"\n", max(0, low - LINE), low) + 1 or max(0, low - LINE)
        end = content.find(b"\n", high, high + LINE)
        return low, end + 1 if end >= 0 else min(len(content), high + LINE)


_NOTHING = _State((), ())


def _touched(low: int, high: int, cores: list[int]) -> bool:
    return any(cores[at] <= high and low <= cores[at + 1] for at in range(0, len(cores), 2))


def _moved(result: Finding | Suppressed, shift: int, origin: Origin, lines: Lines) -> Finding | Suppressed:
    """A result where its text stands in another object."""
    if isinstance(result, Suppressed):
        finding = _moved(result.finding, shift, origin, lines)
        return replace(result, finding=finding)
    span = lines.span(result.span.start + shift, result.span.end + shift)
    return replace(result, span=span, origin=origin)
