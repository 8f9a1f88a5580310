"""What a path below a watched root stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyfuse.daemon.ground import File, Ground, Moved, is_noise
from tests.support.repositories import Repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with a plain file, a work tree and a bare repository in it."""
    (tmp_path / "plain").mkdir()
    Repository.new(tmp_path / "work" / "tree")
    Repository.new(tmp_path / "bare", bare=True)
    return tmp_path


def test_a_plain_file_is_shown_below_its_root(root: Path) -> None:
    ground = Ground(str(root), "/shown")
    what = ground.what(str(root / "plain" / "a.txt"))
    assert isinstance(what, File)
    assert (what.frame.root, what.frame.label, what.frame.repository, what.path) == (
        str(root),
        "/shown",
        None,
        "plain/a.txt",
    )


def test_a_file_of_a_work_tree_is_shown_as_its_repositorys(root: Path) -> None:
    what = Ground(str(root), "/shown").what(str(root / "work" / "tree" / "src" / "a.txt"))
    assert isinstance(what, File)
    assert (what.frame.root, what.frame.repository, what.path) == (
        str(root / "work" / "tree"),
        "/shown/work/tree",
        "src/a.txt",
    )


def test_the_root_may_be_a_repository_itself(root: Path) -> None:
    tree = root / "work" / "tree"
    what = Ground(str(tree), str(tree)).what(str(tree / "a.txt"))
    assert isinstance(what, File)
    assert (what.frame.repository, what.path) == (str(tree), "a.txt")


@pytest.mark.parametrize(
    "path", ["work/tree/.git/refs/heads/main", "work/tree/.git/HEAD", "work/tree/.git/packed-refs"]
)
def test_refs_that_move_are_a_sign(root: Path, path: str) -> None:
    what = Ground(str(root), "/shown").what(str(root / path))
    assert isinstance(what, Moved)
    assert (what.repository.git_dir, what.shown) == (str(root / "work" / "tree" / ".git"), "/shown/work/tree")


@pytest.mark.parametrize("path", ["bare/refs/heads/main", "bare/packed-refs", "bare/HEAD"])
def test_refs_of_a_bare_repository_are_found_whatever_it_is_called(root: Path, path: str) -> None:
    what = Ground(str(root), "/shown").what(str(root / path))
    assert isinstance(what, Moved)
    assert what.repository.work_tree is None


@pytest.mark.parametrize(
    "path",
    [
        "work/tree/.git/index",
        "work/tree/.git/refs/heads/main.lock",
        "work/tree/.git/COMMIT_EDITMSG",
        "bare/config",
        "bare/hooks/update",
        "../elsewhere",
    ],
)
def test_the_rest_of_a_repository_is_nobodys(root: Path, path: str) -> None:
    assert Ground(str(root), "/shown").what(str(root / path)) is None


def test_a_single_file_is_a_root_too(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("x")
    what = Ground(str(tmp_path / "a.env"), str(tmp_path / "a.env")).what(str(tmp_path / "a.env"))
    assert isinstance(what, File)
    assert what.frame.origin(what.path).path == str(tmp_path / "a.env")


@pytest.mark.parametrize(
    ("path", "noise"),
    [
        ("/r/.git/objects/ab/cdef", True),
        ("/r/objects/pack/tmp_pack_1", True),
        ("/r/objects/incoming-Xy/ab", True),
        ("/r/objects/tmp_objdir-incoming-Xy/ab", True),
        ("/r/src/objects/model.py", False),
        ("/r/refs/heads/main", False),
    ],
)
def test_what_git_writes_by_the_thousand_is_noise(path: str, noise: bool) -> None:
    assert is_noise(path) is noise
