"""The hot path: files and refs as they change are scanned within a moment, by one thread with one compiled scanner.

Whatever is large goes to the queue of work instead, so that a leak in a small file never waits behind it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from keyfuse.daemon.answers import Answers
from keyfuse.daemon.ground import File, Ground, Moved
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.memory import Memory
from keyfuse.daemon.meters import Meters
from keyfuse.daemon.settling import Settling
from keyfuse.daemon.sights import Catch, Sights
from keyfuse.daemon.tips import in_parts, news, tips
from scanner.errors import KeyfuseError
from scanner.model import Skipped
from scanner.pipeline import confirmed
from scanner.sources.files import NAME_LENGTH, FileBatch
from scanner.sources.git.source import Commits

AT_ONCE = 64
"""Files in one go: so many share one question to the registry."""
LARGE = 4 << 20
"""Bytes of a file, or of new objects, that are left to the queue of work."""
RETRY = 2.0
LAG = 10.0
"""Seconds that the system may take to tell of a change; what is younger is looked at again after a start."""


class Queue(Protocol):
    """Where large work goes."""

    def __call__(self, kind: str, target: str, payload: Mapping[str, Any], dedupe: str) -> None:
        """Puts work about a target in the durable queue. Raises StoreError."""
        ...


class Lookout:
    """Watches over the settling files of all targets. Threads tell it of changes; its own thread scans them."""

    def __init__(
        self,
        sights: Sights,
        answers: Answers,
        memory: Memory,
        enqueue: Queue,
        meters: Meters,
        journal: Journal,
        health: Health,
        quiet: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.sights = sights
        self._answers = answers
        self._memory = memory
        self._enqueue = enqueue
        self._meters = meters
        self._journal = journal
        self._health = health
        self.quiet = quiet
        self._clock = clock
        self._wall = wall
        self._grounds: dict[str, Ground] = {}
        self._settling: dict[str, Settling] = {}
        self._flooded: dict[str, float] = {}
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)

    # --- what it is told, from any thread ---------------------------------------------------------------------------

    def settle(self, grounds: Mapping[str, Ground]) -> None:
        """Minds these targets and no others."""
        with self._wake:
            self._grounds = dict(grounds)
            self._settling = {name: self._settling.get(name) or Settling(self.quiet) for name in grounds}

    def wrote(self, name: str, path: str, closed: bool) -> None:
        """A file was written."""
        with self._wake:
            settling = self._settling.get(name)
            if settling is None:
                return
            if not settling.wrote(path, closed=closed, now=self._clock(), wall=self._wall()):
                since = settling.oldest()
                self._flooded[name] = min(since or self._wall(), self._flooded.get(name, self._wall()))
                settling.clear()
            self._wake.notify()

    def gone(self, name: str, path: str) -> None:
        """A file is no more."""
        with self._wake:
            if settling := self._settling.get(name):
                settling.forget(path)

    def lost(self, name: str, everything: bool, slack: float = 0.0) -> None:
        """Changes may have been missed: they are listed. `slack`: by how many seconds the files' clock may be late."""
        with self._wake:
            upto = 0.0 if everything else (self._memory.of(name).upto or self._wall()) - slack
            self._flooded[name] = min(upto, self._flooded.get(name, upto))
            self._wake.notify()

    def waiting(self) -> int:
        """How many files wait."""
        with self._wake:
            return sum(map(len, self._settling.values())) + len(self._flooded)

    def mark(self, but: Collection[str] = ()) -> None:
        """Notes for each target up to when everything has been looked at, but for those whose changes nobody tells."""
        with self._wake:
            now = self._wall()
            marks = {
                name: min(now if (oldest := settling.oldest()) is None else oldest, self._flooded.get(name, now)) - LAG
                for name, settling in self._settling.items()
                if name not in but
            }
            self._meters.waiting_files.set(sum(map(len, self._settling.values())))
        for name, upto in marks.items():
            self._memory.saw_files(name, upto)

    # --- its own thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to scan."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Scans what waits, at most so long, and ends; true when nothing is left."""
        end = time.monotonic() + seconds
        if self._thread.ident is None:
            return True
        while self.waiting() and time.monotonic() < end:
            time.sleep(0.02)
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join(max(0.2, end - time.monotonic()))
        return not self.waiting() and not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ending:
            self._health.beat("lookout")
            try:
                if not self._round():
                    self._rest()
                self._health.trouble("lookout", "")
            except Exception as error:  # the next round tries what was not done again
                self._meters.errors.labels("lookout").inc()
                reason = str(error) if isinstance(error, KeyfuseError) else type(error).__name__
                self._journal.error("scanning of changes was interrupted; it is tried again", reason=reason)
                self._health.trouble("lookout", reason)
                time.sleep(RETRY)
        self._health.gone("lookout")

    def _rest(self) -> None:
        with self._wake:
            if self._flooded or self._ending:
                return
            due = min((at for each in self._settling.values() if (at := each.next_due()) is not None), default=None)
            wait = 1.0 if due is None else min(max(due - self._clock(), 0.0), 1.0)
            if wait:
                self._wake.wait(wait)

    def _round(self) -> bool:
        """One go: what is due of one target. False when nothing is."""
        self._pass_on_floods()
        busy = False
        for name in list(self._settling):
            with self._wake:
                settling, ground = self._settling.get(name), self._grounds.get(name)
                paths = settling.take(self._clock(), AT_ONCE) if settling else []
            if not paths or settling is None or ground is None:
                continue
            busy = True
            try:
                took = self._look(name, ground, paths)
            except BaseException:
                with self._wake:
                    since = settling.oldest() or self._wall()
                    for path in paths:
                        if not settling.wrote(path, closed=True, now=self._clock(), wall=since):
                            self._flooded[name] = min(since, self._flooded.get(name, since))
                        settling.done(path)
                raise
            with self._wake:
                for path in paths:
                    settling.done(path, now=self._clock(), took=took / len(paths))
        return busy

    def _pass_on_floods(self) -> None:
        with self._wake:
            floods = dict(self._flooded)
        for name, since in floods.items():
            self._enqueue("sweep", name, {"since": since}, f"sweep:{name}:{since:.0f}")
            with self._wake:
                if self._flooded.get(name) == since:
                    del self._flooded[name]

    def _look(self, name: str, ground: Ground, paths: list[str]) -> float:
        """Scans these paths and has what is found answered; returns how many seconds the files took."""
        began = self._clock()
        batches: dict[tuple[str, str, str | None], list[File]] = {}
        moved: dict[str, Moved] = {}
        for path in paths:
            match ground.what(path):
                case File() as file:
                    batches.setdefault((file.frame.root, file.frame.label, file.frame.repository), []).append(file)
                case Moved() as refs:
                    moved[refs.repository.git_dir] = refs
                case None:
                    pass
        catch = Catch()
        for files in batches.values():
            self._files(name, files, catch)
        self._finish(catch, "file")
        took = self._clock() - began
        for refs in moved.values():
            self._refs(name, refs)
        return took

    def _files(self, name: str, files: list[File], catch: Catch) -> None:
        frame = files[0].frame
        small, large, links = [], [], []
        for file in files:
            full = os.path.join(frame.root, file.path)
            try:
                about = os.lstat(full)
            except OSError:
                continue  # it is gone already
            if os.path.islink(full):
                links.append(file.path)
            elif about.st_size > LARGE:
                large.append(full)
            else:
                small.append(file.path)
        for path in large:
            self._enqueue("files", name, {"paths": [path]}, f"file:{name}:{path}")
        names = tuple(path for path in (*small, *links) if len(os.path.basename(path)) >= NAME_LENGTH)
        unit = FileBatch(frame, tuple(small), names, tuple(links), 0)
        catch.take(confirmed(list(self.sights.scanner().unit(unit)), self.sights.known))

    def _refs(self, name: str, moved: Moved) -> None:
        repository = moved.repository
        seen = self._memory.of(name)
        before = seen.tips.get(repository.git_dir)
        if before is None and not seen.upto:
            return  # the first whole scan is still to come, and looks again at its end
        now = tips(repository.git_dir)
        revisions = news(now, before or ())
        if not revisions:
            return
        if before is None:
            self._pass_on(name, moved)
            return
        for part in in_parts(revisions):
            source = Commits(repository, moved.shown, part)
            catch, weight = Catch(), 0
            for unit in source.units():
                if isinstance(unit, Skipped):
                    catch.skipped.append(unit)
                    continue
                weight += getattr(unit, "weight", 0)
                if weight > LARGE:
                    self._pass_on(name, moved)
                    return
                catch.take(confirmed(list(self.sights.scanner().unit(unit)), self.sights.known))  # type: ignore[arg-type]
            catch.findings = source.finish(catch.findings) if catch.findings else []
            self._finish(catch, "refs")
        self._memory.saw_tips(name, repository.git_dir, now)

    def _pass_on(self, name: str, moved: Moved) -> None:
        git_dir = moved.repository.git_dir
        self._enqueue("refs", name, {"path": moved.repository.work_tree or git_dir, "shown": moved.shown}, git_dir)

    def _finish(self, catch: Catch, kind: str) -> None:
        self._meters.scans.labels(kind).inc()
        self._meters.scanned_bytes.inc(catch.bytes)
        self._meters.skipped.inc(len(catch.skipped))
        for skipped in catch.skipped:
            self._journal.warning("could not be scanned", what=skipped.origin, reason=skipped.reason)
        if opened := self._answers.take(catch.findings, source="daemon"):
            self._journal.info("leaks found", kind=kind, leaks=opened)
