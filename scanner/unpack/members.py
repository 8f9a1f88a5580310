"""Containers taken apart: leaves out, as blobs with their way in, and a Skipped for each thing that does not open.

Everything here is hostile: names are text to show and never paths to write, sizes in heads are claims, nesting has no
natural end. Nothing is written to disk; what is read is counted against a `Budget`.
"""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, BinaryIO, cast

from scanner.model import Blob, Origin, Skipped
from scanner.options import Limits
from scanner.unpack.budget import Budget, Exhausted, Metered
from scanner.unpack.kinds import BZIP2, GZIP, HEAD, TAR, XZ, ZIP, ends_as_zip, kind_of
from scanner.unpack.streams import SUFFIXES, decompressed

WINDOW = 16 << 20
OVERLAP = 64 << 10
_LONGEST_NAME = 1_024

Opened = Iterator[Blob | Skipped]

_DAMAGED = (
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
    NotImplementedError,
    RuntimeError,
)
"""What the standard library raises on damaged, encrypted or unknown content."""


def members(stream: BinaryIO, kind: str, origin: Origin, size: int, limits: Limits) -> Opened:
    """The leaves of a container. Ends with a Skipped when it costs more than it may."""
    try:
        yield from _UNPACKERS[kind](stream, kind, origin, Budget(limits, size), 1)
    except Exhausted as reason:
        yield Skipped(str(origin), f"{reason}; the rest was not unpacked")


def _content(stream: IO[bytes], origin: Origin, budget: Budget, depth: int) -> Opened:
    """A member: a container again, or a leaf in one or more windows."""
    reader = io.BufferedReader(Metered(stream, budget), 1 << 16)
    head = reader.peek(HEAD)[:HEAD]
    kind = kind_of(head)
    if kind and depth >= budget.limits.depth:
        yield Skipped(str(origin), f"nested more than {budget.limits.depth} deep; not unpacked")
        kind = ""
    if kind and kind != ZIP:
        yield from _UNPACKERS[kind](reader, kind, origin, budget, depth + 1)
        return
    first = _read(reader, WINDOW)
    if kind == ZIP or (b"\0" in first[:HEAD] and len(first) < WINDOW and ends_as_zip(first)):
        yield from _nested_zip(first, reader, origin, budget, depth)
        return
    yield from _windows(first, reader, origin)


def _nested_zip(first: bytes, reader: BinaryIO, origin: Origin, budget: Budget, depth: int) -> Opened:
    """An archive inside another: its directory stands at its end, so it is held in memory."""
    limit = budget.limits.member_bytes
    data = first + _read(reader, limit + 1 - len(first)) if len(first) == WINDOW else first
    if len(data) > limit:
        yield Skipped(str(origin), f"an archive of more than {limit:,} bytes inside another; not unpacked")
        return
    yield from _zip(io.BytesIO(data), ZIP, origin, budget, depth + 1)


def _windows(first: bytes, reader: BinaryIO, origin: Origin) -> Iterator[Blob]:
    """A leaf whole, or in overlapping windows when it is large."""
    data, offset, line = first, 0, 1
    while True:
        yield Blob(data, origin, offset, line)
        if len(data) < WINDOW:
            return
        more = _read(reader, WINDOW - OVERLAP)
        if not more:
            return
        step = len(data) - OVERLAP
        line += data.count(b"\n", 0, step)
        offset += step
        data = data[step:] + more


def _read(reader: BinaryIO, size: int) -> bytes:
    pieces = []
    while size > 0:
        piece = reader.read(min(size, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _zip(stream: BinaryIO, _kind: str, origin: Origin, budget: Budget, depth: int) -> Opened:
    try:
        archive = zipfile.ZipFile(stream)
        entries = archive.infolist()
    except _DAMAGED as error:
        yield Skipped(str(origin), _said("a damaged ZIP archive", error))
        return
    if archive.comment:
        yield Blob(archive.comment, origin.within("(archive comment)"))
    for entry in entries:
        budget.member()
        if entry.is_dir():
            continue
        inside = origin.within(entry.filename[:_LONGEST_NAME])
        if entry.flag_bits & 1:
            yield Skipped(str(inside), "an encrypted member")
            continue
        try:
            with archive.open(entry) as member:
                yield from _content(member, inside, budget, depth)
        except _DAMAGED as error:
            yield Skipped(str(inside), _said("a damaged member", error))


def _tar(stream: BinaryIO, _kind: str, origin: Origin, budget: Budget, depth: int) -> Opened:
    try:
        with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
            for entry in archive:
                budget.member()
                archive.members = []  # type: ignore[attr-defined]  # or it keeps them all
                if not entry.isfile():
                    continue
                member = archive.extractfile(entry)
                if member is not None:
                    yield from _content(member, origin.within(entry.name[:_LONGEST_NAME]), budget, depth)
    except _DAMAGED as error:
        yield Skipped(str(origin), _said("a damaged TAR archive", error))


def _stream(stream: BinaryIO, kind: str, origin: Origin, budget: Budget, depth: int) -> Opened:
    """A compressed stream. A compressed TAR archive is one container to people, so it gets no level of its own."""
    try:
        content = io.BufferedReader(cast(io.RawIOBase, decompressed(kind, stream)), 1 << 16)
        if kind_of(content.peek(HEAD)[:HEAD]) == TAR:
            metered = io.BufferedReader(Metered(content, budget), 1 << 16)
            yield from _tar(metered, TAR, origin, budget, depth)
        else:
            yield from _content(content, origin.within(_inner_name(origin, kind)), budget, depth)
    except _DAMAGED as error:
        yield Skipped(str(origin), _said(f"a damaged {kind} stream", error))


def _inner_name(origin: Origin, kind: str) -> str:
    name = (origin.inside[-1] if origin.inside else origin.path).rpartition("/")[2]
    for suffix in SUFFIXES[kind]:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return "content"


def _said(what: str, error: BaseException) -> str:
    """A reason for people; the library's own words only where they cannot hold content."""
    return f"{what} ({type(error).__name__})"


_UNPACKERS: Mapping[str, Callable[[BinaryIO, str, Origin, Budget, int], Opened]] = {
    ZIP: _zip,
    TAR: _tar,
    GZIP: _stream,
    BZIP2: _stream,
    XZ: _stream,
}
"""How each kind is taken apart."""
