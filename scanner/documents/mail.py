"""E-mail: messages and mailboxes, their encoded bodies, headers and attachments, as they stream by.

Written as RFC 5322, 2045 and 2047 have it. Bodies that are not encoded stand in the file just so, and are
found there by its own lines.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from scanner.unpack.parts import Box, Chunks, Member, Part, Text, Unread, buffered

_LINE_LIMIT = 1 << 16
_HEADERS_LIMIT = 1 << 18
_NESTED = 64
_PIECE = 1 << 16
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_WORD = re.compile(rb"=\?([\w.*-]{1,40})\?([BbQq])\?([^?]{0,2000})\?=(?:\s+(?==\?))?")
_UUENCODED = re.compile(rb"begin [0-7]{3,4} (.{1,200})\r?\n?")
_FROM = b"From "


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The encoded headers, bodies and attachments."""
    yield from _Mailbox(stream, box).parts()


class _Mailbox:
    """One message after another, line by line."""

    def __init__(self, stream: BinaryIO, box: Box) -> None:
        self._stream = stream
        self._box = box
        self._boundaries: list[bytes] = []
        self._messages = self._count = 0
        self._many = False
        self._line = stream.readline(_LINE_LIMIT)
        self._many = self._line.startswith(_FROM)

    def parts(self) -> Iterator[Part]:
        """Everything in it that is encoded."""
        if not self._many:
            self._messages = 1
        while self._line:
            if self._many and self._line.startswith(_FROM):
                self._messages += 1
                self._count = 0
                self._boundaries.clear()
                self._next()
            yield from self._entity()

    def _next(self) -> None:
        self._line = self._stream.readline(_LINE_LIMIT)

    def _name(self, name: str) -> str:
        name = name or f"part {self._count}"
        return f"message {self._messages}/{name}" if self._many else name

    def _entity(self) -> Iterator[Part]:
        """One entity's headers, and its body up to where another begins."""
        headers, decoded = self._headers()
        self._box.budget.member()
        self._count += 1
        if decoded:
            yield Text(self._name("headers"), (decoded,))
        kind = headers.get(b"content-type", b"").lower()
        name = _parameter(headers.get(b"content-disposition", b""), b"filename") or _parameter(
            headers.get(b"content-type", b""), b"name"
        )
        encoding = headers.get(b"content-transfer-encoding", b"").strip().lower()
        if kind.startswith(b"multipart/"):
            if kind.startswith(b"multipart/encrypted"):
                yield Unread(self._name(""), "an encrypted message")
            boundary = _parameter(headers[b"content-type"], b"boundary")
            if boundary and len(self._boundaries) >= _NESTED:
                yield Unread(self._name(""), f"parts nested more than {_NESTED} deep")
            elif boundary:
                self._boundaries.append(b"--" + boundary.encode("utf-8", "surrogateescape"))
        elif kind.startswith(b"message/rfc822") and encoding not in (b"base64", b"quoted-printable"):
            return  # its headers come next
        decode = {b"base64": _base64, b"quoted-printable": _quoted}.get(encoding)
        if decode is None:
            yield from self._plain()
        else:
            yield from self._decoded(self._name(name), decode)
        if self._line and not (self._many and self._line.startswith(_FROM)):
            self._next()  # the boundary

    def _headers(self) -> tuple[dict[bytes, bytes], bytes]:
        """The headers by their names, unfolded; and as text, if any of them was encoded."""
        lines: list[bytes] = []
        size = 0
        while self._line.strip(b"\r\n"):
            size += len(self._line)
            if size < _HEADERS_LIMIT:
                line = self._line.rstrip(b"\r\n")
                if line[:1] in (b" ", b"\t") and lines:
                    lines[-1] += b" " + line.strip()
                else:
                    lines.append(line)
            if self._boundary():
                break
            self._next()
        else:
            if self._line:
                self._next()
        headers: dict[bytes, bytes] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers.setdefault(name.strip().lower(), value.strip())
        encoded = [_WORD.sub(_word, line) for line in lines if b"=?" in line]
        return headers, b"".join(line + b"\n" for line in encoded)

    def _boundary(self) -> bool:
        """Whether the line at hand parts two entities; the inner ones' boundaries end with the outer ones'."""
        if not self._line.startswith(b"--"):
            return False
        line = self._line.rstrip()
        for depth in range(len(self._boundaries) - 1, -1, -1):
            boundary = self._boundaries[depth]
            if line == boundary:
                del self._boundaries[depth + 1 :]
                return True
            if line == boundary + b"--":
                del self._boundaries[depth:]
                return True
        return False

    def _body(self) -> Iterator[bytes]:
        """The lines of a body, until a boundary, the next message or the end."""
        blank = whole = True
        while self._line:
            if whole and (self._boundary() or (self._many and blank and self._line.startswith(_FROM))):
                return
            yield self._line
            blank = not self._line.strip(b"\r\n")
            whole = self._line.endswith(b"\n")
            self._next()

    def _plain(self) -> Iterator[Part]:
        """A body as it stands; only what is uuencoded in it is taken out."""
        body = self._body()
        for line in body:
            begin = _UUENCODED.fullmatch(line)
            if begin:
                content = _uuencoded(body)
                yield Member(self._name(begin[1].decode("utf-8", "surrogateescape")), buffered(Chunks(content)))
                for _ in content:
                    pass

    def _decoded(self, name: str, decode: Callable[[Iterator[bytes]], Iterator[bytes]]) -> Iterator[Part]:
        content = decode(self._body())
        yield Member(name, buffered(Chunks(content)))
        for _ in content:
            pass  # what was not read belongs to this part all the same


def _base64(lines: Iterator[bytes]) -> Iterator[bytes]:
    waiting = b""
    for line in lines:
        waiting += line.translate(None, _NOT_BASE64)
        if len(waiting) >= _PIECE:
            whole = len(waiting) & ~3
            yield _unbased(waiting[:whole])
            waiting = waiting[whole:]
    yield _unbased(waiting)


def _unbased(text: bytes) -> bytes:
    """Base64 undone, as far as it goes."""
    text = text.rstrip(b"=")
    if len(text) % 4 == 1:
        text = text[:-1]
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _quoted(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield binascii.a2b_qp(line)


def _uuencoded(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.strip() in (b"end", b"`", b""):
            return
        try:
            yield binascii.a2b_uu(line)
        except binascii.Error:
            return


def _word(found: re.Match[bytes]) -> bytes:
    """An encoded word of a header, decoded; as it stands where that cannot be done."""
    charset, how, text = found[1].partition(b"*")[0].decode(), found[2], found[3]
    try:
        data = _unbased(text) if how in b"Bb" else binascii.a2b_qp(text, header=True)
        return data.decode(charset, "replace").encode("utf-8", "replace")
    except (LookupError, ValueError):
        return found[0]


def _parameter(value: bytes, name: bytes) -> str:
    """A header's parameter; "" for none."""
    found = re.search(rb';\s*%s\*?\s*=\s*(?:"([^"]{0,1000})"|([^\s;"]{1,1000}))' % name, value, re.IGNORECASE)
    text = (found[1] or found[2] or b"") if found else b""
    return _WORD.sub(_word, text).decode("utf-8", "surrogateescape")
