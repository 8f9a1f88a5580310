"""Large work: whole targets, what changed since a start, large files and pushes; and the threads that do it.

scan    a target as a whole; with `full` or a first time all of it, else what is new
sweep   the files of a target that changed since a moment, and its repositories' new commits
refs    one repository's new commits
files   single files
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from keyfuse.daemon.answers import Answers
from keyfuse.daemon.ground import Ground
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.memory import Memory
from keyfuse.daemon.meters import Meters
from keyfuse.daemon.sights import Catch, Sights
from keyfuse.daemon.sweeping import NEVER, Met, changed
from keyfuse.daemon.tips import in_parts, news, tips
from keyfuse.daemon.work import Work
from keyfuse.mirrors import mirror, remote
from keyfuse.session import Session
from responders.targets import Target, TargetKind
from responders.work import WorkItem
from scanner.errors import SourceError
from scanner.model import Finding, Skipped, Unit
from scanner.pipeline import scan
from scanner.sources.files import single_file
from scanner.sources.git.repository import Repository, repository_at
from scanner.sources.git.source import Commits
from scanner.sources.target import TargetOptions, open_target

KINDS = ("scan", "sweep", "refs", "files")
ANSWERED_AT = 200
"""So many findings are answered at once while a scan goes on: the first leak does not wait for the last file."""
Result = dict[str, Any]


class Gone(Exception):
    """The target of an item is no more, or is another node's now."""


class Scans:
    """Does the scanning work of one thread, with a scanner of its own."""

    def __init__(
        self,
        session: Session,
        sights: Sights,
        answers: Answers,
        memory: Memory,
        work: Work,
        meters: Meters,
        journal: Journal,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.session = session
        self.sights = sights
        self._answers = answers
        self._memory = memory
        self._work = work
        self._meters = meters
        self._journal = journal
        self._wall = wall

    def handle(self, item: WorkItem) -> Result:
        """Does one item. Raises SourceError and others for what should be tried again, Gone for what should not."""
        name = str(item.payload["target"])
        with self.session.records().read() as tx:
            target = tx.targets.get(name)
        if target is None or target.node not in ("", self._work.node):
            raise Gone(f"there is no target {name} here any more")
        catch = Catch()
        began = time.monotonic()
        match item.kind:
            case "scan":
                self._target(target, catch, full=bool(item.payload.get("full")))
            case "sweep":
                self._sweep(target, float(item.payload["since"]), catch)
            case "refs":
                self._repository(target, str(item.payload["path"]), str(item.payload["shown"]), catch)
            case "files":
                for path in item.payload["paths"]:
                    self._file(target, str(path), catch)
        self._memory.save()
        return self._told(item, target, catch, time.monotonic() - began)

    def _told(self, item: WorkItem, target: Target, catch: Catch, seconds: float) -> Result:
        self._meters.scans.labels(item.kind).inc()
        self._meters.scanned_bytes.inc(catch.bytes)
        self._meters.skipped.inc(len(catch.skipped))
        result: Result = {
            "blobs": catch.blobs, "bytes": catch.bytes, "findings": len(catch.findings), "skipped": len(catch.skipped)
        }  # fmt: skip
        self._journal.info("scan finished", target=target.name, kind=item.kind, seconds=seconds, **result)
        for skipped in catch.skipped[:20]:
            self._journal.warning(
                "could not be scanned", target=target.name, what=skipped.origin, reason=skipped.reason
            )
        if item.kind == "scan":
            error = f"{len(catch.skipped)} parts could not be scanned" if catch.skipped else ""
            with self.session.records().begin(alone=False) as tx:
                tx.targets.scanned(target.name, self.session.clock(), error)
        return result

    # --- whole targets ----------------------------------------------------------------------------------------------

    def _target(self, target: Target, catch: Catch, *, full: bool) -> None:
        sought = self.sights.identity()
        seen = self._memory.of(target.name, anew=target.kind is TargetKind.URL)
        full = full or not seen.upto or seen.sought != sought
        began = self._wall()
        if target.kind is TargetKind.URL:
            self._url(target, catch, full=full)
        elif full:
            self._whole_path(target, catch)
        else:
            self._sweep(target, seen.upto, catch)
        self._memory.saw_all(target.name, began, sought)
        if full and target.kind is TargetKind.PATH:  # what changed meanwhile
            self._work.enqueue("sweep", {"target": target.name, "since": began}, node=self._work.node)

    def _url(self, target: Target, catch: Catch, *, full: bool) -> None:
        timeout = self.session.config.daemon.fetch_timeout.total_seconds()
        path = str(mirror(self._address(target), self.session.config.cache_dir / "mirrors", timeout=timeout))
        repository = repository_at(path)
        if repository is None:
            raise SourceError(f"{target.place} was fetched, but is no repository that can be read")
        if full:
            now = tips(repository.git_dir)
            self._scan(open_target(path, TargetOptions(name=target.place)), catch)
            self._memory.saw_tips(target.name, target.place, now)
        else:
            self._new_commits(target, repository, target.place, target.place, catch)

    def _address(self, target: Target) -> str:
        """The URL with its password, from where the target says that it lies."""
        if name := target.settings.get("url_env"):
            url = os.environ.get(str(name), "").strip()
            if not url:
                raise SourceError(f"target {target.name} takes its URL from ${name}, which is not set for the daemon")
        elif file := target.settings.get("url_file"):
            try:
                url = Path(str(file)).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise SourceError(f"target {target.name} takes its URL from {file}, which cannot be read") from None
        else:
            return target.place
        if remote(url).address != target.place:
            raise SourceError(f"the URL of target {target.name} has changed; remove the target and add it again")
        return url

    def _whole_path(self, target: Target, catch: Catch) -> None:
        ground = Ground(target.place, target.place)
        before: dict[str, frozenset[str]] = {}
        if os.path.isdir(target.place):
            for met in changed(ground, NEVER):
                if isinstance(met, Met):
                    before[met.repository.git_dir] = tips(met.repository.git_dir)
        self._scan(open_target(target.place), catch)
        for git_dir, now in before.items():
            self._memory.saw_tips(target.name, git_dir, now)

    # --- what is new ------------------------------------------------------------------------------------------------

    def _sweep(self, target: Target, since: float, catch: Catch) -> None:
        if os.path.isfile(target.place):
            self._file(target, target.place, catch)
            return
        repositories: list[Met] = []
        began, seamless = self._wall(), since <= self._memory.of(target.name).upto

        def units() -> Iterator[Unit | Skipped]:
            for each in changed(Ground(target.place, target.place), since):
                if isinstance(each, Met):
                    repositories.append(each)
                else:
                    yield each

        self._scan(units(), catch)
        for met in repositories:
            self._new_commits(target, met.repository, met.repository.git_dir, met.shown, catch)
        if seamless:
            self._memory.saw_files(target.name, began)

    def _repository(self, target: Target, path: str, shown: str, catch: Catch) -> None:
        repository = repository_at(path)
        if repository is not None:
            self._new_commits(target, repository, repository.git_dir, shown, catch)

    def _new_commits(self, target: Target, repository: Repository, key: str, shown: str, catch: Catch) -> None:
        now = tips(repository.git_dir)
        for part in in_parts(news(now, self._memory.of(target.name).tips.get(key, ()))):
            self._scan(Commits(repository, shown, part), catch)
        self._memory.saw_tips(target.name, key, now)

    def _file(self, target: Target, path: str, catch: Catch) -> None:
        if os.path.isfile(path):
            self._scan(iter((single_file(path),)), catch)

    # --- scanning ---------------------------------------------------------------------------------------------------

    def _scan(self, source: Any, catch: Catch) -> None:
        """Scans a source of units; one that is asked to `finish` names commits, and is answered at its end."""
        finish: Callable[[list[Finding]], list[Finding]] | None = getattr(source, "finish", None)
        units = source.units() if finish else source
        here = Catch()
        jobs = self.session.config.scan.jobs or os.cpu_count() or 1
        for event in scan(units, self.sights.scanner(), jobs=max(jobs, 2), known=self.sights.known):
            here.take((event,))
            if finish is None and len(here.findings) >= ANSWERED_AT:
                self._answer(here, catch)
        if finish is not None and here.findings:
            here.findings = finish(here.findings)
        self._answer(here, catch)
        catch.skipped += here.skipped
        catch.blobs += here.blobs
        catch.bytes += here.bytes

    def _answer(self, here: Catch, catch: Catch) -> None:
        self._answers.take(here.findings, source="daemon")
        catch.findings += here.findings
        here.findings = []


Handler = Callable[[WorkItem], Mapping[str, Any]]
