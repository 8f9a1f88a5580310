"""Files and directories as they lie on disk: what is read, what is not, and what is said about it."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.errors import SourceError, UsageError
from scanner.model import Blob, Place
from scanner.sources.files import UNIT_WEIGHT, WHOLE_LIMIT, FileBatch, Frame, walk
from scanner.sources.target import TargetOptions, open_target
from tests.support.reading import read_target, read_units


def test_every_file_of_a_tree_is_read(tmp_path: Path) -> None:
    for name in ("a.txt", ".env", "node_modules/x/package-lock.json", ".hidden/deep/b", "vendor/c.min.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"content of {name}")
    reading = read_target(tmp_path)
    assert reading.contents(Place.FILE) == sorted(
        f"content of {name}".encode()
        for name in ("a.txt", ".env", "node_modules/x/package-lock.json", ".hidden/deep/b", "vendor/c.min.js")
    )
    assert str(tmp_path / ".hidden/deep/b") in reading.paths(Place.FILE)
    assert not reading.skipped


def test_a_directory_named_by_a_dot_gives_paths_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert read_target(".").paths(Place.FILE) == ["sub/file"]
    assert read_target("sub").paths(Place.FILE) == ["sub/file"]
    assert read_target("sub/file").paths(Place.FILE) == ["sub/file"]


def test_names_that_are_not_utf8_are_read_and_shown_escaped(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9-\x1b[31m.txt"
    with open(name, "wb") as file:
        file.write(b"inside")
    reading = read_target(tmp_path)
    (blob,) = reading.at(Place.FILE)
    assert blob.data == b"inside"
    assert os.fsencode(blob.origin.path) == name
    assert str(blob.origin).endswith(r"/caf\xe9-\x1b[31m.txt")


def test_long_names_are_content_of_their_own(tmp_path: Path) -> None:
    (tmp_path / ("d" * 20)).mkdir()
    (tmp_path / ("d" * 20) / "short").write_text("")
    (tmp_path / ("f" * 25)).write_text("")
    reading = read_target(tmp_path)
    assert reading.contents(Place.FILE_NAME) == [b"d" * 20, b"f" * 25]
    assert reading.paths(Place.FILE_NAME) == [str(tmp_path / ("d" * 20)), str(tmp_path / ("f" * 25))]


def test_links_are_not_followed_but_their_text_is_content(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("not part of the tree")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    (tree / "loop").symlink_to(tree)
    (tree / "broken").symlink_to("https://user@somewhere.example/gone")
    reading = read_target(tree)
    assert not reading.holds(b"not part of the tree")
    assert b"https://user@somewhere.example/gone" in reading.contents(Place.FILE)
    assert not reading.skipped


def test_a_link_that_is_named_explicitly_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("through the link")
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "inner").write_text("through the other")
    (tmp_path / "to-file").symlink_to("file")
    (tmp_path / "to-directory").symlink_to("directory")
    assert read_target(tmp_path / "to-file").contents(Place.FILE) == [b"through the link"]
    assert read_target(tmp_path / "to-directory").contents(Place.FILE) == [b"through the other"]


def test_a_missing_target_is_named(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(SourceError, match=r"missing\\x1b does not exist"):
        open_target(str(tmp_path / "missing\x1b"))
    with pytest.raises(SourceError, match="dangling is a link to something that does not exist"):
        open_target(str(tmp_path / "dangling"))
    with pytest.raises(SourceError, match="not a path"):
        open_target("nul\0byte")


def test_special_files_in_a_tree_do_not_stop_the_walk(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        (tmp_path / "file").write_text("still read")
        reading = read_target(tmp_path)
    assert reading.contents(Place.FILE) == [b"still read"]
    assert not reading.skipped


@pytest.mark.parametrize(("kind", "words"), [("fifo", "a FIFO"), ("socket", "a socket"), ("device", "a device")])
def test_special_files_named_explicitly_are_skipped_with_a_reason(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / kind
    with socket.socket(socket.AF_UNIX) as listener:
        match kind:
            case "fifo":
                os.mkfifo(path)
            case "socket":
                listener.bind(str(path))
            case _:
                path = Path(os.devnull)
        reading = read_target(path)
    assert not reading.blobs
    (skipped,) = reading.skipped
    assert skipped.origin == str(path)
    assert words in skipped.reason


def test_a_file_that_became_a_fifo_or_a_link_after_the_walk_is_not_opened_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside of the walk")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("secret")
    batch = FileBatch(Frame(str(tmp_path)), ("fifo", "link", "gone"), (), (), 1)
    reading = read_units([batch])
    assert not reading.blobs
    assert len(reading.skipped) == 3
    assert "a FIFO" in reading.skipped[0].reason


@pytest.fixture
def mortal() -> Iterator[Path]:
    """A directory of somebody for whom permissions count, also where the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        root = os.geteuid() == 0
        if root:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)


def test_what_may_not_be_read_is_skipped_by_name(mortal: Path) -> None:
    (mortal / "closed").mkdir(parents=True)
    (mortal / "closed" / "inner").write_text("x")
    (mortal / "file").write_text("x")
    (mortal / "open").write_text("read")
    (mortal / "file").chmod(0)
    (mortal / "closed").chmod(0)
    try:
        reading = read_target(mortal)
    finally:
        (mortal / "closed").chmod(0o700)
    assert reading.contents() == [b"read"]
    assert {skipped.origin for skipped in reading.skipped} == {str(mortal / "closed"), str(mortal / "file")}
    assert all("Permission denied" in skipped.reason for skipped in reading.skipped)


def test_pseudo_files_that_say_they_are_empty_are_read() -> None:
    (blob,) = read_target("/proc/self/status").at(Place.FILE)
    assert b"Pid:" in blob.data


def test_a_file_that_cannot_be_read_is_skipped() -> None:
    reading = read_target("/proc/self/mem")
    assert not reading.blobs
    assert "cannot be read" in reading.skipped[0].reason


def test_a_large_sparse_file_is_read_without_its_holes(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"first line\nsecond line\n")
        file.seek(1 << 30)
        file.write(b"in the middle\nnext\n")
        file.seek((2 << 30) - 4)
        file.write(b"\nend")
    (unit,) = open_target(str(path)).units()
    assert isinstance(unit, FileBatch)
    streams = 0
    blobs = []
    for blob in unit.blobs():
        assert isinstance(blob, Blob)
        streams += blob.stream is not None
        blobs.append(blob)
    if sum(len(blob.data) for blob in blobs) > 1 << 30:
        pytest.skip("this file system keeps no holes")
    assert streams == 1
    assert blobs[0].stream is not None
    assert blobs[0].stream.closed
    text = next(blob for blob in blobs if b"in the middle" in blob.data)
    at = text.data.index(b"in the middle")
    assert text.offset + at == 1 << 30
    assert text.first_line + text.data.count(b"\n", 0, at) == 3
    assert blobs[-1].data.endswith(b"\nend")


def test_a_large_file_comes_in_windows_that_overlap(tmp_path: Path) -> None:
    path = tmp_path / "large"
    line = b"0123456789abcdef" * 64 + b"\n"
    content = line * (WHOLE_LIMIT // len(line) + 5000)
    path.write_bytes(content)
    blobs = read_target(path).at(Place.FILE)
    assert len(blobs) > 2
    assert b"".join(_fresh(blobs)) == content
    for blob in blobs:
        assert blob.first_line == content.count(b"\n", 0, blob.offset) + 1
    for before, after in itertools.pairwise(blobs):
        assert before.offset + len(before.data) - after.offset == 64 << 10


def _fresh(blobs: list[Blob]) -> list[bytes]:
    done = 0
    fresh = []
    for blob in blobs:
        fresh.append(blob.data[done - blob.offset :])
        done = blob.offset + len(blob.data)
    return fresh


def test_units_are_cut_by_weight(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}").write_bytes(bytes(200_000))
    units = [unit for unit in walk(Frame(str(tmp_path))) if isinstance(unit, FileBatch)]
    assert len(units) > 3
    assert all(unit.weight < 2 * UNIT_WEIGHT for unit in units)
    assert [path for unit in units for path in unit.files] == [f"{number:02}" for number in range(40)]


def test_a_tree_deeper_than_paths_can_be_is_walked_as_far_as_it_goes(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    name = "d" * 250
    for _ in range(20):
        os.mkdir(name, dir_fd=here)
        here, above = os.open(name, os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    (tmp_path / "z").write_text("beside")
    try:
        reading = read_target(tmp_path)
    finally:
        subprocess.run(["rm", "-rf", name], cwd=tmp_path, check=True)
    assert reading.contents(Place.FILE) == [b"beside"]
    assert any("File name too long" in skipped.reason for skipped in reading.skipped)


def test_options_for_repositories_are_refused_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--since is for repositories"):
        open_target(str(tmp_path), TargetOptions(since="HEAD"))
    with pytest.raises(UsageError, match="--staged is for repositories"):
        open_target("-", TargetOptions(staged=True))
    with pytest.raises(UsageError, match="--staged and --no-history exclude each other"):
        open_target(str(tmp_path), TargetOptions(staged=True, history=False))
