"""Which contents are containers, told by their bytes and never by their names. Light: asked for every file."""

from __future__ import annotations

from typing import Final

ZIP: Final = "ZIP archive"
TAR: Final = "TAR archive"
SEVEN_ZIP: Final = "7z archive"
AR: Final = "ar archive"
CPIO: Final = "cpio archive"
RPM: Final = "RPM package"
ISO: Final = "ISO image"
GZIP: Final = "gzip stream"
BZIP2: Final = "bzip2 stream"
XZ: Final = "xz stream"
LZMA: Final = "lzma stream"
ZSTD: Final = "zstd stream"
PDF: Final = "PDF"
RTF: Final = "RTF document"
MAIL: Final = "e-mail"
NOTEBOOK: Final = "notebook"
OLE: Final = "OLE document"
SQLITE: Final = "SQLite database"
PNG: Final = "PNG image"
JPEG: Final = "JPEG image"
GIF: Final = "GIF image"
PYC: Final = "Python bytecode"
CLASS: Final = "Java class"

CLOSED = {
    "RAR archive": "RAR archives are not looked into; unpack it, and scan what comes out",
    "CAB archive": "CAB archives are not looked into; unpack it, and scan what comes out",
    "LZ4 stream": "LZ4 streams are not looked into; unpack it, and scan what comes out",
    "lzip stream": "lzip streams are not looked into; unpack it, and scan what comes out",
    "SquashFS image": "SquashFS images are not looked into; unpack it, and scan what comes out",
    "encrypted file": "an encrypted file (age)",
}
"""Kinds that are told and not opened, and what is said of them."""

SEQUENTIAL = frozenset({TAR, AR, CPIO, RPM, GZIP, BZIP2, XZ, LZMA, ZSTD})
"""Kinds that are read front to back, however large they are; the others are read here and there."""
DOCUMENTS = frozenset({PDF, RTF, MAIL, NOTEBOOK, OLE, SQLITE, PNG, JPEG, GIF, PYC, CLASS})
"""Kinds whose own bytes are looked at too: they hold text, and not all of it is in the parts that are taken out."""
LEGIBLE = frozenset({MAIL, NOTEBOOK, RTF})
"""Documents that people read as text: what stands in them just so is reported by the document's own lines."""

HEAD = 36 << 10
"""How many bytes of a content tell its kind."""
ZIP_TAIL = 65_557
"""A ZIP archive ends with its directory's end record, behind which a comment of 65,535 bytes can stand."""
ZIP_END = b"PK\x05\x06"

_MAGIC = (
    (b"PK\x03\x04", ZIP),
    (ZIP_END, ZIP),
    (b"PK\x07\x08PK\x03\x04", ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"\xfd7zXZ\0", XZ),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"!<arch>\n", AR),
    (b"070701", CPIO),
    (b"070702", CPIO),
    (b"070707", CPIO),
    (b"\xed\xab\xee\xdb", RPM),
    (b"%PDF-", PDF),
    (b"{\\rtf", RTF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"SQLite format 3\0", SQLITE),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\xca\xfe\xba\xbe\0", CLASS),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"MSCF\0\0\0\0", "CAB archive"),
    (b"\x04\x22\x4d\x18", "LZ4 stream"),
    (b"LZIP\x01", "lzip stream"),
    (b"hsqs", "SquashFS image"),
    (b"age-encryption.org/v1\n", "encrypted file"),
)
_MAIL = (
    *(b"From ", b"From:", b"Return-Path:", b"Received:", b"Delivered-To:", b"Message-ID:", b"Message-Id:", b"Date:"),
    *(b"MIME-Version:", b"Mime-Version:", b"To:", b"Subject:", b"X-", b"DKIM-Signature:", b"ARC-", b"Content-Type:"),
    *(b"Authentication-Results:", b"Envelope-To:", b"Envelope-to:", b"Reply-To:", b"Sender:", b"Cc:", b"User-Agent:"),
)
_MAIL_HEAD = 16 << 10
_MAIL_MARKS = (b"\nmime-version:", b"\nmessage-id:", b"\ncontent-type:", b"\ncontent-transfer-encoding:")
_NOTEBOOK_HEAD = 4 << 10
_LZMA_SIZE_UNKNOWN = b"\xff" * 8


def _by_first() -> dict[int, tuple[tuple[bytes, str], ...]]:
    table: dict[int, tuple[tuple[bytes, str], ...]] = {}
    for magic, kind in (*_MAGIC, *((start, MAIL) for start in _MAIL)):
        table[magic[0]] = (*table.get(magic[0], ()), (magic, kind))
    table[ord("B")] = ((b"BZh", BZIP2),)
    table[ord("{")] = (*table[ord("{")], (b"{", NOTEBOOK))
    table[ord("]")] = ((b"]\0\0", LZMA),)
    return table


_FIRST = _by_first()


def kind_of(head: bytes) -> str:
    """The kind of container that a content beginning so is; "" for none. `HEAD` bytes are enough, fewer tell less."""
    if not head:
        return ""
    for magic, kind in _FIRST.get(head[0], ()):
        if head.startswith(magic) and (kind not in _CONFIRM or _CONFIRM[kind](head)):
            return kind
    if head[257:262] == b"ustar" or (head[154:156] == b"\0 " and _is_old_tar(head)):
        return TAR
    if head[2:4] == b"\r\n" and _is_bytecode(head):
        return PYC
    return ISO if head[32_769:32_774] == b"CD001" else ""


def ends_as_zip(tail: bytes) -> bool:
    """Whether a content that does not begin as a ZIP archive ends as one: self-extracting, or a jar with a head."""
    return ZIP_END in tail[-ZIP_TAIL:]


def _is_bzip2(head: bytes) -> bool:
    return head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")


def _is_lzma(head: bytes) -> bool:
    """The old format has no magic number: usual properties, a dictionary of a usual size, and a believable length."""
    return head[5:13] == _LZMA_SIZE_UNKNOWN or (head[10:13] == b"\0\0\0" and head[13:14] == b"\0" and len(head) > 24)


def _is_mail(head: bytes) -> bool:
    """Whether a text with a header line in front has those that only a message has, before its first empty line."""
    top = head[:_MAIL_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower()
    return any(mark in b"\n" + top for mark in _MAIL_MARKS)


def _is_notebook(head: bytes) -> bool:
    top = head[:_NOTEBOOK_HEAD]
    return b'"cell_type"' in top or b'"nbformat"' in top


def _is_old_tar(head: bytes) -> bool:
    """TAR archives from before there was a magic number: the checksum of the first head is right."""
    try:
        told = int(head[148:154], 8)
    except ValueError:
        return False
    return len(head) >= 512 and told == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _is_bytecode(head: bytes) -> bool:
    """Python 3's magic numbers are 3000 to 3999, Python 2.7's 62211; a code object follows the head."""
    if 0x0B <= head[1] <= 0x0F:
        return head[16:17] in (b"\xe3", b"c") or head[12:13] in (b"\xe3", b"c")
    return head[:2] == b"\x03\xf3" and head[8:9] == b"c"


_CONFIRM = {BZIP2: _is_bzip2, LZMA: _is_lzma, MAIL: _is_mail, NOTEBOOK: _is_notebook}
