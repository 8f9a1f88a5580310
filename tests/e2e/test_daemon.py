"""The daemon as a process: leaks in files and pushes, restarts, reloads, schedules, and how it ends."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemons import DaemonProcess
from tests.support.repositories import Repository

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the daemon watches through inotify")
TOLD = (
    '[notify]\nadministrators = ["security@example.org"]\n[notify.channel.lines]\ntype = "file"\npath = "told.jsonl"\n'
)


@pytest.fixture
def daemon(tmp_path: Path, rule_cache: Path) -> Iterator[DaemonProcess]:
    """One that has not been started."""
    made = DaemonProcess(tmp_path, rule_cache, config=TOLD)
    yield made
    made.end(signal.SIGKILL)
    made.session.__exit__(None, None, None)


def test_a_life(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A leak before the start, in a file, in a push, while it was down, and in a root that was made anew."""
    before, written, pushed, missed, again = (daemon.issue(name) for name in ("a", "b", "c", "d", "e"))
    (daemon.watched / "before.env").write_bytes(b"TOKEN=" + before.reveal())
    bare = Repository.new(daemon.watched / "shared.git", bare=True)
    daemon.start()
    daemon.until(lambda: daemon.is_contained(before), "what was there before is found")
    (daemon.watched / "deep").mkdir()
    (daemon.watched / "deep" / "written.env").write_bytes(b"TOKEN=" + written.reveal())
    daemon.until(lambda: daemon.is_contained(written), "a written file is scanned")
    daemon.until(lambda: "kind=sweep" in daemon.log(), "what changed during the first scan is listed")

    tree = Repository.new(tmp_path / "tree")
    (tree.path / "pushed.env").write_bytes(b"TOKEN=" + pushed.reveal())
    tree.git("add", ".")
    tree.git("commit", "-qm", "oops")
    tree.git("push", "-q", str(bare.path), "main")
    daemon.until(lambda: daemon.is_contained(pushed), "a push is scanned")
    incident = daemon.incident(pushed)
    assert incident is not None
    [sighting] = incident.sightings
    assert (sighting.where, sighting.repository) == ("pushed.env", str(bare.path))
    assert sighting.commit == tree.git("rev-parse", "HEAD")

    refused = daemon.command("daemon")
    assert refused.returncode == 3
    assert "is held by another keyfuse daemon: process" in refused.stderr

    daemon.end(signal.SIGKILL)
    (daemon.watched / "missed.env").write_bytes(b"TOKEN=" + missed.reveal())
    daemon.start()
    daemon.until(lambda: daemon.is_contained(missed), "what was written while it was down is found")

    shutil.rmtree(daemon.watched)
    daemon.until(lambda: "a root is not there" in daemon.log(), "a root that is gone is said")
    daemon.watched.mkdir()
    (daemon.watched / "again.env").write_bytes(b"TOKEN=" + again.reveal())
    daemon.until(lambda: daemon.is_contained(again), "a root that was made anew is watched again")

    told = tmp_path / "told.jsonl"
    daemon.until(lambda: told.exists() and len(told.read_text().splitlines()) >= 5, "people are told")
    assert {json.loads(line)["event"] for line in told.read_text().splitlines()} == {"contained"}
    assert daemon.end() == 0
    assert daemon.log().rstrip().endswith("stopped drained=True")
    assert daemon.command("log", "verify").returncode == 0
    plain = [secret.reveal().decode() for secret in (before, written, pushed, missed, again)]
    assert not [value for value in plain if value in daemon.log()]


def test_targets_come_and_go_while_it_runs(daemon: DaemonProcess, tmp_path: Path) -> None:
    secret, later = daemon.issue("a"), daemon.issue("b")
    tree = Repository.new(tmp_path / "origin")
    tree.git("commit", "--allow-empty", "-qm", "begin")
    daemon.start()
    added = daemon.command("targets", "add", "origin", tree.path.as_uri(), "--every", "1h")
    assert added.returncode == 0, added.stderr
    daemon.until(lambda: "target=origin kind=scan" in daemon.log(), "a new target is scanned")
    (tree.path / "a.env").write_bytes(b"TOKEN=" + secret.reveal())
    tree.git("add", ".")
    tree.git("commit", "-qm", "oops")
    assert daemon.command("targets", "scan", "origin").returncode == 0
    daemon.until(lambda: daemon.is_contained(secret), "a mirror is fetched and its new commits are scanned")
    listed = json.loads(daemon.command("targets", "list", "--format", "json").stdout)
    assert {(each["name"], each["kind"]) for each in listed} == {("origin", "url"), ("watched", "path")}
    assert all(each["next_at"] for each in listed if each["name"] == "origin")
    assert "configuration" in daemon.command("targets", "remove", "watched").stderr
    assert daemon.command("targets", "remove", "origin").returncode == 0
    assert daemon.command("targets", "scan", "origin").returncode == 2

    daemon.write_config("[daemon]\nsettle = 3\n")
    daemon.send(signal.SIGHUP)
    daemon.until(lambda: "the new configuration is refused" in daemon.log(), "a bad configuration is refused")
    other = tmp_path / "other"
    other.mkdir()
    daemon.write_config(f'{TOLD}[daemon]\nlog_format = "json"\n[[target]]\nname = "other"\npath = "{other}"\n')
    daemon.send(signal.SIGHUP)
    daemon.until(lambda: '"the configuration was read again"' in daemon.log(), "a good one is put in force")
    (other / "later.env").write_bytes(b"TOKEN=" + later.reveal())
    daemon.until(lambda: daemon.is_contained(later), "a target that came with it is watched")
    assert daemon.end() == 0


def test_a_backup_is_taken_while_it_runs_and_put_back_where_none_does(daemon: DaemonProcess, tmp_path: Path) -> None:
    secret = daemon.issue("a")
    daemon.start()
    (daemon.watched / "a.env").write_bytes(b"TOKEN=" + secret.reveal())
    daemon.until(lambda: daemon.is_contained(secret), "the leak is answered")
    backup = tmp_path / "backup.tar.gz"
    made = daemon.command("backup", "create", str(backup))
    assert made.returncode == 0, made.stderr
    assert backup.stat().st_mode & 0o777 == 0o600
    assert daemon.command("backup", "create", str(backup)).returncode == 2
    assert "held by another" in daemon.command("backup", "restore", str(backup)).stderr
    daemon.end()
    assert "--replace" in daemon.command("backup", "restore", str(backup)).stderr
    restored = daemon.command("backup", "restore", str(backup), "--replace")
    assert restored.returncode == 0, restored.stderr
    assert "the audit log is intact" in restored.stdout
    assert list((tmp_path / "data").glob("replaced-*/keyfuse.db"))
    assert "contained" in daemon.command("leaks", "list").stdout
    backup.write_bytes(backup.read_bytes()[:-300])
    damaged = daemon.command("backup", "restore", str(backup), "--replace")
    assert damaged.returncode == 2, damaged.stderr
