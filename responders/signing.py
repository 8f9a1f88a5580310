"""JSON web tokens signed with PS256, for providers that are asked for tokens that way."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from responders.errors import ProviderError
from scanner.model import Secret


def ps256(private_key: Secret, head: Mapping[str, object], claims: Mapping[str, object]) -> Secret:
    """The token (RFC 7519, RSASSA-PSS with SHA-256, salt as long as the hash).

    Raises ProviderError, without the key in its text, when the PEM text is no RSA key.
    """
    # Few connect a provider that needs this, and cryptography costs tens of milliseconds.
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(private_key.reveal(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ProviderError("the private key in the key file is not an RSA key in PEM form; download the file anew")
    text = f"{_part({'alg': 'PS256', 'typ': 'JWT', **head})}.{_part(claims)}".encode()
    signature = key.sign(text, PSS(MGF1(SHA256()), SHA256.digest_size), SHA256())
    return Secret(text + b"." + _bare(signature))


def _part(content: Mapping[str, object]) -> str:
    return _bare(json.dumps(content, separators=(",", ":")).encode()).decode()


def _bare(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
