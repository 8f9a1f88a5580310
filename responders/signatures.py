"""Who sent this: signatures and shared tokens over the bytes as they came, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from datetime import datetime, timedelta

from scanner.model import Secret

CLOCK_SKEW = timedelta(minutes=5)
"""How far a signed time may lie from ours, either way (Standard Webhooks)."""
WEBHOOK_PREFIX = b"whsec_"


def ecdsa_holds(public_key: str, signature: str, body: bytes) -> bool:
    """Whether this is the key's ECDSA-P256-SHA256 signature of the body: base64 of the DER pair (GitHub, GitLab).

    A key or signature that cannot be read holds nothing.
    """
    # Only a daemon that takes in reports needs this, and cryptography costs tens of milliseconds.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(public_key.encode())
        if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            return False
        key.verify(b64decode(signature, validate=True), body, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, Base64Error):
        return False
    return True


def hub_signature_holds(secret: Secret, signature: str, body: bytes) -> bool:
    """Whether `sha256=<hex>` is the HMAC of the body (GitHub webhooks, X-Hub-Signature-256)."""
    mine = "sha256=" + hmac.new(secret.reveal(), body, hashlib.sha256).hexdigest()
    return same(mine.encode(), signature.encode("utf-8", "replace"))


def standard_webhook_holds(
    secret: Secret, message_id: str, timestamp: str, signatures: str, body: bytes, now: datetime
) -> bool:
    """Whether one of the `v1,<base64>` signatures is that of id, time and body (GitLab webhooks with a signing token).

    A time further off than CLOCK_SKEW is refused.
    """
    key = secret.reveal()
    try:
        sent = int(timestamp)
        if key.startswith(WEBHOOK_PREFIX):
            key = b64decode(key.removeprefix(WEBHOOK_PREFIX), validate=True)
    except ValueError:
        return False
    if abs(now.timestamp() - sent) > CLOCK_SKEW.total_seconds():
        return False
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body, hashlib.sha256)
    mine = b"v1," + b64encode(mac.digest())
    return any(same(mine, given.encode("utf-8", "replace")) for given in signatures.split())


def same(mine: bytes, given: bytes) -> bool:
    """Whether two texts are the same, in a time that says nothing about where they differ."""
    return hmac.compare_digest(hashlib.sha256(mine).digest(), hashlib.sha256(given).digest())
