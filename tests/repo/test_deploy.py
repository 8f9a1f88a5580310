"""What is shipped for operation can be used as it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_unit() -> None:
    unit = DEPLOY / "keyfuse.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if "keyfuse.service" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


def test_the_image_runs_without_root_and_holds_no_settings() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    assert "USER keyfuse" in lines
    assert lines.index("USER keyfuse") > max(n for n, line in enumerate(lines) if line.startswith("RUN"))
