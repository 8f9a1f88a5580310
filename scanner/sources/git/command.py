"""The one place that starts git.

A scanned repository is hostile: its configuration can name commands (fsmonitor, external diff, textconv, filters,
hooks, ssh, credential helpers, a promisor remote's upload-pack). None may run. So every call names its git directory,
turns off what can be turned off, forbids every transport, and the rest of this package uses only commands that never
look at the work tree.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from scanner.errors import SourceError
from scanner.model import printable
from scanner.record import Record

MINIMUM = (2, 32)
"""The oldest git that can be told to read no configuration but the repository's own."""

_NOWHERE = os.path.join(os.devnull, "nowhere")  # a path that cannot exist

_SETTINGS = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "safe.directory=*",
    # Both can be made to hide objects that are there.
    "-c",
    "core.commitGraph=false",
    "-c",
    "core.multiPackIndex=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    # Bases of deltas are inflated again and again with less.
    "-c",
    "core.deltaBaseCacheLimit=256m",
)

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    # An empty list allows no transport at all; it wins over every protocol.*.allow of the repository.
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": _NOWHERE,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "",
}

_CREDENTIALS = re.compile(r"://[^/\s@]+@")


class Git(Record):
    """One repository as git's commands see it; can be pickled.

    `directory` is the absolute path of the git directory (of the linked work tree, where there is one). `index` is the
    index file to use instead of the repository's own: git hands hooks a temporary one. `quarantine` holds the object
    directories that git sets for a receive hook.
    """

    directory: str
    index: str | None = None
    quarantine: tuple[tuple[str, str], ...] = ()

    def environment(self, surroundings: Mapping[str, str]) -> dict[str, str]:
        """The environment of every git process: the surroundings without any of git's own variables, and ours."""
        clean = {name: value for name, value in surroundings.items() if not name.startswith("GIT_")}
        clean.update(_ENVIRONMENT)
        clean["GIT_DIR"] = self.directory
        # Git must not follow core.worktree, nor read a scanned tree's attributes.
        clean["GIT_WORK_TREE"] = self.directory
        if self.index is not None:
            clean["GIT_INDEX_FILE"] = self.index
        clean.update(self.quarantine)
        return clean

    def start(
        self,
        *arguments: str,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Starts git, its output on a pipe. Raises SourceError when there is no git to start."""
        try:
            return subprocess.Popen(
                ["git", *_SETTINGS, *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=self.directory,
                env=self.environment(os.environ),
                bufsize=1 << 18,
            )
        except OSError as error:
            raise _cannot_start(self.directory, error) from None

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Runs git to its end and returns what it wrote. Raises SourceError, with git's own words, when it failed."""
        with self.start(*arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, complaint = process.communicate(stdin)
        if process.returncode:
            raise SourceError(f"git {arguments[0]} failed in {printable(self.directory)}: {words(complaint)}")
        return out

    def probe(self, *arguments: str, seconds: float) -> None:
        """Runs git for at most so long, whatever comes of it. Raises SourceError when it takes longer."""
        process = self.start(*arguments, stdout=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            where = printable(self.directory)
            raise SourceError(
                f"git did not answer within {seconds:g} s in {where}: see what its configuration includes"
            ) from None
        finally:
            stop(process)

    def head(self) -> str | None:
        """The commit that is checked out; None before the first one."""
        try:
            return self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
        except SourceError:
            return None

    @contextmanager
    def lines(self, *arguments: str) -> Iterator[Iterator[bytes]]:
        """The lines that git writes, without their ends, as they come. Leaving ends git; its failure is silent."""
        process = self.start(*arguments)
        try:
            yield (line[:-1] if line.endswith(b"\n") else line for line in pipe(process.stdout))
        finally:
            stop(process)


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A process's stream that was asked for when it was started."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a git process and waits for it."""
    process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue  # what was left to write has no reader any more
    process.wait()


def words(complaint: bytes) -> str:
    """What git said, made fit for a message: one line, printable, short, without credentials of URLs."""
    lines = [line.strip() for line in complaint.decode(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    text = "; ".join(dict.fromkeys(told)) or "it gave no reason"
    text = _CREDENTIALS.sub("://***@", printable(text))
    return text if len(text) <= 400 else text[:400] + "…"


def require_git(git: Git) -> None:
    """Raises SourceError when git is missing or too old for what is asked of it here."""
    said = git.run("--version").decode(errors="replace")
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < MINIMUM:
        needed = ".".join(map(str, MINIMUM))
        raise SourceError(
            f"git {needed} or newer is needed to read repositories, but this is {printable(said.strip())}"
        )


def _cannot_start(directory: str, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        needed = ".".join(map(str, MINIMUM))
        return SourceError(f"git is not installed, or not on PATH: install git {needed} or newer to read repositories")
    return SourceError(f"git cannot be started in {printable(directory)}: {error.strerror}")
