"""Whatever is raised becomes one sentence and the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from keyfuse.doorway import guarded
from keyfuse.exits import Exit
from scanner.errors import CannotRun, ConfigError, KeyfuseError, RuleError, SourceError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("mend the file"), Exit.USAGE),
        (RuleError("mend the rule"), Exit.USAGE),
        (SourceError("name a path"), Exit.CANNOT_RUN),
        (CannotRun("install git"), Exit.CANNOT_RUN),
        (KeyfuseError("other"), Exit.CANNOT_RUN),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (PermissionError(13, "Permission denied", "/x"), Exit.CANNOT_RUN),
    ],
)
def test_errors_become_sentences(error: BaseException, code: Exit, capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> int:
        raise error

    assert guarded(run) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("keyfuse: ")
    assert "Traceback" not in err


def test_control_characters_in_a_message_reach_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> int:
        raise SourceError("no such file: \x1b[2Jx\udcff")

    guarded(run)
    assert "\\x1b[2Jx\\xff" in capsys.readouterr().err


def test_a_defect_is_told_without_what_was_being_scanned(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> int:
        raise ValueError("scanned" + str(41 + 1))

    assert guarded(run) == Exit.CANNOT_RUN
    err = capsys.readouterr().err
    assert "ValueError: this is a defect of keyfuse" in err
    assert "test_doorway.py" in err
    assert "scanned42" not in err


def test_a_reader_that_went_away_is_no_defect() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-P", "-m", "keyfuse", "rules", "list"]
    ran = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert ran.returncode == Exit.CANNOT_RUN
    assert ran.stderr == ""
