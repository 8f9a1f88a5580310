"""The daemon as a process, and its HTTP side: what was taken in survives the process that took it in."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemons import DaemonProcess
from tests.support.serving import RULES, Client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the daemon watches through inotify")


@pytest.fixture
def daemon(tmp_path: Path, rule_cache: Path) -> Iterator[DaemonProcess]:
    made = DaemonProcess(tmp_path, rule_cache, config=RULES + "[limits]\nactions_per_hour = 15\n")
    yield made
    made.end(signal.SIGKILL)
    made.session.__exit__(None, None, None)


def test_a_report_outlives_the_process_that_took_it_in(daemon: DaemonProcess) -> None:
    token = daemon.command("users", "add", "ada", "--role", "admin").stdout.split()[-1]
    leaked = [daemon.issue(f"key {number}") for number in range(20)]
    daemon.start()
    client = Client(re.findall(r"listening url=(\S+)", daemon.log())[-1], token)
    assert client("GET", "/readyz").json() == {"ok": True, "troubles": []}
    assert "keyfuse_work_items" in client("GET", "/metrics").text
    report = [{"RuleID": "r", "File": "a.env", "Secret": secret.reveal().decode()} for secret in leaked]
    answer = client("POST", "/intake/report", json=report)
    daemon.end(signal.SIGKILL)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 20)
    daemon.start()
    daemon.until(lambda: all(map(daemon.incident, leaked)), "there is an incident for each")
    daemon.until(
        lambda: sum(map(daemon.is_contained, leaked)) == 15, "as many are contained as the hourly limit allows"
    )
    client = Client(re.findall(r"listening url=(\S+)", daemon.log())[-1], token)
    [waiting, *_] = client("GET", "/v1/leaks?state=blocked").json()["leaks"]
    assert client("POST", f"/v1/leaks/{waiting['id']}/approve").json()["state"] == "contained"
    assert daemon.end() == 0
    for secret in leaked:
        assert secret.reveal().decode() not in daemon.log()
