"""Token-shaped values, made at run time so that the repository holds none."""

from __future__ import annotations

import random
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def base62(number: int, width: int) -> str:
    """A number in base 62, digits then upper then lower case, padded with zeros on the left."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(width, "0")


def text(rng: random.Random, length: int, alphabet: str = BASE62) -> str:
    """Random characters."""
    return "".join(rng.choice(alphabet) for _ in range(length))


def github_token(rng: random.Random, prefix: str = "ghp") -> str:
    """A made-up GitHub classic token whose checksum is right."""
    body = text(rng, 30)
    return f"{prefix}_{body}{base62(zlib.crc32(body.encode()), 6)}"


def keyfuse_key(rng: random.Random) -> str:
    """A made-up key in the form that the embedded provider issues."""
    head = "kfk_" + text(rng, 32)
    return head + base62(zlib.crc32(head.encode()), 6)
