"""What Git LFS leaves in the place of a content: a small text that names it. Starts no process; files need it too."""

from __future__ import annotations

import os
import re

_VERSION = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER = re.compile(_VERSION + rb"(?:ext-[^\n]+\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,20})\n?")
_SHORTEST, _USUAL, _LONGEST = 125, 150, 1024


def may_be_pointer(size: int) -> bool:
    """Whether a pointer without extensions can have so many bytes."""
    return _SHORTEST <= size <= _USUAL


def pointed_to(content: bytes) -> str | None:
    """The id of the content that a pointer stands for; None for what is no pointer."""
    if len(content) > _LONGEST or not content.startswith(_VERSION):
        return None
    found = _POINTER.fullmatch(content)
    return found[1].decode() if found else None


def pointer(oid: str, size: int) -> bytes:
    """The pointer to a content of so many bytes, as Git LFS writes it."""
    return _VERSION + f"oid sha256:{oid}\nsize {size}\n".encode()


def kept_at(oid: str) -> str:
    """Where a content is kept, below git's directory."""
    return os.path.join("lfs", "objects", oid[:2], oid[2:4], oid)
