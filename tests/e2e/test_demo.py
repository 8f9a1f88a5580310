"""`keyfuse demo` tells the whole story, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def demo(tmp_path: Path, rule_cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("KEYFUSE_", "GIT_", "XDG_"))}
    env |= {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "KEYFUSE_CACHE_DIR": str(rule_cache)}
    command = [sys.executable, "-P", "-m", "keyfuse", "demo", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_every_key_ends_as_its_owner_decided(tmp_path: Path, rule_cache: Path) -> None:
    told = demo(tmp_path, rule_cache)
    assert told.returncode == 0, told.stderr
    ends = dict(re.findall(r"^  ([\w-]+) +(?:none|disable|delete) .*?(still works|refused: .*)$", told.stdout, re.M))
    assert ends == {
        "payments-production": "refused: the key is disabled",
        "reports-retired": "refused: the key is deleted",
        "sandbox-playground": "still works",
        "root-breakglass": "still works",
    }
    for words in ("backup.zip!etc/sandbox.ini:2", "report.py:3", "blocked: locked", "4 findings of 4 secrets"):
        assert words in told.stdout
    for owner in ("ana", "bo", "cy", "dee", "security"):
        assert f"to {owner}@example.org" in told.stdout
    assert re.search(r"audit log: \d+ records, chain intact", told.stdout)
    assert list(tmp_path.glob("keyfuse-demo-*")) == []
    assert not (tmp_path / "home").exists()


def test_it_can_be_kept_to_look_around(tmp_path: Path, rule_cache: Path) -> None:
    told = demo(tmp_path, rule_cache, "--keep")
    [kept] = tmp_path.glob("keyfuse-demo-*")
    assert f"Kept: {kept}" in told.stdout
    assert (kept / "data" / "keyfuse.db").exists()
    assert (kept / "shop" / ".git").is_dir()
