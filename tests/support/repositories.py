"""Real git repositories, built by git, cut off from the configuration of whoever runs the tests."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada Writer",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Carl Keeper",
    "GIT_COMMITTER_EMAIL": "carl@example.org",
}
FIRST_DATE = 1_700_000_000


class Repository:
    """One repository under test. Every commit is an hour younger than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits = 0

    @classmethod
    def new(cls, path: Path, *, bare: bool = False, object_format: str = "sha1") -> Self:
        """An empty repository."""
        path.mkdir(parents=True, exist_ok=True)
        made = cls(path)
        made.git("init", "-q", "-b", "main", f"--object-format={object_format}", *(["--bare"] if bare else []))
        return made

    def git(
        self, *words: str | bytes, stdin: bytes = b"", check: bool = True, env: Mapping[str, str] | None = None
    ) -> str:
        """Runs git in it and returns what it wrote, without the line's end."""
        date = f"{FIRST_DATE + 3600 * self._commits} +0200"
        env = {**ENVIRONMENT, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, **(env or {})}
        command = ["git", "-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false", *words]
        done = subprocess.run(command, cwd=self.path, env=env, input=stdin, capture_output=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"git {words} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def write(self, name: str | bytes, content: str | bytes) -> Path:
        """Writes one file of the work tree, directories and all."""
        path = self.path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, message: str, files: Mapping[str, str | bytes | None]) -> str:
        """Commits files (None removes one) and returns the commit's id."""
        for name, content in files.items():
            if content is None:
                (self.path / name).unlink()
            else:
                self.write(name, content)
        self.git("add", "--all")
        return self.commit_staged(message)

    def commit_staged(self, message: str) -> str:
        """Commits what is staged and returns the commit's id."""
        self._commits += 1
        self.git("commit", "-q", "--allow-empty", "--no-verify", "-F", "-", stdin=message.encode())
        return self.git("rev-parse", "HEAD")

    def blob(self, content: bytes) -> str:
        """Puts a blob into the object database that nothing leads to."""
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def objects(self, kind: str) -> set[str]:
        """Ids of all objects of one kind, reachable or not."""
        listed = self.git("cat-file", "--batch-all-objects", "--batch-check").splitlines()
        return {line.split()[0] for line in listed if line.split()[1] == kind}

    @property
    def git_dir(self) -> Path:
        """The git directory."""
        return self.path / ".git" if (self.path / ".git").exists() else self.path


def make_hostile(repository: Repository, canaries: Path) -> None:
    """Names a command wherever git's configuration can; each leaves a file in `canaries` when it runs."""
    canaries.mkdir()

    def command(name: str) -> str:
        script = canaries.parent / f"run-{name}"
        script.write_text(f"#!/bin/sh\n: > {shlex.quote(str(canaries / name))}\nexit 1\n")
        script.chmod(0o755)
        return str(script)

    settings = {
        "core.fsmonitor": command("fsmonitor"),
        "core.pager": command("pager"),
        "pager.diff": command("pager-diff"),
        "core.sshCommand": command("ssh"),
        "core.gitProxy": command("proxy"),
        "core.askPass": command("askpass"),
        "core.editor": command("editor"),
        "core.alternateRefsCommand": command("alternate-refs"),
        "credential.helper": command("credential"),
        "diff.external": command("external-diff"),
        "diff.sly.textconv": command("textconv"),
        "diff.sly.command": command("diff-driver"),
        "merge.sly.driver": command("merge-driver"),
        "filter.sly.clean": command("clean"),
        "filter.sly.smudge": command("smudge"),
        "filter.sly.process": command("filter-process"),
        "filter.sly.required": "true",
        "gpg.program": command("gpg"),
        "log.showSignature": "true",
        "uploadpack.packObjectsHook": command("pack-objects"),
        "alias.cat-file": f"!{command('alias')}",
        "alias.diff-index": f"!{command('alias-diff')}",
        "core.hooksPath": str(canaries.parent / "hooks"),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "remote.sly.url": f"ext::{command('transport')}",
        "remote.sly.uploadpack": command("uploadpack"),
        "remote.sly.promisor": "true",
        "remote.sly.partialclonefilter": "blob:none",
        "extensions.partialClone": "sly",
        "core.repositoryFormatVersion": "1",
    }
    hooks = canaries.parent / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc", "post-checkout", "fsmonitor-watchman"):
        for place in (hooks, repository.git_dir / "hooks"):
            (place / hook).write_text(Path(command(f"hook-{hook}")).read_text())
            (place / hook).chmod(0o755)
    for name, value in settings.items():
        subprocess.run(
            ["git", "config", "-f", str(repository.git_dir / "config"), name, value], env=ENVIRONMENT, check=True
        )
    (repository.git_dir / "info").mkdir(exist_ok=True)
    (repository.git_dir / "info" / "attributes").write_text("* diff=sly filter=sly merge=sly\n")
