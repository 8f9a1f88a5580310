"""Random layouts and patterns: both passes agree on them, and what is written comes back."""

from __future__ import annotations

import random

import hyperscan
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.notation import dialect, layout
from scanner.notation.render import bounded, expression
from scanner.notation.tree import Group, Node, longest, shortest
from scanner.notation.trigger import REACH, trigger
from scanner.samples import text_of

WORDS = st.text("abcXYZ019_-.:/=$", min_size=1, max_size=8).filter(lambda word: not word.startswith("i:"))
RUNS = st.builds(
    lambda name, extra, least, more: f"{name}{extra}{{{least}-{least + more}}}",
    st.sampled_from(sorted(layout.ALPHABETS)),
    st.sampled_from(["", "[-]", "[.=]", r"[\]\\]"]),
    st.integers(0, 40),
    st.integers(1, 300),
)
PARTS = st.one_of(
    WORDS.map(lambda word: f"'{word}'"),
    RUNS,
    st.just("uuid"),
    st.lists(WORDS, min_size=2, max_size=3).map(lambda words: "('" + "' or '".join(words) + "')"),
    RUNS.map(lambda run: f"({run} + -)?"),
)
LAYOUTS = st.lists(
    st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: " + ".join(["anchor_", *parts])), min_size=1, max_size=3
).map(" or ".join)


def ends(text: str, data: bytes) -> list[int]:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[text.encode()], flags=[hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_ALLOWEMPTY])
    found: list[int] = []
    database.scan(data, match_event_handler=lambda number, start, end, flags, context: found.append(end))
    return found


def both_passes_agree(tree: Node, seed: int) -> None:
    text = text_of(tree, random.Random(seed))
    assert shortest(tree) <= len(text) <= longest(tree)
    assert regex.fullmatch(expression(tree).encode(), text)
    first = trigger(tree)
    data = b"\n" + text + b"\n"
    found = regex.search(bounded(tree).encode(), data)
    near = [end for end in ends(first.text, data) if end - first.before <= 1 and len(data) - 1 <= end + first.after]
    assert near, (first, text)
    if found:
        assert any(end - first.before <= found.start() and found.end() <= end + first.after for end in near)


@settings(max_examples=150, deadline=None)
@given(LAYOUTS, st.integers(0, 2**32))
def test_a_layout_is_found_by_both_passes(written: str, seed: int) -> None:
    both_passes_agree(layout.parse(written), seed)


@settings(max_examples=100, deadline=None)
@given(LAYOUTS, st.integers(0, 2**32))
def test_context_around_the_secret_is_found_by_both_passes(written: str, seed: int) -> None:
    secret = expression(layout.parse(written), names=False)
    both_passes_agree(dialect.parse(rf"(?i:acme)[_\-]?key\s{{0,4}}[:=]\s{{0,4}}\"(?P<secret>{secret})\""), seed)


@settings(max_examples=150, deadline=None)
@given(LAYOUTS)
def test_what_is_rendered_reads_the_same_again(written: str) -> None:
    text = expression(Group("secret", layout.parse(written)))
    assert expression(dialect.parse(text)) == text


@settings(max_examples=100, deadline=None)
@given(LAYOUTS)
def test_a_trigger_stays_within_the_margin(written: str) -> None:
    first = trigger(layout.parse(written))
    assert first.before <= REACH + longest(layout.parse(written))
    assert longest(dialect.parse(first.text)) <= REACH
