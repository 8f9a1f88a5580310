"""Which contents are containers, told by their bytes and never by their names. Light: asked for every file."""

from __future__ import annotations

from typing import Final

ZIP: Final = "zip"
TAR: Final = "tar"
GZIP: Final = "gzip"
BZIP2: Final = "bzip2"
XZ: Final = "xz"

HEAD = 512
"""How many bytes of a content tell its kind."""
ZIP_TAIL = 65_557
"""A ZIP archive ends with its directory's end record, behind which a comment of 65,535 bytes can stand."""
ZIP_END = b"PK\x05\x06"

_MAGIC = (
    (b"PK\x03\x04", ZIP),
    (ZIP_END, ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"\xfd7zXZ\0", XZ),
)
_TAR_MAGIC_AT = 257


def kind_of(head: bytes) -> str:
    """The kind of container that a content beginning so is; "" for none."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return BZIP2
    return TAR if head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar" else ""


def ends_as_zip(tail: bytes) -> bool:
    """Whether a content that does not begin as a ZIP archive ends as one: self-extracting, or a jar with a head."""
    return ZIP_END in tail[-ZIP_TAIL:]
