"""Parts of history: since a revision, a range, one ref, all refs, none of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.model import Place
from tests.support.reading import read_target
from tests.support.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "r")
    made.commit("first", {"a": "one"})
    made.commit("second", {"a": "two"})
    made.git("checkout", "-q", "-b", "side")
    made.commit("side", {"b": "beside"})
    made.git("checkout", "-q", "main")
    made.commit("third", {"a": "three"})
    made.blob(b"nothing leads here")
    return made


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"since": "HEAD~1"}, [b"three"]),
        ({"since": "side"}, [b"three"]),
        ({"range": "HEAD~2..HEAD"}, [b"three", b"two"]),
        ({"range": "HEAD~1.."}, [b"three"]),
        ({"range": "..side"}, [b"beside"]),
        ({"range": "main...side"}, [b"beside"]),
        ({"ref": "side"}, [b"beside", b"one", b"two"]),
        ({"all_refs": True}, [b"beside", b"one", b"three", b"two"]),
        ({}, [b"beside", b"nothing leads here", b"one", b"three", b"two"]),
        ({"history": False}, []),
    ],
)
def test_which_blobs_are_read(repository: Repository, options: dict[str, object], expected: list[bytes]) -> None:
    reading = read_target(repository.path, **options)
    assert reading.contents(Place.BLOB) == expected
    assert not reading.skipped


def test_only_messages_of_the_range_are_read(repository: Repository) -> None:
    reading = read_target(repository.path, since="HEAD~1")
    assert [blob.data for blob in reading.at(Place.COMMIT_MESSAGE) if b"@" not in blob.data] == [b"third\n"]
    assert not reading.at(Place.FILE, Place.CONFIG)


@pytest.mark.parametrize(
    "options",
    [{"since": "no-such\x1b"}, {"ref": "no-such\x1b"}, {"range": "no-such\x1b..HEAD"}, {"range": "HEAD..no-such\x1b"}],
)
def test_an_unknown_revision_is_named(repository: Repository, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"no commit called 'no-such\\x1b'"):
        read_target(repository.path, **options)


@pytest.mark.parametrize("revision", ["--all", "--output=/tmp/x", "-n1"])
def test_a_revision_cannot_be_an_option(repository: Repository, revision: str) -> None:
    with pytest.raises(UsageError, match="no commit called"):
        read_target(repository.path, since=revision)


def test_a_range_without_dots_is_refused(repository: Repository) -> None:
    with pytest.raises(UsageError, match=r"give it as A\.\.B"):
        read_target(repository.path, range="HEAD")


def test_options_find_the_repository_from_a_directory_inside(repository: Repository) -> None:
    repository.commit("deep", {"sub/deep/file": "deep"})
    assert read_target(repository.path / "sub" / "deep", since="HEAD~1").contents(Place.BLOB) == [b"deep"]
    assert read_target(repository.path / "sub" / "deep").contents() == [b"deep"]


def test_without_history_the_index_is_read_where_it_differs(repository: Repository) -> None:
    repository.write("a", "staged")
    repository.git("add", "a")
    repository.write("a", "changed again")
    reading = read_target(repository.path, history=False)
    assert reading.contents(Place.INDEX) == [b"staged"]
    assert reading.contents(Place.FILE) == [b"changed again"]
    assert reading.contents(Place.BLOB) == []
