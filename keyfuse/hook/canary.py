"""Tries a hook: a made-up key is committed (or pushed) in a scratch repository, and the hook must refuse it.

The very file that git would run in the repository at hand is linked into the scratch repository, alone, so that no
other hook of anybody's runs. The scratch repository lies in a temporary directory and goes away with it.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from keyfuse.hook.installer import HookFile, Present, look
from keyfuse.hook.repository import Repository, git
from keyfuse.hook.script import recognise
from keyfuse.hook.stage import Stage
from responders.issuer import mint
from scanner.errors import CannotRun
from scanner.model import printable

_PATIENCE = 120.0
"""Seconds that a hook may take in the scratch repository: a foreign one may do anything."""


class Verdict(StrEnum):
    """What the trial showed."""

    FIRES = "fires"
    MISSING = "missing"
    SHADOWED = "shadowed"
    NOT_EXECUTABLE = "not-executable"
    SILENT = "silent"
    """the made-up key got through"""
    REFUSES_ALL = "refuses-all"
    """a clean commit was refused too"""
    OTHER_REASON = "other-reason"
    """the made-up key was refused, but not because keyfuse saw it"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One stage, tried. `explanation` is for people and names the next step."""

    stage: Stage
    path: Path
    verdict: Verdict
    explanation: str

    @property
    def fires(self) -> bool:
        """Whether the hook does its work."""
        return self.verdict is Verdict.FIRES


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What git said when it was asked to commit or push."""

    refused: bool
    said: str


def try_hook(repository: Repository, stage: Stage) -> Trial:
    """Tries the hook that git would run in `repository`. Raises CannotRun when no trial can be made."""
    hook = look(repository, stage)
    where = printable(str(hook.path))
    trouble = _out_of_action(repository, hook)
    if trouble is not None:
        return Trial(stage, hook.path, *trouble)
    canary = f"keyfuse-canary-{secrets.token_hex(4)}.txt"
    with tempfile.TemporaryDirectory(prefix="keyfuse-canary-") as scratch:
        clean, planted = _Scratch(Path(scratch), hook).attempts(canary)
    if clean.refused:
        return Trial(stage, hook.path, Verdict.REFUSES_ALL, f"{where} refuses even clean content:\n{clean.said}")
    if not planted.refused:
        whose = "" if hook.present in (Present.OURS, Present.EDITED) else " The hook there is not keyfuse's."
        return Trial(
            stage,
            hook.path,
            Verdict.SILENT,
            f"{where} let a made-up key through.{whose} Next: keyfuse hook install {stage.value}",
        )
    if canary not in planted.said or "keyfuse" not in planted.said.replace(canary, ""):
        return Trial(
            stage,
            hook.path,
            Verdict.OTHER_REASON,
            f"{where} refused a made-up key, but not because keyfuse saw it:\n{planted.said}",
        )
    return Trial(stage, hook.path, Verdict.FIRES, f"{where} refused a made-up key and let clean content pass")


def _out_of_action(repository: Repository, hook: HookFile) -> tuple[Verdict, str] | None:
    """Why git would not even run keyfuse's hook."""
    where, stage = printable(str(hook.path)), hook.stage.value
    usual = repository.common_dir / "hooks" / stage
    if hook.present in (Present.NOTHING, Present.FOREIGN) and usual != hook.path and _is_ours(usual):
        return Verdict.SHADOWED, (
            f"keyfuse's hook is at {printable(str(usual))}, but the {repository.hooks_path.value} setting "
            f"core.hooksPath makes git look at {where} instead. Next: keyfuse hook install {stage}"
        )
    if hook.present is Present.NOTHING:
        return Verdict.MISSING, f"there is no hook at {where}. Next: keyfuse hook install {stage}"
    if not hook.executable:
        return Verdict.NOT_EXECUTABLE, (
            f"{where} is not executable, so git ignores it. Next: chmod +x it, or keyfuse hook install {stage}"
        )
    return None


def _is_ours(path: Path) -> bool:
    try:
        return recognise(path.read_bytes()) is not None
    except OSError:
        return False


class _Scratch:
    """A repository, and something to push it to, in a directory of their own."""

    def __init__(self, directory: Path, hook: HookFile) -> None:
        self._stage = hook.stage
        self._work = directory / "work"
        self._remote = directory / "remote.git"
        hooks = directory / "hooks"
        hooks.mkdir()
        (hooks / hook.path.name).symlink_to(hook.path)
        self._env = _clean_environment(directory)
        self._settings = [
            "user.name=keyfuse",
            "user.email=keyfuse@localhost",
            "commit.gpgSign=false",
            "core.autocrlf=false",
            f"core.hooksPath={hooks}",
        ]
        self._git(directory, "init", "--quiet", "--template=", str(self._work))
        if self._stage is not Stage.PRE_COMMIT:
            self._git(directory, "init", "--quiet", "--bare", "--template=", str(self._remote))
        if self._stage is Stage.PRE_RECEIVE:
            self._git(self._remote, "config", "core.hooksPath", str(hooks))

    def attempts(self, canary: str) -> tuple[_Attempt, _Attempt]:
        """First with clean content, then with a made-up key in the file `canary`."""
        clean = self._attempt("readme.txt", b"nothing to see here\n")
        return clean, self._attempt(canary, b'api_key = "' + mint(random.SystemRandom()).reveal() + b'"\n')

    def _attempt(self, name: str, content: bytes) -> _Attempt:
        (self._work / name).write_bytes(content)
        self._git(self._work, "add", "--", name)
        commit = self._git(self._work, "commit", "--quiet", "-m", "try the hook", may_fail=True)
        if self._stage is Stage.PRE_COMMIT:
            return commit
        if commit.refused:
            raise CannotRun(f"the scratch repository cannot be committed to: {commit.said}")
        return self._git(self._work, "push", "--quiet", str(self._remote), "HEAD:refs/heads/try", may_fail=True)

    def _git(self, directory: Path, *arguments: str, may_fail: bool = False) -> _Attempt:
        settings = [word for setting in self._settings for word in ("-c", setting)]
        try:
            done = git(directory, *settings, *arguments, check=False, env=self._env, timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            raise CannotRun(f"`git {arguments[0]}` with this hook did not end within {_PATIENCE:.0f} s") from None
        said = "\n".join(printable(line) for line in done.stderr.decode(errors="replace").splitlines())
        if done.returncode and not may_fail:
            raise CannotRun(f"`git {arguments[0]}` failed in the scratch repository: {said}")
        return _Attempt(bool(done.returncode), said)


def _clean_environment(directory: Path) -> dict[str, str]:
    """This process's environment without what would point git at another repository."""
    local = git(directory, "rev-parse", "--local-env-vars").stdout.decode().split()
    unwanted = {*local, "GIT_TEMPLATE_DIR", "PRE_COMMIT"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}
