"""Counts the shapes of stored keys, keeps their number small, and writes the file that the scanner reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from responders.shapes import MOST_SHAPES, condense, place, write_shapes
from responders.store.schema import keys, registry_state, shapes
from scanner.model import Shape


class ShapeCounts:
    """The counted shapes inside one transaction. The first change takes a lock, which ends with the transaction."""

    def __init__(self, connection: Connection, data_dir: Path, new_token: Callable[[], str]) -> None:
        self._connection = connection
        self._data_dir = data_dir
        self._new_token = new_token
        self._before: frozenset[Shape] = frozenset()
        self._ids: dict[Shape, int] = {}
        self._locked = False

    def lock(self) -> None:
        """Lets only one transaction at a time change which keys there are."""
        if self._locked:
            return
        state = select(registry_state.c.id).where(registry_state.c.id == 1).with_for_update()
        if self._connection.execute(state).first() is None:  # pragma: no cover - the migration writes the row
            self._connection.execute(insert(registry_state).values(id=1, shapes_token=self._new_token()))
        rows = self._connection.execute(select(shapes)).all()
        self._ids = {Shape(row.prefix, row.alphabet, row.length, row.longest): row.id for row in rows}
        self._before = frozenset(self._ids)
        self._locked = True

    def place_all(self, found: Mapping[Shape, int]) -> dict[Shape, int]:
        """Counts so many keys of each shape; returns the row id under which each is counted."""
        self.lock()
        homes = {shape: place(shape, self._ids) for shape in found}
        fresh = sorted(shape for shape, home in homes.items() if home is None)
        if len(self._ids) + len(fresh) > MOST_SHAPES:
            homes = self._merge(found)
        for shape in set(homes.values()) | set(fresh):
            if shape is not None and shape not in self._ids:
                self._add(shape)
        result, tally = {}, Counter[int]()
        for shape, count in found.items():
            row = self._ids[homes[shape] or shape]
            result[shape] = row
            tally[row] += count
        for row, count in tally.items():
            self._connection.execute(update(shapes).where(shapes.c.id == row).values(held=shapes.c.held + count))
        return result

    def stored(self) -> tuple[Shape, ...]:
        """All counted shapes, sorted."""
        rows = self._connection.execute(select(shapes)).all()
        return tuple(sorted(Shape(row.prefix, row.alphabet, row.length, row.longest) for row in rows))

    def forget(self, row: int) -> None:
        """One key less is counted there; a shape without keys goes."""
        self.lock()
        self._connection.execute(update(shapes).where(shapes.c.id == row).values(held=shapes.c.held - 1))
        gone = self._connection.execute(delete(shapes).where(shapes.c.id == row, shapes.c.held <= 0))
        if gone.rowcount:
            self._ids = {shape: known for shape, known in self._ids.items() if known != row}

    def publish(self, *, always: bool = False) -> None:
        """Writes `shapes.json`, if the set of shapes changed, so that it holds both the old and the new set.

        Both, since whether this transaction commits is not known yet; what is too much goes with the next change.
        """
        if always:
            self.lock()
        after = frozenset(self._ids)
        if not self._locked or (after == self._before and not always):
            return
        token = self._new_token()
        self._connection.execute(update(registry_state).values(shapes_token=token))
        write_shapes(self._data_dir, token, after | self._before)

    def _add(self, shape: Shape) -> None:
        row = self._connection.execute(
            insert(shapes).values(
                prefix=shape.prefix, alphabet=shape.alphabet, length=shape.length, longest=shape.longest, held=0
            )
        )
        self._ids[shape] = int(row.inserted_primary_key[0]) if row.inserted_primary_key else 0

    def _merge(self, found: Mapping[Shape, int]) -> dict[Shape, Shape | None]:
        """Makes room: stored and new shapes are condensed together, and stored keys follow their shape."""
        rows = self._connection.execute(select(shapes.c.id, shapes.c.held)).all()
        stored = {row.id: row.held for row in rows}
        counts = Counter({shape: stored[row] for shape, row in self._ids.items()})
        counts.update(found)
        into = condense(counts)
        for old, new in into.items():
            if old in self._ids and new != old:
                self._move(old, new, stored[self._ids[old]])
        return {shape: into[shape] for shape in found}

    def _move(self, old: Shape, new: Shape, count: int) -> None:
        if new not in self._ids:
            self._add(new)
        source, target = self._ids.pop(old), self._ids[new]
        self._connection.execute(update(keys).where(keys.c.shape_id == source).values(shape_id=target))
        self._connection.execute(update(shapes).where(shapes.c.id == target).values(held=shapes.c.held + count))
        self._connection.execute(delete(shapes).where(shapes.c.id == source))
