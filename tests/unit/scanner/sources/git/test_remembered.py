"""A second scan looks only at what is new, and reports what a first scan would."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scanner.model import Finding, Scanned, Skipped
from scanner.pipeline import Scanner, scan
from scanner.sources.git.pack.batch import compiled
from scanner.sources.git.remembered import Memory
from scanner.sources.target import TargetOptions, open_target
from tests.support.histories import made_up
from tests.support.repositories import Repository
from tests.support.tokens import github_token


def audited(path: Path, scanner: Scanner, memory: Memory | None) -> tuple[list[Finding], int]:
    """What an audit reports, and how many contents it looked at."""
    target = open_target(str(path), TargetOptions(memory=memory))
    events = list(scan(target.units(), scanner, note=target.note if memory else None))
    finished = target.finish([event for event in events if isinstance(event, Finding)])
    target.remember()
    assert not [event for event in events if isinstance(event, Skipped)]
    return finished, sum(event.blobs for event in events if isinstance(event, Scanned))


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(str(tmp_path / "data" / "scan_cache"), "some rules")


def test_what_has_not_changed_is_not_scanned_again(tmp_path: Path, shipped: Scanner, memory: Memory) -> None:
    repository = made_up(tmp_path / "r", 41, 60, shipped.engine.book.rules)
    plain, _ = audited(repository.path, shipped, None)
    first, many = audited(repository.path, shipped, memory)
    second, few = audited(repository.path, shipped, memory)
    assert first == second == plain
    assert len(plain) > 3
    assert few < many / 2
    third, all_again = audited(repository.path, shipped, Memory(memory.directory, "other rules"))
    assert (third, all_again) == (first, many)


@pytest.mark.skipif(not compiled(), reason="there was no C compiler when this was installed")
def test_new_commits_alone_are_scanned(tmp_path: Path, shipped: Scanner, memory: Memory) -> None:
    rng = random.Random(3)
    repository = Repository.new(tmp_path / "r")
    filler = "".join(f"a line of no meaning {number}\n" for number in range(300))
    for number in range(12):
        repository.commit(f"commit {number}", {"a": f"{filler}{number}\n", f"b{number}": filler + filler[: number * 9]})
    repository.commit("leak", {"old": f"t = '{github_token(rng)}'\n" + filler})
    repository.git("gc", "-q")
    audited(repository.path, shipped, memory)
    repository.commit("more", {"new": f"t = '{github_token(rng)}'\n", "old": None})
    after, looked = audited(repository.path, shipped, memory)
    plain, all_ = audited(repository.path, shipped, None)
    assert after == plain
    assert {finding.origin.path for finding in after} == {"old", "new"}
    assert looked < all_ - 10
    repository.git("gc", "-q")
    again, looked = audited(repository.path, shipped, memory)
    assert again == audited(repository.path, shipped, None)[0]
    assert looked < all_ - 10


def test_nothing_is_kept_of_a_scan_with_gaps_or_by_others(tmp_path: Path, shipped: Scanner, memory: Memory) -> None:
    repository = made_up(tmp_path / "r", 42, 30, shipped.engine.book.rules)
    target = open_target(str(repository.path), TargetOptions(memory=memory))
    list(scan(target.units(), shipped, note=target.note))
    target.note(Skipped("blob", "it could not be unpacked"))
    target.remember()
    assert not Path(memory.directory).exists()
    audited(repository.path, shipped, memory)
    (kept,) = Path(memory.directory).iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    _, many = audited(repository.path, shipped, None)
    assert audited(repository.path, shipped, memory)[1] == many
    kept.chmod(0o666)
    assert audited(repository.path, shipped, memory)[1] == many


def test_no_secret_is_kept(tmp_path: Path, shipped: Scanner, memory: Memory) -> None:
    token = github_token(random.Random(9))
    repository = Repository.new(tmp_path / "r")
    repository.commit("one", {"a": f"t = '{token}'\n"})
    assert audited(repository.path, shipped, memory)[0]
    (kept,) = Path(memory.directory).iterdir()
    assert token.encode() not in kept.read_bytes()
