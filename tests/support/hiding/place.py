"""What all hiding places are made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.repositories import Repository


@dataclass(frozen=True)
class Hidden:
    """What an audit says about the secret: where it looks (`target`), the place, the path's end and the commit.

    `tip` and `reachable` are what it says of branches' tips and of refs.
    """

    target: Path
    place: str
    path: str = ""
    commit: str | None = None
    tip: bool | None = False
    reachable: bool | None = True
    first_line: int = 1


Builder = Callable[[Path, str], Hidden]
PLACES: dict[str, Builder] = {}


def place(builder: Builder) -> Builder:
    PLACES[builder.__name__.strip("_")] = builder
    return builder


def new_repository(directory: Path, **options: object) -> Repository:
    """A repository with one ordinary commit."""
    made = Repository.new(directory / "r", **options)  # type: ignore[arg-type]
    if not options.get("bare"):
        made.commit("first", {"README": "nothing here\n"})
    return made


def lose(repository: Repository) -> None:
    """Takes the last commit away, from logs too."""
    repository.git("reset", "-q", "--hard", "HEAD~1")
    forget(repository)


def forget(repository: Repository) -> None:
    repository.git("reflog", "expire", "--expire=all", "--all")
    (repository.git_dir / "ORIG_HEAD").unlink(missing_ok=True)


def only_ref(repository: Repository, name: str, token: str) -> str:
    """Puts a commit that holds the token under a ref and nowhere else."""
    commit = repository.commit("bad", {"conf": f"key = {token}\n"})
    repository.git("update-ref", name, commit)
    lose(repository)
    return commit


def unlog(repository: Repository, *refs: str) -> None:
    for ref in refs:
        (repository.git_dir / "logs" / ref).unlink(missing_ok=True)
