"""Whatever a registered key looks like, its shape finds it, also when many shapes were merged into few."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Sequence

import pytest

from responders.shapes import condense, derive
from scanner.engine.engine import engine_of
from scanner.model import Shape
from scanner.shapes import Shapes
from tests.support.rules import book, rule

SURROUNDINGS = [
    "{}",
    'key = "{}"\n',
    "key={};next",
    "<a>{}</a>",
    "{}\n{}",
    "url?key={}&x=1",
    r"a\n{}\n",
    "({})",
    "`{}`,",
]


def values(seed: int) -> Iterator[str]:
    """Keys as different as they come: many lengths, alphabets and prefixes."""
    rng = random.Random(seed)
    for length in range(8, 90, 3):
        for letters in (string.hexdigits, string.ascii_letters + string.digits, string.ascii_lowercase + "_-./+=~:"):
            body = "".join(rng.choice(letters) for _ in range(length - 2))
            yield rng.choice(["", "", "ab_", "x-y-", "Key."]) + "a" + body + "9"


def found(shapes: Sequence[Shape], data: bytes) -> set[bytes]:
    """Every text in `data` that has one of these shapes."""
    engine = engine_of(book(rule("acme-token", "acmt_ + base62{20}")), shapes)
    return {data[start:end] for start, end, _ in Shapes(shapes).texts(data, engine.shaped(data))}


@pytest.mark.parametrize("most", [1000, 30, 10])
def test_every_key_is_found_in_any_surroundings(most: int) -> None:
    known = list(values(3))
    counts = {shape: 1 for value in known if (shape := derive(value.encode())) is not None}
    shapes = sorted(set(condense(counts, most).values()))
    assert len(shapes) <= most
    text = "\n".join(
        SURROUNDINGS[number % len(SURROUNDINGS)].replace("{}", value) for number, value in enumerate(known)
    )
    assert {value.encode() for value in known} - found(shapes, text.encode()) == set()


def test_a_range_of_lengths_finds_each_of_them_and_no_other() -> None:
    shape = Shape("", "base62", 10, 12)
    texts = ["a" * length for length in range(8, 15)]
    assert found([shape], " ".join(texts).encode()) == {text.encode() for text in texts if 10 <= len(text) <= 12}
