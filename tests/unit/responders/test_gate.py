"""When a provider may be asked: pace, its own word to wait, and the circuit breaker."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from responders.gate import BURST, COOLING, FAILURES, LONGEST_WAIT, Gate, wait_of


class Time:
    """A clock that goes forward when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def gate(time: Time, per_minute: int = 0) -> Gate:
    return Gate(per_minute, now=time, pause=time.pause)


def test_a_burst_goes_through_and_then_the_pace_counts(time: Time) -> None:
    paced = gate(time, 60)
    for _ in range(BURST + 1):
        assert paced.enter() == ""
    assert time.slept == []
    assert paced.enter() == ""
    assert time.slept == [pytest.approx(1.0)]


def test_who_would_wait_too_long_is_not_let_in(time: Time) -> None:
    slow = gate(time, 1)
    for _ in range(BURST + 1):
        assert slow.enter() == ""
    assert "requests_per_minute" in slow.enter()
    assert time.slept == []


def test_without_a_pace_nobody_waits(time: Time) -> None:
    free = gate(time)
    assert [free.enter() for _ in range(1000)] == [""] * 1000
    assert time.slept == []


def test_the_providers_own_word_is_obeyed(time: Time) -> None:
    asked = gate(time)
    asked.told_to_wait(30)
    assert "asks to wait" in asked.enter()
    time.now += 29
    assert asked.enter()
    time.now += 1
    assert asked.enter() == ""


def test_its_word_is_not_taken_for_ever(time: Time) -> None:
    asked = gate(time)
    asked.told_to_wait(1e9)
    time.now += LONGEST_WAIT
    assert asked.enter() == ""


def test_failures_in_a_row_open_the_circuit_and_one_request_tries_it(time: Time) -> None:
    broken = gate(time)
    for _ in range(FAILURES):
        assert broken.enter() == ""
        broken.failed("no answer")
    assert f"{FAILURES} failures in a row, the last: no answer" in broken.enter()
    time.now += COOLING
    assert broken.enter() == ""
    assert broken.enter(), "only one may try"
    broken.failed("no answer")
    assert broken.enter()
    time.now += COOLING
    assert broken.enter() == ""
    broken.answered()
    assert [broken.enter(), broken.enter()] == ["", ""]


def test_a_success_between_failures_keeps_it_closed(time: Time) -> None:
    flaky = gate(time)
    for _ in range(FAILURES * 3):
        flaky.failed("no answer")
        flaky.answered()
    assert flaky.enter() == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 1.5 ", 1.5),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("1" * 400, float("inf")),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert wait_of(value, datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds
