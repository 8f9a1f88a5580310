"""Filters refuse what is none, and let chance pass."""

from __future__ import annotations

import random

import pytest

from scanner.filters import ALWAYS, FILTERS, Filter
from tests.support.tokens import text


@pytest.mark.parametrize(
    ("name", "refused", "passed"),
    [
        ("reference", [b"${API_KEY}", b"{{ secret }}", b"$(pass show x)"], [b"s3cr3tW0rd", b"a$b%c"]),
        ("placeholder", [b"your-api-key-here", b"AKIAEXAMPLE1234", b"sk_xxxxxxxxxxxx", b"change_me"], [b"k3Jd8sQ2mZ"]),
        ("repeated", [b"aaaaaaaaaa", b"abcabcabcabc", b"00000000-0000-0000-0000-000000000000"], [b"abcabdabcabd1"]),
        ("stairs", [b"abcdefghijklmnop", b"0123456789abcdef", b"9876543210"], [b"abcdxk29dkw0"]),
        ("few", [b"abababcabababcaab"], [b"abc", b"4f9d0a1b7c2e8365"]),
        ("common", [b"password", b"Changeme"], [b"passw0rd!7Kq"]),
        ("wordy", [b"get_user_account_name", b"maximumRetryCount"], [b"x8Kq2mZv9LwP4tRb"]),
        ("undecided", [b"user_name"], [b"Tr0ub4dor&3", b"x8Kq2mZv9LwP4tRb"]),
        ("digitless", [b"abcdef"], [b"abc1"]),
        ("letterless", [b"2024-01-31"], [b"2024a"]),
        ("single-case", [b"abc1", b"ABC1"], [b"aBc1"]),
        ("path", [b"/usr/lib", b"a/b/c/d"], [b"a/b/c"]),
        ("identified", [b"2024-01-31", b"10.0.0.1"], [b"x8Kq2mZv9LwP4tRb"]),
        ("sealed", [b"ENC[AES256,data]", b"$2b$12$abcdef"], [b"x8Kq2mZv9LwP4tRb"]),
        ("code", [b"getKey(name)"], [b"x8Kq2mZv9LwP4tRb"]),
    ],
)
def test_each_filter(name: str, refused: list[bytes], passed: list[bytes]) -> None:
    judges = FILTERS[name]
    assert [value for value in refused if not judges(value)] == []
    assert [value for value in passed if judges(value)] == []


@pytest.mark.parametrize("judges", ALWAYS)
@pytest.mark.parametrize("length", [20, 32, 40, 64])
def test_what_chance_writes_passes(judges: Filter, length: int) -> None:
    rng = random.Random(length)
    for alphabet in ("0123456789abcdef", "0123456789abcdefghijklmnopqrstuvwxyz"):
        refused = sum(judges(text(rng, length, alphabet).encode()) for _ in range(2_000))
        assert refused == 0
    assert sum(judges(text(rng, length).encode()) for _ in range(2_000)) == 0


def test_every_filter_takes_any_bytes() -> None:
    rng = random.Random(70)
    values = [b"", b"\0", b"\xff" * 40, *(rng.randbytes(rng.randrange(60)) for _ in range(200))]
    for judges in FILTERS.values():
        assert all(judges(value) in (True, False) for value in values)
