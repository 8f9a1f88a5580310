"""When a written file is taken for settled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keyfuse.daemon.settling import LONGEST, OPEN, Settling

QUIET = 1.0


def test_a_closed_file_is_due_when_it_has_been_quiet() -> None:
    settling = Settling(QUIET)
    assert settling.wrote("a", closed=True, now=10, wall=110)
    assert settling.next_due() == 11
    assert settling.take(10.9, 9) == []
    settling.wrote("a", closed=True, now=10.9, wall=110.9)
    assert settling.take(11.5, 9) == []
    assert settling.take(11.9, 9) == ["a"]
    assert settling.next_due() is None


def test_an_open_file_waits_longer_but_not_for_ever() -> None:
    settling = Settling(QUIET)
    now = 0.0
    settling.wrote("log", closed=False, now=now, wall=0)
    assert settling.next_due() == QUIET * OPEN
    while now < QUIET * LONGEST - 1:
        now += 1
        settling.wrote("log", closed=False, now=now, wall=now)
        assert settling.take(now, 9) == []
    assert settling.take(QUIET * LONGEST, 9) == ["log"]


def test_the_mark_stays_before_what_is_not_on_disk_yet() -> None:
    settling = Settling(QUIET)
    assert settling.oldest() is None
    settling.wrote("a", closed=True, now=0, wall=100)
    settling.wrote("b", closed=True, now=5, wall=105)
    assert settling.take(2, 9) == ["a"]
    assert settling.oldest() == 100
    settling.wrote("a", closed=True, now=6, wall=106)
    settling.done("a")
    assert settling.oldest() == 105
    settling.take(99, 9)
    settling.done("a")
    settling.done("b")
    assert settling.oldest() is None


def test_what_takes_long_rests_before_it_is_looked_at_again() -> None:
    settling = Settling(QUIET)
    settling.wrote("log", closed=True, now=0, wall=0)
    settling.take(1, 9)
    settling.done("log", now=3, took=2)
    settling.wrote("log", closed=True, now=3, wall=3)
    assert settling.take(22, 9) == []
    assert settling.take(23, 9) == ["log"]


def test_a_mass_change_is_not_remembered_file_by_file() -> None:
    settling = Settling(QUIET, most=3)
    assert [settling.wrote(str(n), closed=True, now=0, wall=n + 1) for n in range(5)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert len(settling) == 3
    assert settling.oldest() == 1
    settling.clear()
    assert settling.oldest() is None


def test_a_file_that_is_gone_is_forgotten() -> None:
    settling = Settling(QUIET)
    settling.wrote("a", closed=True, now=0, wall=0)
    settling.forget("a")
    assert settling.take(9, 9) == []


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans(), st.floats(0, 3)), max_size=60))
def test_nothing_that_was_written_is_lost(steps: list[tuple[str, bool, float]]) -> None:
    """Whatever the order, each path is taken at or after its last change."""
    settling = Settling(QUIET)
    now, last, taken = 0.0, dict[str, float](), dict[str, float]()
    for path, closed, wait in steps:
        now += wait
        for found in settling.take(now, 2):
            taken[found] = now
            settling.done(found)
        settling.wrote(path, closed=closed, now=now, wall=now)
        last[path] = now
    while (due := settling.next_due()) is not None:
        now = max(now, due)
        for found in settling.take(now, 2):
            taken[found] = now
            settling.done(found)
    assert taken.keys() >= last.keys()
    assert all(taken[path] >= at for path, at in last.items())
    assert settling.oldest() is None
