"""Notebooks (Jupyter): source of cells and text of outputs, put together from their lines; and pictures in outputs.

Read without a JSON parser, so that a notebook that claims to hold ten million lists costs no memory.
"""

from __future__ import annotations

import binascii
import io
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from scanner.unpack.parts import Box, Member, Part, Text, Unread, read

_KEY = re.compile(
    rb'"(cell_type|source|text|text/plain|text/html|text/markdown|application/json|image/png|image/jpeg'
    rb'|application/pdf|traceback)"\s*:\s*(?:\[\s*)?(?=")'
)
_STRING = re.compile(rb'"((?:[^"\\]++|\\.)*+)"\s*(,?)\s*', re.DOTALL)
_CODED = {b"image/png": "picture.png", b"image/jpeg": "picture.jpg", b"application/pdf": "document.pdf"}


def parts(stream: BinaryIO, box: Box) -> Iterator[Part]:
    """The cells, each with what it put out."""
    limit = box.budget.room()
    data = read(stream, limit + 1)
    if len(data) > limit:
        yield Unread("", f"more than {limit:,} bytes of notebook; its cells were not put together")
        return
    with box.budget.holding(len(data)):
        yield from _cells(data, box)


def _cells(data: bytes, box: Box) -> Iterator[Part]:
    cell = 0
    for found in _KEY.finditer(data):
        key = found[1]
        box.budget.member()
        if key == b"cell_type":
            cell += 1
            continue
        text = _text(data, found.end(), listed=b"[" in found[0])
        if key in _CODED:
            try:
                content = binascii.a2b_base64(text)
            except binascii.Error:
                yield Unread(f"cell {cell}/{_CODED[key]}", "damaged base64")
                continue
            yield Member(f"cell {cell}/{_CODED[key]}", io.BytesIO(content))
        else:
            yield Text(f"cell {cell}", (text,))


def _text(data: bytes, at: int, *, listed: bool) -> bytes:
    """A text, or a list of lines that are one."""
    lines = []
    while found := _STRING.match(data, at):
        lines.append(_unescaped(found[1]))
        at = found.end()
        if not listed or not found[2]:
            break
    return b"".join(lines)


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    try:
        plain = json.loads(b'"' + text + b'"', strict=False)
    except ValueError:
        return text
    return str(plain).encode("utf-8", "replace")
