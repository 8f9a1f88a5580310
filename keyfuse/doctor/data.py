"""What keyfuse keeps: data directory, key file, database, audit log, incidents and notices."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from keyfuse.config import shown_url
from keyfuse.doctor.verdict import Level, Verdict
from keyfuse.session import Session
from responders.auditlog import verify
from responders.errors import LogBroken, StoreError
from responders.incident import IncidentState
from responders.keyfile import FILE_NAME, load_or_create
from responders.notify.queue import DeliveryState
from responders.shapes import DATABASE_NAME, read_shapes
from responders.shapes import FILE_NAME as SHAPES_NAME

WAITING = (IncidentState.BLOCKED, IncidentState.FAILED, IncidentState.OPEN, IncidentState.UNCONFIRMED)
"""States in which a person may be needed, those that certainly do first."""


class _Undone(Exception):
    """Ends a transaction that was only begun to see whether one can be."""


def data_directory(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the data directory is this user's alone."""
    path = session.config.data_dir
    if not path.exists():
        yield Verdict(name, Level.OK, f"{path} will be made when it is first needed")
        return
    if not path.is_dir():
        yield Verdict(name, Level.FAIL, f"{path} is not a directory", "move it away, or set KEYFUSE_DATA_DIR")
        return
    status = path.stat()
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Verdict(name, Level.FAIL, f"{path} cannot be written", f"chmod u+rwx {path}, or set KEYFUSE_DATA_DIR")
    elif os.name == "posix" and status.st_uid != os.geteuid():
        yield Verdict(
            name, Level.WARN, f"{path} belongs to another user", "set KEYFUSE_DATA_DIR to a directory of yours"
        )
    elif os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Verdict(name, Level.FAIL, f"others may write to {path}", f"chmod 700 {path}")
    elif os.name == "posix" and status.st_mode & 0o077:
        yield Verdict(name, Level.WARN, f"others may look into {path}", f"chmod 700 {path}")
    else:
        yield Verdict(name, Level.OK, str(path))


def key_file(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the fingerprint key is whole and private. None is made here. Raises KeyFileError."""
    home = session.config.data_dir
    path = home / FILE_NAME
    if not any((home / each).exists() for each in (FILE_NAME, DATABASE_NAME, SHAPES_NAME)):
        yield Verdict(name, Level.OK, f"{path} will be made when it is first needed")
        return
    load_or_create(home)
    yield Verdict(name, Level.OK, f"{path}; keep a copy of it in a safe place")


def database(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the database opens, is up to date and can be written, and whether the scanner knows its keys' shapes.

    Raises StoreError, which says what is wrong with it.
    """
    where = shown_url(session.config.database.url)
    if not session.has_records():
        yield Verdict(name, Level.OK, f"{where} will be made when it is first needed")
        return
    try:
        before: object = frozenset(read_shapes(session.config.data_dir))
    except StoreError as error:
        before = error
    records = session.records()
    with suppress(_Undone), records.begin():
        raise _Undone
    with records.read() as tx:
        keys, shapes = tx.keys.count(), frozenset(tx.keys.shapes())
    yield Verdict(name, Level.OK, f"{where} is up to date and can be written; {keys:,} registered keys")
    if before == shapes:
        yield Verdict("shapes", Level.OK, f"the scanner looks for {len(shapes):,} shapes of registered keys")
        return
    reason = str(before) if isinstance(before, StoreError) else "the shapes that the scanner looks for were out of date"
    if frozenset(read_shapes(session.config.data_dir)) == shapes:
        yield Verdict("shapes", Level.WARN, f"{reason}; they are written anew", "repeat the last audits")
    else:
        yield Verdict("shapes", Level.FAIL, reason, f"make {session.config.data_dir} writable, then ask again")


def audit_log(name: str, session: Session) -> Iterator[Verdict]:
    """Whether the audit log's chain holds."""
    try:
        with session.records().read() as tx:
            verified = verify(tx.audit.read(), tx.audit.head())
    except LogBroken as error:
        yield Verdict(name, Level.FAIL, str(error), "find out who can write to the database; restore it from a backup")
        return
    yield Verdict(name, Level.OK, f"the chain of {verified.records:,} records holds")


def incidents(name: str, session: Session) -> Iterator[Verdict]:
    """Whether incidents wait for a person."""
    with session.records().read() as tx:
        waiting = Counter(incident.state for incident in tx.incidents.list(states=WAITING))
    if waiting:
        counts = ", ".join(f"{waiting[state]:,} {state.value}" for state in WAITING if waiting[state])
        states = " ".join(f"--state {state.value}" for state in WAITING if waiting[state])
        yield Verdict(name, Level.WARN, f"incidents that are not over: {counts}", f"keyfuse leaks list {states}")
    else:
        yield Verdict(name, Level.OK, "none that waits for a person")


def notices(name: str, session: Session) -> Iterator[Verdict]:
    """Whether notices were given up."""
    with session.records().read() as tx:
        dead, waiting = tx.notices.count(DeliveryState.DEAD), tx.notices.count(DeliveryState.WAITING)
    if dead:
        said = f"{dead:,} could not be delivered and were given up; {waiting:,} wait"
        yield Verdict(
            name, Level.WARN, said, "keyfuse leaks show names them with their errors; then: keyfuse notify test"
        )
    else:
        yield Verdict(name, Level.OK, f"{waiting:,} wait to be delivered")
