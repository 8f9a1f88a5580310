"""The book: out of files and out of a cache it is the same, and the cache is missed exactly when it must be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner import rulebook
from scanner.rulebook import RuleBook

TEXT = """provider = "acme"
title = "Acme"
[[kind]]
id = "acme-key"
name = "API key"
severity = "high"
layout = "acme_ + hex{32}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.toml").write_text(TEXT)
    (tmp_path / "beta.toml").write_text(TEXT.replace("acme", "beta"))
    (tmp_path / "notes.txt").write_text("not a rule")
    return tmp_path


def test_a_directory_stands_for_its_rule_files(folder: Path) -> None:
    assert rulebook.load([folder]).ids() == ("acme-key", "beta-key")
    assert rulebook.load([folder / "beta.toml"]).ids() == ("beta-key",)


def test_dump_and_restore_give_the_same_book() -> None:
    book = rulebook.load()
    again = RuleBook.restore(book.dump())
    assert again == book
    assert again.hash == book.hash
    assert again.ids() == book.ids()
    assert again.rules[3:5] == [*book.rules][3:5]
    assert again.rules[-1] == book.rules[-1]
    assert again.by_id().keys() == book.by_id().keys()
    assert again.dump() == book.dump()


def test_the_same_files_dump_to_the_same_bytes_in_another_process(folder: Path) -> None:
    script = "import sys; from pathlib import Path; from scanner import rulebook\n"
    script += "sys.stdout.buffer.write(rulebook.load([Path(sys.argv[1])]).dump())"
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, check=True)
    assert done.stdout == rulebook.load([folder]).dump()


@pytest.mark.parametrize("data", [b"", b"junk", b"\xff" * 20, b"i\x01\x00\x00\x00"])
def test_what_is_no_dumped_book(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a dumped rule book"):
        RuleBook.restore(data)


def test_a_book_of_another_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = rulebook.load([folder]).dump()
    monkeypatch.setattr(sys, "version", "another")
    with pytest.raises(ValueError, match="another version"):
        RuleBook.restore(data)


def test_the_hash_follows_what_is_matched(folder: Path) -> None:
    book = rulebook.load([folder])
    assert rulebook.load([folder / "beta.toml", folder / "acme.toml"]).hash == book.hash
    (folder / "acme.toml").write_text(TEXT.replace("hex{32}", "hex{33}"))
    assert rulebook.load([folder]).hash != book.hash


def test_the_stamp_follows_names_sizes_and_times(folder: Path) -> None:
    stamps = [rulebook.stamp([folder])]
    assert rulebook.stamp([folder]) == stamps[0]
    os.utime(folder / "acme.toml", ns=(1, 1))
    stamps.append(rulebook.stamp([folder]))
    (folder / "acme.toml").write_text(TEXT + "\n")
    os.utime(folder / "acme.toml", ns=(1, 1))
    stamps.append(rulebook.stamp([folder]))
    (folder / "acme.toml").rename(folder / "acne.toml")
    stamps.append(rulebook.stamp([folder]))
    (folder / "acne.toml").unlink()
    stamps.append(rulebook.stamp([folder]))
    stamps.append(rulebook.stamp([folder, folder / "gone.toml"]))
    assert len(set(stamps)) == 6


def test_a_cached_book_needs_neither_toml_nor_the_notations(tmp_path: Path) -> None:
    dumped = tmp_path / "book"
    dumped.write_bytes(rulebook.load().dump())
    script = """
import sys
from scanner.rulebook import RuleBook, stamp
book = RuleBook.restore(open(sys.argv[1], "rb").read())
stamp()
heavy = {"tomllib", "regex", "hyperscan", "pathlib", "scanner.notation.tree", "scanner.rulefile", "scanner.checks"}
assert book.ids()
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script, str(dumped)], capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
