"""Which commit first has an object, and under which path: asked of a pack that holds all of a history.

Every directory's listing is stored as a delta against another one. So it is known what each of them has that its base
has not, and what it has from there; where an object is listed is followed along that, without a look at all listings.

Compiled by Cython where it can be (`trees.pxd` has the types); the same code runs uncompiled with the same results.
"""

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False

from __future__ import annotations

import zlib
from array import array

import cython

from scanner.sources.git.pack.delta import Reader, larger
from scanner.sources.git.pack.table import BASE, CHILD, HEAD, KIND, NAME, SIBLING, TREE, Damaged

COMPILED: bool = cython.compiled

_BASE = cython.declare(cython.int, BASE)
_CHILD = cython.declare(cython.int, CHILD)
_KIND = cython.declare(cython.int, KIND)
_NAME = cython.declare(cython.int, NAME)
_SIBLING = cython.declare(cython.int, SIBLING)
_TREE = cython.declare(cython.int, TREE)
_NAMES = cython.declare(cython.Py_ssize_t, 8 + 1024)
_HELD = cython.declare(cython.Py_ssize_t, 48 << 20)
_NEVER = cython.declare(cython.int, 0x7FFFFFFF)
_UNKNOWN = cython.declare(cython.int, -1)
_OPEN = cython.declare(cython.int, -2)
_DEEPEST = cython.declare(cython.int, 500)
_PATHS = 64
_TAIL = cython.declare(cython.Py_ssize_t, 12)
_ENDS = cython.declare(cython.Py_ssize_t, 7)
"""A tree's entry is at least so much longer than its name and id: a mode, a space and a NUL."""

_HEAD = cython.declare(cython.int, HEAD)
_NOTHING = memoryview(array("i", [0]))
_ENTRY = cython.declare(cython.Py_ssize_t, 5)
"""Columns of entries: the tree; the object it lists; where the entry begins and how long it is; its name's number."""


class Trees(Reader):
    """The trees of one pack. Raises Damaged where they cannot be read, or lie elsewhere."""

    def __init__(self, pack, offsets, table, index, width: cython.Py_ssize_t) -> None:
        super().__init__(pack, offsets, table)
        self.index = index
        self.width = width
        self.entries = memoryview(array("q", bytes(8 * _ENTRY * 256)))
        self.entry_count = self.copy_count = 0
        self.copies = memoryview(array("q", bytes(8 * 3 * 256)))
        self.copies_of = array("i", bytes(4 * (self.count + 1)))
        self.copies_end = array("i", bytes(4 * (self.count + 1)))
        self.places = array("i", bytes(4 * self.count))
        self.listed = array("i", bytes(4 * (self.count + 1)))
        self.firsts = array("i", b"\xff" * (4 * self.count))
        self.bounds = memoryview(array("i", bytes(4 * 256)))
        self.names = []
        self.numbers = {}
        self.least = 0
        self.long = {}
        place: cython.Py_ssize_t
        for place in range(self.count):
            self.places[self.rows[place, _NAME]] = place

    def sightings(self, commits: list, wanted: list) -> dict:
        """For each of the wanted ids the rank of the first commit that has it, and its path; nothing for what none has.

        `commits` are ids, the first first. All are bytes.
        """
        rank: cython.Py_ssize_t
        place: cython.Py_ssize_t
        marks: bytearray = bytearray(self.count)
        heads: bytearray = bytearray(1 << 16)
        known: dict = {}
        for name in wanted:
            place = self._place(name)
            if place >= 0:
                known[name] = place
                marks[place] = 1
                heads[name[0] << 8 | name[1]] = 1
        self.marks = marks
        self.heads = heads
        self._read()
        self._index()
        for rank in range(len(commits)):
            place = self._place(commits[rank])
            if place < 0:
                raise Damaged("a commit lies elsewhere")
            place = self._place(self._tree_of(place))
            if place < 0:
                raise Damaged("a tree lies elsewhere")
            if self.roots[place] < 0:
                self.roots[place] = rank
        found: dict = {}
        for name, number in known.items():
            place = number
            rank = self._first(place, 0)
            if rank != _NEVER:
                found[name] = (rank, min(self._paths(place, rank, b"", 0)))
        return found

    def long_names(self, least: cython.Py_ssize_t) -> dict:
        """The names of so many bytes and more, each once a directory: with what tells the directory, the place of a
        tree that has it. A directory whose listing is stored as a delta against another's is not told from that."""
        self.least = least
        self._read()
        return self.long

    def holds(self, name: bytes) -> bool:
        """Whether there is an object of this id."""
        return self._place(name) >= 0

    def _tree_of(self, place: cython.Py_ssize_t) -> bytes:
        """The id of a commit's tree, which is the first thing in it."""
        if self.rows[place, _BASE] >= 0:
            head: bytes = self.content(place)
        else:
            stored = self.pack[self.at[place] + self.rows[place, _HEAD] : self.at[place + 1]]
            try:
                head = zlib.decompressobj().decompress(stored, 6 + 2 * self.width)
            except zlib.error as error:
                raise Damaged("compressed data that is broken") from error
        return bytes.fromhex(head[5 : 5 + 2 * self.width].decode("ascii"))

    def _place(self, name: bytes) -> cython.Py_ssize_t:
        data: cython.p_uchar = name
        return self._find(data)

    def _find(self, name: cython.p_uchar) -> cython.Py_ssize_t:
        """The place in the table of the object of this name; -1 for none."""
        index = self.index
        first: cython.Py_ssize_t = name[0]
        low: cython.Py_ssize_t = self._fan(first - 1) if first else 0
        high: cython.Py_ssize_t = self._fan(first)
        if high > self.count:
            high = self.count
        middle: cython.Py_ssize_t
        there: cython.Py_ssize_t
        i: cython.Py_ssize_t
        order: cython.int
        while low < high:
            middle = (low + high) // 2
            there = _NAMES + middle * self.width
            order = 0
            for i in range(1, self.width):
                if index[there + i] != name[i]:
                    order = 1 if index[there + i] > name[i] else -1
                    break
            if order == 0:
                return self.places[middle]
            if order > 0:
                high = middle
            else:
                low = middle + 1
        return -1

    def _fan(self, number: cython.Py_ssize_t) -> cython.Py_ssize_t:
        index = self.index
        at: cython.Py_ssize_t = 8 + 4 * number
        high: cython.Py_ssize_t = index[at]
        return (high << 24) | (index[at + 1] << 16) | (index[at + 2] << 8) | index[at + 3]

    def _read(self):
        """Goes through all trees."""
        place: cython.Py_ssize_t
        start: cython.Py_ssize_t
        following: cython.Py_ssize_t
        base: bytes
        made: bytes
        for start in range(self.count):
            if self.rows[start, _BASE] >= 0 or self.rows[start, _KIND] != _TREE:
                continue
            made = self.inflated(start)
            self.op_count = 0
            bounds: list = [self._list(start, made, _NOTHING)]
            held: cython.Py_ssize_t = len(made)
            contents: list = [made]
            nexts: list = [self.rows[start, _CHILD]]
            while nexts:
                place = nexts[-1]
                base = contents[-1]
                if place < 0:
                    nexts.pop()
                    contents.pop()
                    bounds.pop()
                    held -= len(base)
                    continue
                following = self.rows[place, _SIBLING]
                nexts[-1] = following
                made = self.made(place, base)
                own = self._list(place, made, bounds[-1])
                if self.rows[place, _CHILD] >= 0:
                    if following < 0:
                        nexts.pop()
                        contents.pop()
                        bounds.pop()
                        held -= len(base)
                    held += len(made)
                    if held > _HELD:
                        raise Damaged("too much is made of each other")
                    nexts.append(self.rows[place, _CHILD])
                    contents.append(made)
                    bounds.append(own)

    def _list(self, place: cython.Py_ssize_t, content: bytes, base_bounds):
        """Notes what a tree lists that its base does not: trees, and what is wanted. Returns where its entries begin,
        and where the last one ends; `base_bounds` says so of its base."""
        data: cython.p_uchar = content
        size: cython.Py_ssize_t = len(content)
        op: cython.Py_ssize_t = 0
        at: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t
        child: cython.Py_ssize_t
        i: cython.Py_ssize_t
        self.copies_of[place] = cython.cast(cython.int, self.copy_count)
        for i in range(self.op_count):
            if self.ops[3 * i + 2] >= 0:
                if 3 * self.copy_count + 3 > self.copies.shape[0]:
                    self.copies = larger(self.copies)
                self.copies[3 * self.copy_count] = self.ops[3 * i]
                self.copies[3 * self.copy_count + 1] = self.ops[3 * i + 1]
                self.copies[3 * self.copy_count + 2] = self.ops[3 * i + 2]
                self.copy_count += 1
        self.copies_end[place] = cython.cast(cython.int, self.copy_count)
        known: cython.const[cython.int][::1] = base_bounds
        last: cython.Py_ssize_t = known.shape[0] - 1
        if size // (self.width + 3) + 2 > self.bounds.shape[0]:
            self.bounds = memoryview(array("i", bytes(8 * (size // (self.width + 3) + 2))))
        out: cython.int[::1] = self.bounds
        count: cython.Py_ssize_t = 0
        begin: cython.longlong
        stop: cython.longlong
        shift: cython.longlong
        while at < size:
            while op < self.op_count and self.ops[3 * op] + self.ops[3 * op + 1] <= at:
                op += 1
            if op < self.op_count and self.ops[3 * op + 2] >= 0:
                shift = self.ops[3 * op] - self.ops[3 * op + 2]
                begin = at - shift
                stop = self.ops[3 * op + 2] + self.ops[3 * op + 1]
                i = _bisect(known, last, begin)
                if i < last and known[i] == begin and known[i + 1] <= stop:
                    while i < last and known[i + 1] <= stop:
                        out[count] = cython.cast(cython.int, known[i] + shift)
                        count += 1
                        i += 1
                    at = known[i] + shift
                    continue
            end = at
            while end < size and data[end] != 0:
                end += 1
            if end + self.width >= size:
                raise Damaged("a tree that is cut off")
            end += 1 + self.width
            out[count] = cython.cast(cython.int, at)
            count += 1
            if self.least:
                if end - at - self.width - _ENDS >= self.least:
                    self._long(place, at, end, content)
                at = end
                continue
            # A tree's mode is 40000. That of another repository's commit is 160000; it is never marked.
            if data[at] == 52 or self.heads[data[end - self.width] << 8 | data[end - self.width + 1]]:
                child = (
                    self._find(data + (end - self.width))
                    if cython.compiled
                    else self._place(content[end - self.width : end])
                )
                if child < 0:
                    if data[at] == 52:
                        raise Damaged("a tree lies elsewhere")
                elif data[at] == 52 or self.marks[child]:
                    self._note(place, child, at, end, content)
            at = end
        out[count] = cython.cast(cython.int, size)
        if self.rows[place, _CHILD] < 0:
            return _NOTHING
        return memoryview(array("i", bytes(memoryview(self.bounds)[: count + 1])))

    def _long(self, place: cython.Py_ssize_t, at: cython.Py_ssize_t, end: cython.Py_ssize_t, content: bytes):
        """Notes a name, if it is long enough."""
        name: bytes = content[content.index(b" ", at) + 1 : end - self.width - 1]
        if len(name) >= self.least:
            alike: bytes = content[: content.index(b"\0")] + content[-self.width - _TAIL : -self.width]
            self.long.setdefault((alike, name), place)

    def _note(
        self,
        place: cython.Py_ssize_t,
        child: cython.Py_ssize_t,
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        content: bytes,
    ):
        name: bytes = content[content.index(b" ", at) + 1 : end - self.width - 1]
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = len(self.names)
            self.names.append(name)
        row: cython.Py_ssize_t = _ENTRY * self.entry_count
        if row + _ENTRY > self.entries.shape[0]:
            self.entries = larger(self.entries)
        self.entries[row] = place
        self.entries[row + 1] = child
        self.entries[row + 2] = at
        self.entries[row + 3] = end - at
        self.entries[row + 4] = number
        self.entry_count += 1

    def _index(self):
        """Sorts the entries by what they list."""
        i: cython.Py_ssize_t
        child: cython.Py_ssize_t
        total: cython.int = 0
        number: cython.int
        for i in range(self.entry_count):
            self.listed[self.entries[_ENTRY * i + 1]] += 1
        for i in range(self.count + 1):
            number = self.listed[i]
            self.listed[i] = total
            total += number
        self.order = array("i", bytes(4 * (self.entry_count + 1)))
        filled: cython.int[::1] = array("i", bytes(memoryview(self.listed)))
        for i in range(self.entry_count):
            child = self.entries[_ENTRY * i + 1]
            self.order[filled[child]] = cython.cast(cython.int, i)
            filled[child] += 1
        self.roots = array("i", b"\xff" * (4 * self.count))

    def _first(self, place: cython.Py_ssize_t, depth: cython.int) -> cython.int:
        """The rank of the first commit that has an object."""
        if self.firsts[place] >= 0:
            return self.firsts[place]
        if self.firsts[place] == _OPEN or depth > _DEEPEST:
            raise Damaged("trees within each other")
        self.firsts[place] = _OPEN
        best: cython.int = self.roots[place] if self.roots[place] >= 0 else _NEVER
        rank: cython.int
        i: cython.Py_ssize_t
        entry: cython.Py_ssize_t
        for i in range(self.listed[place], self.listed[place + 1]):
            entry = _ENTRY * self.order[i]
            rank = self._carried_first(self.entries[entry], self.entries[entry + 2], self.entries[entry + 3], depth)
            if rank < best:
                best = rank
        self.firsts[place] = best
        return best

    def _carried_first(
        self, tree: cython.Py_ssize_t, at: cython.longlong, length: cython.longlong, depth: cython.int
    ) -> cython.int:
        """The rank of the first commit that has a tree, or one that has an entry from there."""
        best: cython.int = self._first(tree, depth + 1)
        stack: list = []
        rank: cython.int
        child: cython.Py_ssize_t
        there: cython.longlong
        while True:
            child = self.rows[tree, _CHILD]
            while child >= 0:
                there = self._carry(child, at, length)
                if there >= 0:
                    rank = self._first(child, depth + 1)
                    if rank < best:
                        best = rank
                    if self.rows[child, _CHILD] >= 0:
                        stack.append((child, there))
                child = self.rows[child, _SIBLING]
            if not stack:
                return best
            tree, at = stack.pop()

    def _carry(self, child: cython.Py_ssize_t, at: cython.longlong, length: cython.longlong) -> cython.longlong:
        """Where a stretch of a tree stands in one that is made of it; -1 where it does not stand there in one piece."""
        i: cython.Py_ssize_t
        for i in range(self.copies_of[child], self.copies_end[child]):
            if self.copies[3 * i + 2] <= at and at + length <= self.copies[3 * i + 2] + self.copies[3 * i + 1]:
                return self.copies[3 * i] + at - self.copies[3 * i + 2]
        return -1

    def _paths(self, place: cython.Py_ssize_t, rank: cython.int, below: bytes, depth: cython.int) -> list:
        """The paths of an object in the first commit that has it."""
        if depth > _DEEPEST:
            raise Damaged("trees within each other")
        paths: list = [below] if self.roots[place] == rank else []
        i: cython.Py_ssize_t
        entry: cython.Py_ssize_t
        for i in range(self.listed[place], self.listed[place + 1]):
            entry = _ENTRY * self.order[i]
            name: bytes = self.names[self.entries[entry + 4]]
            name = name + b"/" + below if below else name
            stack: list = [(self.entries[entry], self.entries[entry + 2])]
            while stack:
                tree, at = stack.pop()
                if self._first(tree, 0) == rank and len(paths) < _PATHS:
                    paths += self._paths(tree, rank, name, depth + 1)
                child: cython.Py_ssize_t = self.rows[tree, _CHILD]
                while child >= 0:
                    there: cython.longlong = self._carry(child, at, self.entries[entry + 3])
                    if there >= 0:
                        stack.append((child, there))
                    child = self.rows[child, _SIBLING]
        return paths


@cython.cfunc
def _bisect(
    numbers: cython.const[cython.int][::1], high: cython.Py_ssize_t, wanted: cython.longlong
) -> cython.Py_ssize_t:
    """The place of the first number that is no smaller."""
    low: cython.Py_ssize_t = 0
    middle: cython.Py_ssize_t
    while low < high:
        middle = (low + high) // 2
        if numbers[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
