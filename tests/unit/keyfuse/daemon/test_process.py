"""The process's own business: the lock, its name, systemd, health, and the log."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.node import Hold, holder_of, node_id
from keyfuse.daemon.notifying import Supervisor
from keyfuse.daemon.watching import file_system

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from keyfuse.daemon.node import Hold
from scanner.errors import CannotRun
try:
    Hold(Path(sys.argv[1]), datetime.now(UTC)).release()
except CannotRun as error:
    sys.exit(str(error))
"""


def second(directory: Path) -> str:
    done = subprocess.run([sys.executable, "-c", SECOND, str(directory)], capture_output=True, text=True)
    return done.stderr


def test_a_second_daemon_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    hold = Hold(tmp_path, NOW)
    assert f"process {os.getpid()} on {socket.gethostname()}, since 2026-03-01" in second(tmp_path)
    hold.release()
    assert second(tmp_path) == ""
    assert holder_of(tmp_path) == ""


def test_the_lock_is_not_kept_by_what_the_daemon_starts(tmp_path: Path) -> None:
    hold = Hold(tmp_path, NOW)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        hold.release()
        assert second(tmp_path) == ""
        child.communicate(b"\n")


def test_a_node_keeps_its_name(tmp_path: Path) -> None:
    name = node_id(tmp_path)
    assert len(name) == 12
    assert node_id(tmp_path) == name
    assert (tmp_path / "daemon.node").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_what_it_is_told(tmp_path: Path, abstract: bool) -> None:
    address = f"@keyfuse-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if abstract else address)
        supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        assert supervisor.interval == 15.0
        assert supervisor.tell("READY=1", "STATUS=well")
        assert listener.recv(100) == b"READY=1\nSTATUS=well"


def test_without_systemd_nothing_is_told(tmp_path: Path) -> None:
    supervisor = Supervisor({})
    assert supervisor.interval is None
    assert not supervisor.tell("READY=1")
    assert not Supervisor({"NOTIFY_SOCKET": str(tmp_path / "none")}).tell("READY=1")
    assert Supervisor({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).interval is None


def test_health_tells_hung_from_unready() -> None:
    now = [0.0]
    health = Health(lambda: now[0])
    assert health.live().well
    assert health.ready().troubles == {"daemon": "it is starting"}
    health.unready("daemon", "")
    health.beat("lookout", 10)
    health.trouble("post", "no route")
    assert health.live().well
    assert health.ready().troubles == {"post": "no route"}
    health.trouble("post", "")
    assert health.ready().well
    now[0] = 11
    assert list(health.live().troubles) == ["lookout"]
    assert not health.ready().well
    health.gone("lookout")
    assert health.live().well


def test_the_log_is_for_people_or_for_programs() -> None:
    out = io.StringIO()
    journal = Journal(out)
    journal.info("scan finished", target="a b", findings=2)
    journal.debug("not shown")
    journal.settle(form="json", level="debug")
    journal.debug("shown", path="\x1b[31m", seconds=0.5)
    first, last = out.getvalue().splitlines()
    assert first.endswith('info    scan finished target="a b" findings=2')
    told = json.loads(last)
    assert (told["level"], told["event"], told["seconds"]) == ("debug", "shown", 0.5)
    assert "\x1b" not in told["path"]


def test_the_file_system_under_a_path_is_told_from_the_mounts(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"21 1 8:1 / / rw - ext4 /dev/a rw\n22 21 0:40 / {tmp_path}/far rw,relatime shared:1 - nfs4 server:/x rw\n"
    )
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "farther").mkdir()
    assert file_system(str(tmp_path / "far" / "deep"), mounts) == "nfs4"
    assert file_system(str(tmp_path / "farther"), mounts) == "ext4"
    assert file_system(str(tmp_path), tmp_path / "none") == ""
