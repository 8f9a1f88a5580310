"""PDF: the text of its pages, what is written beside them, files in it, and compressed streams that are no pictures.

Pages are read by pypdf, with a limit on time. The streams are looked for in the file's bytes and inflated here, so that
much is found in a file that pypdf cannot read.
"""

from __future__ import annotations

import io
import logging
import re
import zlib
from base64 import a85decode
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from scanner.unpack.budget import TookTooLong, hurried
from scanner.unpack.parts import Box, Chunks, Member, Part, Text, Unread, buffered, read

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

T = TypeVar("T")

_WINDOW = 8 << 20
_OVERLAP = 1 << 12
_PIECE = 1 << 16
_STREAM = re.compile(rb"stream\r?\n")
_DEFLATED = (b"\x08", b"\x18", b"\x28", b"\x38", b"\x48", b"\x58", b"\x68", b"\x78")
_LETTERED = b"/ASCII85Decode"
_LETTERS_LIMIT = 4 << 20
_OBJECT = re.compile(rb"\d\s{1,8}\d{1,5}\s{1,8}obj\b")
_NO_TEXT = (b"/Image", b"/FontFile", b"/Type1C", b"/CIDFontType0C", b"/OpenType", b"/XRef", b"/Length1")


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """Pages with their notes and fields, attachments, and streams."""
    document = _Document(stream, box.budget.limits.seconds_per_document)
    yield from document.parts(box)
    if not document.encrypted:
        yield from _streams(stream, box)


class _Document:
    """What the library reads. All of it together has so many seconds."""

    def __init__(self, stream: BinaryIO, seconds: float) -> None:
        self._stream = stream
        self._seconds = self._left = seconds
        self.encrypted = False

    def parts(self, box: Box) -> Iterator[Part]:
        """What it finds; Unread for what it cannot read, or not in time."""
        try:
            reader = self._hurried(self._open)
            if self.encrypted:
                yield Unread("", "an encrypted PDF")
                return
            yield from self._about(reader)
            yield from self._pages(reader, box)
            yield from self._attachments(reader, box)
        except TookTooLong:
            yield Unread("", f"its text took longer than {self._seconds:g} s to read; the rest was not read")
        except Exception as error:  # the library raises whatever it meets in a damaged file
            yield Unread("", f"a damaged PDF ({type(error).__name__}); its streams were read one by one")

    def _hurried(self, work: Callable[[], T]) -> T:
        began = monotonic()
        try:
            return hurried(self._left, work)
        finally:
            self._left -= monotonic() - began

    def _open(self) -> PdfReader:
        from pypdf import PdfReader  # noqa: PLC0415 - 0.2 s, within the limit on time

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        reader = PdfReader(self._stream)
        self.encrypted = reader.is_encrypted and not reader.decrypt("")
        return reader

    def _about(self, reader: PdfReader) -> Iterator[Part]:
        """Title, author and so on; and what forms were filled in with."""
        about = self._hurried(lambda: _lines((reader.metadata or {}).items()))
        if about:
            yield Text("(document information)", (about,))
        fields = self._hurried(lambda: _lines((n, each.get("/V")) for n, each in (reader.get_fields() or {}).items()))
        if fields:
            yield Text("(form)", (fields,))

    def _pages(self, reader: PdfReader, box: Box) -> Iterator[Part]:
        failed: list[str] = []
        for number in range(1, self._hurried(lambda: len(reader.pages)) + 1):
            box.budget.member()
            try:
                text = self._hurried(lambda: _page(reader.pages[number - 1]))  # noqa: B023 - called at once
            except Exception as error:  # as above: one page must not hide the others
                failed.append(type(error).__name__)
                continue
            reader.resolved_objects.clear()  # or all pages are held at once
            yield Text(f"page {number}", (text,))
        if failed:
            yield Unread("", f"the text of {len(failed)} pages cannot be read ({failed[0]}); their streams were")

    def _attachments(self, reader: PdfReader, box: Box) -> Iterator[Part]:
        for attachment in self._hurried(lambda: list(reader.attachment_list)):
            box.budget.member()
            content = self._hurried(lambda: bytes(attachment.content))  # noqa: B023 - called at once
            yield Member(attachment.name, io.BytesIO(content))


def _page(page: PageObject) -> bytes:
    """A page's text, and the notes and links on it."""
    lines = [page.extract_text()]
    for note in page.annotations or ():
        entry: Any = note.get_object()
        action: Any = entry.get("/A")
        link = action.get_object().get("/URI") if action is not None else None
        lines += [str(text) for text in (entry.get("/Contents"), link) if text]
    return "\n".join(lines).encode("utf-8", "replace")


def _lines(items: Iterable[tuple[Any, Any]]) -> bytes:
    return "".join(f"{name} = {value}\n" for name, value in items if value).encode("utf-8", "replace")


def _streams(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """Compressed streams but for pictures and fonts, as the document's own bytes: what pages hold comes again here."""
    base, after = 0, 0
    while True:
        stream.seek(base)
        data = read(stream, _WINDOW)
        for found in _STREAM.finditer(data):
            start = base + found.end()
            told = data[max(0, found.start() - _OVERLAP) : found.start()]
            about = told[max((each.end() for each in _OBJECT.finditer(told)), default=0) :]
            if start <= after or any(mark in about for mark in _NO_TEXT):
                continue
            after = start
            lettered = _LETTERED in about
            if not lettered and data[found.end() : found.end() + 1] not in _DEFLATED:
                continue
            box.budget.member()
            source = _unlettered(stream, start) if lettered else stream
            yield Member("", buffered(Chunks(_inflated(source, 0 if lettered else start))))
        if len(data) < _WINDOW:
            return
        base += _WINDOW - _OVERLAP


def _unlettered(stream: BinaryIO, start: int) -> BinaryIO:
    """What a stream in ASCII 85 stands for, as far as it can be read."""
    stream.seek(start)
    letters = stream.read(_LETTERS_LIMIT).partition(b"~>")[0]
    try:
        return io.BytesIO(a85decode(letters))
    except ValueError:
        return io.BytesIO()


def _inflated(stream: BinaryIO, start: int) -> Iterator[bytes]:
    """What a compressed stream holds, as far as it can be read."""
    inflate = zlib.decompressobj()
    at = start
    while not inflate.eof:
        fed = inflate.unconsumed_tail
        if not fed:
            stream.seek(at)
            fed = stream.read(_PIECE)
            at += len(fed)
        if not fed:
            return
        try:
            yield inflate.decompress(fed, _PIECE)
        except zlib.error:
            return  # what was no stream, or is damaged from here on: its text was read by the library if at all
