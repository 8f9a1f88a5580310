"""Keys of Microsoft's clouds: a signature inside, and a Marvin32 checksum at the end."""

from __future__ import annotations

import binascii
from zlib import crc32

from scanner.checks.check import Check
from scanner.checks.encodings import BASE62, base64url, digits, marvin32, number, unbase64


def identifiable(*seeds: str, url_safe: bool = False) -> Check:
    """An identifiable key: its last four bytes are Marvin32 of the rest, little-endian, under one of the seeds."""

    def passes(value: bytes) -> bool:
        data = unbase64(value)
        if data is None or len(data) < 32:
            return False
        return any(marvin32(data[:-4], seed) == int.from_bytes(data[-4:], "little") for seed in seeds)

    def complete(value: bytes) -> bytes:
        data = unbase64(value)
        if data is None:
            return value
        data = data[:-4] + marvin32(data[:-4], seeds[0]).to_bytes(4, "little")
        return base64url(data, padded=True) if url_safe else binascii.b2a_base64(data, newline=False)

    return Check(passes, complete, f"VERIFIED: Marvin32, seeds {', '.join(seeds)}")


_BASE66 = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~"


def _entra_tail(head: bytes) -> bytes:
    return digits(marvin32(head, "AadPwd00"), _BASE66, 6)[:3]


def entra(value: bytes) -> bool:
    """An Entra client secret of the `8Q~` form: three base-66 digits of Marvin32. VERIFIED on 3 of 18 samples."""
    return len(value) == 40 and value[-3:] == _entra_tail(value[:-3])


def _cask_tails(data: bytes, width: int) -> tuple[bytes, bytes]:
    """The current and the older spelling of the checksum."""
    total = marvin32(data[:60], "Default0").to_bytes(4, "little")
    text = digits(int.from_bytes(total, "big"), BASE62, 0).ljust(6, b"0")
    current = binascii.b2a_base64(unbase64(text) or b"", newline=False)
    older = binascii.b2a_base64(total[: 3 if width == 4 else 4], newline=False)
    return current[:width], older[:width]


def cask(value: bytes) -> bool:
    """A common annotated key (`JQQJ99`): Marvin32 of the first 60 bytes, in either spelling. VERIFIED on 2 samples."""
    data = unbase64(value)
    width = len(value) - 80
    return data is not None and width in (4, 8) and value[80:] in _cask_tails(data, width)


def cask_complete(value: bytes) -> bytes:
    """The same key with the current spelling of its checksum."""
    data = unbase64(value)
    return value if data is None else value[:80] + _cask_tails(data, len(value) - 80)[0]


_DEVOPS_USER = 0xE0B9692D
_DEVOPS_APPLICATION = 0x1019F92E
_BASE32_LOWER = "abcdefghijklmnopqrstuvwxyz234567"


def _devops_sum(data: bytes) -> tuple[int, int]:
    """(what is stored, what is expected before the constant)."""
    body = data[0:2] + data[3:7] + data[9:22] + data[23:32]
    return int.from_bytes(bytes((data[22], data[8], data[7], data[2])), "little"), crc32(body)


def devops(value: bytes) -> bool:
    """An old Azure DevOps token: CRC-32 of 28 bytes, xored, in four scattered bytes. VERIFIED on 1 of 5 samples."""
    whole = number(value, _BASE32_LOWER)
    if whole is None or len(value) != 52:
        return False
    stored, expected = _devops_sum((whole >> 4).to_bytes(32, "big"))
    return stored ^ expected in (_DEVOPS_USER, _DEVOPS_APPLICATION)


def devops_complete(value: bytes) -> bytes:
    """The same token with the four bytes right."""
    whole = number(value, _BASE32_LOWER)
    if whole is None or len(value) != 52:
        return value
    data = bytearray((whole >> 4).to_bytes(32, "big"))
    _, expected = _devops_sum(bytes(data))
    data[22], data[8], data[7], data[2] = (expected ^ _DEVOPS_USER).to_bytes(4, "little")
    return digits(int.from_bytes(data, "big") << 4, _BASE32_LOWER, 52)


_MESSAGING = ("Send0000", "Listen00", "Manage00")
_COSMOS = ("MastRW00", "MastRO00", "SystRW00", "SystRO00", "SysAll00", "Resour00", "Encryp00")

CHECKS = {
    "azure-storage": identifiable("Default0"),
    "azure-cosmos": identifiable(*_COSMOS),
    "azure-batch": identifiable("AbAcct00"),
    "azure-ml-classic": identifiable("Classic0"),
    "azure-apim": identifiable("Tenant00", "IoTHub00", "Gatewy00", "GitKey00"),
    "azure-messaging": identifiable(*_MESSAGING),
    "azure-iot": identifiable("IoTHub00", "DpsKey00", "Device00"),
    "azure-event-grid": identifiable("SendRecv", "Default0"),
    "azure-redis": identifiable("Access00"),
    "azure-search": identifiable("PAdmin00", "Query000"),
    "azure-container-registry": identifiable("ACRDflt0"),
    "azure-functions": identifiable("Master00", "System00", "Functi00", url_safe=True),
    "azure-entra": Check(entra, lambda value: value[:-3] + _entra_tail(value[:-3]), "VERIFIED on 3 of 18 samples"),
    "azure-cask": Check(cask, cask_complete, "VERIFIED on 2 samples"),
    "azure-devops": Check(devops, devops_complete, "VERIFIED on 1 of 5 samples"),
}
"""The checks of this module by name."""
