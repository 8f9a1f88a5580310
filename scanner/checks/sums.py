"""Tokens that end in a checksum of their own text: mostly CRC-32, in one base or another."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from zlib import crc32

from scanner.checks.check import Check
from scanner.checks.encodings import BASE36, BASE62, BASE62_LOWER_FIRST, base64url, digits, unbase64


def base62_6(text: bytes) -> bytes:
    """CRC-32 as six digits of base 62: digits, upper case, lower case."""
    return digits(crc32(text), BASE62, 6)


def base62_6_lower_first(text: bytes) -> bytes:
    """CRC-32 as six digits of base 62: digits, lower case, upper case."""
    return digits(crc32(text), BASE62_LOWER_FIRST, 6)


def hex_8(text: bytes) -> bytes:
    """CRC-32 as eight lower-case hex digits."""
    return b"%08x" % crc32(text)


def hex_8_upper(text: bytes) -> bytes:
    """CRC-32 as eight upper-case hex digits."""
    return b"%08X" % crc32(text)


def hex_8_reversed(text: bytes) -> bytes:
    """CRC-32, least significant byte first, as eight lower-case hex digits."""
    return crc32(text).to_bytes(4, "little").hex().encode()


def base64_6_reversed(text: bytes) -> bytes:
    """CRC-32, least significant byte first, as base64 without its padding."""
    return binascii.b2a_base64(crc32(text).to_bytes(4, "little"), newline=False)[:6]


def tail(sum_of: Callable[[bytes], bytes], width: int, source: str, *, skip: int = 0, gap: bytes = b"") -> Check:
    """A check of the last `width` characters against a sum of what stands before them.

    `skip` characters at the head (a prefix) are left out of the sum, and so is `gap`, a separator before the sum.
    """
    cut = width + len(gap)

    def expected(value: bytes) -> bytes:
        return value[:-cut] + gap + sum_of(value[skip:-cut])

    def passes(value: bytes) -> bool:
        return len(value) > skip + cut and value == expected(value)

    return Check(passes, expected, source)


# -- GitLab's routable tokens ------------------------------------------------------------------------------------------

_ROUTABLE = re.compile(
    rb"(?P<head>[a-z]{2,12}-(?:t\d_|s_)?)(?P<payload>[A-Za-z0-9_-]{27,300})(?P<version>\.[0-9a-z]{2})?\.(?P<size>[0-9a-z]{2})(?P<sum>[0-9a-z]{7})"
)


def gitlab_routable(value: bytes) -> bool:
    """GitLab's routable tokens. VERIFIED; the layout of the payload is SPEC (the issuer's source).

    The seven last characters are the CRC-32 of everything before them in base 36, the two before those the payload's
    length; the payload decodes to random bytes and lines of routing text, of which one says `o:`.
    """
    found = _ROUTABLE.fullmatch(value)
    if not found or digits(crc32(value[:-7]), BASE36, 7) != found["sum"]:
        return False
    payload = unbase64(found["payload"])
    return payload is not None and b"o:" in payload and digits(len(found["payload"]), BASE36, 2) == found["size"]


def gitlab_routable_complete(value: bytes) -> bytes:
    """The same prefix and form with a payload, length and sum that agree."""
    found = _ROUTABLE.fullmatch(value)
    if not found:
        return value
    random = (unbase64(found["payload"][:22] + b"A") or b"")[:16].ljust(16, b"\0")
    routing = b"o:1\nu:" + digits(crc32(value) % 46_656, BASE36, 1)
    payload = base64url(random + routing + bytes((len(routing),)))
    head = found["head"] + payload + (found["version"] or b"") + b"." + digits(len(payload), BASE36, 2)
    return head + digits(crc32(head), BASE36, 7)


CHECKS = {
    "keyfuse": tail(base62_6, 6, "SPEC: our own issuer; CRC-32 of everything before, the prefix included"),
    "github": tail(base62_6, 6, "VERIFIED: CRC-32 of the text between the 4-character prefix and the sum", skip=4),
    "npm": tail(base62_6, 6, "VERIFIED: as GitHub's", skip=4),
    "gitlab-routable": Check(
        gitlab_routable, gitlab_routable_complete, "VERIFIED: CRC-32 of everything before; SPEC: the payload"
    ),
    "grafana": tail(hex_8_reversed, 8, "VERIFIED: CRC-32 of the 37 first characters, bytes reversed", gap=b"_"),
    "atlassian": tail(hex_8_upper, 8, "VERIFIED: CRC-32 of everything before, the = included"),
    "cloudflare-cfk": tail(hex_8, 8, "VERIFIED: CRC-32 of the 40 characters behind the prefix", skip=4),
    "cloudflare-cfut": tail(hex_8, 8, "VERIFIED: CRC-32 of the 40 characters behind the prefix", skip=5),
    "vercel": tail(base62_6, 6, "VERIFIED: CRC-32 of the 50 characters behind the prefix", skip=4),
    "zuplo": tail(hex_8, 8, "VERIFIED: CRC-32 of the 32 characters between the two underscores", skip=5, gap=b"_"),
    "confluent": tail(
        base64_6_reversed, 6, "VERIFIED on one sample: CRC-32 of the 54 characters behind the prefix", skip=4
    ),
    "apify": tail(base62_6_lower_first, 6, "VERIFIED: CRC-32 of everything before"),
    "deno-deploy": tail(base62_6, 6, "VERIFIED: CRC-32 of everything before"),
    "packagist": tail(hex_8, 8, "VERIFIED: CRC-32 of everything before"),
    "salad-cloud-org": tail(base62_6, 6, "VERIFIED: CRC-32 of the 43 characters behind the prefix", skip=16),
    "salad-cloud-user": tail(base62_6, 6, "VERIFIED: CRC-32 of the 43 characters behind the prefix", skip=17),
    "canva": tail(hex_8, 8, "VERIFIED on one sample: CRC-32 of everything before"),
    "yandex-smartcaptcha": tail(
        hex_8, 8, "VERIFIED on client keys, INFERRED for server keys: CRC-32 of everything before"
    ),
}
"""The checksums of this module by name."""
