"""Masks show a little of a secret, never a quarter."""

from __future__ import annotations

import random

import pytest

from scanner.mask import masked
from tests.support.tokens import github_token, text


def test_shows_the_prefix_and_the_last_four() -> None:
    token = github_token(random.Random(1))
    assert masked(token.encode(), "ghp_") == f"ghp_…{token[-4:]}"


@pytest.mark.parametrize("length", range(1, 80))
def test_never_shows_more_than_a_quarter(length: int) -> None:
    secret = text(random.Random(length), length)
    for prefix in ("", secret[:3], secret[:6]):
        shown = masked(secret.encode(), prefix).replace("…", "")
        assert len(shown) <= length // 4
        assert len(shown) <= 20


def test_shows_nothing_of_a_short_one() -> None:
    assert masked(b"abc") == "…"


def test_is_safe_to_print() -> None:
    shown = masked(b"\x1b[31m" + b"q" * 60 + b"\x1b]0;")
    assert shown.isprintable()
    assert masked(b"\xff\xfe" * 40).isprintable()
