"""keyfuse's audit of its own repository is clean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]


def test_the_repository_holds_nothing_that_looks_like_a_key(tmp_path: Path, rule_cache: Path) -> None:
    if not (HERE / ".git").exists():
        pytest.skip("not a checkout: the files beside these tests are a copy without history")
    env = {**os.environ, "KEYFUSE_DATA_DIR": str(tmp_path / "data"), "KEYFUSE_CACHE_DIR": str(rule_cache)}
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, capture_output=True, check=True).stdout
    assert listed.count(b"\0") > 200
    # A clone has all of the history, and nothing else that lies here; what is tracked is looked at as it is now.
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(HERE), str(clone)], check=True)
    for name in filter(None, listed.decode().split("\0")):
        if (HERE / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HERE / name, clone / name)
    sure = ("--min-confidence", "medium")  # expressions that look for names and values are themselves a bit like them
    command = [sys.executable, "-P", "-m", "keyfuse", "audit", str(clone), *sure, "--format", "json"]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    found = json.loads(ran.stdout)["findings"]
    assert [(each["rule"], each["path"], each["start_line"], each["commit"]) for each in found] == []
