"""Encoded key material that carries its own checksum: bech32, base58check, CRC-16 seeds, and raw curve keys."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable

from scanner.checks.check import Check
from scanner.checks.encodings import (
    BECH32,
    base32,
    base58,
    bech32_head,
    bech32_polymod,
    crc16_xmodem,
    double_sha256,
    unbase32,
    unbase58,
    unbase64,
)


def _bech32(human: str) -> Check:
    """A bech32 string (BIP-173) whose human-readable part is `human`; all in one case."""

    def symbols(text: bytes) -> list[int] | None:
        plain = text.decode("latin-1")
        data = [BECH32.find(letter) for letter in plain.lower()[len(human) + 1 :]]
        one_case = plain in (plain.lower(), plain.upper())
        return data if one_case and plain.lower().startswith(human + "1") and -1 not in data and len(data) > 6 else None

    def passes(value: bytes) -> bool:
        data = symbols(value)
        return data is not None and bech32_polymod(bech32_head(human) + data) == 1

    def complete(value: bytes) -> bytes:
        data = symbols(value)
        if data is None:
            return value
        # 32 bytes fill 51 symbols and one bit of the 52nd: the other four are zero.
        body = [*data[:-7], data[-7] & 0b10000]
        rest = bech32_polymod([*bech32_head(human), *body, *([0] * 6)]) ^ 1
        body += [rest >> 5 * (5 - at) & 31 for at in range(6)]
        text = value[: len(human) + 1] + "".join(BECH32[symbol] for symbol in body).encode()
        return text.upper() if value.isupper() else text

    return Check(passes, complete, "SPEC: BIP-173" + ("; VERIFIED" if human.startswith("age") else ""))


def _base58check(payload: Callable[[bytes], bool], build: Callable[[bytes], bytes]) -> Check:
    """Base58 of a payload and the first four bytes of its double SHA-256."""

    def passes(value: bytes) -> bool:
        data = unbase58(value)
        return data is not None and len(data) > 4 and double_sha256(data[:-4]) == data[-4:] and payload(data[:-4])

    def complete(value: bytes) -> bytes:
        data = build(value)
        return base58(data + double_sha256(data))

    return Check(passes, complete, "SPEC")


def _wif(data: bytes) -> bool:
    return data[0] in (0x80, 0xEF) and (len(data) == 33 or (len(data) == 34 and data[33] == 1))


def _build_wif(value: bytes) -> bytes:
    compressed = b"\x01" if value[:1] in (b"K", b"L", b"c") else b""
    return (b"\xef" if value[:1] in (b"9", b"c") else b"\x80") + hashlib.sha256(value).digest() + compressed


_EXTENDED = {b"x": "0488ade4", b"y": "049d7878", b"z": "04b2430c", b"t": "04358394"}


def _xprv(data: bytes) -> bool:
    return len(data) == 78 and data[:4].hex() in _EXTENDED.values() and data[45] == 0


def _build_xprv(value: bytes) -> bytes:
    chain, key = hashlib.sha256(value).digest(), hashlib.sha256(value[::-1]).digest()
    return bytes.fromhex(_EXTENDED.get(value[:1], _EXTENDED[b"x"])) + b"\0" * 9 + chain + b"\0" + key


def _crc16_seed(head: int, heads: Callable[[bytes], bool]) -> Check:
    """Base32 of bytes that end in the CRC-16 of the others, little-endian; the first `head` bytes say what it is."""

    def passes(value: bytes) -> bool:
        data = unbase32(value)
        if data is None or not heads(data[:head]) or base32(data) != value:
            return False
        return crc16_xmodem(data[:-2]) == int.from_bytes(data[-2:], "little")

    def complete(value: bytes) -> bytes:
        data = unbase32(value)
        if data is None:
            return value
        first = data[:head] if head == 1 else bytes((data[0], data[1] & 0b11111000))
        body = first + data[head:-2]
        return base32(body + crc16_xmodem(body).to_bytes(2, "little"))

    return Check(passes, complete, "VERIFIED" if head == 2 else "SPEC")


_NKEY_KINDS = (20, 0, 14, 13, 2, 23)
_NKEY_HEADS = frozenset(bytes((0x90 | kind >> 2, (kind << 3 & 0xFF) << 3 & 0xFF)) for kind in _NKEY_KINDS)


def wireguard(value: bytes) -> bool:
    """A WireGuard private key: 32 bytes, clamped as `wg genkey` clamps them. STRUCTURE; one public key in 32 passes."""
    data = unbase64(value)
    return data is not None and len(data) == 32 and not data[0] & 7 and data[31] & 0xC0 == 0x40


def wireguard_complete(value: bytes) -> bytes:
    """The same key, clamped."""
    data = bytearray(unbase64(value) or b"")
    if len(data) != 32:
        return value
    data[0] &= 0xF8
    data[31] = data[31] & 0x3F | 0x40
    return binascii.b2a_base64(bytes(data), newline=False)


CHECKS = {
    "age": _bech32("age-secret-key-"),
    "age-pq": _bech32("age-secret-key-pq-"),
    "nostr": _bech32("nsec"),
    "bitcoin-wif": _base58check(_wif, _build_wif),
    "bip32": _base58check(_xprv, _build_xprv),
    "nats": _crc16_seed(2, _NKEY_HEADS.__contains__),
    "stellar": _crc16_seed(1, b"\x90".__eq__),
    "wireguard": Check(wireguard, wireguard_complete, "STRUCTURE: the clamped bits of a curve key", weak=True),
}
"""The checks of this module by name."""
