"""Compiling several databases at once, on as many cores: needed once for a set of rules, and slow."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection

from scanner.engine.database import Database
from scanner.errors import KeyfuseError

Expressions = Sequence[tuple[bytes, int]]


def compiled(shards: Sequence[Expressions]) -> list[Database]:
    """A database for each shard; all but the last in processes of their own where this platform can fork them.

    Raises RuleError when an expression cannot be compiled.
    """
    if len(shards) < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return list(map(Database.compile, shards))
    context = multiprocessing.get_context("fork")
    started = []
    for shard in shards[:-1]:
        near, far = context.Pipe(duplex=False)
        process = context.Process(target=_compile, args=(shard, far), daemon=True)
        process.start()
        far.close()
        started.append((process, near))
    last = Database.compile(shards[-1])
    databases = []
    for (process, near), shard in zip(started, shards[:-1], strict=True):
        try:
            databases.append(Database.load(near.recv_bytes()))
        except (EOFError, KeyfuseError):
            databases.append(Database.compile(shard))  # the process died, or says why it failed when asked here
        near.close()
        process.join()
    return [*databases, last]


def _compile(shard: Expressions, answer: Connection) -> None:
    try:
        data = Database.compile(shard).dump()
    except KeyfuseError:
        data = b""
    answer.send_bytes(data)
