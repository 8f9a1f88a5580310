"""Objects by id, out of one long-lived `git cat-file --batch`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO, BinaryIO, NamedTuple

from scanner.sources.git.command import Git, pipe, stop, words

WHOLE_LIMIT = 32 << 20
"""An object of at most so many bytes is held in memory; a larger one is spooled to a file."""

# Ids are sent in pieces that the smallest pipe there is can hold, so that writing them never waits for git, which may
# itself be waiting for us to read.
_PIPE = 4096


class GitObject(NamedTuple):
    """One object: `content` is what it holds, or None when it is in `spool` since it is large."""

    id: str
    type: str
    content: bytes
    spool: BinaryIO | None = None


class Unreadable(NamedTuple):
    """One object that git could not give us, and why."""

    id: str
    reason: str


def read_objects(git: Git, ids: Sequence[str]) -> Iterator[GitObject | Unreadable]:
    """Reads objects in the order of `ids`.

    An object that is missing or damaged comes back as Unreadable and the rest is read all the same. A spooled object's
    file is closed when the next object is asked for.
    """
    at = 0
    while at < len(ids):
        for found in _until_failure(git, ids[at:]):
            at += 1
            yield found
        if at < len(ids):
            yield Unreadable(ids[at], _why(git, ids[at]))
            at += 1


def _until_failure(git: Git, ids: Sequence[str]) -> Iterator[GitObject | Unreadable]:
    process = git.start("cat-file", "--batch", stdin=subprocess.PIPE)
    try:
        step = _PIPE // (len(ids[0]) + 1)
        for start in range(0, len(ids), step):
            chunk = ids[start : start + step]
            if not _ask(process, chunk):
                return
            for wanted in chunk:
                found = _next(process, wanted)
                if found is None:
                    return
                try:
                    yield found
                finally:
                    if isinstance(found, GitObject) and found.spool is not None:
                        found.spool.close()
    finally:
        stop(process)


def _ask(process: subprocess.Popen[bytes], ids: Sequence[str]) -> bool:
    try:
        pipe(process.stdin).write("".join(f"{each}\n" for each in ids).encode())
        pipe(process.stdin).flush()
    except BrokenPipeError:
        return False
    return True


def _next(process: subprocess.Popen[bytes], wanted: str) -> GitObject | Unreadable | None:
    """The next answer; None when git ended before it was complete."""
    answers = pipe(process.stdout)
    head = answers.readline().split()
    if len(head) == 2:
        return Unreadable(wanted, "the object is missing or damaged")
    if len(head) != 3:
        return None
    size = int(head[2])
    if size > WHOLE_LIMIT:
        return _spool(answers, wanted, head[1].decode(), size)
    content = answers.read(size + 1)
    if len(content) != size + 1:
        return None
    return GitObject(wanted, head[1].decode(), content[:-1])


def _spool(answers: IO[bytes], wanted: str, kind: str, size: int) -> GitObject | Unreadable | None:
    import tempfile  # noqa: PLC0415 - only large objects need it; the hook's path stays short

    spool = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the reader of the object
    left, full = size, False
    while left:
        piece = answers.read(min(left, 1 << 20))
        if not piece:
            spool.close()
            return None
        left -= len(piece)
        # What cannot be kept is read all the same: the next answer comes after it.
        full = full or not _write(spool, piece)
    answers.read(1)
    if full:
        spool.close()
        return Unreadable(wanted, f"no room in {tempfile.gettempdir()} to unpack its {size} bytes")
    os.lseek(spool.fileno(), 0, os.SEEK_SET)
    return GitObject(wanted, kind, b"", spool)


def _write(file: IO[bytes], piece: bytes) -> bool:
    try:
        return file.write(piece) == len(piece)
    except OSError:
        return False


def _why(git: Git, damaged: str) -> str:
    process = git.start("cat-file", "-p", damaged, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        return words(pipe(process.stderr).read(1 << 16))
    finally:
        stop(process)
