"""What is looked at without being asked: directories, repositories and git URLs, with what has been seen of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class TargetKind(StrEnum):
    """A `path` is a directory, file or repository on one machine; a `url` is a git repository anybody can fetch."""

    PATH = "path"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Target:
    """One target.

    place: an absolute path, or a git URL without its password.
    node: whose files a path means; empty for a URL, which any daemon can fetch.
    settings: what the configuration or the command said of it; never a credential, only where one is found.
    origin: `config` or `command`.
    next_at: when it is scanned next; None without a schedule.
    seen: what has been looked at already, as the daemon keeps it.
    """

    name: str
    kind: TargetKind
    place: str
    added_at: datetime
    node: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "command"
    added_by: str = ""
    next_at: datetime | None = None
    last_at: datetime | None = None
    last_error: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)


class Targets(Protocol):
    """The targets inside one transaction."""

    def list(self) -> Sequence[Target]:
        """All of them, by name."""
        ...

    def get(self, name: str) -> Target | None:
        """One of them."""
        ...

    def put(self, target: Target) -> None:
        """Stores a target; one of the same name keeps what was seen of it, unless its kind or place changed."""
        ...

    def remove(self, name: str) -> bool:
        """Forgets a target; false when there is none of that name."""
        ...

    def plan(self, name: str, before: datetime | None, after: datetime | None) -> bool:
        """Moves a target's next scan from one time to another; false when another daemon moved it first."""
        ...

    def due(self, now: datetime) -> Sequence[Target]:
        """Targets whose next scan is due."""
        ...

    def scanned(self, name: str, at: datetime, error: str) -> None:
        """Notes that a target was looked at as a whole, and what could not be done."""
        ...

    def saw(self, name: str, seen: Mapping[str, Any]) -> None:
        """Notes what has been looked at."""
        ...
