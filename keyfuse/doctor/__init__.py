"""What may be wrong with an installation: one function a check, one list of them, and the round that asks them all.

Checks look; the only things they make are those that every command makes too (the compiled rules, a newer schema).
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence

from keyfuse.doctor.data import audit_log, data_directory, database, incidents, key_file, notices
from keyfuse.doctor.machine import engine, git_program, python, rooms, rules
from keyfuse.doctor.setup import channels, configuration, hook, providers
from keyfuse.doctor.verdict import Check, Level, Verdict
from keyfuse.session import Session
from scanner.errors import KeyfuseError

CHECKS: tuple[Check, ...] = (
    Check("python", python),
    Check("packages", rooms),
    Check("git", git_program),
    Check("matching engine", engine),
    Check("configuration", configuration),
    Check("rules", rules, needs_config=True),
    Check("data directory", data_directory, needs_config=True),
    Check("key file", key_file, needs_config=True),
    Check("database", database, needs_config=True),
    Check("audit log", audit_log, needs_records=True),
    Check("incidents", incidents, needs_records=True),
    Check("notices", notices, needs_records=True),
    Check("channels", channels, needs_config=True),
    Check("providers", providers, needs_config=True),
    Check("hook", hook),
)


def examine(session: Session, checks: Sequence[Check] = CHECKS) -> Iterator[Verdict]:
    """Runs checks in order. One that cannot be made is a failure with its reason, never an end of the round.

    What needs the configuration or the database cannot be looked at where these fail; that is said at the end.
    """
    usable = _config_loads(session)
    failed: set[str] = set()
    unseen: list[str] = []
    for check in checks:
        if not usable and (check.needs_config or check.needs_records):
            unseen.append(check.name)
            continue
        if check.needs_records and "database" in failed:
            unseen.append(check.name)
            continue
        if check.needs_records and not session.has_records():
            continue
        for verdict in _run(check, session):
            if verdict.level is Level.FAIL:
                failed.add(check.name)
            yield verdict
    if unseen:
        yield Verdict("the rest", Level.WARN, f"not looked at: {', '.join(unseen)}", "mend the above, then ask again")


def _run(check: Check, session: Session) -> Iterator[Verdict]:
    try:
        yield from check.look(check.name, session)
    except KeyfuseError as error:
        yield Verdict(check.name, Level.FAIL, str(error))
    except Exception as error:  # a check that breaks is news too, and must not hide those after it
        yield Verdict(check.name, Level.FAIL, f"could not be looked at: {_place(error)}", "report this as a defect")


def _place(error: Exception) -> str:
    """An unforeseen error's type and place. Its text is left out: nobody has looked at it for secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where


def _config_loads(session: Session) -> bool:
    try:
        return session.config is not None
    except KeyfuseError:
        return False


__all__ = ["CHECKS", "Check", "Level", "Verdict", "examine"]
