"""The installed script, run by a real shell with a stand-in for the interpreter."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from keyfuse.hook.script import CHAINED, Script, recognise
from keyfuse.hook.stage import Stage


def stand_in(directory: Path, code: int, name: str = "python") -> Path:
    """An interpreter that writes down what it is told, and ends with `code`."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'#!/bin/sh\nprintf "%s|" "$@" > "{directory}/words"\ncat > "{directory}/heard"\n'
        f'echo asked >> "{directory}/order"\nexit {code}\n'
    )
    path.chmod(0o755)
    return path


def earlier(hook: Path, code: int) -> Path:
    """A hook that was there before."""
    path = hook.with_name(hook.name + CHAINED)
    path.write_text(
        f'#!/bin/sh\nprintf "%s|" "$@" > "{hook.parent}/earlier-words"\ncat > "{hook.parent}/earlier-heard"\n'
        f'echo earlier >> "{hook.parent}/order"\nexit {code}\n'
    )
    path.chmod(0o755)
    return path


def placed(directory: Path, script: Script) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    hook = directory / script.stage.value
    hook.write_bytes(script.text())
    hook.chmod(0o755)
    return hook


def ran(
    hook: Path, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([hook, *words], input=stdin, env=env, capture_output=True, check=False)


def test_passes_stage_and_arguments_on(tmp_path: Path) -> None:
    hook = placed(tmp_path, Script(Stage.PRE_COMMIT, str(stand_in(tmp_path, 0))))
    assert ran(hook, "a b", "c'd").returncode == 0
    words = (tmp_path / "words").read_text()
    assert words.startswith("-P|-E|-c|")
    assert words.endswith("|hook|run|pre-commit|a b|c'd|")


def test_passes_on_that_incomplete_is_allowed(tmp_path: Path) -> None:
    ran(placed(tmp_path, Script(Stage.PRE_COMMIT, str(stand_in(tmp_path, 0)), allow_incomplete=True)))
    assert (tmp_path / "words").read_text().endswith("|hook|run|pre-commit|--allow-incomplete|")


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 130])
def test_ends_as_keyfuse_does(tmp_path: Path, code: int) -> None:
    done = ran(placed(tmp_path, Script(Stage.PRE_COMMIT, str(stand_in(tmp_path, code)))))
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize(("before", "ours", "together"), [(0, 0, 0), (7, 0, 7), (0, 1, 1), (7, 4, 4)])
def test_both_hooks_run_and_both_must_agree(tmp_path: Path, before: int, ours: int, together: int) -> None:
    hook = placed(tmp_path, Script(Stage.PRE_COMMIT, str(stand_in(tmp_path, ours))))
    earlier(hook, before)
    assert ran(hook).returncode == together
    assert (tmp_path / "order").read_text() == "earlier\nasked\n"


@pytest.mark.parametrize("refs", [b"", b"refs/heads/a 1 refs/heads/a 2\n", b"one\ntwo * $(x) `y` \\n %s\n"])
def test_both_hooks_hear_the_same_refs(tmp_path: Path, refs: bytes) -> None:
    hook = placed(tmp_path, Script(Stage.PRE_PUSH, str(stand_in(tmp_path, 0))))
    earlier(hook, 0)
    assert ran(hook, "origin", "ssh://example.org/x", stdin=refs).returncode == 0
    assert (tmp_path / "earlier-heard").read_bytes() == (tmp_path / "heard").read_bytes() == refs
    assert (tmp_path / "earlier-words").read_text() == "origin|ssh://example.org/x|"


def test_an_earlier_hook_that_cannot_run_is_passed_over_as_git_did(tmp_path: Path) -> None:
    hook = placed(tmp_path, Script(Stage.PRE_COMMIT, str(stand_in(tmp_path, 0))))
    earlier(hook, 9).chmod(0o644)
    assert ran(hook).returncode == 0


@pytest.mark.parametrize("name", ["it's here/py thon", 'a "quote" $HOME/`x`', "back\\slash", "new\nline", "café"])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    hook = placed(tmp_path / "hooks of 'mine'", Script(Stage.PRE_COMMIT, str(stand_in(tmp_path, 1, name))))
    earlier(hook, 0)
    assert ran(hook).returncode == 1
    assert (tmp_path / "hooks of 'mine'" / "order").read_text() == "earlier\n"


def test_a_path_that_is_not_utf8_will_do(tmp_path: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    try:
        python = stand_in(tmp_path, 1, name)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 only")
    assert ran(placed(tmp_path, Script(Stage.PRE_COMMIT, str(python)))).returncode == 1


def test_needs_no_path_at_all(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert ran(placed(tmp_path, Script(Stage.PRE_COMMIT, str(python))), env={"PATH": ""}).returncode == 1
    assert ran(placed(tmp_path, Script(Stage.PRE_PUSH, str(python))), env={"PATH": ""}, stdin=b"x\n").returncode == 1


@pytest.mark.parametrize("stage", Stage)
def test_refuses_with_a_reason_when_the_interpreter_is_gone(tmp_path: Path, stage: Stage) -> None:
    done = ran(placed(tmp_path, Script(stage, str(tmp_path / "gone"))))
    assert done.returncode == 3
    said = done.stderr.decode()
    assert "nothing was checked" in said
    assert str(tmp_path / "gone") in said
    assert f"keyfuse hook install {stage.value}" in said
    assert stage.bypass in said


def test_refuses_with_a_reason_when_keyfuse_is_gone_from_the_interpreter(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    done = ran(placed(tmp_path, Script(Stage.PRE_COMMIT, str(tmp_path / "venv" / "bin" / "python"))))
    assert done.returncode == 3
    assert b"there is no keyfuse any more" in done.stderr
    assert b"Traceback" not in done.stderr


def test_refuses_with_a_reason_when_keyfuse_is_killed(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -9 $$\n")
    python.chmod(0o755)
    done = ran(placed(tmp_path, Script(Stage.PRE_COMMIT, str(python))))
    assert done.returncode == 3
    assert b"ended before it was done" in done.stderr


def test_the_repository_cannot_bring_its_own_keyfuse(tmp_path: Path) -> None:
    """Neither the current directory nor PYTHONPATH is where the interpreter looks."""
    (tmp_path / "keyfuse").mkdir()
    (tmp_path / "keyfuse" / "__init__.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(0)\n")
    hook = placed(tmp_path / "hooks", Script(Stage.PRE_COMMIT, sys.executable))
    done = subprocess.run(
        [hook, "--no-such-option"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2, done


def test_recognises_its_own_and_what_became_of_it(tmp_path: Path) -> None:
    text = Script(Stage.PRE_PUSH, "/usr/bin/python3").text()
    ours = recognise(text)
    assert ours is not None
    assert not ours.edited
    for changed in (
        text + b"echo more\n",
        text.replace(b"python3", b"python4"),
        text.replace(b"/bin/sh", b"/bin/bash", 1),
    ):
        edited = recognise(changed)
        assert edited is not None
        assert edited.edited
    assert recognise(b"#!/bin/sh\nkeyfuse hook run pre-commit\n") is None
