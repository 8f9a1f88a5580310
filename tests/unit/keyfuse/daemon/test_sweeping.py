"""What is listed as changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from keyfuse.daemon.ground import Ground
from keyfuse.daemon.sweeping import NEVER, SLACK, Met, changed
from keyfuse.daemon.tips import MOST, in_parts, news, tips
from scanner.model import Skipped
from scanner.sources.files import FileBatch
from tests.support.repositories import Repository


def listed(root: Path, since: float) -> tuple[set[str], list[str]]:
    files: set[str] = set()
    met = []
    for each in changed(Ground(str(root), str(root)), since):
        match each:
            case FileBatch():
                files.update(str(Path(each.frame.root, path)) for path in (*each.files, *each.links))
            case Met():
                met.append(each.shown)
            case Skipped():
                raise AssertionError(each.reason)
    return {os.path.relpath(path, root) for path in files}, met


def later(path: Path) -> float:
    """A moment after which nothing below this path has changed, for file systems with coarse times."""
    return max(path.stat().st_ctime, time.time()) + SLACK + 1


def test_everything_has_changed_since_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "a").write_text("x")
    (tmp_path / "d" / "e" / "b").write_text("x")
    (tmp_path / "link").symlink_to("a")
    assert listed(tmp_path, 0) == ({"a", "d/e/b", "link"}, [])


def test_nothing_has_changed_since_a_later_moment(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert listed(tmp_path, later(tmp_path / "a")) == (set(), [])


def test_a_writer_cannot_hide_a_change_by_setting_the_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.utime(tmp_path / "a", (1, 1))
    files, _ = listed(tmp_path, time.time() - 1)
    assert files == {"a"}


def test_repositories_are_met_and_their_files_are_theirs(tmp_path: Path) -> None:
    tree = Repository.new(tmp_path / "tree")
    (tree.path / "a").write_text("x")
    Repository.new(tmp_path / "bare", bare=True)
    files, met = listed(tmp_path, 0)
    assert files == {"tree/a"}, "what lies in .git or in a bare repository is read through git"
    assert sorted(met) == [str(tmp_path / "bare"), str(tmp_path / "tree")]
    assert listed(tmp_path, NEVER) == (set(), met)


def test_a_root_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    [skipped] = changed(Ground(str(tmp_path / "none"), "none"), 0)
    assert isinstance(skipped, Skipped)


def test_new_commits_are_those_that_lead_from_the_new_tips(tmp_path: Path) -> None:
    tree = Repository.new(tmp_path / "tree")
    git_dir = str(tree.path / ".git")
    assert tips(git_dir) == frozenset()
    tree.git("commit", "--allow-empty", "-qm", "one")
    one = tips(git_dir)
    tree.git("checkout", "-qb", "side")
    tree.git("commit", "--allow-empty", "-qm", "two")
    two = tips(git_dir)
    assert len(one) == 1
    assert len(two) == 2
    fresh = news(two, one)
    assert tree.git("rev-list", *fresh).split() == list(two - one)
    assert news(one, two) == ()
    assert tree.git("rev-list", *news(two, ["0" * 40])).split(), "a commit that is gone is no hindrance"


def test_very_many_refs_are_asked_about_in_parts() -> None:
    parts = in_parts(news([f"{n:040x}" for n in range(MOST + 5)], ["f" * 40]))
    fresh = [each for part in parts for each in part if each[0] not in "^-"]
    assert len(parts) == 2
    assert sorted(fresh) == sorted(f"{n:040x}" for n in range(MOST + 5))
    assert all("^" + "f" * 40 in part and "--ignore-missing" in part for part in parts)
    assert in_parts(()) == []
