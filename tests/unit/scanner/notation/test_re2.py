"""RE2 over bytes: what is read, what is refused, and that the exact pattern and the first pass agree with it."""

from __future__ import annotations

import pytest
import regex

from scanner.engine.database import Database
from scanner.notation import re2, re2forms
from scanner.notation.tree import NotationError

LIMIT = 65_536


def found(text: str, data: bytes) -> bytes | None:
    """What the exact pattern takes for the secret; the first pass must point at it."""
    parsed = re2.parse(text)
    node, bound = re2forms.fitted(parsed.node, LIMIT)
    pattern = re2forms.exact(parsed.node, bound, re2forms.first_groups(parsed.node))
    match = regex.search(pattern.encode("latin-1"), data)
    if match is None:
        return None
    trigger, _ = re2forms.best_trigger(node)
    hits = Database.compile([(trigger.text.encode("latin-1"), 0)]).candidates(data)
    start, end = match.span()
    assert any(hit.first - trigger.before <= start and end <= hit.end + trigger.after for hit in hits)
    return match["secret"]


@pytest.mark.parametrize(
    ("text", "data", "secret"),
    [
        (r"acme_[a-z]{4}", b"x acme_abcd y", b"acme_abcd"),
        (r"acme_[a-z]{4,}", b"acme_abcdefgh9", b"acme_abcdefgh"),
        (r"acme=(\w+);", b"acme=abc_9;", b"abc_9"),
        (r"acme=(?P<key>\w+) (\w+)", b"acme=abc def", b"abc"),
        (r"acme=(?:x|(\d+))(\w+)", b"acme=x77a", b"77a"),
        (r"(?:acme=(\d+)|zen=(\w+))", b"zen=abc", b"abc"),
        (r"(acme)?_key_9", b"acme_key_9", b"acme_key_9"),
        (r"(?i)AcMe-KEY", b"acme-key", b"acme-key"),
        (r"acme-(?i:KEY)-a", b"acme-key-a", b"acme-key-a"),
        (r"acme-(?i:KEY)-a", b"ACME-key-a", None),
        (r"ac(?i)me(?-i)-K", b"acME-K", b"acME-K"),
        (r"ac(?i)me(?-i)-K", b"acME-k", None),
        (r"(?m)^acme=(\w+)$", b"a\nacme=bcd\nx", b"bcd"),
        (r"^acme=(\w+)$", b"a\nacme=bcd\nx", None),
        (r"\Aacme=(\w+)\z", b"acme=bcd", b"bcd"),
        (r"acme=(\w+)$", b"acme=bcd\n", None),
        (r"\bacme\b", b"_acme acme", b"acme"),
        (r"\Bacme", b"acme xacme", b"acme"),
        (r"acme[[:digit:]]{2}[[:^alpha:]]", b"acme12-", b"acme12-"),
        (r"acme[\d\-x]{3}", b"acme1-x", b"acme1-x"),
        (r"acme[]x]{2}[^]]", b"acme]xa", b"acme]xa"),
        (r"acme\.\x41\x{42}\102\Q*+\E", b"acme.ABB*+", b"acme.ABB*+"),
        (r"acme.b", b"acme\nb", None),
        (r"(?s)acme.b", b"acme\nb", b"acme\nb"),
        (r"acme: .{1,3}?b", b"acme: bbb", b"acme: bb"),
        (r"(?U)acme: .{1,3}b", b"acme: bbb", b"acme: bb"),
        (r"acmeé[àü]z", "acmeéüz".encode(), "acmeéüz".encode()),
        (r"acme\pL+", "acmeßx9".encode(), "acmeßx".encode()),
        (r"acme\PN{2}", b"acme12 acmexy", b"acmexy"),
        (r"acme{x}a{,2}", b"acme{x}a{,2}", b"acme{x}a{,2}"),
        (r"acme(|x)y", b"acmey", b"acmey"),
        (r"acme=(\w{3})(?:[;\s]|\\n|$)", b"acme=abc", b"abc"),
        (r"\s*[\w.]*acme\s*=\s*(\w+)", b"  my.acme  = abc", b"abc"),
    ],
)
def test_reads_what_go_reads(text: str, data: bytes, secret: bytes | None) -> None:
    assert found(text, data) == secret


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a**", "repetition of a repetition"),
        ("*a", "nothing to repeat"),
        ("(a", "not closed"),
        ("a)", "without an opening one"),
        ("[a", "not closed"),
        (r"(a)\1", "does not know"),
        ("(?=a)", "does not know"),
        ("(?<!a)b", "does not know"),
        ("a{2,1}", "runs backwards"),
        ("a{1001}", "beyond 1000"),
        ("[z-a]", "runs backwards"),
        ("[[:nothing:]]", "does not know"),
        (r"\y", "does not know"),
    ],
)
def test_refuses_what_go_refuses(text: str, why: str) -> None:
    with pytest.raises(NotationError, match=why) as refused:
        re2.parse(text)
    assert refused.value.position


def test_loops_are_bounded_so_that_a_match_stays_short_enough() -> None:
    assert re2forms.fitted(re2.parse("a[a-z]*").node, LIMIT)[1] == 4096
    assert re2forms.fitted(re2.parse("a(?:b[a-z]*)*").node, LIMIT)[1] == 64
    assert re2forms.fitted(re2.parse("a[a-z]{20}").node, LIMIT)[1] == 0
    with pytest.raises(NotationError, match="the limit is 65536"):
        re2forms.fitted(re2.parse("(?:a{1000}){1000}").node, LIMIT)
    with pytest.raises(NotationError, match="no character"):
        re2forms.fitted(re2.parse(r"^\b$").node, LIMIT)


def test_the_first_pass_begins_at_the_rarest_part() -> None:
    node, _ = re2forms.fitted(re2.parse(r"\w*\s{0,9}['\"]?\w{0,20}zenith=[0-9]{8}").node, LIMIT)
    trigger, bits = re2forms.best_trigger(node)
    assert trigger.text == "zenith=[0-9]{8}"
    assert trigger.before >= 4096 + 9 + 1 + 20
    assert bits > 60


def test_what_beyond_ascii_is_read_widely_is_said() -> None:
    assert re2.parse(r"\p{Greek}x").wide
    assert re2.parse(r"[^é]x").wide
    assert not re2.parse(r"[é]\d\w.").wide
