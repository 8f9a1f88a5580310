"""Compressed streams: one content behind another, read front to back."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from scanner.unpack.kinds import BZIP2, GZIP, LZMA, TAR, XZ, ZSTD, kind_of
from scanner.unpack.parts import CHUNK, Box, Member, Metered, Part, buffered

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj

_LZMA_MEMORY = 256 << 20
_ZSTD_WINDOW = 128 << 20
_ZSTD_PIECE = 1 << 10
"""A block of 128 KiB can be told in four bytes, so little is given to the decompressor at a time."""


class Decompressor(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream has come to its end."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to give out before more is put in."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stood behind the end."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """The next bytes, at most so many."""
        ...


class Decompressed(io.RawIOBase):
    """What a compressed stream holds. Several streams in a row are one; whatever else follows them is not looked at."""

    def __init__(self, inner: BinaryIO, begin: Callable[[], Decompressor], magic: bytes) -> None:
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
                fed = self._current.unused_data
                if len(fed) < len(self._magic):
                    fed += self._inner.read(CHUNK)
                if not self._magic or not fed.startswith(self._magic):
                    return 0
                self._current = self._begin()
            elif self._current.needs_input:
                fed = self._inner.read(CHUNK)
                if not fed:
                    raise EOFError("the compressed stream is cut short")
            data = self._current.decompress(fed, len(view))
            if data:
                view[: len(data)] = data
                return len(data)


class Zstd:
    """A frame of zstd, in the standard library's manner."""

    def __init__(self) -> None:
        import zstandard  # noqa: PLC0415 - a library of its own, for its own streams alone

        self._error = zstandard.ZstdError
        self._inner: ZstdDecompressionObj = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._waiting = b""
        self._ready = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof and not self._ready

    @property
    def needs_input(self) -> bool:
        return not (self._ready or self._waiting or self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data + self._waiting

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        self._waiting += data
        while not self._ready and self._waiting and not self._inner.eof:
            piece, self._waiting = self._waiting[:_ZSTD_PIECE], self._waiting[_ZSTD_PIECE:]
            try:
                self._ready = self._inner.decompress(piece)
            except self._error as error:
                raise ValueError("not a zstd stream") from error
        given = self._ready if max_length < 0 else self._ready[:max_length]
        self._ready = self._ready[len(given) :]
        return given


def _xz() -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY)


def _lzma() -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)


_BEGIN: dict[str, tuple[Callable[[], Decompressor], bytes]] = {
    BZIP2: (bz2.BZ2Decompressor, b"BZh"),
    XZ: (_xz, b"\xfd7zXZ\0"),
    LZMA: (_lzma, b""),
    ZSTD: (Zstd, b"\x28\xb5\x2f\xfd"),
}


def decompressed(kind: str, stream: BinaryIO) -> BinaryIO:
    """The content of a compressed stream."""
    if kind == GZIP:
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))
    begin, magic = _BEGIN[kind]
    return buffered(Decompressed(stream, begin, magic))


SUFFIXES = {
    GZIP: (".gz", ".tgz"),
    BZIP2: (".bz2", ".tbz2", ".tbz"),
    XZ: (".xz", ".txz"),
    LZMA: (".lzma", ".tlz"),
    ZSTD: (".zst", ".zstd", ".tzst"),
}
"""What names of compressed files end in, so that what is inside can be named without it."""


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The one content. A compressed TAR archive is one container to people, so it gets no level of its own."""
    content = buffered(cast(io.RawIOBase, decompressed(box.kind, stream)))
    if kind_of(content.peek(512)[:512]) == TAR:  # type: ignore[attr-defined]
        from scanner.unpack import tars  # noqa: PLC0415 - for what it is needed for

        yield from tars.parts(buffered(Metered(content, box.budget)), box._replace(kind=TAR))
    else:
        yield Member(inner_name(box.name, box.kind), content)


def inner_name(name: str, kind: str) -> str:
    """The name of what is in a compressed file: its own, without the suffix."""
    for suffix in SUFFIXES[kind]:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return "content"
