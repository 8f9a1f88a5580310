"""Shapes: derived from values, kept few, and always describing what they were derived from."""

from __future__ import annotations

import random
import re
import stat
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import StoreError
from responders.shapes import condense, covers, derive, place, read_shapes, token_of, write_shapes
from scanner.errors import UsageError
from scanner.model import ALPHABETS, Shape
from tests.support import tokens

RNG = random.Random(7)


def matches(shape: Shape, value: bytes) -> bool:
    """Whether a value has a shape, by the regular expression that a shape stands for."""
    tail = len(shape.prefix)
    most = (shape.longest or shape.length) - tail
    pattern = re.escape(shape.prefix) + f"[{ALPHABETS[shape.alphabet]}]{{{max(0, shape.length - tail)},{most}}}"
    return re.fullmatch(pattern, value.decode("latin-1")) is not None


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (tokens.keyfuse_key(RNG), Shape("kfk_", "base62", 42)),
        (tokens.github_token(RNG), Shape("ghp_", "base62", 40)),
        ("sk_" + "live_" + "0Ab" * 8, Shape("sk_live_", "base62", 32)),
        ("xyz" + "-1234-" + "5" * 12, Shape("xyz-", "base64url", 21)),
        ("AKIA" + "Q2W3" * 4, Shape("AKIA", "BASE36", 20)),
        ("eyJ" + "a1-_" * 5 + ".x", Shape("eyJ", "token", 25)),
        ("deadbeef" * 4, Shape("", "hex", 32)),
        ("DEADBEE1" * 2, Shape("", "HEX", 16)),
        ("12345678", Shape("", "digit", 8)),
        ("abcxyz12", Shape("", "base36", 8)),
        ("aB-_" * 11, Shape("", "base64url", 44)),
        ("aB+/" * 5 + "==", Shape("", "base64", 22)),
        ("p@ss,w0rd!", Shape("", "printable", 10)),
        ("a_" + "b" * 7, Shape("", "base64url", 9)),
    ],
)
def test_the_shape_of_a_value(value: str, shape: Shape) -> None:
    assert derive(value.encode()) == shape
    assert matches(shape, value.encode())


@pytest.mark.parametrize("value", ["two words", "ключключ", "tab\tinside", "line\nline", "nul\x00nul\x00"])
def test_values_that_no_shape_describes(value: str) -> None:
    assert derive(value.encode()) is None


@pytest.mark.parametrize("value", ["", "seven77"])
def test_short_values_are_refused_without_showing_them(value: str) -> None:
    with pytest.raises(UsageError, match="too short to be told from ordinary words") as caught:
        derive(value.encode())
    assert not value or value not in str(caught.value)


visible = st.text(st.sampled_from(string.ascii_letters + string.digits + "_-.+/=~:!@#"), min_size=8, max_size=60)


@given(visible)
def test_a_shape_describes_the_value_it_comes_from(value: str) -> None:
    shape = derive(value.encode())
    assert shape is not None
    assert matches(shape, value.encode())


@given(st.lists(visible, min_size=1, max_size=40), st.integers(10, 20))
def test_condensed_shapes_describe_every_value_still(values: list[str], most: int) -> None:
    shapes = {value: derive(value.encode()) for value in values}
    counts = {shape: 1 for shape in shapes.values() if shape is not None}
    into = condense(counts, most)
    assert set(into) == set(counts)
    assert len(set(into.values())) <= most
    for value, shape in shapes.items():
        assert shape is not None
        assert matches(into[shape], value.encode())
        assert covers(into[shape], shape)


@given(visible, visible)
def test_what_covers_a_shape_matches_its_values(one: str, other: str) -> None:
    wide, narrow = derive(one.encode()), derive(other.encode())
    assert wide is not None
    assert narrow is not None
    if covers(wide, narrow):
        assert matches(wide, other.encode())


def test_few_shapes_are_left_alone_and_rare_prefixes_go_first() -> None:
    common, plain = Shape("aa_", "hex", 40), Shape("", "hex", 20)
    rare, rarer = Shape("bb_", "hex", 40), Shape("cc_", "hex", 40)
    counts = {common: 1000, rare: 2, rarer: 1, plain: 5}
    assert condense(counts, 4) == {shape: shape for shape in counts}
    lengths = {Shape("", "digit", length): 1 for length in range(8, 18)}
    into = condense(counts | lengths, 13)
    assert into[common] == common
    assert into[rare] == into[rarer] == Shape("", "base64url", 40)


def test_a_new_shape_is_placed_under_the_narrowest_that_covers_it() -> None:
    wide, wider = Shape("", "base62", 40), Shape("", "printable", 20, 60)
    assert place(Shape("ab", "hex", 40), [wider, wide]) == wide
    assert place(wide, [wider, wide]) == wide
    assert place(Shape("", "base64", 41), [wider, wide]) == wider
    assert place(Shape("", "hex", 61), [wider, wide]) is None
    assert place(Shape("ab_", "hex", 40), [wide]) is None


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_file_is_the_owners_alone_and_replaced_as_a_whole(tmp_path: Path) -> None:
    shapes = [Shape("kfk_", "base62", 42), Shape("", "hex", 8, 99)]
    write_shapes(tmp_path, "t1", shapes)
    assert read_shapes(tmp_path) == tuple(sorted(shapes))
    assert token_of(tmp_path) == "t1"
    assert stat.S_IMODE((tmp_path / "shapes.json").stat().st_mode) == 0o600
    write_shapes(tmp_path, "t2", [])
    assert read_shapes(tmp_path) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["shapes.json"]


def test_no_file_and_no_database_means_no_keys(tmp_path: Path) -> None:
    assert read_shapes(tmp_path) == ()
    assert read_shapes(tmp_path / "nowhere") == ()
    assert token_of(tmp_path) is None


def test_a_missing_file_beside_a_database_is_not_taken_for_no_keys(tmp_path: Path) -> None:
    (tmp_path / "keyfuse.db").write_bytes(b"")
    with pytest.raises(StoreError, match=r"shapes\.json is missing"):
        read_shapes(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"version": 1}',
        b'{"version": 1, "token": "t", "shapes": [["", "hex", "8", 0]]}',
        b'{"version": 1, "token": "t", "shapes": [["", "klingon", 8, 0]]}',
        b'{"version": 1, "token": "t", "shapes": 3}',
        b'{"version": 2, "token": "t", "shapes": []}',
    ],
)
def test_a_file_that_cannot_be_used_is_never_taken_for_no_keys(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shapes.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"shapes\.json (is damaged|was written by a newer)"):
        read_shapes(tmp_path)
    assert token_of(tmp_path) is None


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing was changed"):
        write_shapes(tmp_path / "nowhere", "t", [])
