"""What taken-in leaks go through: public keys that are fetched, and pieces that are sealed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.batches import pack, pieces, unpack
from responders.incident import Sighting
from responders.leakreport import LeakReport
from responders.provider import Leak
from responders.publickeys import ASK_AGAIN, KEEP, PublicKeys
from scanner.errors import ConfigError
from scanner.model import Secret, Severity, TokenKind
from tests.support.stores import FINGERPRINTER, START, Clock
from tests.support.webserver import web_server

texts = st.text(max_size=20)
secrets = st.binary(min_size=1, max_size=40).map(Secret)
sightings = st.builds(
    Sighting, texts, texts, texts, texts, texts, texts, st.integers(0, 10**6), st.sampled_from([None, START]), texts
)
reports = st.builds(
    lambda kind, secret, parts, places, source: LeakReport(
        Leak(kind, secret, parts), FINGERPRINTER.of(secret or b""), "…last", tuple(places), source
    ),
    st.builds(TokenKind, texts, texts, texts, st.sampled_from(Severity)),
    st.none() | secrets,
    st.dictionaries(texts, secrets, max_size=2),
    st.lists(sightings, max_size=3),
    texts,
)


@given(st.lists(reports, max_size=4))
def test_what_is_packed_comes_out_again(given_reports: list[LeakReport]) -> None:
    packed = pack(given_reports)
    assert unpack(packed) == given_reports
    assert str(packed) == "***"


@given(st.integers(0, 25), st.integers(1, 10))
def test_pieces_hold_everything_once(count: int, size: int) -> None:
    report = LeakReport(Leak(TokenKind("r", "R", "p", Severity.HIGH), None), FINGERPRINTER.of(b"x"), "***", ())
    cut = list(pieces([report] * count, size))
    assert sum(map(len, cut)) == count
    assert all(1 <= len(piece) <= size for piece in cut)


def test_a_piece_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="not in the form"):
        unpack(Secret(json.dumps([{"kind": []}]).encode()))


def listed(**keys: str) -> bytes:
    return json.dumps({"public_keys": [{"key_identifier": name, "key": key} for name, key in keys.items()]}).encode()


def test_public_keys_are_fetched_and_kept_for_a_while() -> None:
    clock = Clock()
    with web_server() as site:
        site.answers, site.body = [200] * 9, listed(one="pem 1")
        keys = PublicKeys(clock, url=site.url + "/keys")
        assert keys.get("one") == keys.get("one") == "pem 1"
        assert (keys.get("two"), len(site.requests)) == (None, 1)
        site.body = listed(one="pem 1", two="pem 2")
        clock.forward(seconds=ASK_AGAIN.total_seconds())
        assert (keys.get("two"), len(site.requests)) == ("pem 2", 2)
        clock.forward(seconds=KEEP.total_seconds())
        site.body = listed(two="pem 2")
        assert (keys.get("one"), len(site.requests)) == (None, 3), "a key that is withdrawn is no longer believed"


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"no JSON"), (200, b'{"public_keys": [1]}')])
def test_keys_that_cannot_be_fetched_leave_the_old_ones(status: int, body: bytes) -> None:
    clock = Clock()
    with web_server() as site:
        site.answers, site.body = [200], listed(one="pem 1")
        keys = PublicKeys(clock, url=site.url + "/keys")
        assert keys.get("one") == "pem 1"
        clock.forward(seconds=KEEP.total_seconds())
        site.answers, site.body = [status], body
        assert keys.get("one") == "pem 1"
        assert keys.trouble


def test_keys_out_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(listed(one="pem 1"))
    keys = PublicKeys(Clock(), file=file)
    assert keys.configured
    assert (keys.get("one"), keys.get("two")) == ("pem 1", None)
    file.write_text("[1]")
    with pytest.raises(ConfigError, match="GitHub's form"):
        PublicKeys(Clock(), file=file)
    with pytest.raises(ConfigError, match="cannot be read"):
        PublicKeys(Clock(), file=tmp_path / "none")
    assert not PublicKeys(Clock()).configured
