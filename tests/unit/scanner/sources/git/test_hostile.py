"""A hostile repository names commands wherever git's configuration can. None of them may run, whatever is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scanner.model import Blob, Place, Skipped
from scanner.sources.git.staged import read, staged
from tests.support.reading import audit, read_target
from tests.support.repositories import ENVIRONMENT, Repository, make_hostile

NEEDLE = b"this stands for a key"
SCANS: list[dict[str, object]] = [
    {},
    {"history": False},
    {"staged": True},
    {"since": "HEAD~1"},
    {"range": "HEAD~1..HEAD"},
    {"ref": "main"},
    {"all_refs": True},
]


@pytest.fixture
def hostile(tmp_path: Path) -> Repository:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": b"one\n" + NEEDLE, ".gitattributes": "* diff=sly filter=sly text\n"})
    repository.commit("second", {"a": "two\n", "b": "gone"})
    repository.commit("lost", {f"dir/{NEEDLE.decode()} in a name": b"lost " + NEEDLE})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=all", "--all")
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    repository.git("stash", "-q", check=False)
    repository.git("notes", "add", "-m", "a note")
    repository.write("a", "three\n")
    repository.git("add", "a")
    repository.write("a", "four\n")
    # A blob that only the promisor remote has: to read it, git would have to fetch.
    id = repository.git("rev-parse", "HEAD:b")
    (repository.git_dir / "objects" / id[:2] / id[2:]).unlink()
    repository.git("repack", "-q", "-a", "-d", check=False)
    for pack in (repository.git_dir / "objects" / "pack").glob("*.pack"):
        pack.with_suffix(".promisor").touch()
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{id},c")
    make_hostile(repository, tmp_path / "canaries")
    return repository


def _ran(repository: Repository) -> list[str]:
    return sorted(path.name for path in (repository.path.parent / "canaries").iterdir())


def test_the_canaries_sing_when_git_is_used_without_care(hostile: Repository) -> None:
    for words in (["status"], ["diff"], ["log", "-p"], ["cat-file", "-p", "HEAD:b"]):
        subprocess.run(
            ["git", *words],
            cwd=hostile.path,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=30,
        )
    assert {"fsmonitor", "filter-process", "transport"} <= set(_ran(hostile))


@pytest.mark.parametrize("options", SCANS, ids=str)
def test_nothing_runs_in_any_scan(hostile: Repository, options: dict[str, object]) -> None:
    before = hostile.path.joinpath(".git/index").read_bytes()
    reading = read_target(hostile.path, **options)
    audit(hostile.path, NEEDLE, b"three", b"ada@", **options)
    assert _ran(hostile) == []
    assert hostile.path.joinpath(".git/index").read_bytes() == before
    if not options:
        assert reading.holds(NEEDLE)
        assert b"three\n" in reading.contents(Place.BLOB)
        assert b"four\n" in reading.contents(Place.FILE)
        assert any("not here" in skipped.reason for skipped in reading.skipped)


def test_nothing_runs_on_the_hooks_path(hostile: Repository) -> None:
    three, missing = read(staged(str(hostile.path)))
    assert isinstance(three, Blob)
    assert isinstance(missing, Skipped)
    assert _ran(hostile) == []


@pytest.mark.parametrize("url", ["file:///nowhere", "/nowhere", "ssh://host.invalid/x", "https://127.0.0.1:1/x"])
def test_a_promisor_of_any_kind_is_never_asked(hostile: Repository, url: str) -> None:
    config = hostile.git_dir / "config"
    subprocess.run(["git", "config", "-f", str(config), "remote.sly.url", url], env=ENVIRONMENT, check=True)
    for options in SCANS:
        read_target(hostile.path, **options)
    assert _ran(hostile) == []


def test_surroundings_do_not_lead_astray(hostile: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Repository.new(tmp_path / "other")
    other.commit("other", {"other": "from somewhere else"})
    monkeypatch.setenv("GIT_DIR", str(other.git_dir))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.git_dir / "objects"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(tmp_path / "run-external-diff"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(tmp_path / "run-fsmonitor"))
    assert not read_target(hostile.path).holds(b"from somewhere else")
    assert read_target(hostile.path, staged=True).contents() == [b"three\n"]
    assert _ran(hostile) == []


def test_a_work_tree_named_by_the_configuration_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "private").write_text("private")
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    repository.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    reading = read_target(repository.path)
    assert reading.contents(Place.FILE) == [b"one"]
    assert not reading.skipped
