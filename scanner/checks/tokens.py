"""Tokens without a public checksum whose insides still say what they are: JSON, protobuf, identifiers, whole bytes.

STRUCTURE means that the form was read off samples or a specification; a made-up value seldom has it.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import Any

from scanner.checks.check import Check
from scanner.checks.encodings import BASE58, base64url, unbase32, unbase58, unbase64, whole_bytes, zero_spill


def json_object(text: bytes) -> dict[str, Any] | None:
    """The object that base64 of JSON holds; None when it is none."""
    import json  # noqa: PLC0415 - only when something was found

    try:
        value = json.loads(unbase64(text) or b"")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _json_text(value: dict[str, object], *, padded: bool = False) -> bytes:
    import json  # noqa: PLC0415 - only when something was found

    return base64url(json.dumps(value, separators=(",", ":")).encode(), padded=padded)


def _stuff(seed: bytes, length: int) -> bytes:
    """Bytes that depend on nothing but the seed."""
    return hashlib.shake_256(seed).digest(length)


# -- JWT ---------------------------------------------------------------------------------------------------------------

_SIGNATURES = {"HS256": (43,), "HS384": (64,), "HS512": (86,), "ES256": (86,), "ES384": (128,), "ES512": (176,)}
_SIGNATURES |= {"EdDSA": (86,), "Ed25519": (86,), "ES256K": (86,)}


def jwt(value: bytes) -> bool:
    """A signed token: header with `alg`, claims, and a signature as long as that algorithm makes it. SPEC: RFC 7519."""
    parts = value.split(b".")
    if len(parts) != 3:
        return False
    header, claims = json_object(parts[0]), json_object(parts[1])
    if header is None or claims is None or not isinstance(header.get("alg"), str):
        return False
    algorithm, length = header["alg"], len(parts[2])
    if algorithm.lower() == "none":
        return length == 0
    expected = _SIGNATURES.get(algorithm)
    return (expected is None or length in expected) and length >= 43 and whole_bytes(parts[2])


def jwt_claims(value: bytes) -> bool:
    """The header of a token, whatever became of the rest: samples are cut short, or altered. SPEC."""
    header = json_object(value.partition(b".")[0])
    return header is not None and isinstance(header.get("alg"), str)


def jwt_claims_complete(value: bytes) -> bytes:
    """A token whose signature lost its end."""
    return jwt_complete(value)[:-23]


def jwt_complete(value: bytes) -> bytes:
    """A token under HS256, for the subject that the value's hash names."""
    claims = {
        "sub": hashlib.sha256(value).hexdigest()[:24],
        "iat": int.from_bytes(_stuff(value, 3), "big") + 1_700_000_000,
    }
    head = _json_text({"alg": "HS256", "typ": "JWT"}) + b"." + _json_text(claims)
    return head + b"." + base64url(_stuff(head, 32))


def jwt_tail(value: bytes) -> bool:
    """GitHub's stateless installation token: `ghs_`, the App's id, `_`, and a JWT. SPEC: provider documentation."""
    return jwt(value.split(b"_", 2)[-1])


def jwt_tail_complete(value: bytes) -> bytes:
    """The same head with a JWT behind it."""
    head, _, rest = value.rpartition(b"_eyJ")
    return head + b"_" + jwt_complete(rest)


# -- whole bytes in base64 ---------------------------------------------------------------------------------------------


def whole(*, skip: int = 0, separators: bytes = b"") -> Check:
    """Each part behind the prefix is base64 of whole bytes: the bits to spare in its last character are zero."""
    pattern = re.compile(b"([" + re.escape(separators) + b"])") if separators else None

    def parts(value: bytes) -> list[bytes]:
        return pattern.split(value[skip:]) if pattern else [value[skip:]]

    return Check(
        lambda value: all(whole_bytes(part) for part in parts(value)[::2]),
        lambda value: (
            value[:skip] + b"".join(part if at % 2 else zero_spill(part) for at, part in enumerate(parts(value)))
        ),
        "STRUCTURE: base64 of whole bytes; a pass is weak evidence",
        weak=True,
    )


# -- JSON inside -------------------------------------------------------------------------------------------------------


def json_inside(skip: int, names: tuple[str, ...], *, end: bytes = b"") -> Check:
    """Base64 of a JSON object with these members behind `skip` characters, up to the last `end` if one is given."""

    def body(value: bytes) -> bytes:
        return (value[skip:].rpartition(end)[0] if end else value[skip:]).rstrip(b"=")

    def passes(value: bytes) -> bool:
        found = json_object(body(value))
        return found is not None and all(name in found for name in names)

    def complete(value: bytes) -> bytes:
        text = _json_text({name: _stuff(value + name.encode(), 24).hex() for name in names})
        return value[:skip] + text + (end + zero_spill(value.rpartition(end)[2]) if end else b"")

    return Check(passes, complete, f"STRUCTURE: base64 of JSON with {', '.join(names)}")


# -- one by one --------------------------------------------------------------------------------------------------------


def pypi(value: bytes) -> bool:
    """A macaroon (version 2) for pypi.org or test.pypi.org that ends in a 32-byte signature. VERIFIED structure."""
    data = unbase64(value[5:])
    if data is None or data[:2] != b"\x02\x01" or data[-34:-32] != b"\x06\x20":
        return False
    return data[3 : 3 + data[2]] in (b"pypi.org", b"test.pypi.org")


def pypi_complete(value: bytes) -> bytes:
    """A macaroon of the same length or nearly so, with the signature field where it belongs."""
    data = unbase64(value[5 : 5 + (len(value) - 5) // 4 * 4]) or b""
    return value[:5] + base64url(data[:-34] + b"\x06\x20" + data[-32:])


def vault(value: bytes) -> bool:
    """A service token of Vault 1.10 and later: protobuf of a version, a 32-byte HMAC and the inner token.

    Tokens of 24 characters (root, development) have no such structure and pass. VERIFIED on 3 samples.
    """
    body = value[4:]
    if len(body) <= 30:
        return True
    data = unbase64(body)
    return data is not None and data[:4] == b"\x08\x01\x12\x20" and data[36:37] == b"\x1a" and b"hvs." in data[37:]


def vault_complete(value: bytes) -> bytes:
    """A service token with the structure, for the same value the same."""
    inner = b"hvs." + _stuff(value, 12).hex().encode()
    message = b"\x0a" + bytes((len(inner),)) + inner + b"\x10\x15"
    return b"hvs." + base64url(b"\x08\x01\x12\x20" + _stuff(value, 32) + b"\x1a" + bytes((len(message),)) + message)


def discord(value: bytes) -> bool:
    """A bot token: its first part is base64 of a decimal user id above 10^16. STRUCTURE."""
    user = unbase64(value.split(b".")[0])
    return user is not None and user.isdigit() and int(user) > 10**16


def discord_complete(value: bytes) -> bytes:
    """The same token for a made-up user id."""
    head, _, rest = value.partition(b".")
    user = b"%d" % (10 ** (17 if len(head) < 26 else 18) + int.from_bytes(_stuff(value, 7), "big") % 10**17)
    return base64url(user) + b"." + rest


def atlassian_datacenter(value: bytes) -> bool:
    """A Data Center token: base64 of a decimal id, a colon and random bytes. VERIFIED on 4 samples."""
    data = unbase64(value.removeprefix(b"BBDC-"))
    return data is not None and re.match(rb"\d{4,12}:", data) is not None


def atlassian_datacenter_complete(value: bytes) -> bytes:
    """The same prefix with a made-up id of 12 digits."""
    prefix = b"BBDC-" if value.startswith(b"BBDC-") else b""
    number = b"%012d" % (10**11 + int.from_bytes(_stuff(value, 4), "big"))
    data = number + b":" + _stuff(value, 20)
    return prefix + binascii.b2a_base64(data, newline=False)


def nuget(value: bytes) -> bool:
    """A NuGet key: base32 of `v4` and 26 bytes, so the fourth character is one of a to p. VERIFIED by arithmetic."""
    data = unbase32(value.upper()[:46])
    return data is not None and data[:2] == b"v4"


def jfrog(value: bytes) -> bool:
    """An Artifactory API key: base58 of 54 bytes that begin 01 FD E0. VERIFIED on 7 of 7 samples."""
    data = unbase58(value)
    return data is not None and len(data) == 54 and data[:3] == b"\x01\xfd\xe0"


def jfrog_complete(value: bytes) -> bytes:
    """A key made of the value's hash."""
    number = int.from_bytes(b"\x01\xfd\xe0" + _stuff(value, 51), "big")
    text = b""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest].encode() + text
    return text


_REFERENCE = re.compile(rb"reftkn:\d\d:\d{10}:[A-Za-z0-9]{27}")


def jfrog_reference(value: bytes) -> bool:
    """A reference token: base64 of `reftkn:`, a version, an expiry and 27 characters. STRUCTURE."""
    return _REFERENCE.fullmatch(unbase64(value) or b"") is not None


def jfrog_reference_complete(value: bytes) -> bytes:
    """A reference token that expires in 2033."""
    return base64url(b"reftkn:01:2000000000:" + _stuff(value, 14).hex().encode()[:27])


def bedrock(value: bytes) -> bool:
    """A long-term Bedrock key: base64 of text that begins `BedrockAPIKey-`. STRUCTURE."""
    return (unbase64(value[4:]) or b"").startswith(b"BedrockAPIKey-")


def bedrock_complete(value: bytes) -> bytes:
    """A key of the form that public samples have."""
    data = b"BedrockAPIKey-" + _stuff(value, 2).hex().encode() + b"-at-111122223333:" + _stuff(value, 32).hex().encode()
    return value[:4] + binascii.b2a_base64(data, newline=False)


def basic_auth(value: bytes) -> bool:
    """Base64 of `user:password`, printable and with a password. SPEC: RFC 7617."""
    data = unbase64(value)
    if data is None:
        return False
    _, colon, password = data.partition(b":")
    try:
        plain = data.decode("utf-8").translate(
            {9: 32, 10: 32, 13: 32}
        )  # keys in JSON and careless encoders add line ends
    except UnicodeDecodeError:
        return False
    return bool(colon and password.strip()) and plain.isprintable()


def basic_auth_complete(value: bytes) -> bytes:
    """A made-up user and password in base64."""
    return binascii.b2a_base64(
        b"svc" + _stuff(value, 2).hex().encode() + b":" + _stuff(value, 9).hex().encode(), newline=False
    )


def aws_account(key_id: bytes) -> str | None:
    """The account number in an AWS access key id of 20 characters; None where an old id holds none. VERIFIED."""
    data = unbase32(key_id[4:])
    if len(key_id) != 20 or data is None or key_id[4:5] in b"IJ":
        return None
    return f"{(int.from_bytes(data[:6], 'big') & 0x7FFFFFFFFF80) >> 7:012d}"


def aws_key_id(value: bytes) -> bool:
    """An access key id whose account number, where it holds one, has twelve digits. VERIFIED; a weak test."""
    account = aws_account(value)
    return account is None or len(account) == 12


def bcrypt(value: bytes) -> bool:
    """A bcrypt hash: the last character of its 22-character salt holds only two bits. SPEC."""
    return value[28:29] in (b".", b"O", b"e", b"u")


_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def secp256k1(value: bytes) -> bool:
    """A key of the curve that Ethereum and Bitcoin use: hex of a number between 1 and the group's order. SPEC."""
    try:
        return 0 < int(value.removeprefix(b"0x"), 16) < _ORDER
    except ValueError:
        return False


def supabase(value: bytes, reference: str) -> bool:
    """Whether a Supabase key belongs to a project, by the hash at its end. It needs the project's reference.

    VERIFIED on one publishable key; INFERRED for secret keys. Not in the table: rules know the value alone.
    """
    head, _, end = value.rpartition(b"_")
    return base64url(hashlib.sha256(reference.encode() + b"|" + head).digest())[:8] == end


def _same(value: bytes) -> bytes:
    return value


CHECKS = {
    "jwt": Check(jwt, jwt_complete, "SPEC: RFC 7519", weak=True),
    "jwt-claims": Check(jwt_claims, jwt_claims_complete, "SPEC: RFC 7519", weak=True),
    "jwt-tail": Check(jwt_tail, jwt_tail_complete, "SPEC: provider documentation"),
    "google-api-key": whole(),
    "sendgrid": whole(skip=3, separators=b"."),
    "mapbox": json_inside(3, ("u", "a"), end=b"."),
    "mandrill": whole(),
    "fly": whole(skip=4),
    "yandex-iam": Check(
        lambda value: whole_bytes(value.rstrip(b"=").rpartition(b".")[2]),
        lambda value: value.rpartition(b".")[0] + b"." + zero_spill(value.rstrip(b"=").rpartition(b".")[2]),
        "STRUCTURE: a signature of 64 whole bytes",
        weak=True,
    ),
    "sentry-org": json_inside(7, ("iat", "url", "org"), end=b"_"),
    "onepassword": json_inside(4, ("secretKey", "email", "signInAddress")),
    "grafana-cloud": json_inside(4, ("o", "n", "k")),
    "cloudflare-tunnel": json_inside(0, ("a", "t", "s")),
    "pypi": Check(pypi, pypi_complete, "VERIFIED structure: a macaroon"),
    "vault": Check(vault, vault_complete, "VERIFIED on 3 samples: protobuf"),
    "discord": Check(discord, discord_complete, "STRUCTURE: base64 of a decimal id"),
    "atlassian-datacenter": Check(
        atlassian_datacenter,
        atlassian_datacenter_complete,
        "VERIFIED on 4 samples: base64 of a decimal id and random bytes",
    ),
    "nuget": Check(nuget, _same, "VERIFIED by arithmetic: base32 of v4 and 26 bytes"),
    "jfrog": Check(jfrog, jfrog_complete, "VERIFIED on 7 samples: base58 of 54 bytes with a constant head"),
    "jfrog-reference": Check(jfrog_reference, jfrog_reference_complete, "STRUCTURE: base64 of readable text"),
    "aws-bedrock": Check(bedrock, bedrock_complete, "STRUCTURE: base64 of readable text"),
    "aws-key-id": Check(aws_key_id, _same, "VERIFIED: the account number; a weak test", weak=True),
    "basic-auth": Check(basic_auth, basic_auth_complete, "SPEC: RFC 7617", weak=True),
    "bcrypt": Check(
        bcrypt,
        lambda value: value[:28] + b"e" + value[29:],
        "SPEC: two bits in the salt's last character",
        weak=True,
    ),
    "secp256k1": Check(secp256k1, _same, "SPEC: below the order of the group", weak=True),
}
"""The checks of this module by name."""
