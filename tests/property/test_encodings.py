"""Whatever a shipped kind is wrapped in, it is found where its encoded text stands; and ordinary text holds none."""

from __future__ import annotations

import random
import re
import sysconfig
from base64 import b64encode
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner import rulebook
from scanner.encodings.unwrap import DEPTH
from scanner.engine.wrappings import PLAIN, beginnings, is_rare
from scanner.errors import UsageError
from scanner.model import Finding, Skipped
from scanner.pipeline import Scanner
from scanner.rule import Family, Rule
from scanner.samples import sample
from tests.support.encodings import ENCODED, Writer
from tests.support.rules import blob

WAYS = [(name, way) for name, ways in ENCODED.items() for way in ways]
IN_PIECES = re.compile(r"[\w\-.+/=~:%$!*@^]{24,}")
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def kinds() -> tuple[Rule, ...]:
    """Kinds of which a sample is its secret, and which are reported alone."""
    return tuple(
        rule
        for rule in rulebook.load().rules
        if rule.family is Family.PREFIXED and not rule.identifier and not any(pair.required for pair in rule.pairs)
        if rule.literals and min(map(len, rule.literals)) >= PLAIN and all(map(is_rare, beginnings(rule)))
        if any(True for _ in beginnings(rule))
    )


def found(shipped: Scanner, data: bytes) -> list[Finding]:
    return [result for result in shipped.scan(blob(data, "notes.txt")) if isinstance(result, Finding)]


def made(shipped: Scanner, rng: random.Random) -> str | None:
    """A secret of some kind that is found where it stands alone."""
    rule = rng.choice(kinds())
    try:
        secret = sample(rule, rng).secret
    except UsageError:
        return None
    plain = b"first line\n" + secret + b"\nlast line\n"
    ours = [each for each in found(shipped, plain) if each.secret.reveal() == secret and each.kind == rule.kind]
    return secret.decode() if ours and secret.isascii() and secret.startswith(tuple(beginnings(rule))) else None


def prefixes(secret: str) -> list[str]:
    """What secrets of shipped kinds begin with, of those that this one does."""
    known = {text.decode("latin-1") for rule in kinds() for text in beginnings(rule)}
    return [text for text in known if secret.startswith(text)]


def wrapped(secret: str, *writers: Writer) -> bytes:
    for write in writers:
        secret = write(secret)
    return f"first line\n{secret}\nlast line\n".encode()


@pytest.mark.parametrize(("name", "way"), [each for each in WAYS if each[0] != "joined"])
@given(seed=st.integers(0, 2**32))
@settings(SLOW, max_examples=10)
def test_every_encoding_is_seen_through(shipped: Scanner, name: str, way: str, seed: int) -> None:
    secret = made(shipped, random.Random(seed))
    if secret is None:
        return
    write = ENCODED[name][way]
    if not IN_PIECES.fullmatch(secret) or write(secret) == secret:
        return  # there is nothing in it to be escaped; or white space, which ends what is read backwards
    data = wrapped(secret, write)
    results = found(shipped, data)
    ours = [each for each in results if each.secret.reveal().decode() == secret]
    if way == "signs" and not ours and any(secret.startswith(each.secret.reveal().decode()) for each in results):
        return  # what stands before the first sign is a key of a shorter length
    assert [each.encoding for each in ours] == [(name,)], data
    span = ours[0].span
    assert data.count(b"\n", 0, span.start) + 1 == span.start_line
    assert data[span.start : span.end] in data.removeprefix(b"first line\n").removesuffix(b"\nlast line\n")


@pytest.mark.parametrize("way", ENCODED["joined"])
@given(seed=st.integers(0, 2**32))
@settings(SLOW, max_examples=10)
def test_pieces_are_joined(shipped: Scanner, way: str, seed: int) -> None:
    secret = made(shipped, random.Random(seed))
    if secret is None:
        return
    if not IN_PIECES.fullmatch(secret) or max(map(len, prefixes(secret))) > 8:
        return  # braces and commas end a piece, and a prefix must not be cut itself
    data = wrapped(secret, ENCODED["joined"][way])
    seen = [each.secret.reveal().decode() for each in found(shipped, data)]
    begun = any(
        secret.startswith(each.rstrip("=")) for each in seen
    )  # the first piece alone may be a key of a shorter length
    assert secret in seen or begun, data


@given(seed=st.integers(0, 2**32))
@SLOW
def test_what_is_written_as_escapes_may_hold_any_other_encoding(shipped: Scanner, seed: int) -> None:
    rng = random.Random(seed)
    secret = made(shipped, rng)
    if secret is None:
        return
    outer = rng.choice(["percent", "unicode-escape", "escape", "html", "quoted-printable"])
    inner = rng.choice(["base64", "hex", "reversed"])
    way = {"base64": "plain", "hex": "small", "reversed": "all"}[inner]
    data = wrapped(secret, ENCODED[inner][way], next(iter(ENCODED[outer].values())))
    ours = [each.encoding for each in found(shipped, data) if each.secret.reveal().decode() == secret]
    assert ours == [(outer, inner)], data


@pytest.mark.parametrize("times", [2, 3])
@given(seed=st.integers(0, 2**32))
@settings(SLOW, max_examples=20)
def test_base64_of_base64(shipped: Scanner, times: int, seed: int) -> None:
    secret = made(shipped, random.Random(seed))
    if secret is None:
        return
    data = wrapped(secret, *[ENCODED["base64"]["plain"]] * times)
    ours = [each.encoding for each in found(shipped, data) if each.secret.reveal().decode() == secret]
    assert ours == [("base64",) * times], data


@given(seed=st.integers(0, 2**32))
@SLOW
def test_base64_of_utf_16_as_shells_take_it(shipped: Scanner, seed: int) -> None:
    secret = made(shipped, random.Random(seed))
    if secret is None:
        return
    data = b"powershell -EncodedCommand " + b64encode(f"$key = '{secret}'; Invoke-It $key".encode("utf-16-le"))
    ours = [each.encoding for each in found(shipped, data) if each.secret.reveal().decode() == secret]
    assert ours == [("base64", "utf-16")], data


@given(seed=st.integers(0, 2**32))
@settings(SLOW, max_examples=15)
def test_nothing_is_opened_for_ever(shipped: Scanner, seed: int) -> None:
    secret = made(shipped, random.Random(seed))
    if secret is None:
        return
    percent = ENCODED["percent"]["all"]
    assert secret in [e.secret.reveal().decode() for e in found(shipped, wrapped(secret, *[percent] * (DEPTH - 1)))]
    list(shipped.scan(blob(wrapped(secret, *[percent] * (DEPTH + 1)))))


HOSTILE = (
    b"%41" * 200_000,
    b"\\x41" * 200_000,
    b"\\" * 400_000,
    b"&amp;" * 200_000,
    b"=\n" * 300_000,
    b"0x41, " * 100_000,
    b"41 " * 200_000,
    b'"' * 400_000,
    b"gh" + b'p_"+"gh' * 60_000,
    b"gh" + b"p_\n gh" * 60_000,
    b"gh" + b"p_a" * 120_000,
    b"a_p" + b"hg" * 200_000,
    (b"Z2h" + b"wXz") * 100_000,
    b"6768" + b"705f" * 100_000,
    b"\n\t \n" * 100_000 + b'" "' * 100_000,
)


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_ends(shipped: Scanner, data: bytes) -> None:
    results = list(shipped.scan(blob(data)))
    assert all(isinstance(result, Skipped) for result in results)


def test_ordinary_source_holds_nothing_encoded(shipped: Scanner) -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    encoded = [
        (path.name, each.kind.id, each.encoding)
        for path in files
        for each in found(shipped, path.read_bytes())
        if each.encoding
    ]
    assert len(files) > 100
    assert encoded == []
