"""However a file is cut into windows, nothing is lost, and every window knows where it begins."""

from __future__ import annotations

import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model import Origin, Place
from scanner.sources.windows import windows

ORIGIN = Origin(Place.FILE, "file")
PIECES = st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=300)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(pieces=PIECES, window=st.integers(16, 5000), overlap=st.integers(0, 15))
def test_windows_cover_all_data(pieces: list[tuple[int, bytes]], window: int, overlap: int) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        content = bytearray()
        for holes, text in pieces:
            content += bytes(holes * 65536) + text
            file.seek(len(content) - len(text))
            file.write(text)
        os.ftruncate(file.fileno(), len(content))
        covered = bytearray(len(content))
        streams = []
        for blob in windows(file, ORIGIN, window, overlap):
            assert content[blob.offset : blob.offset + len(blob.data)] == blob.data
            assert blob.first_line == content.count(b"\n", 0, blob.offset) + 1
            assert len(blob.data) <= window
            covered[blob.offset : blob.offset + len(blob.data)] = blob.data
            streams.append(blob.stream)
        assert covered == content
        assert streams[0] is file
        assert not any(streams[1:])


@settings(deadline=None, max_examples=60)
@given(
    content=st.binary(min_size=40, max_size=2000),
    window=st.integers(16, 300),
    overlap=st.integers(4, 15),
    data=st.data(),
)
def test_what_is_no_longer_than_the_overlap_is_whole_in_a_window(
    content: bytes, window: int, overlap: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(content) - overlap))
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(content)
        cut = [(blob.offset, blob.offset + len(blob.data)) for blob in windows(file, ORIGIN, window, overlap)]
    assert any(begin <= start and start + overlap <= end for begin, end in cut)
