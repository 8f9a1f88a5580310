"""Marks and baselines: what they silence, for how long, and what is wrong with them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scanner.errors import ConfigError
from scanner.model import Fingerprint
from scanner.suppress import Baseline, Entry, marked, read_entries, write_entries

PRINTS = [Fingerprint("kfp1:" + f"{number:064x}") for number in range(4)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x = 1  # keyfuse:allow", ""),
        (b"x = 1  # keyfuse:allow test data", "test data"),
        (b"x = 1  # keyfuse:allow: test data", "test data"),
        (b"<!-- keyfuse:allow made up -->", "made up"),
        (b"/* keyfuse:allow (made up) */", "made up"),
        (b"x # keyfuse:allow \x1b[31m", "\\x1b[31m"),
        (b"x # keyfuse:allowance", None),
        (b"x # gitleaks:allow", None),
        (b"x", None),
    ],
)
def test_marks(line: bytes, reason: str | None) -> None:
    assert marked(line, foreign=False) == reason


@pytest.mark.parametrize("mark", [b"gitleaks:allow", b"pragma: allowlist secret", b"noqa: S105", b"nosec", b"ggignore"])
def test_foreign_marks(mark: bytes) -> None:
    assert marked(b"x # " + mark, foreign=False) is None
    assert marked(b"x # " + mark, foreign=True) == mark.decode()


def test_a_baseline_survives_writing_and_reading(tmp_path: Path) -> None:
    entries = [
        Entry(PRINTS[2], "acme-token", "a/b.py", "rotated", "anna", date(2030, 1, 31)),
        Entry(PRINTS[0]),
        Entry(PRINTS[1], reason='with "quotes"\nand more'),
    ]
    write_entries(tmp_path / "base", entries)
    assert read_entries(tmp_path / "base") == sorted(entries, key=lambda entry: entry.fingerprint)
    assert len((tmp_path / "base").read_text().splitlines()) == 3
    first = (tmp_path / "base").read_bytes()
    write_entries(tmp_path / "base", reversed(entries))
    assert (tmp_path / "base").read_bytes() == first


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '{"fingerprint": "kfp1:12"}',
        '{"fingerprint": 3}',
        f'{{"fingerprint": "{PRINTS[0]}", "expires": "soon"}}',
        f'{{"fingerprint": "{PRINTS[0]}", "resaon": "x"}}',
    ],
)
def test_a_bad_entry_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "base"
    path.write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(ConfigError, match=r"base:3: not a baseline entry"):
        Baseline.load(path, date(2030, 1, 1))


def test_a_baseline_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keyfuse baseline create"):
        read_entries(tmp_path / "none")
