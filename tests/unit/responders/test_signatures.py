"""Signatures hold for exactly what was signed, by exactly who is trusted."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from responders.signatures import CLOCK_SKEW, ecdsa_holds, hub_signature_holds, same, standard_webhook_holds
from scanner.model import Secret
from tests.support.stores import START

PRIVATE = ec.generate_private_key(ec.SECP256R1())
SECRET = Secret(b"a shared secret")


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def sign(body: bytes) -> str:
    return b64encode(PRIVATE.sign(body, ec.ECDSA(hashes.SHA256()))).decode()


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=5))
def test_a_signature_holds_for_its_body_alone(body: bytes, more: bytes) -> None:
    signature = sign(body)
    assert ecdsa_holds(pem(PRIVATE), signature, body)
    assert not ecdsa_holds(pem(PRIVATE), signature, body + more)


@pytest.mark.parametrize("signature", ["", "@", "AAAA", "é", "A" * 10_000])
def test_what_is_no_signature_holds_nothing(signature: str) -> None:
    assert not ecdsa_holds(pem(PRIVATE), signature, b"body")


def test_keys_that_cannot_have_signed() -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for key in ("", "no key", pem(rsa_key), pem(ec.generate_private_key(ec.SECP384R1()))):
        assert not ecdsa_holds(key, sign(b"body"), b"body")


def test_githubs_webhook_signature() -> None:
    mac = hmac.new(SECRET.reveal(), b"body", hashlib.sha256).hexdigest()
    assert hub_signature_holds(SECRET, f"sha256={mac}", b"body")
    for wrong in ("", mac, f"sha1={mac}", f"sha256={mac[:-1]}0x", "é"):
        assert not hub_signature_holds(SECRET, wrong, b"body")
    assert not hub_signature_holds(SECRET, f"sha256={mac}", b"bodY")


@pytest.mark.parametrize("secret", [SECRET, Secret(b"whsec_" + b64encode(SECRET.reveal()))])
def test_standard_webhooks(secret: Secret) -> None:
    stamp = str(int(START.timestamp()))
    mac = b64encode(hmac.new(SECRET.reveal(), f"m1.{stamp}.".encode() + b"body", hashlib.sha256).digest()).decode()

    def holds(
        given: str, body: bytes = b"body", message: str = "m1", at: str = stamp, late: timedelta = timedelta()
    ) -> bool:
        return standard_webhook_holds(secret, message, at, given, body, START + late)

    assert holds(f"v1,{mac}")
    assert holds(f"v1,{mac}", late=CLOCK_SKEW - timedelta(seconds=1))
    assert not holds(f"v1,{mac}", late=CLOCK_SKEW + timedelta(seconds=1))
    assert not holds(f"v1,{mac}", late=-CLOCK_SKEW - timedelta(seconds=1))
    assert not holds(f"v1,{mac}", body=b"other")
    assert not holds(f"v1,{mac}", message="m2")
    assert not holds(f"v1,{mac}", at="soon")
    assert not holds(f"v2,{mac}")
    assert not holds("")


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_the_same_is_the_same(one: bytes, other: bytes) -> None:
    assert same(one, other) == (one == other)
