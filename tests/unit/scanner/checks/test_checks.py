"""Checks: worked examples by hand, and what holds for every check.

The examples are made-up values computed once; they are put together here from pieces, so that no file holds one whole.
"""

from __future__ import annotations

import base64
import binascii
import random

import pytest

from scanner.checks import CHECKS
from scanner.checks.encodings import (
    BASE62,
    base32,
    base58,
    crc16_xmodem,
    crc24_openpgp,
    digits,
    marvin32,
    unbase32,
    unbase58,
    unbase64,
    whole_bytes,
    zero_spill,
)
from scanner.checks.tokens import aws_account, supabase

WORDS = "NotARealToken" * 6
NOISE = "W3GojfcnWBPQZevwTq4JFLVkP54EB5N"

BITS = "".join(f"{number:08b}" for number in range(32)) + "0000"
COUNTED = "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[int(BITS[at : at + 5], 2)] for at in range(0, 260, 5))
"""The bytes 0 to 31 in bech32."""

EXAMPLES = [
    ("github", "ghp_", WORDS[:30], "3qWLOJ"),
    ("github", "gho_", "Fakexxxxxxxxxxxxxxxxxxxxxxxx13", "0Ru6do"),
    ("github", "ghr_", WORDS[:70], "2SgXew"),
    ("npm", "npm_", "NotAnNpmTokenNotAnNpmTokenNotA", "0sWowf"),
    ("gitlab-routable", "glpat-", "AAECAwQFBgcICQoLDA0OD286MQp1OjJzCA.01.0y", "0wdsbqj"),
    ("gitlab-routable", "glpat-", "bzoxAAECAwQFBgcICQoLDA0ODxA.0r", "0gtcg3x"),
    ("grafana", "glsa_", "NotAReal" * 4, "_1d6ec5a6"),
    ("atlassian", "ATATT3xFfGF0", ("NotAReal-token_" * 11)[:160] + "=", "8638540D"),
    ("atlassian", "ATBB", "NotARealPassNotARealPass", "5662719E"),
    ("cloudflare-cfk", "cfk_", WORDS[:40], "a6063460"),
    ("cloudflare-cfut", "cfut_", WORDS[:40], "a6063460"),
    ("cloudflare-cfut", "cfat_", WORDS[:40], "a6063460"),
    ("vercel", "vcp_", WORDS[:50], "2x9zAn"),
    ("zuplo", "zpka_", "0123456789abcdef" * 2, "_7759b50e"),
    ("confluent", "cflt", WORDS[:54], "AjBNgQ"),
    ("apify", "apify_api_", WORDS[:30], "2i6B6u"),
    ("deno-deploy", "ddp_", WORDS[:30], "1VUjDH"),
    ("packagist", "packagist_ort_", ("0123456789abcdef" * 4)[:60], "680569fb"),
    ("salad-cloud-org", "salad_cloud_org_", WORDS[:43], "4Kvpvj"),
    ("salad-cloud-user", "salad_cloud_user_", WORDS[:43], "4Kvpvj"),
    ("canva", "cnvca", "NotAReal-" * 4 + "NotARea", "e9feee68"),
    ("yandex-smartcaptcha", "ysc2_", ("NotARealKey" * 4)[:40], "39f484e4"),
    ("azure-storage", NOISE + "+tDKvG2jZwCBuNgwbwcqAx7+yS1VPbLFPFJXHmb3uQeCp", "+ASt", "12+idA=="),
    ("azure-messaging", NOISE + "+t", "+ASb", "IwEEc0="),
    ("azure-search", NOISE + "+tDKvG2jZwC", "AzSe", "BYsiBo"),
    ("azure-functions", NOISE + "-tDKvG2jZwCBu", "AzFu", "TdeBZQ=="),
    ("azure-entra", "Fak", "8Q~NotARealSecret_NotARealSecret_N", "dAL"),
    ("azure-cask", ("NotARealKey1" * 5)[:52] + "JQQJ99CK", "A" * 16 + "AZDO", "VFBG"),
    ("azure-cask", ("NotARealKey1" * 5)[:52] + "JQQJ99CK", "A" * 16 + "AZDO", "VFBGSw=="),
    ("azure-devops", "lnyunken64tsyfcycpigl27qj2xas", "ffvmq73fhqea6jx5nbsv4nq", ""),
    ("age", "AGE-SECRET-KEY-1", COUNTED.upper(), "WRYDWG"),
    ("nostr", "nsec1", COUNTED, "8zu3a4"),
    ("bitcoin-wif", "5JWZPsiAbUEwAT8K8qjjaSBN", "HDRh76qSjsdSgEhfKDd4nApiZ92", ""),
    ("bitcoin-wif", "KzHTyxphM9EW4iKH3c7cva8k", "vZqz1vkpcETrLBUU7QiBg6qw3mst", ""),
    ("nats", "SUAFW4NIRX3SOWAT2BS6X4COVYERJNLEH6", "PAIB4TP22DFLY3NDM4AIDPFA", ""),
    ("stellar", "SBNXDKEN64TVQE6QMXV7ATVOBEKLKZB7", "TYCAPE36WQZK6G3I3HACBJMW", ""),
    ("wireguard", "WHGojfcnWBPQZevwTq4JFLVkP54EB5N", "+tDKvG2jZwGA=", ""),
    (
        "pypi",
        "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMAACA1sw",
        "XQAABiBbcaiN9ydYE9Bl6_BOrgkUtWQ_ngQHk360Mq8baNnAIA",
        "",
    ),
    (
        "vault",
        "hvs.",
        "CAESIFtxqI33J1gT0GXr8E6uCRS1ZD-eBAeTfrQyrxto2cAgGiEKHGh2cy5Ob3RBUmVhbFRva2VuTm90QVJlYWwxMjMQuWA",
        "",
    ),
    (
        "sentry-org",
        "sntrys_",
        (
            "eyJpYXQiOjE3MDAwMDAwMDAuMTIzNDU2LCJ1cmwiOiJodHRwczovL3NlbnRyeS5leGFtcGxlLmNvbSIsInJlZ2lvbl91cmwiOiJodHRwczovL3Vz"
            "LmV4YW1wbGUuY29tIiwib3JnIjoiYWNtZSJ9"
        ),
        "_W3GojfcnWBPQZevwTq4JFLVkP54EB5N+tDKvG2jZwCA",
    ),
    ("discord", "MTIzNDU2Nzg5MDEyMzQ1Njc4", ".abcdef.", "x" * 27),
    ("basic-auth", base64.b64encode(b"alice:not").decode(), base64.b64encode(b"-a-password").decode(), ""),
    ("keyfuse", "kfk_", WORDS[:32], "0PMNFM"),
]


@pytest.mark.parametrize(("name", "head", "body", "tail"), EXAMPLES)
def test_worked_examples_pass_and_their_neighbours_fail(name: str, head: str, body: str, tail: str) -> None:
    value = (head + body + tail).encode()
    check = CHECKS[name]
    assert check.passes(value)
    if name in ("wireguard", "discord", "vault", "pypi", "sentry-org", "basic-auth"):
        return  # structure, not a sum: most neighbours have it too
    at = len(head) + 1
    other = b"a" if value[at : at + 1] != b"a" else b"b"
    assert not check.passes(value[:at] + other + value[at + 1 :])


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_stands_hostile_bytes(name: str) -> None:
    rng = random.Random(name)
    check = CHECKS[name]
    values = [b"", b"a", b".", b"=", b"\0" * 40, b"." * 5, "ключ".encode(), b"_" * 80, b"eyJ" + b"[" * 4000]
    values += [rng.randbytes(rng.randint(1, 200)) for _ in range(40)]
    for value in values:
        assert check.passes(value) in (True, False)
        if check.complete is not None and len(value) > 100:
            check.complete(bytes(rng.choices(BASE62.encode(), k=len(value))))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_says_how_it_is_known(name: str) -> None:
    words = ("VERIFIED", "SPEC", "STRUCTURE", "INFERRED", "UNVERIFIED")
    assert CHECKS[name].source.startswith(words)


def test_sums_of_the_reference_text() -> None:
    assert crc16_xmodem(b"123456789") == 0x31C3
    assert crc24_openpgp(b"hello") == 0x47F58A
    assert marvin32(b"", "Default0") == 0xCFD9B134
    assert marvin32(b"abc", "Default0") == 0x1A4C888E
    assert digits(61, BASE62, 1) == b"z"
    assert digits(62, BASE62, 1) == b"10"


def test_number_systems_come_back() -> None:
    rng = random.Random(5)
    for length in range(1, 40):
        data = rng.randbytes(length)
        assert unbase58(base58(data)) == data
        assert unbase32(base32(data)) == data
    assert base58(b"\0\0a")[:2] == b"11"
    assert unbase64(b"-_8=") == unbase64(b"+/8") == b"\xfb\xff"
    assert unbase64(b"abcde") is None


def test_whole_bytes_and_how_to_get_there() -> None:
    assert whole_bytes(b"AA")
    assert not whole_bytes(b"AB")
    assert whole_bytes(b"AAA")
    assert not whole_bytes(b"AAB")
    assert not whole_bytes(b"AAAAA")
    assert whole_bytes(zero_spill(b"zzz"))
    assert zero_spill(b"zzz")[:2] == b"zz"


def test_the_account_in_an_aws_key_id() -> None:
    assert aws_account(b"AKIA" + b"RTX3GSDSQBDECS2F") == "111122223333"
    assert aws_account(b"ASIA" + b"QNZGKIQY56JQ7WML") == "029608264753"
    assert aws_account(b"AKIA" + b"IOSFODNN7EXAMPLE") is None


def test_a_supabase_key_belongs_to_its_project() -> None:
    value = b"sb_secret_" + b"NotARealKeyNotARealKey_xeTiEb26"
    assert supabase(value, "abcdefghijklmnopqrst")
    assert not supabase(value, "abcdefghijklmnopqrsu")


def test_what_counts_as_user_and_password() -> None:
    passes = CHECKS["basic-auth"].passes
    for text, answer in (
        (b"alice:not-a-password", True),
        (b"alice:not-a-password\n", True),
        (b'_json_key:{\n "type": "x"}', True),
        (b"alice:", False),
        (b"alice:\n", False),
        (b"no colon here", False),
        (b"a:\x01\x02", False),
        (b"a:\xff\xfe", False),
    ):
        assert passes(binascii.b2a_base64(text, newline=False)) is answer, text
