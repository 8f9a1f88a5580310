"""Lines and columns are people's."""

from __future__ import annotations

import random

from scanner.lines import Lines


def test_columns_count_characters_and_ends_are_exclusive() -> None:
    data = "eins\nzwei — drei\n".encode()
    start = data.index(b"drei")
    span = Lines(data).span(start, start + 4)
    assert (span.start_line, span.start_column, span.end_line, span.end_column) == (2, 8, 2, 12)
    assert data[span.start : span.end] == b"drei"


def test_a_span_can_run_over_lines_and_windows_begin_anywhere() -> None:
    span = Lines(b"a\nbc\nd", first_line=10).span(2, 6, offset=1000)
    assert (span.start, span.end) == (1002, 1006)
    assert (span.start_line, span.start_column, span.end_line, span.end_column) == (11, 1, 12, 2)


def test_asked_in_any_order_it_says_the_same() -> None:
    rng = random.Random(1)
    data = "".join(rng.choice("ab\né€") for _ in range(500)).encode()
    lines = Lines(data)
    for position in [rng.randrange(len(data)) for _ in range(200)]:
        before = data[:position]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "ignore")) + 1
        line, seen = lines.at(position)
        assert line == before.count(b"\n") + 1
        assert seen in (column, column + 1)  # an offset inside a character counts the character as begun


def test_the_text_of_a_match_is_its_whole_lines() -> None:
    lines = Lines(b"one\ntwo x three\nfour\nfive")
    assert lines.text_of(8, 9) == b"two x three"
    assert lines.text_of(8, 18) == b"two x three\nfour"
    assert lines.text_of(0, 1) == b"one"
    assert lines.text_of(24, 25) == b"five"
    assert len(Lines(b"x" * 100_000).text_of(50_000, 50_010)) == 2 * 4096 + 10
