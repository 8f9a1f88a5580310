"""Layouts: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

import pytest
import regex

from scanner.notation import layout
from scanner.notation.render import expression
from scanner.notation.tree import NotationError, longest, shortest


def matches(written: str, text: str) -> bool:
    pattern = expression(layout.parse(written))
    return regex.fullmatch(pattern.encode(), text.encode()) is not None


@pytest.mark.parametrize(
    ("written", "yes", "no"),
    [
        ("acme_ + hex{4}", "acme_09af", "acme_09aF"),
        ("acme_ + hexi{4}", "acme_09aF", "acme_09ag"),
        ("base62[-_]{3}", "a-_", "a-+"),
        ("[xy-]{2}", "x-", "xz"),
        (r"[\]x]{2}", "]x", "[x"),
        ("any{3}", "!~|", "! |"),
        ("a + digit{1-2} + z", "a12z", "a123z"),
        ("k + digit{1} or k + lower{2}", "kab", "ka"),
        ("(live|test) + _ + digit{1}", "test_1", "prod_1"),
        ("a + (- + digit{1})? + z", "a-1z", "a-z"),
        ("a + (- + digit{1})? + z", "az", "a1z"),
        ("(digit{2} or lower{2}) + !", "ab!", "a1!"),
        ("i:Bearer + digit{1}", "bEARER1", "bearr1"),
        ("'x{4}' + digit{1}", "x{4}1", "xxxx1"),
        ("' or ' + digit{1}", " or 1", "1"),
        ("base64{2} + ==", "a/==", "a/="),
        ("+ASt + digit{1}", "+ASt1", "ASt1"),
        ("secret$ + digit{1}", "secret$1", "secret1"),
        ("(a|b) + (c|d)?", "ad", "ae"),
    ],
)
def test_meaning(written: str, yes: str, no: str) -> None:
    assert matches(written, yes)
    assert not matches(written, no)


def test_uuids() -> None:
    text = "-".join("0123456789abcdef"[:length] for length in (8, 4, 4, 4, 12))
    assert matches("uuid", text)
    assert not matches("uuid", text.upper())
    assert matches("UUID", text.upper())
    assert matches("uuidi", text.upper())
    assert shortest(layout.parse("uuid")) == longest(layout.parse("uuid")) == 36


def test_the_longer_alternative_is_tried_first() -> None:
    pattern = expression(layout.parse("k + digit{2} or k + digit{4-6}"))
    found = regex.match(pattern.encode(), b"k123456")
    assert found
    assert found[0] == b"k123456"


@pytest.mark.parametrize(
    ("written", "reason", "position"),
    [
        ("k_ + bas62{4}", "did you mean base62", 6),
        ("k_ + nothing{4}", "the alphabets are digit", 6),
        ("k_ + hex{4+}", "cannot read the run", 6),
        ("k_ + base62+[-]{4}", "cannot read the run", 6),
        ("k_ + hex{9-4}", "runs backwards", 6),
        ("k_ + hex{0}", "is nothing", 6),
        ("k_ + {4}", "without an alphabet", 6),
        ("k_ +  + hex{4}", "nothing between", 6),
        ("(a + b", "not closed", 1),
        ("'a + b", "not closed", 1),
        ("(a|)", "empty word", 1),
        ("(a|b)c", "behind a closing bracket", 1),
        ("", "nothing between", 1),
    ],
)
def test_refusals_say_why_and_where(written: str, reason: str, position: int) -> None:
    with pytest.raises(NotationError, match=reason) as refused:
        layout.parse(written)
    assert refused.value.position == position


def test_sets_of_characters() -> None:
    assert layout.characters("") == frozenset()
    assert layout.characters("digit[-]") == frozenset(b"0123456789-")
    assert layout.characters("[=]") == frozenset(b"=")
    with pytest.raises(NotationError, match="no set of characters"):
        layout.characters("digit + lower")
