"""The second pass: what is a token, what it is worth, and which rule has it."""

from __future__ import annotations

import random
import re

import pytest

from scanner.checks.tokens import jwt_complete
from scanner.model import Confidence, Skipped
from scanner.options import Limits, Options
from scanner.rule import Rule
from tests.support.rules import findings, results, rule, scanner, secrets, suppressed
from tests.support.tokens import github_token, text

HEX = "0123456789abcdef"
RNG = random.Random(20)
VALUE = text(RNG, 32, HEX).encode()
TOKEN = f"acmt_{text(RNG, 24)}".encode()

FIXED = rule("acme-token", "acmt_ + base62{24}")
NAMED = rule("acme-key", "hex{32}", keywords=("acme",))
ZENITH = rule("zenith-key", "hex{32}", keywords=("zenith", "zen ith"))
WIDE = rule("wide-key", "base36{32}", keywords=("widget",))


def kinds(data: bytes, *rules: Rule, options: Options = Options()) -> list[str]:  # noqa: B008 - frozen
    return [finding.kind.id for finding in findings(scanner(*rules, options=options), data)]


@pytest.mark.parametrize("form", [b"%s", b"x='%s'", b"a\\n%s\\n", b"?k=%s&b", b"\xc3\xa9%s\xc3\xa9", b"%%3D%s%%26"])
def test_finds_a_token_in_any_surroundings(form: bytes) -> None:
    assert secrets(scanner(FIXED), form % TOKEN) == [TOKEN]


@pytest.mark.parametrize("form", [b"a%s", b"%sa", b"%s9"])
def test_leaves_parts_of_longer_words_alone(form: bytes) -> None:
    assert secrets(scanner(FIXED), form % TOKEN) == []


def test_finds_each_place_once() -> None:
    data = b" ".join([TOKEN] * 500)
    spans = [finding.span.start for finding in findings(scanner(FIXED), data)]
    assert spans == [hit.start() for hit in re.finditer(TOKEN, data)]


def test_follows_a_match_to_its_end_however_long() -> None:
    long = rule("acme-long", "acml_ + base62{20-9000}")
    token = b"acml_" + text(RNG, 8000).encode()
    assert secrets(scanner(long), b"'" + token + b"'") == [token]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'ACME_KEY = "%s"', ["acme-key"]),
        (b'acmeKey: "%s"', ["acme-key"]),
        (b'myAcmeKey: "%s"', ["acme-key"]),
        (b'{"acme": {"key": "%s"}}', ["acme-key"]),
        (b"- name: ACME_API_KEY\n  value: %s", ["acme-key"]),
        (b"zen_ith_key=%s", ["zenith-key"]),
        (b"ZENITHTOKEN=%s", ["zenith-key"]),
        (b"acme = 1\nzenith = %s", ["zenith-key"]),
        (b"acme zenith = %s", ["zenith-key"]),
        (b"zenith acme = %s", ["acme-key"]),
        (b"acme" + b" " * 60 + b"= %s", ["acme-key"]),
        (b"acme" + b"." * 60 + b"= %s", []),
        (b"acme:\n  id: 7\n  key: %s", ["acme-key"]),
        (b'"acme": {\n  "id": 7,\n  "key": "%s"\n}', ["acme-key"]),
        (b"acme:\n  id: 7\nkey: %s", []),
        (b"acme-token-%s", ["acme-key"]),
        (b"acme-logo-%s", []),
        (b"zen-ith-key-%s", ["zenith-key"]),
        (b"acme v7.2.0 h1:%s", []),
        (b"key = %s", []),
        (b"tacmental = %s", []),
        (b"key = %s # acme", []),
        (b"acme\n\nkey = %s", []),
        (b"acme md5: %s", []),
        (b"acme_commit = %s", []),
    ],
)
def test_a_value_belongs_to_the_nearest_keyword(line: bytes, found: list[str]) -> None:
    assert kinds(line % VALUE, NAMED, ZENITH) == found


def test_the_nearest_keyword_wins_over_forms_too() -> None:
    assert kinds(b"acme widget = " + VALUE, NAMED, WIDE) == ["wide-key"]
    assert kinds(b"widget acme = " + VALUE, NAMED, WIDE) == ["acme-key"]


def test_a_keyword_on_the_line_before_is_worth_less() -> None:
    near = findings(scanner(NAMED), b"acme: " + VALUE)
    far = findings(scanner(NAMED), b"acme:\n  " + VALUE)
    assert [found.confidence for found in near + far] == [Confidence.MEDIUM, Confidence.LOW]


def test_a_checksum_decides() -> None:
    checked = rule("github-pat", "ghp_ + base62{36}", check=("github",), check_fails="low")
    strict = rule("github-pat", "ghp_ + base62{36}", check=("github",))
    good = github_token(RNG).encode()
    bad = good[:-1] + (b"a" if good[-1:] != b"a" else b"b")
    assert [f.confidence for f in findings(scanner(checked), good + b" " + bad)] == [Confidence.HIGH, Confidence.LOW]
    assert secrets(scanner(strict), good + b" " + bad) == [good]


def test_a_weak_check_proves_nothing() -> None:
    curve = rule("acme-curve", "hexi{64}", keywords=("acme",), check=("secp256k1",))
    [found] = findings(scanner(curve), b"acme: " + text(RNG, 64, HEX).encode())
    assert found.confidence is Confidence.MEDIUM


def test_a_kind_is_as_sure_as_the_surest_match_of_about_the_same_text() -> None:
    doubtful = rule("acme-line", pattern=r"line=(?P<secret>[0-9A-Za-z_;]{20,60})", confidence="low")
    sure = rule("acme-part", pattern=r"line=(?P<secret>[0-9A-Za-z_]{20,60})", general=True)
    [found] = findings(scanner(doubtful, sure), b"line=" + TOKEN + b";;")
    assert (found.kind.id, found.confidence) == ("acme-line", Confidence.HIGH)


def test_a_vendors_web_token_is_the_vendors() -> None:
    plain = rule("jwt", "eyJ + base64url{12-1000} + . + base64url{4-8000} + . + base64url{43-1000}", check=("jwt",),
                 general=True)  # fmt: skip
    own = rule("acme-jwt", "eyJ + base64url{12-1000} + . + base64url{4-8000} + . + base64url{43}", check=("jwt",))
    token = jwt_complete(b"anything")
    assert kinds(b"x = " + token, plain, own) == ["acme-jwt"]


def test_of_two_rules_the_more_specific_one_has_it() -> None:
    nested = rule("acme-nested", "acmt_ + base62{24} + . + base62{10}")
    data = b"acme=" + TOKEN + b"." + text(RNG, 10).encode()
    assert kinds(data, FIXED, nested) == ["acme-nested"]
    generic = rule("any-token", "word{29}", keywords=("acme",))
    assert kinds(b"acme=" + TOKEN, FIXED, generic) == ["acme-token"]


def test_words_are_no_keys() -> None:
    loose = rule("acme-name", "word{20-40}", keywords=("acme",))
    assert kinds(b"acme = get_user_account_name_by_id", loose) == []
    assert kinds(b"acme = " + text(RNG, 30).encode(), loose) == ["acme-name"]


@pytest.mark.parametrize(
    "value",
    [b"acmt_" + b"x" * 24, b"acmt_abcdefghijklmnopqrstuvwx", b"acmt_EXAMPLE" + b"k3Jd8sQ2" * 3, b"acmt_" + b"ab" * 12],
)
def test_examples_are_no_keys(value: bytes) -> None:
    assert secrets(scanner(FIXED), value[:29]) == []


def test_only_and_disabled_and_confidence() -> None:
    data = b"acme: " + VALUE + b" " + TOKEN
    both = {"acme-key", "acme-token"}
    assert set(kinds(data, FIXED, NAMED)) == both
    assert kinds(data, FIXED, NAMED, options=Options(only_rules=frozenset({"acme-key"}))) == ["acme-key"]
    assert kinds(data, FIXED, NAMED, options=Options(disabled_rules=frozenset({"acme-key"}))) == ["acme-token"]
    assert kinds(data, FIXED, NAMED, options=Options(min_confidence=Confidence.HIGH)) == ["acme-token"]


def test_a_rule_that_takes_too_long_is_said_to() -> None:
    slow = rule(
        "acme-slow",
        pattern=r"acms_(?P<secret>[a-z]{1,900}[a-y]{1,900}[a-x]{1,900}[a-w]{1,900}[a-v]{1,900}[a-u]{1,900}[a-t]{1,900}[0-9])",
    )
    data = b" acms_" + b"a" * 4000 + b"-1z"
    quick = scanner(slow, FIXED, options=Options(limits=Limits(seconds_per_rule=0.01)))
    told = results(quick, data + b" " + TOKEN)
    assert [result.reason for result in told if isinstance(result, Skipped)] == [
        "rule acme-slow took longer than 0.01 s"
    ]
    assert [finding.kind.id for finding in findings(quick, data + b" " + TOKEN)] == ["acme-token"]


def test_more_findings_than_wanted_are_said_to_be_there() -> None:
    few = scanner(FIXED, options=Options(limits=Limits(findings=3)))
    tokens = b" ".join(f"acmt_{text(RNG, 24)}".encode() for _ in range(5))
    assert [type(result).__name__ for result in results(few, tokens)] == ["Finding"] * 3 + ["Skipped"]


IDENTIFIER = rule("acme-id", "ACID + digit{10}", identifier=True, severity="info")


@pytest.mark.parametrize(("required", "gap", "reported"), [(False, 1, 1), (False, 30, 1), (True, 1, 1), (True, 30, 0)])
def test_a_pair_is_found_within_its_lines(required: bool, gap: int, reported: int) -> None:
    pair = rule("acme-pair", "acmt_ + base62{24}", pairs=(_pair(required),))
    data = b"ACID8301947265" + b"\n" * gap + TOKEN
    found = findings(scanner(pair, IDENTIFIER), data)
    assert len(found) == reported
    if reported:
        parts = {name: secret.reveal() for name, secret in found[0].parts.items()}
        assert parts == ({"id": b"ACID8301947265"} if gap == 1 else {})


def _pair(required: bool) -> object:
    from scanner.rulefile import RawPair

    return RawPair("id", "acme-id", within=10, required=required)


def test_an_identifier_alone_is_nothing() -> None:
    assert findings(scanner(IDENTIFIER), b"ACID8301947265") == []


def test_named_groups_become_parts() -> None:
    url = rule("acme-url", pattern=r"acme://(?P<user>[a-z]{1,20}):(?P<secret>[0-9A-Za-z]{8,40})@")
    [found] = findings(scanner(url), b"acme://anna:" + VALUE + b"@host")
    assert found.secret.reveal() == VALUE
    assert {name: part.reveal() for name, part in found.parts.items()} == {"user": b"anna"}


def test_an_inline_mark_silences_its_line_only() -> None:
    data = b"a = " + TOKEN + b"  # keyfuse:allow a made-up one\nb = " + TOKEN + b"\n"
    [silenced] = suppressed(scanner(FIXED), data)
    assert (silenced.by, silenced.reason, silenced.finding.span.start_line) == ("inline", "a made-up one", 1)
    assert [finding.span.start_line for finding in findings(scanner(FIXED), data)] == [2]


def test_other_scanners_marks_count_when_asked_for() -> None:
    data = b"a = " + TOKEN + b"  # gitleaks:allow\n"
    assert len(findings(scanner(FIXED), data)) == 1
    assert len(suppressed(scanner(FIXED, options=Options(foreign_marks=True)), data)) == 1
