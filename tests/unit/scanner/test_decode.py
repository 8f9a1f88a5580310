"""Encodings are seen through, and findings stand where the encoded text does."""

from __future__ import annotations

import random
from base64 import b64encode, urlsafe_b64encode

import pytest

from scanner.encodings.unwrap import Budget
from scanner.model import Shape, Skipped
from scanner.options import Options
from tests.support.encodings import ENCODED
from tests.support.rules import findings, results, rule, scanner, secrets
from tests.support.tokens import keyfuse_key, text

RNG = random.Random(30)
TOKEN = f"acmt_{text(RNG, 24)}"
FIXED = rule("acme-token", "acmt_ + base62{24}")
PROSE = "first line — with more\nsecond: " + TOKEN + " # end\nthird\n"


@pytest.mark.parametrize(
    ("codec", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b""), ("utf-16-be", b"")]
)
def test_reads_utf_16(codec: str, mark: bytes) -> None:
    data = mark + PROSE.replace("—", "-").encode(codec)
    [found] = findings(scanner(FIXED), data)
    assert found.secret.reveal() == TOKEN.encode()
    assert found.encoding == ("utf-16",)
    assert (found.span.start_line, found.span.start_column) == (2, 9)
    assert data[found.span.start : found.span.end].decode(codec) == TOKEN


def test_counts_bytes_of_utf_16_that_are_not_one_to_one() -> None:
    data = b"\xff\xfe" + ("é😀" * 10 + PROSE).encode("utf-16-le")
    [found] = findings(scanner(FIXED), data)
    assert data[found.span.start : found.span.end].decode("utf-16-le") == TOKEN


def test_reads_strings_in_binaries() -> None:
    noise = bytes(range(256)) * 4
    narrow, wide = noise + TOKEN.encode() + noise, noise + TOKEN.encode("utf-16-le") + noise
    assert secrets(scanner(FIXED), narrow) == [TOKEN.encode()]
    [found] = findings(scanner(FIXED), wide)
    assert found.secret.reveal() == TOKEN.encode()
    assert wide[found.span.start : found.span.end] == TOKEN.encode("utf-16-le")


@pytest.mark.parametrize("lead", range(7))
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_reads_base64_at_every_alignment(lead: int, encode: object) -> None:
    assert callable(encode)
    plain = b"~" * lead + b"?" + TOKEN.encode() + b"!>?"
    coded = encode(plain)
    data = b'data: "' + coded + b'"\n'
    [found] = findings(scanner(FIXED), data)
    assert found.secret.reveal() == TOKEN.encode()
    assert found.encoding == ("base64",)
    assert data[found.span.start : found.span.end] in coded
    assert found.span.start_line == 1


def test_reads_folded_base64() -> None:
    coded = b64encode(("preamble " * 20 + TOKEN + " rest " * 20).encode())
    lines = b"\r\n  ".join(coded[at : at + 64] for at in range(0, len(coded), 64))
    [found] = findings(scanner(FIXED), b"body:\r\n  " + lines + b"\r\n\r\nother words\r\n")
    assert found.secret.reveal() == TOKEN.encode()
    assert found.span.start_line > 2


def test_finds_registered_keys_in_base64_of_a_rules_token() -> None:
    key = keyfuse_key(RNG)
    coded = b64encode(f"{TOKEN}\n{key}\n".encode())
    found = findings(scanner(FIXED, shapes=(Shape("kfk_", "base62", 42),)), coded)
    assert {finding.secret.reveal().decode() for finding in found} == {TOKEN, key}


def test_leaves_base64_alone_when_told_to() -> None:
    assert findings(scanner(FIXED, options=Options(encodings=False)), b64encode(PROSE.encode())) == []


def test_an_allowed_line_allows_what_is_encoded_in_it() -> None:
    data = b64encode(PROSE.encode()) + b" # keyfuse:allow\n"
    assert findings(scanner(FIXED), data) == []


@pytest.mark.parametrize("way", ENCODED["joined"])
def test_joins_what_is_written_in_pieces(way: str) -> None:
    [found] = findings(scanner(FIXED), f"first line\n{ENCODED['joined'][way](TOKEN)}\nlast line\n".encode())
    assert found.secret.reveal() == TOKEN.encode()
    assert found.encoding == ("joined",)
    assert found.span.start_line >= 2


def test_joins_nothing_that_stands_apart() -> None:
    for apart in (
        f'["{TOKEN[:20]}", "{TOKEN[20:]}"]',
        f"{TOKEN[:20]} {TOKEN[20:]}",
        f"a: {TOKEN[:20]}\n{TOKEN[20:]}: b",
    ):
        assert findings(scanner(FIXED), apart.encode()) == []


def test_joins_a_list_only_as_far_as_it_makes_sense() -> None:
    data = f'join(["{TOKEN[:12]}", "{TOKEN[12:]}", "{"x" * 9}"])'.encode()
    assert secrets(scanner(FIXED), data) == [TOKEN.encode()]


def test_a_list_of_beginnings_is_no_value_in_pieces() -> None:
    beginnings = ", ".join(f'"{text}-"' for text in ("acmt_gl", "glon", "agent", "oauth", "soat", "session"))
    assert findings(scanner(rule("acme-long", "acmt_ + [a-z-]{20}")), f"join([{beginnings}])".encode()) == []


def test_what_stands_between_escapes_is_found_once() -> None:
    data = f"%7b%22key%22: {TOKEN} %22%3a%7d".encode()
    [found] = findings(scanner(FIXED), data)
    assert found.encoding == ()


def test_a_shell_command_in_base64_of_utf_16() -> None:
    data = b"-enc " + b64encode(f"$k = '{TOKEN}'".encode("utf-16-le"))
    [found] = findings(scanner(FIXED), data)
    assert found.encoding == ("base64", "utf-16")
    assert data[found.span.start : found.span.end] in data


def test_says_when_more_is_encoded_than_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\n".join(b64encode(f"{number} {TOKEN}".encode()) + b"." for number in range(30))
    assert len(results(scanner(FIXED), data)) == 30
    monkeypatch.setattr("scanner.finder.Budget", lambda: Budget(decodes=10))
    *some, last = results(scanner(FIXED), data)
    assert 0 < len(some) < 30
    assert isinstance(last, Skipped)
    assert "encoded" in last.reason


@pytest.mark.parametrize("budget", [Budget(size=0), Budget(looks=0)])
def test_looks_for_pieces_cost_too(budget: Budget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.finder.Budget", lambda: budget)
    [only] = results(scanner(FIXED), f'"{TOKEN[:20]}" + "{TOKEN[20:]}"'.encode())
    assert isinstance(only, Skipped)


@pytest.mark.parametrize(
    ("name", "way"), [("base64", "plain"), ("hex", "small"), ("hex", "list"), ("percent", "all"), ("reversed", "all")]
)
def test_each_of_many_lines_is_read(name: str, way: str) -> None:
    tokens = [f"acmt_{text(RNG, 24)}" for _ in range(40)]
    for between in ("\n", ";\n- ", ' "x", '):
        data = between.join(ENCODED[name][way](token) for token in tokens).encode()
        assert sorted(secrets(scanner(FIXED), data)) == sorted(token.encode() for token in tokens), between
