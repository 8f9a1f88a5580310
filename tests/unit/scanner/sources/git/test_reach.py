"""What could not be looked into is listed, and nobody is led astray by what a repository names."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from scanner.errors import SourceError
from scanner.model import Place
from scanner.sources.git import names
from scanner.sources.git.caution import require_sound
from scanner.sources.git.pointers import kept_at, pointed_to
from scanner.sources.git.repository import repository_at
from tests.support.reading import audit, read_target
from tests.support.repositories import Repository

NEEDLE = b"this stands for a key"
OID = "0123456789abcdef" * 4
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "r")
    made.commit("first", {"a": "x\n"})
    return made


def _reasons(path: Path, **options: object) -> list[tuple[str, str]]:
    return [(each.origin, each.reason) for each in read_target(path, **options).skipped]


def test_contents_of_lfs_that_are_not_here_are_counted(repository: Repository) -> None:
    repository.commit("pointers", {"model": POINTER, "other": POINTER.replace("0123", "3210")})
    repository.commit("gone", {"model": None, "other": None})
    ((origin, reason),) = _reasons(repository.path)
    assert origin == f"{repository.path} Git LFS"
    assert reason == "2 contents of Git LFS are not here: run git lfs fetch --all to have them scanned"
    kept = repository.git_dir / kept_at(OID)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(NEEDLE)
    ((_, reason),) = _reasons(repository.path)
    assert reason.startswith("1 content of Git LFS is not here")
    assert _reasons(repository.path, since="HEAD~2") == [(origin, reason)]
    assert _reasons(repository.path, history=False) == []


def test_a_pointer_in_the_work_tree_is_no_content(repository: Repository, tmp_path: Path) -> None:
    repository.write("model", POINTER)
    ((origin, reason),) = _reasons(repository.path)
    assert origin == f"{repository.path}/model"
    assert "pointer of Git LFS" in reason
    assert "git lfs pull" in reason
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "model").write_text(POINTER)
    assert len(_reasons(tmp_path / "plain")) == 1


@pytest.mark.parametrize(
    "content",
    [b"", POINTER.encode()[:-20], POINTER.encode() + b"more\n", b"x" + POINTER.encode(), b"version x\n"],
)
def test_what_is_no_pointer(content: bytes) -> None:
    assert pointed_to(content) is None
    assert pointed_to(POINTER.encode()) == OID


def test_a_submodule_that_is_not_here_is_told(repository: Repository, tmp_path: Path) -> None:
    library = Repository.new(tmp_path / "library")
    head = library.commit("x", {"x": "x"})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},lib/sub")
    repository.commit_staged("submodule")
    ((origin, reason),) = _reasons(repository.path)
    assert origin == f"{repository.path}/lib/sub"
    assert "git submodule update --init" in reason
    assert _reasons(repository.path, history=False) == [(origin, reason)]
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    ((origin, _),) = _reasons(tmp_path / "bare")
    assert origin == f"{tmp_path}/bare/lib/sub"


def test_what_an_interrupted_fetch_left_is_told(repository: Repository) -> None:
    (repository.git_dir / "objects" / "pack" / "tmp_pack_a1b2c3").write_bytes(b"PACK")
    (repository.git_dir / "objects" / "info" / "alternates").write_text(f"# {NEEDLE.decode()}\n")
    reading = read_target(repository.path)
    ((_, reason),) = [(each.origin, each.reason) for each in reading.skipped]
    assert reason == "1 file is left of an interrupted fetch or repack: git gc takes them away"
    assert reading.holds(NEEDLE)


def test_an_alternate_that_is_gone_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "-q", "--shared", ".", str(tmp_path / "borrower"))
    repository.path.rename(tmp_path / "elsewhere")
    assert _reasons(tmp_path / "borrower")


def test_a_work_tree_that_does_not_name_the_repository_is_not_entered(repository: Repository, tmp_path: Path) -> None:
    private = Repository.new(tmp_path / "private")
    private.write("file", NEEDLE)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / ".git").write_text("gitdir: nowhere\n")
    for name in ("private", "plain"):
        (repository.git_dir / "worktrees" / name).mkdir(parents=True)
        (repository.git_dir / "worktrees" / name / "gitdir").write_text(f"{tmp_path / name}/.git\n")
        (repository.git_dir / "worktrees" / name / "commondir").write_text("../..\n")
        (repository.git_dir / "worktrees" / name / "HEAD").write_text("ref: refs/heads/main\n")
    reading = read_target(repository.path)
    assert not reading.holds(NEEDLE)
    assert {each.origin for each in reading.skipped} == {str(tmp_path / "private"), str(tmp_path / "plain")}


def test_a_leak_that_linked_work_trees_share_is_told_once(repository: Repository, tmp_path: Path) -> None:
    bad = repository.commit("bad", {"conf": NEEDLE})
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    (tmp_path / "linked" / "new").write_bytes(NEEDLE)
    found = {(each.origin.path, each.origin.commit) for each in audit(repository.path, NEEDLE)}
    assert found == {("conf", bad), (str(tmp_path / "linked" / "new"), None)}
    assert [each.origin.path for each in audit(repository.path, NEEDLE, all_refs=True)] == ["conf"]
    (linked, new) = audit(tmp_path / "linked", NEEDLE)
    assert [(each.origin.path, each.origin.commit) for each in (linked, new)] == [("conf", bad), ("new", None)]


def test_parts_of_history_from_a_linked_work_tree_and_a_submodule(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = Repository(tmp_path / "linked")
    bad = linked.commit("bad", {"conf": NEEDLE})
    (finding,) = audit(linked.path, NEEDLE, since="HEAD~1")
    assert (finding.origin.path, finding.origin.commit) == ("conf", bad)
    assert (finding.origin.in_tip, finding.origin.reachable) == (True, True)
    assert audit(repository.path, NEEDLE, since="HEAD") == []
    outer = Repository.new(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", str(repository.path), "sub")
    inner = Repository(outer.path / "sub")
    bad = inner.commit("bad", {"conf": NEEDLE})
    (finding,) = audit(inner.path, NEEDLE, range="HEAD~1..HEAD")
    assert (finding.origin.path, finding.origin.commit) == ("conf", bad)


def test_a_ref_may_be_a_tag_or_name_anything(repository: Repository) -> None:
    repository.git("tag", "-a", "-m", NEEDLE.decode(), "v1")
    repository.git("tag", "key", repository.blob(NEEDLE + b" in a file"))
    (finding,) = audit(repository.path, NEEDLE, ref="v1")
    assert (finding.origin.place, finding.origin.reachable) == (Place.TAG_MESSAGE, True)
    (finding,) = audit(repository.path, NEEDLE, ref="refs/tags/key")
    assert (finding.origin.place, finding.origin.path, finding.origin.commit) == (Place.BLOB, "", None)


def test_names_of_refs_that_lead_nowhere_are_read(repository: Repository) -> None:
    loose, packed = "a-broken-ref-with-a-long-name", "another-broken-ref-with-a-long-name"
    (repository.git_dir / "refs" / "heads" / loose).write_text("1" * 40 + "\n")
    (repository.git_dir / "packed-refs").write_text(f"# pack-refs with: peeled\n{'2' * 40} refs/tags/{packed}\n")
    names = read_target(repository.path).contents(Place.REF_NAME)
    assert names == [f"refs/heads/{loose}".encode(), f"refs/tags/{packed}".encode()]


def test_a_name_in_two_directories_is_told_twice(repository: Repository) -> None:
    name = NEEDLE.decode()
    first = repository.commit("one", {f"d1/{name}": "x\n"})
    second = repository.commit("two", {f"d2/{name}": "x\n", "d2/other": "y\n"})
    repository.git("rm", "-q", "-r", "d1", "d2")
    repository.commit_staged("gone")
    found = [(each.origin.path, each.origin.commit) for each in audit(repository.path, NEEDLE)]
    assert found == [(f"d1/{name}", first), (f"d2/{name}", second)]


def test_a_range_that_no_ref_leads_to_makes_no_claim(repository: Repository) -> None:
    bad = repository.commit("bad", {"conf": NEEDLE})
    repository.git("reset", "-q", "--hard", "HEAD~1")
    (finding,) = audit(repository.path, NEEDLE, range=f"HEAD..{bad}")
    assert (finding.origin.commit, finding.origin.in_tip, finding.origin.reachable) == (bad, None, None)


def test_names_of_all_versions_of_a_directory_are_met(repository: Repository) -> None:
    rng = random.Random(5)
    expected = set()
    for number in range(12):
        name = f"{rng.randrange(10**9):09d}-a-file-with-a-long-name-{number}"
        expected.add(name)
        files: dict[str, str | bytes | None] = {f"d{number % 3}/{name}": f"{number}"}
        if number > 3:
            gone = next(iter((repository.path / f"d{number % 3}").iterdir()))
            files[f"d{number % 3}/{gone.name}"] = None
        repository.commit("x", files)
    for _ in range(2):
        reading = read_target(repository.path)
        assert {blob.origin.path for blob in reading.at(Place.FILE_NAME) if blob.origin.blob} == expected
        repository.git("gc", "-q")


def _tree(entries: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"100644 %s\0%s" % entry for entry in entries)


def test_no_new_name_is_passed_over() -> None:
    rng = random.Random(6)
    entries = [
        (b"n%04d" % number + b"x" * rng.choice([1, 10, 30, 250, 900]), rng.randbytes(20)) for number in range(80)
    ]
    for _ in range(300):
        changed = list(entries)
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(changed))
            match rng.randrange(3):
                case 0:
                    changed[at] = (changed[at][0], rng.randbytes(20))
                case 1:
                    del changed[at]
                case _:
                    changed.insert(at, (b"m%06d" % rng.randrange(10**6) + b"y" * rng.choice([14, 200, 700]), bytes(20)))
        before, after = _tree(entries), _tree(changed)
        new = {name for name, _ in changed if len(name) >= 20} - {name for name, _ in entries}
        assert new <= set(names.found_in(names.fresh(before, after)))
        entries = changed


def test_a_tree_too_deep_in_names_is_read_whole() -> None:
    long = b"z" * 5000
    before, after = _tree([(long + b"1", bytes(20))]), _tree([(long + b"2", bytes(20))])
    assert names.found_in(names.fresh(before, after)) == [long + b"2"]


@pytest.mark.parametrize("name", ["packed-refs", "config", "refs/heads/x", "objects/pack/x.pack", "MERGE_HEAD"])
def test_where_git_would_wait_for_ever_it_is_not_started(repository: Repository, name: str) -> None:
    repository.write("file", NEEDLE)
    path = repository.git_dir / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(SourceError, match="would be read without end"):
        read_target(repository.path)
    reading = read_target(repository.path.parent)
    assert reading.holds(NEEDLE)
    assert any("would be read without end" in each.reason for each in reading.skipped)


def test_what_the_configuration_includes_cannot_stop_the_scan(repository: Repository, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    repository.git("config", "include.path", str(tmp_path / "fifo"))
    found = repository_at(str(repository.path))
    assert found is not None
    with pytest.raises(SourceError, match="did not answer"):
        require_sound(found, patience=0.2)
