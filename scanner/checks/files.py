"""Private keys in text: PEM, OpenSSH, PuTTY and OpenPGP armour. Whether the body is what the label says."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re

from scanner.checks.check import Check
from scanner.checks.encodings import crc24_openpgp, unbase64

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_NOISE = re.compile(rb"(?m:^[ \t]*(?:[#*;]|//)[ \t])|\\[nrt]|[\"']\s*\+\s*[\"']|[\s\"',\\|>]")
_HEADERS = re.compile(rb"(?:^|[\r\n]|\\n)[A-Za-z0-9-]{2,40}: ?[^\r\n\\]*")
_LEAST = 64
"""The fewest base64 characters of a key's body: Ed25519 in PKCS#8."""


def _body(block: bytes) -> bytes | None:
    """The bytes between the lines of a block, however it was folded, quoted or joined in source code."""
    text = _NOISE.sub(b"", block)
    return unbase64(text) if len(text) >= _LEAST and len(set(text)) > 8 else None


def _der_length(data: bytes) -> int | None:
    """How long the DER sequence at the head is in all; None when there is none."""
    if len(data) < 2 or data[0] != 0x30:
        return None
    if data[1] < 0x80:
        return 2 + data[1]
    size = data[1] & 0x7F
    return 2 + size + int.from_bytes(data[2 : 2 + size], "big") if 0 < size <= 4 else None


def pem(value: bytes) -> bool:
    """A private key in PEM: one DER sequence that fills the body, of integers or a version and an algorithm. SPEC.

    Of a body that is encrypted under its own headers only the length can be judged.
    """
    found = _PEM.search(value)
    if not found:
        return False
    data = _body(_HEADERS.sub(b"", found[2]))
    if data is None:
        return False
    if b"ENCRYPTED" in found[2]:
        return len(data) >= 48
    if b"OPENSSH" in found[1]:
        return openssh_body(data)
    length = _der_length(data)
    return length == len(data) and (found[1].startswith(b"ENCRYPTED") or b"\x02\x01" in data[2:7])


def openssh_body(data: bytes) -> bool:
    """An OpenSSH key: the magic, three strings, one key; unencrypted, two equal check numbers. SPEC: PROTOCOL.key."""
    if not data.startswith(b"openssh-key-v1\0"):
        return False
    at, strings = 15, []
    for index in range(5):
        if index == 3:
            at += 4
        size = int.from_bytes(data[at : at + 4], "big")
        strings.append(data[at + 4 : at + 4 + size])
        if len(strings[-1]) != size:
            return False
        at += 4 + size
    private = strings[4]
    return strings[0] != b"none" or (len(private) >= 8 and private[:4] == private[4:8])


def pem_complete(value: bytes) -> bytes:
    """The same label around made-up bytes in the right structure; no working key."""
    found = _PEM.search(value)
    if not found:
        return value
    label = found[1]
    noise = hashlib.shake_256(value).digest(280)
    if b"OPENSSH" in label:
        body = _openssh(noise)
    else:
        head = b"\x02\x01\x00" if not label.startswith(b"ENCRYPTED") else b""
        inner = head + b"\x04\x82\x01\x00" + noise[:256]
        body = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    text = binascii.b2a_base64(body, newline=False)
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"-----BEGIN " + label + b"-----\n" + lines + b"\n-----END " + label + b"-----"


def _openssh(noise: bytes) -> bytes:
    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    private = noise[:4] * 2 + string(b"ssh-ed25519") + string(noise[4:36]) + string(noise[36:100])
    public = string(b"ssh-ed25519") + string(noise[4:36])
    head = b"openssh-key-v1\0" + string(b"none") + string(b"none") + string(b"")
    return head + (1).to_bytes(4, "big") + string(public) + string(private)


# -- PuTTY -------------------------------------------------------------------------------------------------------------

_PPK = re.compile(
    rb"PuTTY-User-Key-File-(?P<version>[23]): (?P<algorithm>[^\r\n]+)\r?\nEncryption: (?P<encryption>[^\r\n]+)\r?\n"
    rb"Comment: (?P<comment>[^\r\n]*)\r?\nPublic-Lines: \d+\r?\n(?P<public>[A-Za-z0-9+/=\r\n]+?)\r?\n"
    rb"(?:Key-Derivation: .*?\r?\n)?(?:Argon2-[^\r\n]+\r?\n)*"
    rb"Private-Lines: \d+\r?\n(?P<private>[A-Za-z0-9+/=\r\n]+?)\r?\n"
    rb"Private-MAC: (?P<mac>[0-9a-f]+)"
)


def _ppk_mac(found: re.Match[bytes]) -> str:
    blobs = [_lines(found["public"]), _lines(found["private"])]
    fields = [found["algorithm"], found["encryption"], found["comment"], *blobs]
    data = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    if found["version"] == b"2":
        key = hashlib.sha1(b"putty-private-key-file-mac-key").digest()  # noqa: S324 - the format's choice
        return hmac.new(key, data, hashlib.sha1).hexdigest()
    return hmac.new(b"", data, hashlib.sha256).hexdigest()


def _lines(text: bytes) -> bytes:
    return unbase64(re.sub(rb"\s", b"", text)) or b""


def ppk(value: bytes) -> bool:
    """A PuTTY key: without encryption its MAC must hold; with it, the form is all there is to see. VERIFIED."""
    found = _PPK.match(value)
    if not found:
        return False
    return found["encryption"] != b"none" or _ppk_mac(found) == found["mac"].decode()


def ppk_complete(value: bytes) -> bytes:
    """An unencrypted file of version 3 around made-up bytes, with the right MAC."""
    noise = hashlib.shake_256(value).digest(84)
    public, private = (binascii.b2a_base64(part, newline=False) for part in (noise[:48], noise[48:]))
    text = (
        b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: imported-openssh-key\nPublic-Lines: 1\n"
        + public
    )
    text += b"\nPrivate-Lines: 1\n" + private + b"\nPrivate-MAC: "
    found = _PPK.match(text + b"0" * 64)
    return text + (_ppk_mac(found).encode() if found else b"")


# -- OpenPGP -----------------------------------------------------------------------------------------------------------


def pgp(value: bytes) -> bool:
    """OpenPGP armour around a secret key: first a packet of tag 5; the CRC-24 line, if there is one, holds. SPEC."""
    found = _PEM.search(value)
    if not found:
        return False
    text = _NOISE.sub(b"", _HEADERS.sub(b"", found[2]))
    sum_line = re.search(rb"=([A-Za-z0-9+/]{4})$", text)
    data = unbase64(text[: sum_line.start()] if sum_line else text)
    if not data:
        return False
    tag = data[0] & 0x3F if data[0] & 0x40 else data[0] >> 2 & 0x0F
    if not data[0] & 0x80 or tag != 5:
        return False
    return sum_line is None or crc24_openpgp(data) == int.from_bytes(unbase64(sum_line[1]) or b"", "big")


def pgp_complete(value: bytes) -> bytes:
    """Armour around a made-up packet with the right sum; no working key."""
    data = b"\x95\x01\x00" + hashlib.shake_256(value).digest(256)
    text = binascii.b2a_base64(data, newline=False)
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    total = binascii.b2a_base64(crc24_openpgp(data).to_bytes(3, "big"), newline=False)
    label = b"PGP PRIVATE KEY BLOCK-----"
    return b"-----BEGIN " + label + b"\n\n" + lines + b"\n=" + total + b"\n-----END " + label


CHECKS = {
    "pem": Check(pem, pem_complete, "SPEC: DER length, and the OpenSSH key format", weak=True),
    "ppk": Check(ppk, ppk_complete, "VERIFIED on 10 of 11 unencrypted files", weak=True),
    "pgp": Check(pgp, pgp_complete, "SPEC: RFC 4880", weak=True),
}
"""The checks of this module by name."""
