"""What answers that are no success mean, and what is made of odd values."""

from __future__ import annotations

from datetime import timedelta

import pytest

from responders.http import NoAnswer
from responders.provider import Refused, Uncertain
from responders.providers.asking import Reply, lifetime, not_done, segment, unclear, word


@pytest.mark.parametrize(
    ("reply", "kind", "for_good"),
    [
        (NoAnswer("cannot be reached", sent=False), Refused, False),
        (NoAnswer("broke off", sent=True), Uncertain, None),
        (Reply(429, {}, limited=True, again_after=7), Refused, False),
        (Reply(400, {}), Refused, True),
        (Reply(403, {}), Refused, True),
        (Reply(403, None), Uncertain, None),
        (Reply(408, {}), Uncertain, None),
        (Reply(302, {}), Uncertain, None),
        (Reply(200, None), Uncertain, None),
        (Reply(503, {}), Uncertain, None),
    ],
)
def test_what_an_answer_means_for_a_change(reply: Reply | NoAnswer, kind: type, for_good: bool | None) -> None:
    receipt = not_done(reply, "host", needs="a right")
    assert isinstance(receipt, kind)
    assert getattr(receipt, "for_good", None) is for_good


def test_what_is_missing_is_named() -> None:
    refused = not_done(Reply(403, {}), "host", needs="scope x")
    assert isinstance(refused, Refused)
    assert "scope x" in refused.reason
    assert "scope x" not in unclear(Reply(404, {}), "host")
    waiting = not_done(Reply(429, {}, limited=True, again_after=7), "host")
    assert isinstance(waiting, Refused)
    assert waiting.again_after == 7


@pytest.mark.parametrize(
    ("value", "seconds"), [(60, 60), (0, 0), (10**30, 3600), (-1, 3600), ("60", 3600), (None, 3600), (1.5, 3600)]
)
def test_lifetimes(value: object, seconds: int) -> None:
    assert lifetime(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("text", "path"), [("a/b?c#d", "a%2Fb%3Fc%23d"), ("..", "_"), (".", "_"), ("a@b", "a@b")])
def test_a_text_is_one_segment(text: str, path: str) -> None:
    assert segment(text) == path


@pytest.mark.parametrize(("value", "shown"), [("octocat", "octocat"), ("a b", ""), ("x" * 81, ""), (1, ""), (None, "")])
def test_only_words_are_passed_on(value: object, shown: str) -> None:
    assert word(value) == shown
