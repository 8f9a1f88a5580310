"""Records behave as frozen, slotted dataclasses do."""

from __future__ import annotations

import pickle

import pytest

from scanner.record import Record, replace


class Point(Record):
    """Two numbers and a name."""

    x: int
    y: int = 0
    name: str = "origin"

    def sum(self) -> int:
        return self.x + self.y


class Other(Record):
    x: int
    y: int = 0
    name: str = "origin"


def test_fields_are_given_by_place_and_by_name_and_have_defaults() -> None:
    assert (Point(1).x, Point(1).y, Point(1, 2).y, Point(y=3, x=1).sum()) == (1, 0, 2, 4)
    with pytest.raises(TypeError, match="missing"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_it_is_frozen_and_has_no_other_attributes() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="frozen"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    with pytest.raises(AttributeError):
        point.colour = "red"
    assert not hasattr(point, "__dict__")


def test_it_compares_by_type_and_values() -> None:
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert sorted([Point(2), Point(1)]) == [Point(1), Point(2)]


def test_it_is_replaced_matched_pickled_and_shown() -> None:
    assert replace(Point(1), y=5) == Point(1, 5)
    with pytest.raises(TypeError, match="unexpected"):
        replace(Point(1), z=5)
    match Point(7, 8):
        case Point(x, y):
            assert (x, y) == (7, 8)
    assert pickle.loads(pickle.dumps(Point(1, 2, "p"))) == Point(1, 2, "p")
    assert repr(Point(1)) == "Point(x=1, y=0, name='origin')"
