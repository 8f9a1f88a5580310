"""The ways in which 7z archives code a stream, undone with the standard library's decompressors."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from scanner.unpack.parts import CHUNK, Slice, buffered
from scanner.unpack.streams import Decompressor, Zstd

_DICTIONARY_LIMIT = 256 << 20
_SLACK = 16
"""The library keeps so many bytes at the end of a filtered stream that has no mark at its end."""

_COPY = b"\x00"
_LZMA1 = b"\x03\x01\x01"
_LZMA2 = b"\x21"
_DELTA = b"\x03"
_AES = b"\x06\xf1\x07\x01"
_BRANCHES: Mapping[bytes, int] = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x06": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x07": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x08": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
    b"\x09": lzma.FILTER_SPARC,
}


class Unknown(Exception):
    """A stream is coded in a way that is not undone here; the text says how, after "is"."""


class Coder(NamedTuple):
    """One step of coding: the method's number, and what it was told."""

    method: bytes
    properties: bytes


class _Deflate:
    """Deflate without a head, in the standard library's manner."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


class _Plain(io.RawIOBase):
    """What a coded stream of a known length becomes. It need not have a mark at its end."""

    def __init__(self, inner: BinaryIO, decompressor: Decompressor, slack: int) -> None:
        super().__init__()
        self._inner = inner
        self._current = decompressor
        self._slack = slack
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._ended:
            fed = b""
            if self._current.eof:
                break
            if self._current.needs_input:
                fed = self._inner.read(CHUNK)
                if not fed:
                    break
            data = self._current.decompress(fed, len(view))
            if data:
                view[: len(data)] = data
                return len(data)
        self._ended = True
        filled = min(self._slack, len(view))
        view[:filled] = bytes(filled)
        self._slack -= filled
        return filled


def coded(stream: BinaryIO, start: int, packed: int, coders: Sequence[Coder], size: int) -> BinaryIO:
    """The plain content of a stream of `packed` bytes; `coders` run from the plain side to the packed one.

    Raises Unknown where a coder is not known here, and ValueError where what it was told makes no sense.
    """
    stream.seek(start)
    content = buffered(Slice(stream, packed))
    waiting = list(coders)
    while waiting:
        coder = waiting.pop()
        if coder.method in (_LZMA1, _LZMA2):
            filters = [_lzma_filter(coder, size)]
            while waiting and (more := _filter(waiting[-1])):
                filters.insert(0, more)
                waiting.pop()
            slack = _SLACK if coder.method == _LZMA1 and len(filters) > 1 else 0
            raw: Decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
            content = buffered(_Plain(content, raw, slack))
        elif coder.method in _OTHERS:
            content = buffered(_Plain(content, _OTHERS[coder.method](), 0))
        elif coder.method == _AES:
            raise Unknown("encrypted")
        elif coder.method != _COPY:
            raise Unknown("coded in a way that is not known here")
    return content


def _lzma_filter(coder: Coder, size: int) -> dict[str, Any]:
    told = coder.properties
    if coder.method == _LZMA1:
        if len(told) != 5 or told[0] >= 9 * 5 * 5:
            raise ValueError("properties that cannot be")
        dictionary = int.from_bytes(told[1:], "little")
        rest, lc = divmod(told[0], 9)
        pb, lp = divmod(rest, 5)
        fields = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb}
    else:
        if len(told) != 1 or told[0] > 40:
            raise ValueError("properties that cannot be")
        dictionary = (2 | (told[0] & 1)) << (told[0] // 2 + 11)
        fields = {"id": lzma.FILTER_LZMA2}
    dictionary = max(min(dictionary, size + 4096), 4096)  # one that is larger than the content is of no use
    if dictionary > _DICTIONARY_LIMIT:
        raise Unknown(f"coded with a dictionary of more than {_DICTIONARY_LIMIT >> 20} MB")
    return {**fields, "dict_size": dictionary}


def _filter(coder: Coder) -> dict[str, Any] | None:
    """A filter that runs after LZMA; None for what is none."""
    if coder.method == _DELTA and len(coder.properties) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": coder.properties[0] + 1}
    if coder.method in _BRANCHES:
        return {"id": _BRANCHES[coder.method]}
    return None


_OTHERS: Mapping[bytes, Callable[[], Decompressor]] = {
    b"\x04\x01\x08": _Deflate,
    b"\x04\x02\x02": bz2.BZ2Decompressor,
    b"\x04\xf7\x11\x01": Zstd,
}
