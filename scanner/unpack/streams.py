"""Compressed streams: one content behind another, read front to back."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import BinaryIO, Protocol, cast

from scanner.unpack.kinds import BZIP2, GZIP, XZ

_CHUNK = 1 << 16
_LZMA_MEMORY = 256 << 20


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Decompressed(io.RawIOBase):
    """What a compressed stream holds. Several streams in a row are one; whatever else follows them is not looked at."""

    def __init__(self, inner: BinaryIO, begin: Callable[[], _Decompressor], magic: bytes) -> None:
        super().__init__()
        self._inner = inner
        self._begin = begin
        self._magic = magic
        self._current = begin()

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Decompresses at most as much as the buffer holds. Raises EOFError when the stream is cut short."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while True:
            fed = b""
            if self._current.eof:
                fed = self._current.unused_data or self._inner.read(_CHUNK)
                if not fed.startswith(self._magic):
                    return 0
                self._current = self._begin()
            elif self._current.needs_input:
                fed = self._inner.read(_CHUNK)
                if not fed:
                    raise EOFError("the compressed stream is cut short")
            data = self._current.decompress(fed, len(view))
            if data:
                view[: len(data)] = data
                return len(data)


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY)


def decompressed(kind: str, stream: BinaryIO) -> BinaryIO:
    """The content of a compressed stream."""
    match kind:
        case k if k == GZIP:
            return cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))
        case k if k == BZIP2:
            return cast(BinaryIO, _Decompressed(stream, bz2.BZ2Decompressor, b"BZh"))
        case k if k == XZ:
            return cast(BinaryIO, _Decompressed(stream, _xz, b"\xfd7zXZ\0"))
        case _:
            raise ValueError(f"not a compressed stream: {kind}")


SUFFIXES = {GZIP: (".gz", ".tgz"), BZIP2: (".bz2", ".tbz2", ".tbz"), XZ: (".xz", ".txz")}
"""What names of compressed files end in, so that what is inside can be named without it."""
