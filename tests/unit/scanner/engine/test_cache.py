"""The cache trusts nothing that is not exactly what it wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scanner.engine.cache import Cache

SECTIONS = {"book": b"rules\n\nand more", "database": bytes(range(256)) * 40, "empty": b""}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(tmp_path / "cache")
    assert made.write("key", SECTIONS)
    return made


def test_gives_back_what_was_written(cache: Cache) -> None:
    assert cache.read("key") == SECTIONS


def test_keeps_strangers_out(cache: Cache, tmp_path: Path) -> None:
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "cache" / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["key"]


def test_knows_nothing_of_other_keys(cache: Cache) -> None:
    assert cache.read("other") is None


def test_refuses_every_damaged_byte(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "key"
    good = path.read_bytes()
    for at in [*range(0, 320, 7), len(good) // 2, len(good) - 1]:
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        read = cache.read("key")
        assert read is None or set(read) != set(SECTIONS)  # a name in the head may be hit; what it names is not found


@pytest.mark.parametrize("keep", [0, 1, 20, 300, 5000])
def test_refuses_a_file_cut_short(cache: Cache, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cache" / "key"
    path.write_bytes(path.read_bytes()[:keep])
    assert cache.read("key") is None


def test_refuses_a_longer_file(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "key"
    path.write_bytes(path.read_bytes() + b"x")
    assert cache.read("key") is None


def test_refuses_what_others_may_write_to(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "cache" / "key").chmod(0o666)
    assert cache.read("key") is None
    (tmp_path / "cache" / "key").chmod(0o600)
    (tmp_path / "cache").chmod(0o777)
    assert cache.read("key") is None
    assert not cache.write("key", SECTIONS)


def test_refuses_a_symbolic_link(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "cache" / "key").rename(tmp_path / "cache" / "real")
    (tmp_path / "cache" / "key").symlink_to("real")
    assert cache.read("key") is None


def test_does_without_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    assert not cache.write("key", SECTIONS)
    assert cache.read("key") is None


def test_keeps_only_the_newest(cache: Cache, tmp_path: Path) -> None:
    for number in range(12):
        assert cache.write(f"key-{number}", SECTIONS)
        os.utime(tmp_path / "cache" / f"key-{number}", (number, number + 10**9))
    assert cache.write("last", SECTIONS)
    names = {path.name for path in (tmp_path / "cache").iterdir()}
    assert len(names) <= 6
    assert {"last", "key-11"} <= names
