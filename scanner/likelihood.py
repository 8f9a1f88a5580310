"""How likely bytes are a random token, an ordinary word or identifier, or a password that somebody thought up.

Shannon entropy cannot tell `getUserAccountName` from a key: short texts of any kind use most of their letters once. A
model of what programmers write can. The table beside this module holds the log-probabilities of each letter after the
two before it, in words and identifiers, and of each kind of character (small, capital, digit, sign) after the two
before it, in identifiers and in passwords. `tools/train_likelihood.py` makes it.
"""

from __future__ import annotations

from functools import cache
from math import log, log1p

TABLE = __file__.rpartition(".")[0] + ".table"
"""Beside this module. Built without pathlib, which costs more to import than the table to read."""
MAGIC = b"KFLIKE1\n"
SCALE = 16
"""The table stores `-ln(p) * SCALE`, rounded, in one byte."""
LETTERS = 32 * 32 * 32
KINDS = 8 * 8 * 8
LONGEST = 256
"""Only so many bytes of a value are looked at: more of them say nothing new."""

SEPARATORS = b"_-./ :"
LOWER, UPPER, DIGIT, SEPARATOR, SIGN, FOREIGN = range(1, 7)


def _folds() -> tuple[bytes, bytes]:
    symbols, kinds = bytearray(256), bytearray(256)
    for byte in range(256):
        character = chr(byte)
        if byte > 126 or byte < 32:
            symbols[byte], kinds[byte] = 30, FOREIGN
        elif character.isdigit():
            symbols[byte], kinds[byte] = 27, DIGIT
        elif character.isalpha():
            symbols[byte] = ord(character.lower()) - 96
            kinds[byte] = LOWER if character.islower() else UPPER
        elif byte in SEPARATORS:
            symbols[byte], kinds[byte] = 28, SEPARATOR
        else:
            symbols[byte], kinds[byte] = 29, SIGN
    return bytes(symbols), bytes(kinds)


SYMBOLS, KIND = _folds()
"""Translation tables: letters to 1..26, digits, separators, signs and the rest to one symbol each; and to kinds."""

_WITHIN = {DIGIT: log(10), SEPARATOR: log(len(SEPARATORS)), SIGN: log(26), FOREIGN: log(160)}
_HEX = (b"0123456789abcdef", b"0123456789ABCDEF")


@cache
def _table() -> tuple[bytes, bytes, bytes, bytes]:
    with open(TABLE, "rb") as file:
        raw = file.read()
    if not raw.startswith(MAGIC) or len(raw) != len(MAGIC) + LETTERS + 3 * KINDS:
        raise ValueError("scanner/likelihood.table is damaged: install keyfuse again")
    start = len(MAGIC)
    parts = [raw[start : start + LETTERS]]
    for number in range(3):
        at = start + LETTERS + number * KINDS
        parts.append(raw[at : at + KINDS])
    return parts[0], parts[1], parts[2], parts[3]


def _alphabet(value: bytes, kinds: bytes) -> int:
    """The size of the smallest usual alphabet that the value could have been drawn from."""
    if not value.translate(None, _HEX[0]) or not value.translate(None, _HEX[1]):
        return 16 if any(kind != DIGIT for kind in kinds) else 10
    present = set(kinds)
    size = 26 * (LOWER in present) + 26 * (UPPER in present) + 10 * (DIGIT in present)
    if SIGN in present or FOREIGN in present:
        size += 4 if not value.translate(None, b"+/=_-").translate(None, bytes(range(48, 123))) else 32
    elif SEPARATOR in present:
        size += 2
    return max(size, 10)


def _chance(value: bytes, kinds: bytes) -> float:
    """`-ln p` of the value under chance: drawn from one alphabet, or mostly from hex digits with a few others."""
    length = len(value)
    flat = length * log(_alphabet(value, kinds))
    others = len(value.translate(None, _HEX[0]))
    if 0 < others < length // 4:
        mixed = (length - others) * (log(16) - log1p(-others / length)) + others * (log(80) - log(others / length))
        return min(flat, mixed + log(length) / 2)
    return flat


def likelihood(value: bytes) -> float:
    """How much better chance explains the value than somebody's choice of words does, in nats (natural log-odds).

    Above 0, a random string over the value's own alphabet is the better explanation; below, words and identifiers
    are. It grows with length, as evidence does: sixteen random letters and digits come to about 25, a long English
    identifier to about -30, and what lies between -4 and 4 says nothing.
    """
    if not value:
        return 0.0
    value = value[:LONGEST]
    letters, cases, _, _ = _table()
    symbols, kinds = value.translate(SYMBOLS), value.translate(KIND)
    code = case = total = 0
    for symbol, kind in zip(symbols, kinds, strict=True):
        code = (code << 5 | symbol) & 0x7FFF
        case = (case << 3 | kind) & 0x1FF
        total += letters[code] + cases[case]
    total += letters[code << 5 & 0x7FFF]
    within = sum(kinds.count(kind) * cost for kind, cost in _WITHIN.items())
    return total / SCALE + within - _chance(value, kinds)


def invention(value: bytes) -> float:
    """How much more the order of small, capital, digit and sign looks like a password than like a name, in nats.

    It knows no words: `Tr0ub4dor&3` and `summer2019!` come out above 0, `maxTokens` and `user_name` below, and plain
    words near -1, since people use them for both.
    """
    value = value[:LONGEST]
    _, _, named, invented = _table()
    code = total = 0
    for kind in value.translate(KIND) + b"\0":
        code = (code << 3 | kind) & 0x1FF
        total += named[code] - invented[code]
    return total / SCALE
