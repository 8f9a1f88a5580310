"""What is merely likely is reported by an audit, stops nobody, and opens no incident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LINE = "db_password = 'summer" + "holiday'\n"  # a toy of a password


@pytest.fixture
def work(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    (place / "settings.py").write_text(LINE, encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=place, check=True)
    return place


def keyfuse(work: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "KEYFUSE_DATA_DIR": str(work.parent / "data"), "KEYFUSE_CACHE_DIR": str(cache)}
    command = [sys.executable, "-P", "-m", "keyfuse", *arguments]
    return subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, check=False)


def test_an_unsure_finding_is_reported_and_opens_no_incident(work: Path, rule_cache: Path) -> None:
    ran = keyfuse(work, rule_cache, "audit", "settings.py", "--format", "json")
    assert [each["confidence"] for each in json.loads(ran.stdout)["findings"]] == ["low"]
    assert ran.returncode == 1
    assert keyfuse(work, rule_cache, "audit", "settings.py", "--respond").returncode == 1
    listed = keyfuse(work, rule_cache, "leaks", "list", "--format", "json")
    assert json.loads(listed.stdout)["leaks"] == []


def test_a_hook_lets_it_pass(work: Path, rule_cache: Path) -> None:
    ran = keyfuse(work, rule_cache, "hook", "run", "pre-commit")
    assert ran.returncode == 0, ran.stdout + ran.stderr
