"""Packs as they should not be: nothing that is in one may end the scan, and what cannot be read is told."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from scanner.pipeline import Scanner
from scanner.sources.git.pack.batch import compiled
from scanner.unpack.kinds import kind_of
from tests.support.histories import made_up
from tests.support.repositories import Repository

pytestmark = pytest.mark.skipif(not compiled(), reason="there was no C compiler when this was installed")

ROUNDS = 400


class Nothing:
    """A sink."""

    def scan(self, data: bytes, clips: memoryview, count: int, cores: memoryview) -> None: ...

    def whole(self, place: int, content: bytes) -> None: ...

    def binary(self, place: int, content: bytes) -> None: ...

    def lost(self, places: Sequence[int]) -> None: ...


def _read(pack: bytes, index: bytes, commits: list[bytes], wanted: list[bytes]) -> None:
    from scanner.sources.git.pack.table import Damaged, build, jobs, mark
    from scanner.sources.git.pack.trees import Trees
    from scanner.sources.git.pack.walk import Walk

    try:
        offsets, rows = build(pack, index, 20)
        mark(rows, index, 20, b"")
        for _, starts in jobs(rows, 1 << 12):
            Walk(pack, offsets, rows, Nothing(), kind_of).run(starts)
        Trees(pack, offsets, rows, index, 20).sightings(commits, wanted)
    except (Damaged, zlib.error, ValueError):
        return


def test_mutated_packs_and_indexes_are_survived(tmp_path: Path, shipped: Scanner) -> None:
    repository = made_up(tmp_path / "r", 21, 40, shipped.engine.book.rules)
    repository.git("repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50")
    pack_file = next((repository.git_dir / "objects" / "pack").glob("*.pack"))
    parts = pack_file.read_bytes(), pack_file.with_suffix(".idx").read_bytes()
    commits = [bytes.fromhex(id) for id in repository.git("rev-list", "--reverse", "HEAD").split()]
    wanted = [bytes.fromhex(id) for id in repository.objects("blob")]
    _read(*parts, commits, wanted)
    rng = random.Random(5)
    for _ in range(ROUNDS):
        mutated = [bytearray(part) for part in parts]
        victim = rng.choice(mutated)
        for _ in range(rng.choice((1, 1, 3, 20))):
            match rng.randrange(4):
                case 0 | 1:
                    victim[rng.randrange(len(victim))] = rng.randrange(256)
                case 2:
                    at = rng.randrange(len(victim))
                    victim[at : at + 8] = rng.randbytes(len(victim[at : at + 8]))
                case _ if rng.random() < 0.1 and len(victim) > 2000:
                    del victim[rng.randrange(1000, len(victim)) :]
                case _:
                    victim[8 + 4 * rng.randrange(256)] ^= 1 << rng.randrange(8)
        _read(bytes(mutated[0]), bytes(mutated[1]), commits, wanted)


def _delta(*pieces: tuple[int, int] | bytes, base: int, size: int) -> bytes:
    """A delta of copies (place and length) and new bytes."""

    def number(value: int) -> bytes:
        coded = bytearray()
        while value > 127:
            coded.append(value & 127 | 128)
            value >>= 7
        return bytes((*coded, value))

    coded = number(base) + number(size)
    for piece in pieces:
        if isinstance(piece, bytes):
            coded += bytes((len(piece),)) + piece
        else:
            coded += b"\xff" + piece[0].to_bytes(4, "little") + piece[1].to_bytes(3, "little")
    return coded


@pytest.mark.parametrize(
    "delta",
    [
        _delta((0, 8), base=9, size=8),
        _delta((4, 8), base=8, size=8),
        _delta((0, 8), base=8, size=9),
        _delta((0, 8), (0, 8), base=8, size=8),
        _delta((0, 8), base=8, size=8)[:-1],
        _delta((0, 8), base=8, size=1 << 40),
        b"",
        b"\xff" * 12,
        _delta(b"new", base=8, size=3)[:-1],
        _delta(base=8, size=0) + b"\0",
    ],
)
def test_a_delta_that_lies_is_left_to_git(delta: bytes) -> None:
    from scanner.sources.git.pack.table import BASE, CHILD, COLUMNS, FLAGS, HEAD, KIND, NEEDED, SIBLING, SIZE
    from scanner.sources.git.pack.walk import Walk

    stored = [zlib.compress(b"12345678"), zlib.compress(delta)]
    offsets = [0, len(stored[0]) + 1, len(stored[0]) + len(stored[1]) + 2]
    rows = [-1] * 2 * COLUMNS
    for place, size in enumerate((8, len(delta))):
        row = place * COLUMNS
        rows[row + HEAD], rows[row + SIZE], rows[row + KIND], rows[row + FLAGS] = 1, size, 3, NEEDED
    rows[COLUMNS + BASE], rows[CHILD], rows[COLUMNS + SIBLING] = 0, 1, -1
    lost: list[int] = []
    sink = Nothing()
    sink.lost = lost.extend  # type: ignore[method-assign, assignment]
    from array import array

    walk = Walk(b"." + stored[0] + b"." + stored[1], array("q", offsets), array("i", rows), sink, kind_of)
    walk.run([0])
    assert lost[0] == 1


def test_several_packs_alternates_and_loose_objects_are_read_once(tmp_path: Path, shipped: Scanner) -> None:
    from scanner.model import Place
    from tests.support.reading import read_target

    lender = made_up(tmp_path / "lender", 31, 30, shipped.engine.book.rules)
    lender.git("repack", "-q", "-a", "-d")
    borrower = Repository.new(tmp_path / "borrower")
    (borrower.git_dir / "objects" / "info").mkdir(exist_ok=True)
    (borrower.git_dir / "objects" / "info" / "alternates").write_text(f"{lender.git_dir / 'objects'}\n")
    borrower.commit("one", {"own": "first\n" * 40})
    borrower.git("repack", "-q", "-d", "-l")
    borrower.commit("two", {"own": "second\n" * 40})
    blobs = [blob.origin.blob for blob in read_target(borrower.path).at(Place.BLOB)]
    assert len(blobs) == len(set(blobs))
    empty = lender.git("hash-object", "--stdin")
    assert set(blobs) == (lender.objects("blob") | borrower.objects("blob")) - {empty}
