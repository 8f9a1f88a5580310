"""What is derived from a tree: boundaries, triggers, fixed texts, and the danger of running away."""

from __future__ import annotations

import pytest
import regex

from scanner.notation import dialect, layout
from scanner.notation.render import bounded
from scanner.notation.tree import fixed, head, runaway
from scanner.notation.trigger import REACH, trigger


def found(written: str, text: bytes) -> list[bytes]:
    return [hit["secret"] for hit in regex.finditer(bounded(layout.parse(written)).encode(), text)]


@pytest.mark.parametrize("around", ["{}", "x = {}", '"{}",', "/{}/", "--{}", "_{}", "[{}]", "key={}\n", "{}.", "({})"])
def test_a_value_between_marks_is_found(around: str) -> None:
    assert found("acme_ + hex{6}", around.format("acme_09af09").encode()) == [b"acme_09af09"]


@pytest.mark.parametrize("escape", [r"\n", r"\r", r"\t", r"\x22", r"\u0022", "%3D", "\x1b[32m", "\x1b[0;1;32m"])
def test_an_escape_before_a_value_is_no_letter(escape: str) -> None:
    assert found("acme_ + hex{6}", f"{escape}acme_09af09".encode()) == [b"acme_09af09"]
    assert found("hex{12}", f"{escape}09af0909af09".encode()) == [b"09af0909af09"]


@pytest.mark.parametrize("text", ["xacme_09af09", "acme_09af091", "acme_09af09z", "9acme_09af09"])
def test_part_of_a_longer_word_is_not_found(text: str) -> None:
    assert found("acme_ + hex{6}", text.encode()) == []


@pytest.mark.parametrize("text", ["-09af09", "09af09-", "_09af09", "09af09_1", "09af091"])
def test_a_bare_run_keeps_dashes_away(text: str) -> None:
    assert found("hex{6}", text.encode()) == []


def test_base64_is_not_cut_out_of_longer_base64() -> None:
    assert found("base64{8}", b"abcd/+12") == [b"abcd/+12"]
    assert found("base64{8}", b"abcd/+12=") == []
    assert found("base64{8}", b"/abcd/+12") == []
    assert found("base64{8} + ==", b"abcd/+12==") == [b"abcd/+12=="]
    assert found("base64{8} + ==", b"abcd/+12===") == []


def test_a_full_stop_ends_a_value_and_a_dot_does_not() -> None:
    assert found("k_ + word[.]{4-9}", b"Use k_abcd.") == [b"k_abcd"]
    assert found("k_ + word[.]{4-9}", b"k_ab.cd, k_ab") == [b"k_ab.cd"]
    assert found("k_ + word[.]{4}", b"k_abcd.ef") == []


def test_own_boundaries_replace_the_derived_ones() -> None:
    tree = layout.parse("digit{4} + :AA + hex{4}")
    hits = regex.findall(bounded(tree, before=layout.characters("digit")).encode(), b"bot1234:AA09af")
    assert hits == [b"1234:AA09af"]
    assert regex.search(bounded(tree).encode(), b"bot1234:AA09af") is None


@pytest.mark.parametrize(
    ("written", "text", "before", "after"),
    [
        ("acme_ + hex{6}", "acme_[0-9a-f]{6}", 11, 0),
        ("acme_ + hex{6-9}", "acme_[0-9a-f]{6}", 11, 3),
        ("acme_ + hex{6} + (- + digit{1})?", "acme_[0-9a-f]{6}", 11, 2),
        ("hex{20} + -us + digit{1-2}", "[0-9a-f]{8}-us[0-9]", 24, 1),
        ("hex{2-20} + -us + digit{1}", "[0-9a-f]{2}-us[0-9]", 24, 0),
        ("a_b + hex{4} or a_b + hex{6}", "(?:a_b[0-9a-f]{4}|a_b[0-9a-f]{6})", 9, 0),
        ("acme + any{20-9000} + end", "acme[!-\\~]{20}", 24, 8983),
    ],
)
def test_triggers(written: str, text: str, before: int, after: int) -> None:
    made = trigger(layout.parse(written))
    assert (made.text, made.before, made.after) == (text, before, after)


def test_a_head_can_be_kept_whole() -> None:
    tree = layout.parse("hex{20} + -us + digit{1-2}")
    assert trigger(tree, whole_head=True).text == "[0-9a-f]{20}-us[0-9]"


def test_a_trigger_spans_no_more_than_the_margin_of_history() -> None:
    made = trigger(dialect.parse(r"-----BEGIN KEY-----[\s\S]{64,16000}?-----END KEY-----"))
    assert made.text.startswith("-----BEGIN KEY-----")
    assert made.before == 19 + 64
    assert trigger(layout.parse("k + hex{9000}")).before == REACH


def test_fixed_texts() -> None:
    assert fixed(layout.parse("ab + hex{2} + longer_text + hex{2}")) == (b"longer_text",)
    assert fixed(layout.parse("(live|prod) + hex{9}")) == (b"live", b"prod")
    assert fixed(layout.parse("live + hex{9} or hex{9}")) == ()
    assert fixed(layout.parse("(a_b)? + hex{9}")) == ()
    assert fixed(layout.parse("i:bearer + hex{9}")) == ()
    assert fixed(layout.parse("i:bearer + hex{9}"), folded=True) == (b"bearer",)
    assert head(layout.parse("sk_live_ + hex{2} or sk_test_ + hex{2}")) == b"sk_"
    assert head(layout.parse("hex{2} + x")) == b""


@pytest.mark.parametrize(
    ("written", "danger"),
    [
        (r"(?:a{1,9}){1,9}", True),
        (r"(?:a?b?){1,9}", True),
        (r"(?:[a-z]{1,9}x){1,9}", True),
        (r"(?:[a-z]{1,9}\n){1,9}", False),
        (r"(?:a{1,9}){3}", False),
        (r"a{1,9}b{1,9}", False),
    ],
)
def test_repetitions_that_run_away(written: str, danger: bool) -> None:
    assert runaway(dialect.parse(written)) is danger
