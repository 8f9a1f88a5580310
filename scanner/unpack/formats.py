"""The one list of formats: which module takes which kind of container apart. Each is loaded when it is met."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from scanner.unpack import kinds
from scanner.unpack.parts import Format

_MODULES = {
    kinds.ZIP: "scanner.unpack.zips",
    kinds.TAR: "scanner.unpack.tars",
    kinds.SEVEN_ZIP: "scanner.unpack.sevenzip",
    kinds.AR: "scanner.unpack.ar",
    kinds.CPIO: "scanner.unpack.cpio",
    kinds.RPM: "scanner.unpack.rpm",
    kinds.ISO: "scanner.unpack.iso",
    kinds.GZIP: "scanner.unpack.streams",
    kinds.BZIP2: "scanner.unpack.streams",
    kinds.XZ: "scanner.unpack.streams",
    kinds.LZMA: "scanner.unpack.streams",
    kinds.ZSTD: "scanner.unpack.streams",
    kinds.PDF: "scanner.documents.pdf",
    kinds.RTF: "scanner.documents.rtf",
    kinds.MAIL: "scanner.documents.mail",
    kinds.NOTEBOOK: "scanner.documents.notebook",
    kinds.OLE: "scanner.documents.ole",
    kinds.SQLITE: "scanner.documents.sqlite",
    kinds.PNG: "scanner.documents.images",
    kinds.JPEG: "scanner.documents.images",
    kinds.GIF: "scanner.documents.images",
    kinds.PYC: "scanner.documents.bytecode",
    kinds.CLASS: "scanner.documents.bytecode",
}

KINDS = tuple(_MODULES)
"""Every kind that is taken apart."""


def format_of(kind: str) -> Format:
    """The format of a kind."""
    return cast(Format, import_module(_MODULES[kind]))
