"""The generic rule on hostile content: it never fails, and never points outside of what it was given."""

from hypothesis import given
from hypothesis import strategies as st

from scanner.assignments import AFTER, BEFORE
from scanner.generic import find
from scanner.likelihood import invention, likelihood

NAMES = (b"password", b"token", b"api_key", b"secret", b"-u me:", b"Basic ", b"value")
SIGNS = (
    b"=",
    b": ",
    b":=",
    b"==",
    b'"',
    b"'",
    b"`",
    b"\\",
    b"\n",
    b" ",
    b"<",
    b">",
    b"</",
    b"(",
    b")",
    b"[",
    b"{",
    b"}",
)
REST = (b"&quot;", b"|\n  ", b"${", b"x" * 40, b"Aq7", b"\xff", b"\0")
TEXTS = st.lists(st.sampled_from([*NAMES, *SIGNS, *REST]) | st.binary(max_size=12), max_size=60).map(b"".join)
PATHS = st.sampled_from(["a.py", "a.yml", "a.txt", "a.po", "b.lock", "tests/a.go", ""])


@given(TEXTS, st.integers(0, 400), PATHS)
def test_any_content_at_any_hit(text: bytes, hit: int, path: str) -> None:
    hit = min(hit, len(text))
    for guess in find(text, hit, hit, path=path):
        assert 0 <= guess.value_start < guess.value_end <= len(text)
        assert hit - BEFORE - 200 <= guess.value_start
        assert guess.value_end <= hit + 2 * AFTER


@given(st.binary(max_size=400))
def test_likelihood_of_any_bytes(value: bytes) -> None:
    assert -5000 < likelihood(value) < 5000
    assert -5000 < invention(value) < 5000
