"""Values that look like a machine's are found with every keyword before them, wherever they stand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.context import REACH
from scanner.engine.engine import Engine, engine_of
from scanner.engine.nearby import HEAD, TELLING
from scanner.engine.telling import untold
from scanner.notation import dialect
from tests.support.rules import book, rule
from tests.support.tokens import text

HEX = "0123456789abcdef"
BOOK = book(
    rule("acme-key", "hex{32}", keywords=("acme", "acme key")),
    rule("tiny-key", "base62{40}", keywords=("tny",)),
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engine_of(BOOK)


def keys(engine: Engine, data: bytes) -> set[tuple[str, int]]:
    return {
        (engine.book.rules[place].kind.id, hit.first)
        for hit in engine.candidates(data)
        if hit.keyword
        for place in engine.meanings[hit.pattern][1]
    }


@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 3000),
    gap=st.integers(1, REACH),
    between=st.sampled_from([b" ", b"=", b"/", b"-", b"x", b"7", b"\n", b"\xff"]),
    behind=st.sampled_from([b"", b"\n", b'"', b"/" * 5000, b"-more", b"\0"]),
    filler=st.sampled_from([b"\n", b" x", b"A1b2/", b"\x00\xff", b"key = 0123456789abcdef\n"]),
)
def test_a_keyword_before_a_value_is_found_anywhere(
    seed: int, before: int, gap: int, between: bytes, behind: bytes, filler: bytes
) -> None:
    value = text(random.Random(seed), 32, HEX).encode()
    assert TELLING.search(value, 0, HEAD)
    head = (filler * (before // len(filler) + 1))[:before] + b"\nAcme"
    data = head + b" " + between * (gap - 1) + value + behind
    assert ("acme-key", len(head)) in keys(ENGINE, data)


ENGINE = engine_of(BOOK)


def test_keywords_far_from_a_value_or_inside_words_are_none(engine: Engine) -> None:
    value = text(random.Random(3), 40).encode()
    assert keys(engine, b"acme" + b" " * 200 + value) == set()
    assert keys(engine, value + b" acme") == set()
    assert keys(engine, b"botnyx = " + value) == set()
    for name in (b"TNY", b"my_tny", b"myTny", b"a\\ntny"):
        assert {rule for rule, _ in keys(engine, name + b" = " + value)} == {"tiny-key"}


def test_each_of_many_values_has_its_keyword(engine: Engine) -> None:
    rng = random.Random(4)
    lines = [f"{'x' * rng.randrange(600)}\nacme={text(rng, 32, HEX)}" for _ in range(200)]
    data = "\n".join(lines).encode()
    assert len(keys(engine, data)) == 200


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("[0-9a-f]{32}", 0, 1e-9),
        ("[0-9]{20}", 0, 0),
        ("[0-9A-Za-z]{32}", 1e-6, 1e-3),
        ("[0-9A-Za-z]{20}", 0.005, 0.02),
        ("[a-z]{24}", 1, 1),
        ("[0-9a-f]{8}", 1, 1),
        ("[0-9a-f]{5}\\.[0-9a-f]{5}", 1, 1),
        ("[0-9a-f]{5}\\.[0-9a-f]{32}", 0, 1e-9),
        ("(?:live|test)_[0-9a-f]{32}", 0, 1e-9),
        ("[a-z]{2,60}\\.[0-9a-f]{32}", 0.5, 1),
        ("[0-9a-f]{32}|[a-z]{32}", 1, 1),
        ("[!-~]{30}", 0.3, 0.9),
    ],
)
def test_how_many_values_of_a_form_do_not_tell(value: str, least: float, most: float) -> None:
    assert least <= untold(dialect.parse(value)) <= most + 1e-12


@pytest.mark.parametrize(
    ("form", "size", "members"),
    [("[0-9A-Za-z]{20}", 20, None), ("[0-9a-z]{18}", 18, HEX[:10] + "abcdefghijklmnopqrstuvwxyz")],
)
def test_the_share_is_right(form: str, size: int, members: str | None) -> None:
    rng = random.Random(5)
    values = [text(rng, size, members) if members else text(rng, size) for _ in range(4000)]
    missed = sum(TELLING.search(value.encode()) is None for value in values) / len(values)
    assert missed == pytest.approx(untold(dialect.parse(form)), rel=0.35)
