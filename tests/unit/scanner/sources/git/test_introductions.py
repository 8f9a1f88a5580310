"""What a range reports is new there: a secret that was in the file before is not this range's doing."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.model import Finding
from scanner.pipeline import Scanner, scan
from scanner.sources.target import TargetOptions, open_target
from tests.support.repositories import Repository
from tests.support.tokens import github_token

OLD = github_token(random.Random(1))
NEW = github_token(random.Random(2))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "r")
    made.commit("first", {"conf": f"# one\nold = '{OLD}'\n" + "".join(f"# line {n}\n" for n in range(20))})
    return made


def _found(repository: Repository, shipped: Scanner, **options: object) -> list[tuple[str, str, str | None]]:
    target = open_target(str(repository.path), TargetOptions(**options), look=shipped.scan)  # type: ignore[arg-type]
    findings = [event for event in scan(target.units(), shipped) if isinstance(event, Finding)]
    return list(_told(target.finish(findings)))


def _told(findings: list[Finding]) -> Iterator[tuple[str, str, str | None]]:
    for each in findings:
        yield each.origin.path, "old" if each.secret.reveal() == OLD.encode() else "new", each.origin.commit


def _edit(repository: Repository, name: str, text: str) -> str:
    path = repository.path / name
    return repository.commit("edit", {name: path.read_text() + text})


def test_an_old_secret_in_a_file_that_was_changed_is_not_new(repository: Repository, shipped: Scanner) -> None:
    _edit(repository, "conf", "# more\n")
    assert _found(repository, shipped, since="HEAD~1") == []
    assert _found(repository, shipped, range="HEAD~1..HEAD") == []
    assert [told[1] for told in _found(repository, shipped, ref="HEAD")] == ["old"]


def test_a_new_secret_beside_an_old_one_is_the_one_reported(repository: Repository, shipped: Scanner) -> None:
    commit = _edit(repository, "conf", f"new = '{NEW}'\n")
    _edit(repository, "conf", "# more\n")
    assert _found(repository, shipped, since="HEAD~2") == [("conf", "new", commit)]
    assert _found(repository, shipped, since="HEAD~1") == []


def test_the_same_secret_in_another_file_is_new(repository: Repository, shipped: Scanner) -> None:
    commit = repository.commit("copied", {"other": f"here too: {OLD}\n"})
    assert _found(repository, shipped, since="HEAD~1") == [("other", "old", commit)]


def test_a_file_that_moved_brings_nothing_new(repository: Repository, shipped: Scanner) -> None:
    repository.git("mv", "conf", "moved")
    repository.commit_staged("moved")
    _edit(repository, "moved", "# more\n")
    assert _found(repository, shipped, since="HEAD~2") == []


def test_what_was_taken_out_and_comes_back_is_new(repository: Repository, shipped: Scanner) -> None:
    before = (repository.path / "conf").read_text()
    repository.commit("out", {"conf": "# nothing\n"})
    commit = repository.commit("in", {"conf": "# again\n" + before})
    assert _found(repository, shipped, since="HEAD~2") == [("conf", "old", commit)]


def test_only_what_a_merge_itself_brings_is_new(repository: Repository, shipped: Scanner) -> None:
    repository.git("checkout", "-q", "-b", "side")
    _edit(repository, "conf", "# side\n")
    repository.git("checkout", "-q", "main")
    repository.commit("main", {"conf": "# main\n" + (repository.path / "conf").read_text()})
    repository.git("merge", "-q", "--no-commit", "side")
    repository.write("evil", f"new = '{NEW}'\n")
    repository.git("add", "evil")
    merge = repository.commit_staged("merge")
    assert _found(repository, shipped, since="HEAD^1") == [("evil", "new", merge)]


def test_archives_are_compared_by_what_is_in_them(repository: Repository, shipped: Scanner) -> None:
    def packed(**members: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in members.items():
                archive.writestr(name, text)
        return out.getvalue()

    repository.commit("archive", {"a.zip": packed(a=f"old = '{OLD}'\n")})
    commit = repository.commit("changed", {"a.zip": packed(a=f"old = '{OLD}'\n", b=f"new = '{NEW}'\n")})
    assert _found(repository, shipped, since="HEAD~1") == [("a.zip", "new", commit)]


def test_a_secret_in_a_name_is_new_once(repository: Repository, shipped: Scanner) -> None:
    commit = repository.commit("named", {f"dir/{NEW}": "x\n"})
    repository.commit("beside", {"dir/other": "y\n"})
    repository.commit("edited", {f"dir/{NEW}": "z\n"})
    assert _found(repository, shipped, since="HEAD~3") == [(f"dir/{NEW}", "new", commit)]
    assert _found(repository, shipped, since="HEAD~2") == []


def test_what_was_before_a_shallow_clone_counts_as_new(
    repository: Repository, shipped: Scanner, tmp_path: Path
) -> None:
    _edit(repository, "conf", "# more\n")
    commit = _edit(repository, "conf", "# and more\n")
    repository.git("clone", "-q", "--depth=1", f"file://{repository.path}", str(tmp_path / "shallow"))
    assert _found(Repository(tmp_path / "shallow"), shipped, ref="HEAD") == [("conf", "old", commit)]
