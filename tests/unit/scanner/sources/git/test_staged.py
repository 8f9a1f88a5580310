"""What the next commit adds, as the pre-commit hook sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.errors import SourceError
from scanner.model import Blob
from scanner.sources.git.staged import StagedChanges, read, staged
from tests.support.reading import audit, read_target
from tests.support.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.new(tmp_path / "r")


def _lines(changes: StagedChanges) -> dict[str, tuple[tuple[int, int], ...] | None]:
    return {file.path: file.added for file in changes.files}


def _contents(changes: StagedChanges) -> list[bytes]:
    return [blob.data for blob in read(changes) if isinstance(blob, Blob)]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_before_the_first_commit_everything_is_new(tmp_path: Path, object_format: str) -> None:
    repository = Repository.new(tmp_path / "r", object_format=object_format)
    assert staged(str(repository.path)).files == ()
    repository.write("a", "one\n")
    repository.write("dir/b", "two\n")
    repository.git("add", "--all")
    repository.write("a", "not staged\n")
    changes = staged(str(repository.path))
    assert _lines(changes) == {"a": None, "dir/b": None}
    assert _contents(changes) == [b"one\n", b"two\n"]


def test_added_lines_of_changed_files(repository: Repository) -> None:
    repository.commit("first", {"a": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "gone": "x", "same": "y"})
    repository.write("a", "1\nnew\n3\n4\nmore\nand more\n5\n6\n8\n@@ -1 +1 @@\n")
    (repository.path / "gone").unlink()
    repository.git("add", "--all")
    repository.write("b", "untracked")
    changes = staged(str(repository.path))
    assert _lines(changes) == {"a": ((2, 2), (5, 6), (10, 10))}
    (file,) = changes.files
    assert [line for line in range(1, 11) if file.adds(line, line)] == [2, 5, 6, 10]
    assert file.adds(3, 5)
    assert not file.adds(7, 9)


def test_lines_that_were_only_taken_away_are_nothing_new(repository: Repository) -> None:
    repository.commit("first", {"a": "1\n2\n"})
    repository.commit("and", {"b": "1\n2\n"})
    repository.write("a", "1\n")
    repository.git("add", "--all")
    assert staged(str(repository.path)).files == ()


def test_renames_and_modes_bring_no_lines(repository: Repository) -> None:
    body = "".join(f"line {number}\n" for number in range(50))
    repository.commit("first", {"old": body, "script": "x\n", "other": body.upper()})
    (repository.path / "old").rename(repository.path / "new")
    (repository.path / "script").chmod(0o755)
    (repository.path / "other").rename(repository.path / "another")
    repository.write("another", body.upper() + "fresh\n")
    repository.git("add", "--all")
    assert _lines(staged(str(repository.path))) == {"another": ((51, 51),)}


def test_odd_names_links_and_submodules(repository: Repository, tmp_path: Path) -> None:
    library = Repository.new(tmp_path / "library")
    library.commit("x", {"x": "x"})
    repository.commit("first", {"plain": "x"})
    for name in (b"with space", b"new\nline", b"caf\xe9", b'quo"te', b"tab\t"):
        repository.write(name, b"in " + name)
    (repository.path / "link").symlink_to("somewhere")
    repository.git("submodule", "--quiet", "add", str(library.path), "sub")
    repository.git("add", "--all")
    changes = staged(str(repository.path))
    assert {os.fsencode(file.path) for file in changes.files} == {
        b"with space",
        b"new\nline",
        b"caf\xe9",
        b'quo"te',
        b"tab\t",
        b"link",
        b".gitmodules",
    }
    assert b"somewhere" in _contents(changes)


def test_a_file_that_became_a_link_is_new_as_a_whole(repository: Repository) -> None:
    repository.commit("first", {"a": "one\n", "b": "1\n2\n"})
    (repository.path / "a").unlink()
    (repository.path / "a").symlink_to("elsewhere")
    repository.write("b", "1\n2\n3\n")
    repository.git("add", "--all")
    assert _lines(staged(str(repository.path))) == {"a": None, "b": ((3, 3),)}


def test_attributes_cannot_call_a_text_binary(repository: Repository) -> None:
    repository.commit("first", {"a": "one\n", ".gitattributes": "* -diff binary\n"})
    (repository.git_dir / "info").mkdir(exist_ok=True)
    (repository.git_dir / "info" / "attributes").write_text("* -diff binary\n")
    repository.write("a", "one\ntwo\n")
    repository.git("add", "--all")
    assert _lines(staged(str(repository.path))) == {"a": ((2, 2),)}


def test_a_configuration_for_people_does_not_change_the_answer(repository: Repository) -> None:
    repository.commit("first", {"a": "1\n2\n3\n4\n5\n6\n7\n"})
    for name, value in {
        "diff.interHunkContext": "100",
        "diff.context": "9",
        "diff.noprefix": "true",
        "diff.renames": "copies",
        "diff.relative": "true",
        "diff.orderFile": "/dev/null",
        "color.ui": "always",
        "color.diff": "always",
        "core.abbrev": "7",
        "diff.submodule": "log",
        "diff.algorithm": "histogram",
    }.items():
        repository.git("config", name, value)
    repository.write("a", "1\nx\n3\n4\n5\n6\ny\n")
    repository.git("add", "--all")
    assert _lines(staged(str(repository.path))) == {"a": ((2, 2), (7, 7))}


def test_during_a_merge_and_in_a_linked_work_tree(repository: Repository, tmp_path: Path) -> None:
    repository.commit("first", {"a": "1\n2\n3\n"})
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = Repository(tmp_path / "linked")
    linked.commit("side", {"a": "1\nside\n3\n", "s": "side\n"})
    repository.commit("main", {"a": "1\nmain\n3\n"})
    linked.git("merge", "-q", "main", check=False)
    linked.write("a", "1\nboth\n3\n")
    assert staged(str(linked.path)).files == ()
    linked.git("add", "a")
    assert _lines(staged(str(linked.path))) == {"a": ((2, 2),)}
    assert staged(str(repository.path)).files == ()


def test_the_index_of_a_hook_is_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit("first", {"a": "1\n"})
    repository.write("a", "2\n")
    repository.git("add", "a")
    index = repository.git_dir / "index"
    index.rename(repository.git_dir / "other")
    repository.git("reset", "-q")
    monkeypatch.chdir(repository.path)
    assert staged().files == ()
    assert _contents(staged(index=".git/other")) == [b"2\n"]


def test_from_below_the_top_and_outside(repository: Repository, tmp_path: Path) -> None:
    repository.write("sub/a", "x")
    repository.git("add", "--all")
    assert _lines(staged(str(repository.path / "sub"))) == {"sub/a": None}
    with pytest.raises(SourceError, match="no git repository at or above"):
        staged(str(tmp_path))


def test_a_blob_that_is_gone_is_skipped(repository: Repository) -> None:
    repository.write("a", "gone")
    repository.write("b", "here")
    repository.git("add", "--all")
    changes = staged(str(repository.path))
    id = changes.files[0].blob
    (repository.git_dir / "objects" / id[:2] / id[2:]).unlink()
    assert _contents(changes) == [b"here"]
    assert len(list(read(changes))) == 2


def test_only_findings_in_new_lines_stay(repository: Repository) -> None:
    repository.commit("first", {"a": "a key here\nx\n"})
    repository.write("a", "a key here\nx\nand a key here\n")
    repository.write("b", "a key here\n")
    repository.git("add", "--all")
    findings = audit(repository.path, b"a key", staged=True)
    assert [(each.origin.path, each.span.start_line, each.origin.place.value) for each in findings] == [
        ("a", 3, "index"),
        ("b", 1, "index"),
    ]
    assert read_target(repository.path, staged=True).contents() == [
        b"a key here\n",
        b"a key here\nx\nand a key here\n",
    ]


def test_the_hook_loads_nothing_heavy() -> None:
    program = "import sys, scanner.sources.git.staged; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert not loaded & {"pathlib", "tempfile", "datetime", "git", "click", "hyperscan", "regex", "multiprocessing"}
