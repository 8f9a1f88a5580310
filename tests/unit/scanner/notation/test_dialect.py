"""The dialect: what it takes, and that everything else is refused with a reason and a position."""

from __future__ import annotations

import pytest
import regex

from scanner.notation import dialect
from scanner.notation.render import expression
from scanner.notation.tree import NotationError


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        (r"a\.b", ["a.b", "axb"]),
        (r"[a-c_\-\]]{2}", ["a-", "]_", "ad", "[a"]),
        (r"[^a-z]{1,2}", ["A", "\n", "a"]),
        (r"\d\w\s\D\W\S", ["1_ a-b", "1_ 1-b"]),
        (r".{2}", ["ab", "a\n"]),
        (r"(?:ab|c){1,2}x?", ["abc", "cx", "abx", "x"]),
        (r"(?i:api-KEY)=\x41", ["Api-key=A", "api_key=A", "api-key=a"]),
        (r"(?P<secret>a{2,3}?)b", ["aab", "ab"]),
        (r"(?i:[a-c]{2})", ["aB", "aD"]),
        (r"\t\n\r", ["\t\n\r", "tnr"]),
        (r"a|bc|", None),
    ],
)
def test_means_what_regex_means(written: str, texts: list[str] | None) -> None:
    if texts is None:
        with pytest.raises(NotationError, match="empty alternative"):
            dialect.parse(written)
        return
    ours = regex.compile(expression(dialect.parse(written)).encode())
    theirs = regex.compile(written.encode(), regex.ASCII)
    for text in texts:
        assert bool(ours.fullmatch(text.encode())) == bool(theirs.fullmatch(text.encode())), text


def test_text_beyond_ascii_is_its_utf8_bytes() -> None:
    assert regex.fullmatch(expression(dialect.parse("пароль: \\d{2}")).encode(), "пароль: 12".encode())


@pytest.mark.parametrize(
    ("written", "reason", "position"),
    [
        ("a*b", "no upper bound", 2),
        ("a+b", "no upper bound", 2),
        ("a{2,}b", "without an upper bound", 2),
        ("a{3,2}", "runs backwards", 2),
        ("a{x}", "no count", 2),
        ("^a", "anchor", 1),
        ("a$", "anchor", 2),
        ("a(?=b)", "look-around", 2),
        ("(?<!x)a", "look-around", 1),
        ("(a)", "without a name", 1),
        ("(?P<secret>a)\\1", "back-reference", 15),
        (r"a\b", "escape", 3),
        (r"\p{L}", "escape", 2),
        ("[]", "empty class", 1),
        ("[a", "not closed", 1),
        ("[[:alpha:]]", "bracket inside a class", 2),
        ("[z-a]", "range", 5),
        ("[é]", "class of bytes", 2),
        ("(?:a", "not closed", 5),
        ("a)", "closing bracket", 2),
        ("a{2}{3}", "repetition of a repetition", 5),
        ("a?+", "repetition of a repetition", 3),
        ("?a", "nothing to repeat", 1),
        ("(?x: a)", "without a name", 1),
    ],
)
def test_refusals_say_why_and_where(written: str, reason: str, position: int) -> None:
    with pytest.raises(NotationError, match=reason) as refused:
        dialect.parse(written)
    assert refused.value.position == position
