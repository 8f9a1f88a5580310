"""How much one container may cost before it counts as a bomb."""

from __future__ import annotations

import io
from typing import IO

from scanner.options import Limits

_FREE = 16 << 20
"""However small a container is, it may grow to this many bytes."""


class Exhausted(Exception):
    """The container costs more than it may; the text says in which respect."""


class Budget:
    """What is left for one container and everything inside it."""

    __slots__ = ("_allowed", "_members", "_reason", "limits")

    def __init__(self, limits: Limits, size: int) -> None:
        self.limits = limits
        grown = max(size * limits.ratio, _FREE)
        self._allowed = min(limits.total_bytes, grown)
        self._reason = (
            f"grows more than {limits.ratio} times when unpacked"
            if grown < limits.total_bytes
            else f"holds more than {limits.total_bytes:,} bytes when unpacked"
        )
        self._members = limits.members

    def member(self) -> None:
        """Takes account of one member. Raises Exhausted."""
        self._members -= 1
        if self._members < 0:
            raise Exhausted(f"holds more than {self.limits.members:,} members")

    def spend(self, size: int) -> None:
        """Takes account of unpacked bytes. Raises Exhausted."""
        self._allowed -= size
        if self._allowed < 0:
            raise Exhausted(self._reason)


class Metered(io.RawIOBase):
    """A stream that takes what is read from it out of a budget."""

    def __init__(self, inner: IO[bytes], budget: Budget) -> None:
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
