"""Standard input comes in windows of bounded size."""

from __future__ import annotations

import io

from scanner.model import Blob, Place, Skipped
from scanner.sources.stdin import StdinSource, StdinUnit
from scanner.sources.target import TargetOptions, open_target


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as pipes do."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece, self._rest = self._rest[: min(size, 7)], self._rest[min(size, 7) :]
        return piece


class Broken(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(5, "Input/output error")


def test_short_input_is_one_blob() -> None:
    (unit,) = open_target("-", TargetOptions(), Trickle(b"some\nlines of text\n")).units()  # type: ignore[arg-type]
    assert not isinstance(unit, Skipped)
    assert [blob.data for blob in unit.blobs() if isinstance(blob, Blob)] == [b"some\nlines of text\n"]


def test_no_input_is_no_blob() -> None:
    (unit,) = StdinSource(io.BytesIO()).units()
    assert not isinstance(unit, Skipped)
    assert list(unit.blobs()) == []


def test_long_input_overlaps_and_counts_lines() -> None:
    content = b"".join(b"line %d\n" % number for number in range(1000))
    blobs = [blob for blob in StdinUnit(Trickle(content), 1000, 100).blobs() if isinstance(blob, Blob)]  # type: ignore[arg-type]
    whole = bytearray()
    for blob in blobs:
        assert blob.origin.place is Place.STDIN
        assert len(blob.data) <= 1000
        assert blob.first_line == content.count(b"\n", 0, blob.offset) + 1
        assert content[blob.offset : blob.offset + len(blob.data)] == blob.data
        assert len(whole) - blob.offset in (0, 100)
        whole[blob.offset :] = blob.data
    assert bytes(whole) == content


def test_a_stream_that_breaks_is_skipped() -> None:
    (skipped,) = StdinUnit(Broken()).blobs()
    assert isinstance(skipped, Skipped)
    assert "Input/output error" in skipped.reason
