"""Worker processes for larger work. A worker that dies costs what it was reading, and says so; the rest is done.

Workers are forked, so that they share the loaded database and need nothing sent to them but units. Each has a pipe of
its own and one unit at a time: there is no queue that a dying process could leave locked, and it is known what it was
doing. Where processes cannot be forked, the work is done in this one.

`multiprocessing` costs 15 ms to import; small work never gets here.
"""

from __future__ import annotations

import mmap
import multiprocessing
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Protocol

from scanner.model import Origin, ScanEvent, Skipped, Unit
from scanner.wire import Wired, packed, unpacked

_NOTE = 4096
_MESSAGE = 500
"""How many events go in one message."""


class Works(Protocol):
    """What a worker does with a unit, telling of each blob before it is scanned."""

    def __call__(self, unit: Unit, note: Callable[[Origin], None]) -> Iterator[ScanEvent]: ...


def can_fork() -> bool:
    """Whether this platform has what `pooled` needs."""
    return "fork" in multiprocessing.get_all_start_methods()


def pooled(units: Iterable[Unit | Skipped], work: Works, jobs: int) -> Iterator[Sequence[ScanEvent]]:
    """The events of the units, done by up to `jobs` workers. Closing the generator ends the workers at once."""
    queue = iter(units)
    busy: dict[Connection, _Worker] = {}
    workers: list[_Worker] = []
    try:
        while True:
            while len(busy) < jobs:
                unit = next(queue, None)
                if unit is None:
                    break
                if isinstance(unit, Skipped):
                    yield [unit]
                    continue
                worker = next((w for w in workers if w.pipe not in busy), None)
                if worker is None:
                    worker = _Worker(work, [other.pipe for other in workers])
                    workers.append(worker)
                busy[worker.pipe] = worker
                worker.give(unit)
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                events, state = worker.take()
                if state != "more":
                    del busy[worker.pipe]
                if state == "died":
                    workers.remove(worker)
                yield events
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """One process, seen from its parent."""

    __slots__ = ("_note", "_process", "pipe")

    def __init__(self, work: Works, others: Sequence[Connection]) -> None:
        context = multiprocessing.get_context("fork")
        self._note = mmap.mmap(-1, _NOTE)
        self.pipe, far = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(work, far, self._note, [self.pipe, *others]), name="keyfuse-scan", daemon=True
        )
        with warnings.catch_warnings():
            # A progress display may run a thread. The child touches nothing that such a thread could hold locked.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        far.close()

    def give(self, unit: Unit) -> None:
        """Hands over a unit; the worker is waiting for it, or dead, which `take` finds out."""
        try:
            self.pipe.send(unit)
        except (BrokenPipeError, ConnectionResetError):
            return

    def take(self) -> tuple[list[ScanEvent], str]:
        """Some events, and whether there are `more` of this unit, it is `done`, or the worker `died`."""
        try:
            done, wired = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return [self._death()], "died"
        return list(map(unpacked, wired)), "done" if done else "more"

    def _death(self) -> Skipped:
        code = self._process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        where = self._note[:].rstrip(b"\0").decode("utf-8", "replace") or "a batch of content"
        return Skipped(where, f"the process scanning it {how}; the rest of its batch was not scanned")

    def end(self) -> None:
        """Ends the process, whatever it is doing."""
        self.pipe.close()
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()
        self._process.close()
        self._note.close()


def _serve(work: Works, pipe: Connection, note: mmap.mmap, inherited: Sequence[Connection]) -> None:
    """A worker's life: units in, events out, until the parent closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()  # or a worker would keep its siblings' pipes open after the parent's death

    def noted(origin: Origin) -> None:
        text = str(origin).encode("utf-8", "replace")[:_NOTE]
        note[:] = text.ljust(_NOTE, b"\0")

    try:
        while True:
            batch: list[Wired] = []
            for event in work(pipe.recv(), noted):
                batch.append(packed(event))
                if len(batch) >= _MESSAGE:
                    pipe.send((False, batch))
                    batch = []
            pipe.send((True, batch))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
