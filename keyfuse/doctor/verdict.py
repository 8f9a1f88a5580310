"""What a check is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from keyfuse.session import Session


class Level(StrEnum):
    """How bad it is. Only a failure changes the exit code."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the doctor's: what was looked at, how it is, and what to do next where something is to be done."""

    check: str
    level: Level
    said: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. `look` gets the check's name and the session; what it raises is a failure."""

    name: str
    look: Callable[[str, Session], Iterator[Verdict]]
    needs_config: bool = False
    needs_records: bool = False
