"""Whole repositories: what is read of them, in all their forms and states of damage."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scanner.errors import SourceError
from scanner.model import Place
from scanner.sources.git import reading as git_reading
from scanner.sources.target import open_target
from tests.support.reading import audit, findings_of, read_target
from tests.support.repositories import ENVIRONMENT, Repository

FORMATS = ["sha1", "sha256"]

LOGIN = "me:" + "word"


@pytest.mark.parametrize("object_format", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_version_of_every_file_is_read(tmp_path: Path, object_format: str, packed: bool) -> None:
    repository = Repository.new(tmp_path / "r", object_format=object_format)
    repository.commit("first", {"a": "one\n", "dir/b": "two\n"})
    repository.commit("second", {"a": "three\n", "dir/b": None})
    repository.commit("third", {"a": "four\n"})
    if packed:
        repository.git("gc", "-q")
    reading = read_target(repository.path)
    assert reading.contents(Place.BLOB) == [b"four\n", b"one\n", b"three\n", b"two\n"]
    assert reading.contents(Place.FILE) == [b"four\n"]
    assert {blob.origin.blob for blob in reading.at(Place.BLOB)} == repository.objects("blob")
    assert {blob.origin.repository for blob in reading.blobs} == {str(repository.path)}
    assert not reading.skipped


def test_messages_and_identities_of_commits_and_tags_are_read(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    commit = repository.commit("a subject\n\nand a body", {"a": "x"})
    repository.commit("another", {"a": "y"})
    repository.git("tag", "-a", "-m", "what the tag says", "v1")
    reading = read_target(repository.path)
    messages = reading.at(Place.COMMIT_MESSAGE, Place.TAG_MESSAGE)
    (body,) = [blob for blob in messages if b"and a body" in blob.data]
    assert body.data == b"a subject\n\nand a body\n"
    assert body.origin.commit == commit
    assert body.origin.author == "Ada Writer <ada@example.org>"
    assert body.origin.date == "2023-11-15T01:13:20+02:00"
    assert sum(b"ada@example.org" in blob.data for blob in messages) == 1
    assert sum(b"carl@example.org" in blob.data for blob in messages) == 1
    assert not any(commit.encode() in blob.data for blob in messages)
    tags = reading.at(Place.TAG_MESSAGE)
    assert any(blob.data == b"what the tag says\n" for blob in tags)


def test_notes_stash_index_unreachable_refs_logs_and_config_are_read(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    repository.git("notes", "add", "-m", "text of a note")
    repository.write("a", "text in the stash")
    repository.git("stash", "-q")
    repository.write("b", "text in the index")
    repository.git("add", "b")
    repository.write("b", "text in the work tree")
    repository.blob(b"text that nothing leads to")
    repository.git("branch", "a-branch-with-quite-a-long-name")
    repository.git("update-ref", "--create-reflog", "-m", "reason for an update", "refs/heads/x", "HEAD")
    repository.git("remote", "add", "origin", f"https://{LOGIN}@host.example/x")
    reading = read_target(repository.path)
    blobs = b"\n".join(reading.contents(Place.BLOB))
    for text in (b"text of a note", b"text in the stash", b"text in the index", b"text that nothing leads to"):
        assert text in blobs
    assert b"text in the work tree" in reading.contents(Place.FILE)
    assert reading.contents(Place.REF_NAME) == [b"refs/heads/a-branch-with-quite-a-long-name"]
    assert any(b"reason for an update" in text for text in reading.contents(Place.REFLOG))
    assert any(f"https://{LOGIN}@host.example/x".encode() in text for text in reading.contents(Place.CONFIG))
    assert ".git/config" in reading.paths(Place.CONFIG)
    head = repository.git("rev-parse", "HEAD").encode()
    assert not any(head in text for text in reading.contents(Place.REFLOG))


def test_a_bare_repository_is_read(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one", "sub/b": "two"})
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    reading = read_target(tmp_path / "bare.git")
    assert reading.contents(Place.BLOB) == [b"one", b"two"]
    assert not reading.at(Place.FILE)
    assert "config" in reading.paths(Place.CONFIG)
    present = read_target(tmp_path / "bare.git", history=False)
    assert present.paths(Place.BLOB) == ["a", "sub/b"]


@pytest.mark.parametrize("object_format", FORMATS)
def test_a_repository_without_a_commit_is_read(tmp_path: Path, object_format: str) -> None:
    repository = Repository.new(tmp_path / "r", object_format=object_format)
    repository.write("a", "not committed")
    for options in ({}, {"history": False}, {"all_refs": True}):
        reading = read_target(repository.path, **options)
        assert reading.contents(Place.FILE) == [b"not committed"]
        assert not reading.skipped
    bare = Repository.new(tmp_path / "bare", bare=True)
    assert not read_target(bare.path, history=False).skipped


def test_linked_work_trees_share_one_history(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    (tmp_path / "linked" / "b").write_text("only here")
    repository.git("-C", str(tmp_path / "linked"), "add", "b")
    reading = read_target(tmp_path / "linked")
    assert reading.contents(Place.FILE) == [b"one", b"only here"]
    assert reading.contents(Place.BLOB) == [b"one", b"only here"]
    inner = tmp_path / "r" / "inner"
    repository.git("worktree", "add", "-q", "-b", "inner", str(inner))
    (inner / "c").write_text("in a work tree inside")
    reading = read_target(repository.path)
    assert b"in a work tree inside" in reading.contents(Place.FILE)
    assert reading.contents(Place.BLOB).count(b"one") == 1


def test_submodules_and_nested_repositories_are_read_once_each(tmp_path: Path) -> None:
    library = Repository.new(tmp_path / "library")
    library.commit("old", {"lib": "old version"})
    library.commit("new", {"lib": "new version"})
    outer = Repository.new(tmp_path / "all" / "outer")
    outer.commit("first", {"a": "outer"})
    outer.git("submodule", "--quiet", "add", str(library.path), "sub")
    outer.commit_staged("add the submodule")
    nested = Repository.new(tmp_path / "all" / "outer" / "nested")
    nested.commit("first", {"n": "gone"})
    nested.commit("second", {"n": "nested"})
    Repository.new(tmp_path / "all" / "store.git", bare=True).blob(b"in a bare one")
    (tmp_path / "all" / "plain").write_text("plain")
    reading = read_target(tmp_path / "all")
    blobs = reading.contents(Place.BLOB)
    for text in (b"old version", b"new version", b"outer", b"gone", b"nested", b"in a bare one"):
        assert blobs.count(text) == 1
    assert {b"plain", b"outer", b"nested", b"new version"} <= set(reading.contents(Place.FILE))
    assert reading.contents(Place.FILE).count(b"new version") == 1
    assert {blob.origin.repository for blob in reading.at(Place.BLOB)} == {
        str(tmp_path / "all" / name) for name in ("outer", "outer/sub", "outer/nested", "store.git")
    }


def test_a_submodule_that_is_not_checked_out_is_read_all_the_same(tmp_path: Path) -> None:
    library = Repository.new(tmp_path / "library")
    library.commit("old", {"lib": "old version"})
    outer = Repository.new(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", str(library.path), "sub")
    outer.commit_staged("add the submodule")
    outer.git("submodule", "deinit", "-q", "-f", "sub")
    shutil.rmtree(outer.path / "sub")
    assert b"old version" in read_target(outer.path).contents(Place.BLOB)


def test_a_shallow_clone_says_what_is_not_there(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    repository.commit("second", {"a": "two"})
    repository.git("clone", "-q", "--depth=1", f"file://{repository.path}", str(tmp_path / "shallow"))
    reading = read_target(tmp_path / "shallow")
    assert reading.contents(Place.BLOB) == [b"two"]
    (skipped,) = reading.skipped
    assert "shallow" in skipped.reason
    assert "--unshallow" in skipped.reason
    assert read_target(tmp_path / "shallow", ref="HEAD").skipped == [skipped]
    assert not read_target(tmp_path / "shallow", history=False).skipped


def test_a_partial_clone_is_never_completed_and_counts_what_is_missing(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one", "b": "gone"})
    repository.commit("second", {"a": "two", "b": None})
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repository.git("clone", "-q", "--filter=blob:none", f"file://{repository.path}", str(tmp_path / "partial"))
    partial = Repository(tmp_path / "partial")
    before = partial.objects("blob")
    reading = read_target(partial.path)
    assert reading.contents(Place.BLOB) == [b"two"]
    (skipped,) = reading.skipped
    assert skipped.reason.startswith("2 objects are not here: it is a partial clone")
    assert read_target(partial.path, ref="HEAD").contents(Place.BLOB) == [b"two"]
    assert partial.objects("blob") == before


def test_a_damaged_loose_object_is_skipped_and_the_rest_is_read(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one", "b": "two", "c": "three"})
    for name, damage in (("a", b""), ("b", b"x\x9cnonsense")):
        id = repository.git("rev-parse", f"HEAD:{name}")
        path = repository.git_dir / "objects" / id[:2] / id[2:]
        path.chmod(0o644)
        path.write_bytes(damage)
    reading = read_target(repository.path)
    assert reading.contents(Place.BLOB) == [b"three"]
    assert len(reading.skipped) >= 1


def test_a_missing_loose_object_is_told(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one", "b": "two"})
    id = repository.git("rev-parse", "HEAD:a")
    (repository.git_dir / "objects" / id[:2] / id[2:]).unlink()
    reading = read_target(repository.path)
    assert reading.contents(Place.BLOB) == [b"two"]
    (skipped,) = reading.skipped
    assert skipped.reason.startswith("1 object is not here")
    assert read_target(repository.path, ref="HEAD").skipped


def _packed(tmp_path: Path) -> tuple[Repository, list[bytes]]:
    repository = Repository.new(tmp_path / "r")
    contents = [os.urandom(3000).hex().encode() for _ in range(20)]
    for number, content in enumerate(contents):
        repository.commit(f"commit {number}", {"a": content})
    repository.git("gc", "-q")
    return repository, sorted(contents)


def test_damage_inside_a_pack_costs_only_what_is_damaged(tmp_path: Path) -> None:
    repository, contents = _packed(tmp_path)
    (pack,) = (repository.git_dir / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    with pack.open("r+b") as file:
        file.seek(pack.stat().st_size // 2)
        file.write(b"X" * 40)
    reading = read_target(repository.path)
    read = reading.contents(Place.BLOB)
    assert set(read) < set(contents)
    assert len(read) >= len(contents) - 2
    assert any("corrupt" in skipped.reason for skipped in reading.skipped)


@pytest.mark.parametrize("suffix", ["pack", "idx"])
def test_a_truncated_pack_is_told_and_loose_objects_are_read(tmp_path: Path, suffix: str) -> None:
    repository, contents = _packed(tmp_path)
    repository.blob(b"loose")
    (damaged,) = (repository.git_dir / "objects" / "pack").glob(f"*.{suffix}")
    damaged.chmod(0o644)
    os.truncate(damaged, damaged.stat().st_size // 2)
    reading = read_target(repository.path)
    assert b"loose" in reading.contents(Place.BLOB)
    assert contents[0] not in reading.contents(Place.BLOB) or suffix == "pack"
    assert any("could not" in skipped.reason for skipped in reading.skipped)
    assert all(len(skipped.reason) < 1000 for skipped in reading.skipped)
    assert len(reading.skipped) < 20


def test_a_broken_configuration_costs_the_history_only(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    (repository.git_dir / "config").write_text("[core\n")
    reading = read_target(repository.path)
    assert reading.contents(Place.FILE) == [b"one"]
    assert any("bad config line 1" in skipped.reason for skipped in reading.skipped)


def test_what_only_looks_like_a_repository_is_read_as_files(tmp_path: Path) -> None:
    (tmp_path / "one" / ".git").mkdir(parents=True)
    (tmp_path / "one" / ".git" / "junk").write_text("junk")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / ".git").write_text("gitdir: /nowhere/at/all\n")
    (tmp_path / "three" / ".git" / "objects").mkdir(parents=True)
    (tmp_path / "three" / "a").write_text("a")
    reading = read_target(tmp_path)
    assert b"junk" in reading.contents(Place.FILE)
    assert b"a" in reading.contents(Place.FILE)
    assert {skipped.origin for skipped in reading.skipped} == {
        str(tmp_path / "two" / ".git"),
        str(tmp_path / "three" / ".git"),
    }


def test_findings_survive_what_git_cannot_read(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "in history"})
    repository.commit("second", {"a": "in the work tree"})
    target = open_target(str(repository.path))
    reading = read_target(target)
    (repository.git_dir / "index").write_bytes(b"nonsense")
    (repository.git_dir / "refs" / "heads" / "main").write_text("nonsense\n")
    finished = target.finish(findings_of(reading, b"in history", b"in the work tree"))
    assert {(each.origin.place.value, each.secret.reveal()) for each in finished} >= {
        ("blob", b"in history"),
        ("file", b"in the work tree"),
    }
    (repository.git_dir / "config").write_text("[core\n")
    assert [each.origin.place.value for each in audit(repository.path, b"in the work tree")] == ["file"]


def test_without_git_files_around_a_repository_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.new(tmp_path / "all" / "r")
    repository.commit("first", {"a": "one"})
    (tmp_path / "all" / "plain").write_text("plain")
    monkeypatch.setenv("PATH", str(tmp_path))
    reading = read_target(tmp_path / "all")
    assert reading.contents(Place.FILE) == [b"one", b"plain"]
    (skipped,) = reading.skipped
    assert "git is not installed" in skipped.reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_is_read(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    subprocess.run(["chown", "-R", "65534:65534", str(repository.path)], check=True)
    plain = subprocess.run(["git", "status"], cwd=repository.path, env=ENVIRONMENT, capture_output=True, check=False)
    assert b"dubious ownership" in plain.stderr
    reading = read_target(repository.path)
    assert reading.contents(Place.BLOB) == [b"one"]
    assert not reading.skipped


def test_replaced_and_grafted_objects_are_read_as_they_are(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    first = repository.commit("first", {"a": "real"})
    real = repository.git("rev-parse", "HEAD:a")
    repository.git("replace", real, repository.blob(b"fake"))
    second = repository.commit("second", {"a": "later"})
    (repository.git_dir / "info" / "grafts").write_text(f"{second}\n")
    reading = read_target(repository.path, ref="HEAD")
    assert b"real" in reading.contents(Place.BLOB)
    assert {blob.origin.commit for blob in reading.at(Place.COMMIT_MESSAGE)} == {first, second}


def test_a_large_object_comes_in_windows_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_reading, "WHOLE_LIMIT", 1 << 20)
    repository = Repository.new(tmp_path / "r")
    content = b"".join(b"%08d\n" % number for number in range(200_000))
    repository.commit("large", {"a": content, "b": "after it"})
    blobs = read_target(repository.path, ref="HEAD").at(Place.BLOB)
    assert sorted(blob.data[:8] for blob in blobs) == [b"00000000", b"after it"]
    (large,) = [blob for blob in blobs if blob.data != b"after it"]
    assert large.data == content
    assert large.stream is not None
    assert large.stream.closed


def test_objects_that_are_known_are_left_out(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    known = frozenset(repository.objects("blob") | repository.objects("commit"))
    repository.commit("second", {"a": "two"})
    reading = read_target(repository.path, known=known)
    assert reading.contents(Place.BLOB) == [b"two"]
    assert len([blob for blob in reading.at(Place.COMMIT_MESSAGE) if b"first" in blob.data]) == 0


def test_without_git_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"git is not installed.*install git 2\.32 or newer"):
        read_target(repository.path)


def test_a_git_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.new(tmp_path / "r")
    repository.commit("first", {"a": "one"})
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.11.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    with pytest.raises(SourceError, match=r"git 2\.32 or newer is needed.*2\.11\.0"):
        read_target(open_target(str(repository.path)))
