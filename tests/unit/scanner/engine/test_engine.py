"""The engine gives the same out of the cache as compiled on the spot, and asks for rules only when it must."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scanner.engine.database import Database
from scanner.engine.engine import Engine, engine_of, open_engine
from scanner.engine.expressions import plan
from scanner.engine.wrappings import base64_texts
from scanner.errors import RuleError
from scanner.model import Candidate, Shape
from scanner.rulebook import RuleBook
from tests.support.rules import book, rule
from tests.support.tokens import text

FIXED = rule("acme-token", "acmt_ + base62{20}")
NAMED = rule("acme-key", "hex{32}", keywords=("acme", "acme key"))
OTHER = rule("other-key", "hex{32}", keywords=("zenith",))
BOOK = book(FIXED, NAMED, OTHER)


class Loader:
    """Counts how often the book is read."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self) -> RuleBook:
        self.reads += 1
        return BOOK


def sample(seed: int) -> bytes:
    rng = random.Random(seed)
    return f"x = 'acmt_{text(rng, 20)}'\nACME_KEY = {text(rng, 32, '0123456789abcdef')}\n".encode()


def rules_hit(engine: Engine, data: bytes) -> set[str]:
    hits = engine.candidates(data)
    return {engine.book.rules[place].kind.id for hit in hits for place in engine.meanings[hit.pattern][1]}


def test_keywords_stand_for_the_rules_that_have_them() -> None:
    planned = plan(BOOK.rules)
    assert ("", (0,)) in planned.meanings
    assert {(word, planned.meanings[number]) for word, number in planned.words} == {
        ("acme", ("", (1,))),
        ("acme key", ("", (1,))),
        ("acmekey", ("", (1,))),
        ("acme_key", ("", (1,))),
        ("acme-key", ("", (1,))),
        ("acme.key", ("", (1,))),
        ("zenith", ("", (2,))),
    }
    assert rules_hit(engine_of(BOOK), sample(1)) == {"acme-token", "acme-key"}


def test_a_short_or_strange_value_is_looked_for_with_its_keyword() -> None:
    short = rule("acme-pin", "base36{12}", keywords=("acme",))
    signs = rule("acme-noise", "[!-~]{40}", keywords=("zenith",))
    other = rule("other-pin", "base36{12}", keywords=("summit",))
    engine = engine_of(book(short, signs, other))
    assert plan(engine.book.rules).words == ()
    assert rules_hit(engine, b"acme pin: k3jx9q2mzv8w") == {"acme-pin"}
    assert rules_hit(engine, b"zenith = " + b"~!" * 20) == {"acme-noise"}


def test_a_value_without_a_keyword_before_it_is_no_candidate() -> None:
    value = text(random.Random(1), 32, "0123456789abcdef")
    engine = engine_of(BOOK)
    assert engine.candidates(f"key = {value} # acme".encode()) == []
    assert engine.candidates(f"zenith {'-' * 200} {value}".encode()) == []
    assert engine.candidates(f"- name: ZENITH\n  value: {value}".encode()) != []


def test_comes_out_of_the_cache_without_reading_rules(tmp_path: Path) -> None:
    first, second = Loader(), Loader()
    cold = open_engine(first, "stamp", tmp_path / "cache")
    warm = open_engine(second, "stamp", tmp_path / "cache")
    assert (first.reads, second.reads) == (1, 0)
    assert warm.candidates(sample(2)) == cold.candidates(sample(2)) != []
    assert warm.rules_hash == cold.rules_hash == BOOK.hash
    assert warm.book == cold.book == BOOK
    assert second.reads == 0


def test_another_stamp_is_another_book(tmp_path: Path) -> None:
    open_engine(Loader(), "stamp", tmp_path / "cache")
    loader = Loader()
    open_engine(loader, "another", tmp_path / "cache")
    assert loader.reads == 1


@pytest.mark.parametrize("damage", [b"", b"keyfuse-cache-2\n\n", None])
def test_a_damaged_cache_is_built_again(tmp_path: Path, damage: bytes | None) -> None:
    open_engine(Loader(), "stamp", tmp_path / "cache")
    [path] = (tmp_path / "cache").iterdir()
    good = path.read_bytes()
    path.write_bytes(good[:-200] + bytes(200) if damage is None else damage)
    loader = Loader()
    engine = open_engine(loader, "stamp", tmp_path / "cache")
    assert loader.reads == 1
    assert rules_hit(engine, sample(3)) >= {"acme-token", "acme-key"}
    assert path.read_bytes() == good


def test_works_without_a_cache_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for directory in (None, tmp_path / "file" / "below"):
        assert rules_hit(open_engine(Loader(), "stamp", directory), sample(4)) >= {"acme-token"}


def test_ends_that_lie_together_are_one_candidate() -> None:
    database = Database.compile([(b"a{3}", 7)])
    data = b"a" * 5000 + b"." * 100 + b"aaa"
    assert database.candidates(data) == [Candidate(7, 3, 5000), Candidate(7, 5103, 5103)]


def test_an_expression_that_cannot_be_compiled_is_a_rule_error() -> None:
    with pytest.raises(RuleError, match="rules check"):
        Database.compile([(b"(?<=a+)b(", 0)])


def test_many_shapes_are_cached_too(tmp_path: Path) -> None:
    shapes = [Shape(f"pre{number:03}_", "base62", 30) for number in range(40)]
    value = b"pre017_" + text(random.Random(5), 23).encode()
    for _ in range(2):
        engine = open_engine(Loader(), "stamp", tmp_path / "cache", shapes)
        assert [hit.pattern for hit in engine.shaped(b"see " + value)] == [17]
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_base64_forms_stand_in_base64_wherever_the_text_begins() -> None:
    from base64 import b64encode

    literal = b"acmt_"
    forms = [form.decode() for form in base64_texts(literal)]
    rng = random.Random(6)
    for before in range(9):
        coded = b64encode(rng.randbytes(before) + literal + rng.randbytes(7)).decode()
        assert forms[before % 3] in coded
