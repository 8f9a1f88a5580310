"""What taking a container apart gives: the nouns that every format's module speaks.

A format is a module with one function, `parts(stream, box)`, named in `scanner.unpack.formats`. It reads the stream,
yields what it finds, and raises whatever it meets in damaged content: the walk in `scanner.unpack.members` says so.
"""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, NamedTuple, Protocol, cast

from scanner.unpack.budget import Budget

CHUNK = 1 << 16
LONGEST_NAME = 1_024

DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
)
"""What libraries and formats raise on damaged, encrypted or unknown content."""


class Readable(Protocol):
    """Whatever can be read front to back."""

    def read(self, size: int = -1, /) -> bytes | None:
        """At most so many bytes; none at the end."""
        ...


class Member(NamedTuple):
    """Content of its own, which may be a container again. The stream is read before the next part is asked for."""

    name: str
    stream: IO[bytes]


class Text(NamedTuple):
    """Text that a document holds, as it is read. It is not taken apart any further."""

    name: str
    chunks: Iterable[bytes]


class Unread(NamedTuple):
    """Something that could not be looked into, and why; the name is "" for the container itself."""

    name: str
    reason: str


Part = Member | Text | Unread


class Box(NamedTuple):
    """What a format is told of the container: its kind and name, and what it may cost."""

    kind: str
    name: str
    budget: Budget


class Format(Protocol):
    """One kind of container."""

    def parts(self, stream: BinaryIO, box: Box) -> Iterator[Part]:
        """What a container holds. Raises what is in DAMAGED; Exhausted passes through."""
        ...


class Slice(io.RawIOBase):
    """The next so many bytes of a stream, as a stream. What is left of it is skipped with `finish`."""

    def __init__(self, inner: Readable, size: int) -> None:
        super().__init__()
        self._inner = inner
        self._left = size

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Reads at most as much as the buffer holds. Raises EOFError where the stream ends too early."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        want = min(len(view), self._left)
        if not want:
            return 0
        data = self._inner.read(want)
        if not data:
            raise EOFError("cut short")
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def finish(self) -> None:
        """Reads over the rest. Raises EOFError where the stream ends too early."""
        while self._left:
            data = self._inner.read(min(self._left, CHUNK))
            if not data:
                raise EOFError("cut short")
            self._left -= len(data)


class Chunks(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces = iter(pieces)
        self._current = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Reads at most as much as the buffer holds."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._current:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._current = memoryview(piece)
        taken = self._current[: len(view)]
        view[: len(taken)] = taken
        self._current = self._current[len(taken) :]
        return len(taken)


class Chained(io.RawIOBase):
    """A head that was read already, and the stream it was read from."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        super().__init__()
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Reads at most as much as the buffer holds."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._head[: len(view)] or self._rest.read(len(view)) or b""
        view[: len(data)] = data
        self._head = self._head[len(data) :]
        return len(data)


class Metered(io.RawIOBase):
    """A stream that takes what is read from it out of a budget."""

    def __init__(self, inner: Readable, budget: Budget) -> None:
        super().__init__()
        self._inner = inner
        self._budget = budget

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Reads at most as much as the buffer holds. Raises Exhausted."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._inner.read(len(view)) or b""
        self._budget.spend(len(data))
        view[: len(data)] = data
        return len(data)


class Tolerant:
    """A stream that ends where it is damaged: what came before is worth a look. `damage` is what there was."""

    def __init__(self, inner: Readable) -> None:
        self._inner = inner
        self.damage: BaseException | None = None

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; none at the end, and none from where it is damaged."""
        if self.damage is None:
            try:
                return self._inner.read(size) or b""
            except DAMAGED as error:
                self.damage = error
        return b""


def buffered(raw: io.RawIOBase) -> BinaryIO:
    """The stream, with `peek` and `readline`."""
    return cast(BinaryIO, io.BufferedReader(raw, CHUNK))


def read(stream: Readable, size: int) -> bytes:
    """As many bytes as are asked for; fewer only at the end."""
    pieces = []
    while size > 0:
        piece = stream.read(min(size, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def exactly(stream: Readable, size: int) -> bytes:
    """So many bytes. Raises EOFError where the stream ends too early."""
    data = read(stream, size)
    if len(data) != size:
        raise EOFError("cut short")
    return data


def said(what: str, error: BaseException) -> str:
    """A reason for people; the library's own words could hold content."""
    if isinstance(error, EOFError):
        return f"{what}: it is cut short"
    if isinstance(error, NotImplementedError):
        return f"{what}: compressed in a way that is not known here"
    return f"{what} ({type(error).__name__})"
