"""Real git repositories to commit in, cut off from the configuration of whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from keyfuse.hook.repository import Repository, open_repository


@dataclass
class Workshop:
    """A working tree, and the environment that every git command of a test runs in."""

    top: Path
    env: dict[str, str] = field(default_factory=dict)

    def git(self, *words: str | bytes, check: bool = True, stdin: bytes = b"") -> Ran:
        """Runs git at the top of the working tree."""
        return self.run("git", *words, check=check, stdin=stdin)

    def keyfuse(self, *words: str | bytes, check: bool = False, stdin: bytes = b"") -> Ran:
        """Runs keyfuse there, as an installed program would be."""
        return self.run(sys.executable, "-P", "-m", "keyfuse", *words, check=check, stdin=stdin)

    def run(self, *command: str | bytes, check: bool = True, stdin: bytes = b"") -> Ran:
        """Runs any command there."""
        done = subprocess.run(command, cwd=self.top, env=self.env, input=stdin, capture_output=True, check=False)
        ran = Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        assert not check or ran.code == 0, ran
        return ran

    def write(self, name: str | bytes, content: str | bytes) -> Path:
        """Writes one file of the working tree, directories and all."""
        path = self.top / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def stage(self, name: str | bytes, content: str | bytes) -> Path:
        """Writes a file and adds it to the index."""
        path = self.write(name, content)
        self.git("add", "--", name)
        return path

    def commit(self, message: str = "change", *words: str) -> Ran:
        """Tries to commit what is staged."""
        return self.git("commit", "--quiet", "-m", message, *words, check=False)

    def head(self) -> str:
        """The commit that HEAD names, or nothing before the first."""
        return self.git("rev-parse", "--verify", "--quiet", "HEAD", check=False).stdout.strip()

    def at(self, top: Path) -> Workshop:
        """The same surroundings, another working tree."""
        return Workshop(top, self.env)

    def where(self, **extra: str) -> Workshop:
        """The same place, with more in the environment."""
        return Workshop(self.top, {**self.env, **extra})

    def repository(self) -> Repository:
        """What the installer sees."""
        return open_repository(self.top)


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str


def workshop(home: Path, name: str = "work", *init: str) -> Workshop:
    """A new repository in `home`, with a home directory, a git configuration and keyfuse directories of its own."""
    settings = home / "gitconfig"
    settings.write_text("[user]\n\tname = Tess\n\temail = tess@example.org\n[init]\n\tdefaultBranch = main\n")
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("GIT_", "KEYFUSE_", "XDG_", "PRE_COMMIT"))
    }
    env = {
        **clean,
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "KEYFUSE_DATA_DIR": str(home / "data"),
        "KEYFUSE_CONFIG": "",
    }
    shop = Workshop(home / name, env)
    shop.top.mkdir()
    shop.git("init", "--quiet", *init)
    return shop
