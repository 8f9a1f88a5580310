"""Signed assertions (JWT, RS256): how a service account shows that it has its private key without sending it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from scanner.model import Secret


class Unsignable(ValueError):
    """The key is no RSA private key in PEM. Nothing of it is quoted."""


def signed(claims: Mapping[str, object], key: Secret, *, key_id: str = "") -> str:
    """The claims as a compact JWT, signed by this RSA key (PEM). Raises Unsignable."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415  (slow to load)
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    header = {"alg": "RS256", "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    try:
        loaded = load_pem_private_key(key.reveal(), password=None)
    except (ValueError, TypeError):
        raise Unsignable("the private key cannot be read") from None
    if not isinstance(loaded, RSAPrivateKey):
        raise Unsignable("the private key is no RSA key")
    text = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{text}.{_encoded(loaded.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
