"""What every source promises, over all of them: units that travel, hold no content, and read the same twice."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.model import Blob, Place, Skipped, Unit
from scanner.sources.target import TargetOptions, open_target
from tests.support.repositories import Repository

NEEDLE = b"content that stays where it is"


def _file(directory: Path) -> tuple[str, TargetOptions]:
    path = directory / "file"
    path.write_bytes(NEEDLE)
    return str(path), TargetOptions()


def _tree(directory: Path) -> tuple[str, TargetOptions]:
    for number in range(5):
        (directory / "tree" / f"d{number}").mkdir(parents=True)
        (directory / "tree" / f"d{number}" / "file").write_bytes(NEEDLE * number)
    return str(directory / "tree"), TargetOptions()


def _repository(directory: Path) -> Repository:
    repository = Repository.new(directory / "r")
    repository.commit("first", {"a": NEEDLE, "b": "x"})
    repository.commit(f"second {NEEDLE.decode()}", {"a": b"more " + NEEDLE})
    repository.write("c", b"staged " + NEEDLE)
    repository.git("add", "c")
    return repository


def _repository_with(**options: object) -> Callable[[Path], tuple[str, TargetOptions]]:
    def build(directory: Path) -> tuple[str, TargetOptions]:
        return str(_repository(directory).path), TargetOptions(**options)  # type: ignore[arg-type]

    return build


def _bare(directory: Path) -> tuple[str, TargetOptions]:
    _repository(directory).git("clone", "-q", "--bare", ".", str(directory / "bare"))
    return str(directory / "bare"), TargetOptions(history=False)


SOURCES: dict[str, Callable[[Path], tuple[str, TargetOptions]]] = {
    "file": _file,
    "tree": _tree,
    "repository": _repository_with(),
    "present": _repository_with(history=False),
    "staged": _repository_with(staged=True),
    "since": _repository_with(since="HEAD~1"),
    "ref": _repository_with(ref="main"),
    "bare": _bare,
}


@pytest.fixture(params=SOURCES, name="units")
def _units(request: pytest.FixtureRequest, tmp_path: Path) -> list[Unit | Skipped]:
    text, options = SOURCES[request.param](tmp_path)
    return list(open_target(text, options).units())


def _read(units: list[Unit | Skipped]) -> Iterator[Blob | Skipped]:
    for unit in units:
        if isinstance(unit, Skipped):
            yield unit
        else:
            yield from unit.blobs()


def test_the_content_is_there(units: list[Unit | Skipped]) -> None:
    items = list(_read(units))
    assert any(isinstance(item, Blob) and NEEDLE in item.data for item in items)
    assert not any(isinstance(item, Skipped) for item in items)


def test_units_know_their_weight(units: list[Unit | Skipped]) -> None:
    for unit in units:
        assert not isinstance(unit, Skipped)
        size = sum(len(blob.data) for blob in unit.blobs() if isinstance(blob, Blob))
        assert unit.weight > 0
        assert unit.weight + (1 << 20) >= size


def test_units_travel_without_content(units: list[Unit | Skipped]) -> None:
    for unit in units:
        wire = pickle.dumps(unit)
        assert NEEDLE not in wire
        there = pickle.loads(wire)
        assert not isinstance(unit, Skipped)
        assert _plain(there.blobs()) == _plain(unit.blobs())


def _plain(items: Iterator[Blob | Skipped]) -> list[tuple[object, ...]]:
    return [(item.data, item.origin) if isinstance(item, Blob) else (item.origin, item.reason) for item in items]


def test_origins_say_where(units: list[Unit | Skipped]) -> None:
    for blob in _read(units):
        assert isinstance(blob, Blob)
        assert blob.data
        assert blob.offset == 0
        assert blob.first_line == 1
        if blob.origin.place in (Place.BLOB, Place.INDEX):
            assert blob.origin.blob
            assert blob.origin.repository
        else:
            assert blob.origin.path or blob.origin.blob


def test_finishing_nothing_gives_nothing(tmp_path: Path) -> None:
    for number, build in enumerate(SOURCES.values()):
        (tmp_path / str(number)).mkdir()
        text, options = build(tmp_path / str(number))
        target = open_target(text, options)
        for _ in target.units():
            pass
        assert target.finish([]) == []


def test_standard_input_is_the_one_that_does_not_travel() -> None:
    read, write = os.pipe()
    os.write(write, NEEDLE)
    os.close(write)
    with open(read, "rb") as stream:
        (unit,) = open_target("-", stdin=stream).units()
        assert not isinstance(unit, Skipped)
        assert unit.weight == 1
        with pytest.raises(TypeError):
            pickle.dumps(unit)
        assert [blob.data for blob in unit.blobs() if isinstance(blob, Blob)] == [NEEDLE]
