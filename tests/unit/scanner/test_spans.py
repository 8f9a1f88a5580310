"""What lies where, compared with asking every span."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scanner.spans import Disjoint, Stretches

SPAN = st.tuples(st.integers(0, 200), st.integers(1, 20)).map(lambda each: (each[0], each[0] + each[1]))


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@given(st.lists(SPAN, max_size=40), SPAN)
def test_disjoint_spans_know_which_of_them_overlap(spans: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    known = Disjoint()
    kept: list[tuple[int, int]] = []
    for span in spans:
        above = sorted(known.overlapping(*span))
        assert above == [number for number, other in enumerate(kept) if overlap(span, other)]
        if not above:
            known.add(*span, len(kept))
            kept.append(span)
    assert sorted(known.overlapping(*asked)) == [number for number, other in enumerate(kept) if overlap(asked, other)]


@given(st.lists(SPAN, max_size=40), SPAN)
def test_stretches_know_what_they_cover(spans: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    known = Stretches(spans)
    assert known.touch(*asked) == any(overlap(asked, span) for span in spans)
    assert (asked[0] in known) == any(start <= asked[0] < end for start, end in spans)
