"""The number systems, alphabets and sums that checks are made of."""

from __future__ import annotations

import binascii
import hashlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE62_LOWER_FIRST = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def digits(number: int, alphabet: str, width: int) -> bytes:
    """A number in the alphabet's base, most significant digit first, padded on the left with its first character."""
    text = ""
    while number:
        number, rest = divmod(number, len(alphabet))
        text = alphabet[rest] + text
    return text.rjust(width, alphabet[0]).encode()


def number(text: bytes, alphabet: str) -> int | None:
    """The number that digits of an alphabet write; None if one of them is not in it."""
    value = 0
    for byte in text:
        digit = alphabet.find(chr(byte))
        if digit < 0:
            return None
        value = value * len(alphabet) + digit
    return value


def crc16_xmodem(data: bytes) -> int:
    """CRC-16, polynomial 0x1021, starting from 0, not reflected."""
    return binascii.crc_hqx(data, 0)


def crc24_openpgp(data: bytes) -> int:
    """CRC-24 of OpenPGP armour: polynomial 0x1864CFB, starting from 0xB704CE."""
    value = 0xB704CE
    for byte in data:
        value ^= byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value


def unbase64(text: bytes) -> bytes | None:
    """The bytes of base64 in either alphabet, padded or not; None when it is no base64."""
    plain = text.rstrip(b"=").translate(_STANDARD)
    if len(plain) % 4 == 1:
        return None
    try:
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error:
        return None


_STANDARD = bytes.maketrans(b"-_", b"+/")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def base64url(data: bytes, *, padded: bool = False) -> bytes:
    """Base64 with `-` and `_`, without padding unless asked for."""
    text = binascii.b2a_base64(data, newline=False).translate(_URL_SAFE)
    return text if padded else text.rstrip(b"=")


def whole_bytes(text: bytes) -> bool:
    """Whether unpadded base64 ends as an encoder would end it: the bits left over in its last character are zero.

    One value in four or sixteen passes by chance.
    """
    last = BASE64.find(chr(text[-1:].translate(_STANDARD)[0])) if text else -1
    match len(text) % 4:
        case 2:
            return last >= 0 and last & 0b1111 == 0
        case 3:
            return last >= 0 and last & 0b11 == 0
        case _:
            return len(text) % 4 == 0


def zero_spill(text: bytes) -> bytes:
    """The text with its last character changed so that `whole_bytes` holds."""
    mask = {2: 0b110000, 3: 0b111100}.get(len(text) % 4)
    last = BASE64.find(chr(text[-1:].translate(_STANDARD)[0])) if text else -1
    if mask is None or last < 0:
        return text
    character = BASE64[last & mask].encode()
    return text[:-1] + (character.translate(_URL_SAFE) if b"-" in text or b"_" in text else character)


def unbase32(text: bytes) -> bytes | None:
    """The bytes of unpadded upper-case base32, dropping bits left over; None when it is none."""
    value = number(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    if value is None:
        return None
    spare = len(text) * 5 % 8
    return (value >> spare).to_bytes(len(text) * 5 // 8, "big")


def base32(data: bytes) -> bytes:
    """Unpadded upper-case base32."""
    count = -(-len(data) * 8 // 5)
    value = int.from_bytes(data, "big") << (count * 5 - len(data) * 8)
    return digits(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", count)


def unbase58(text: bytes) -> bytes | None:
    """The bytes of base58; None when it is none."""
    value = number(text, BASE58)
    if value is None:
        return None
    zeros = len(text) - len(text.lstrip(b"1"))
    return bytes(zeros) + value.to_bytes(-(-value.bit_length() // 8), "big")


def base58(data: bytes) -> bytes:
    """Base58: each zero byte at the head becomes a leading `1`."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    value = int.from_bytes(data, "big")
    return b"1" * zeros + (digits(value, BASE58, 0) if value else b"")


def double_sha256(data: bytes) -> bytes:
    """The first four bytes of SHA-256 of SHA-256: the tail of base58check."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]


def bech32_polymod(symbols: list[int]) -> int:
    """The checksum polynomial of BIP-173 over 5-bit symbols; 1 for a valid string."""
    value = 1
    for symbol in symbols:
        top = value >> 25
        value = (value & 0x1FFFFFF) << 5 ^ symbol
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                value ^= generator
    return value


def bech32_head(human: str) -> list[int]:
    """The human-readable part as symbols for the checksum."""
    return [ord(letter) >> 5 for letter in human] + [0] + [ord(letter) & 31 for letter in human]


def marvin32(data: bytes, seed: str) -> int:
    """Marvin32 folded to 32 bits, under a seed of eight characters read as a big-endian number."""
    mask = 0xFFFFFFFF
    high, low = (int.from_bytes(seed[at : at + 4].encode(), "big") for at in (0, 4))

    def mixed(p0: int, p1: int) -> tuple[int, int]:
        for left, right in ((20, 9), (27, 19)):
            p1 ^= p0
            p0 = (p0 << left | p0 >> 32 - left) & mask
            p0 = (p0 + p1) & mask
            p1 = (p1 << right | p1 >> 32 - right) & mask
        return p0, p1

    whole = len(data) // 4 * 4
    p0, p1 = low, high
    for at in range(0, whole, 4):
        p0, p1 = mixed((p0 + int.from_bytes(data[at : at + 4], "little")) & mask, p1)
    tail = data[whole:] + b"\x80"
    p0, p1 = mixed(*mixed((p0 + int.from_bytes(tail, "little")) & mask, p1))
    return p0 ^ p1
