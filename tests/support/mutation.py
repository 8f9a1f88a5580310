"""Damage: what disks, networks and enemies do to files."""

from __future__ import annotations

import random

_TELLING = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """The content with a few things done to it. The same generator does the same again."""
    data = bytearray(seed)
    for _ in range(rng.randrange(1, 7)):
        if not data:
            break
        at = rng.randrange(len(data))
        match rng.randrange(7):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                width = rng.choice((1, 2, 4, 8))
                data[at : at + width] = bytes([rng.choice(_TELLING)]) * width
            case 3:
                del data[at : at + rng.randrange(1, 64)]
            case 4:
                data[at:at] = data[rng.randrange(len(data)) :][: rng.randrange(1, 200)]
            case 5:
                del data[max(at, len(data) // 2) :]
            case _:
                other = rng.randrange(len(data))
                size = rng.randrange(1, 40)
                data[at : at + size] = data[other : other + size]
    return bytes(data)
