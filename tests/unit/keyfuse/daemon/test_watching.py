"""What a watcher hears of real directories, and what it says when it cannot hear."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyfuse.daemon import watching
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.watching import Told, Watcher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
PATIENCE = 30.0


class Heard:
    """A watcher and all that it told."""

    def __init__(self) -> None:
        self.wrote: set[tuple[str, str]] = set()
        self.closed: set[str] = set()
        self.gone: set[str] = set()
        self.lost: list[tuple[str, bool]] = []
        self.out = io.StringIO()
        told = Told(self._wrote, lambda _, path: self.gone.add(path), lambda name, all_: self.lost.append((name, all_)))
        self.health = Health()
        self.watcher = Watcher(told, Journal(self.out), self.health)

    def _wrote(self, name: str, path: str, closed: bool) -> None:
        self.wrote.add((name, path))
        if closed:
            self.closed.add(path)

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, (self.wrote, self.gone, self.lost, self.out.getvalue())
            time.sleep(0.01)


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard()
    made.watcher.start()
    yield made
    made.watcher.stop()


def test_files_are_heard_of_in_old_and_new_directories_and_under_new_names(heard: Heard, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "old").mkdir(parents=True)
    outside.mkdir()
    (outside / "moved.env").write_text("x")
    heard.watcher.settle({"t": str(root)})
    (root / "old" / "a").write_text("x")
    (root / "new" / "deep").mkdir(parents=True)
    (root / "new" / "deep" / "b").write_text("x")
    heard.until(lambda: {("t", str(root / "old/a")), ("t", str(root / "new/deep/b"))} <= heard.wrote)
    heard.until(lambda: str(root / "old/a") in heard.closed)
    (root / "old" / "a").rename(root / "old" / "c")
    heard.until(lambda: str(root / "old/c") in heard.closed and str(root / "old/a") in heard.gone)
    outside.rename(root / "came")
    heard.until(lambda: ("t", str(root / "came/moved.env")) in heard.wrote)
    (root / "old").rename(root / "renamed")
    heard.until(lambda: ("t", False) in heard.lost)


def test_a_single_file_is_watched_also_when_it_is_replaced(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    path.write_text("x")
    (tmp_path / "other").write_text("x")
    heard.watcher.settle({"t": str(path)})
    (tmp_path / "other").write_text("y")
    (tmp_path / "fresh").write_text("z")
    (tmp_path / "fresh").replace(path)
    heard.until(lambda: str(path) in heard.closed)
    assert heard.wrote == {("t", str(path))}


def test_a_root_that_goes_and_comes_again_is_said_and_looked_at_anew(heard: Heard, tmp_path: Path) -> None:
    root = tmp_path / "root"
    heard.watcher.settle({"t": str(root)})
    assert "not there" in heard.out.getvalue()
    assert "target t" in heard.health.ready().troubles
    root.mkdir()
    heard.watcher.check()
    assert heard.lost == [("t", True)]
    assert "target t" not in heard.health.ready().troubles
    (root / "a").write_text("x")
    heard.until(lambda: ("t", str(root / "a")) in heard.wrote)
    shutil.rmtree(root)
    root.mkdir()

    def said_again() -> bool:
        heard.watcher.check()
        return len(heard.lost) > 1

    heard.until(said_again)
    assert heard.lost == [("t", True), ("t", True)]
    (root / "b").write_text("x")
    heard.until(lambda: ("t", str(root / "b")) in heard.wrote)


def test_roots_that_are_no_longer_wanted_are_not_heard_of(heard: Heard, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    heard.watcher.settle({"one": str(tmp_path / "one"), "two": str(tmp_path / "two")})
    heard.watcher.settle({"two": str(tmp_path / "two")})
    (tmp_path / "one" / "a").write_text("x")
    (tmp_path / "two" / "b").write_text("x")
    heard.until(lambda: bool(heard.wrote))
    assert {name for name, _ in heard.wrote} == {"two"}


def test_directories_that_cannot_be_watched_are_said_with_the_way_out(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / str(number)).mkdir()
    monkeypatch.setattr(watching, "watches", lambda: 1)
    heard.watcher.settle({"t": str(tmp_path)})
    assert heard.watcher.polled() == {"t": "6 of 6 directories could not be watched"}
    assert "sysctl fs.inotify.max_user_watches=" in heard.out.getvalue()


def test_network_file_systems_are_listed_instead(heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "file_system", lambda _path: "nfs4")
    heard.watcher.settle({"t": str(tmp_path)})
    assert "nfs4" in heard.watcher.polled()["t"]


def test_lost_events_have_everything_listed(heard: Heard, tmp_path: Path) -> None:
    import logging

    heard.watcher.settle({"t": str(tmp_path)})
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; filesystem events were lost")
    assert heard.lost == [("t", False)]
