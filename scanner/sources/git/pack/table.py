"""What a pack holds: every object's place, form and base, read out of its index and the objects' headers.

Compiled by Cython where it can be. Knows nothing of contents: nothing is inflated here.
"""

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False

from __future__ import annotations

from array import array

import cython

COMPILED: bool = cython.compiled

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
"""Types of objects. 0 stands for an object whose base is not here, or which is damaged."""
BASE, CHILD, SIBLING, NAME, HEAD, SIZE, KIND, FLAGS = 0, 1, 2, 3, 4, 5, 6, 7
"""Columns of a table. Base, first child and next sibling are places in the table, -1 for none; the name is a place in
the index; the head is how many bytes lie before the compressed ones; the size is that of what they inflate to."""
COLUMNS = 8
CUT = 1
"""Flag: work on this object and what is made of it is a job of its own."""
KNOWN = 2
"""Flag: the object was scanned before."""
NEEDED = 4
"""Flag: it was not, or is needed to make one that was not."""
_OFFSET_DELTA = 6
_NAME_DELTA = 7
_LARGEST = 0x7FFFFFFF
_OBJECT = 400
"""Reading an object costs about as much as scanning so many bytes."""


class Damaged(Exception):
    """A pack or an index that is not as it should be."""


@cython.cclass
class _Files:
    """A pack and its index."""

    pack: cython.const[cython.uchar][::1]
    index: cython.const[cython.uchar][::1]
    count: cython.Py_ssize_t
    width: cython.Py_ssize_t
    names: cython.Py_ssize_t

    def __init__(self, pack, index, width: cython.Py_ssize_t) -> None:
        self.pack = pack
        self.index = index
        self.width = width
        size: cython.Py_ssize_t = len(index)
        if size < 8 + 1024 + 2 * width or len(pack) < 12 + width:
            raise Damaged("too short")
        if bytes(index[:8]) != b"\xfftOc\0\0\0\2" or bytes(pack[:4]) != b"PACK":
            raise Damaged("of another version")
        self.count = self.number(8 + 255 * 4)
        self.names = 8 + 1024
        if size < self.names + self.count * (width + 8) + 2 * width:
            raise Damaged("too short for its objects")

    @cython.cfunc
    def number(self, at: cython.Py_ssize_t) -> cython.longlong:
        """Four bytes, the highest first."""
        index = self.index
        high: cython.longlong = index[at]
        return (high << 24) | (index[at + 1] << 16) | (index[at + 2] << 8) | index[at + 3]

    def offsets(self):
        """Where the objects lie in the pack, in the order of their names."""
        offsets = array("q", bytes(8 * self.count))
        out: cython.longlong[::1] = offsets
        places: cython.Py_ssize_t = self.names + self.count * (self.width + 4)
        large: cython.Py_ssize_t = places + self.count * 4
        last: cython.longlong = len(self.pack) - self.width
        limit: cython.longlong = (len(self.index) - 2 * self.width - large) // 8
        i: cython.Py_ssize_t
        at: cython.longlong
        for i in range(self.count):
            at = self.number(places + i * 4)
            if at & 0x80000000:
                at &= 0x7FFFFFFF
                if at >= limit:
                    raise Damaged("an offset is missing")
                at = (self.number(large + at * 8) << 32) | self.number(large + at * 8 + 4)
            if at < 12 or at >= last:
                raise Damaged("an offset lies outside")
            out[i] = at
        return offsets

    @cython.cfunc
    def find(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The place in the index of the name that stands in the pack here; -1 when it has none."""
        first: cython.Py_ssize_t = self.pack[at]
        low: cython.Py_ssize_t = self.number(8 + (first - 1) * 4) if first else 0
        high: cython.Py_ssize_t = self.number(8 + first * 4)
        if high > self.count:
            high = self.count
        middle: cython.Py_ssize_t
        order: cython.int
        i: cython.Py_ssize_t
        there: cython.Py_ssize_t
        while low < high:
            middle = (low + high) // 2
            there = self.names + middle * self.width
            order = 0
            for i in range(self.width):
                if self.index[there + i] != self.pack[at + i]:
                    order = 1 if self.index[there + i] > self.pack[at + i] else -1
                    break
            if order == 0:
                return middle
            if order > 0:
                high = middle
            else:
                low = middle + 1
        return -1


def _sorted(keys):
    """The places of numbers, by the numbers: a radix sort of 16 bits a step."""
    count: cython.Py_ssize_t = len(keys)
    values: cython.longlong[::1] = keys
    most: cython.longlong = 0
    i: cython.Py_ssize_t
    for i in range(count):
        if values[i] > most:
            most = values[i]
    here = array("i", range(count))
    there = array("i", bytes(4 * count))
    source: cython.int[::1] = here
    target: cython.int[::1] = there
    shift: cython.int = 0
    total: cython.Py_ssize_t
    digit: cython.Py_ssize_t
    number: cython.Py_ssize_t
    while most >> shift:
        counts: cython.longlong[::1] = array("q", bytes(8 << 16))
        for i in range(count):
            counts[(values[i] >> shift) & 0xFFFF] += 1
        total = 0
        for i in range(1 << 16):
            number = counts[i]
            counts[i] = total
            total += number
        for i in range(count):
            digit = (values[source[i]] >> shift) & 0xFFFF
            target[counts[digit]] = source[i]
            counts[digit] += 1
        source, target = target, source
        here, there = there, here
        shift += 16
    return here


@cython.ccall
def build(pack: object, index: object, width: cython.Py_ssize_t):
    """The offsets of a pack's objects in rising order (and where the last one ends), and the table of its objects.

    `pack` and `index` are the files' bytes, `width` is how many bytes a name has. Raises Damaged.
    """
    files: _Files = _Files(pack, index, width)
    count: cython.Py_ssize_t = files.count
    unsorted = files.offsets()
    order = _sorted(unsorted)
    places: cython.longlong[::1] = unsorted
    by_offset: cython.int[::1] = order
    offsets = array("q", bytes(8 * (count + 1)))
    at: cython.longlong[::1] = offsets
    table = array("i", bytes(4 * COLUMNS * count))
    rows: cython.int[:, ::1] = memoryview(table).cast("B").cast("i", (count, COLUMNS)) if count else None
    i: cython.Py_ssize_t
    for i in range(count):
        at[i] = places[by_offset[i]]
        if i and at[i] == at[i - 1]:
            raise Damaged("two objects lie in one place")
    at[count] = len(pack) - width
    waiting: list = []
    for i in range(count):
        rows[i, BASE] = rows[i, CHILD] = rows[i, SIBLING] = -1
        rows[i, NAME] = by_offset[i]
        if _head(files, at, rows, i):
            waiting.append(i)
    if waiting:
        _named_bases(rows, order, waiting)
    _families(rows, count)
    return offsets, table


@cython.cfunc
def _head(files: _Files, at: cython.longlong[::1], rows: cython.int[:, ::1], i: cython.Py_ssize_t) -> cython.bint:
    """Reads an object's header into its row. True when its base is given by name: the row then has the base's name."""
    pack = files.pack
    begin: cython.longlong = at[i]
    end: cython.longlong = at[i + 1]
    here: cython.longlong = begin
    byte: cython.longlong = pack[here]
    kind: cython.int = (byte >> 4) & 7
    size: cython.longlong = byte & 15
    shift: cython.int = 4
    here += 1
    while byte & 128:
        if here >= end or shift > 46:
            return False
        byte = pack[here]
        here += 1
        size |= (byte & 127) << shift
        shift += 7
    rows[i, SIZE] = cython.cast(cython.int, size if size < _LARGEST else _LARGEST)
    named: cython.bint = False
    back: cython.longlong
    base: cython.Py_ssize_t
    if kind == _OFFSET_DELTA:
        if here >= end:
            return False
        byte = pack[here]
        here += 1
        back = byte & 127
        while byte & 128:
            if here >= end or back > (1 << 46):
                return False
            byte = pack[here]
            here += 1
            back = ((back + 1) << 7) | (byte & 127)
        base = _bisect(at, i, begin - back)
        if base < 0:
            return False
        rows[i, BASE] = base
        kind = 0
    elif kind == _NAME_DELTA:
        if here + files.width >= end:
            return False
        base = files.find(here)
        here += files.width
        if base < 0:
            return False
        rows[i, BASE] = base
        kind = 0
        named = True
    elif kind < COMMIT or kind > TAG:
        return False
    if here >= end or here - begin > 127:
        return False
    rows[i, HEAD] = cython.cast(cython.int, here - begin)
    rows[i, KIND] = kind
    return named


@cython.cfunc
def _bisect(at: cython.longlong[::1], high: cython.Py_ssize_t, wanted: cython.longlong) -> cython.Py_ssize_t:
    low: cython.Py_ssize_t = 0
    middle: cython.Py_ssize_t
    while low < high:
        middle = (low + high) // 2
        if at[middle] < wanted:
            low = middle + 1
        elif at[middle] > wanted:
            high = middle
        else:
            return middle
    return -1


def _named_bases(rows: cython.int[:, ::1], order, waiting: list):
    """Turns bases' places in the index into places in the table."""
    place_of = {name: place for place, name in enumerate(order)}
    for i in waiting:
        rows[i, BASE] = place_of[rows[i, BASE]]


@cython.cfunc
def _families(rows: cython.int[:, ::1], count: cython.Py_ssize_t):
    """Fills in children and types. An object in a ring of bases, or with a damaged one, is left without a type."""
    i: cython.Py_ssize_t
    base: cython.int
    for i in range(count - 1, -1, -1):
        base = rows[i, BASE]
        if base >= 0:
            rows[i, SIBLING] = rows[base, CHILD]
            rows[base, CHILD] = cython.cast(cython.int, i)
    child: cython.int
    here: cython.Py_ssize_t
    for i in range(count):
        if rows[i, BASE] >= 0 or rows[i, KIND] == 0:
            continue
        here = i
        while True:  # down to the first child, else on to the next sibling, else up
            child = rows[here, CHILD]
            if child < 0:
                while here != i and rows[here, SIBLING] < 0:
                    here = rows[here, BASE]
                if here == i:
                    break
                child = rows[here, SIBLING]
            rows[child, KIND] = rows[i, KIND] if rows[child, HEAD] else 0
            here = child


def jobs(table, least: cython.longlong):
    """Pieces of work of at least this weight: for each the weight and the objects that it begins with.

    A family of deltas that is heavier is cut: where `CUT` is set, a piece of its own begins. Trees are no work.
    """
    count: cython.Py_ssize_t = len(table) // COLUMNS
    if not count:
        return []
    rows: cython.int[:, ::1] = memoryview(table).cast("B").cast("i", (count, COLUMNS))
    order: cython.int[::1] = array("i", bytes(4 * count))
    weights: cython.longlong[::1] = array("q", bytes(8 * count))
    done: cython.Py_ssize_t = 0
    ahead: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    child: cython.int
    for i in range(count):
        if rows[i, BASE] < 0 and rows[i, KIND] and rows[i, KIND] != TREE:
            order[ahead] = cython.cast(cython.int, i)
            ahead += 1
    while done < ahead:
        rows[order[done], FLAGS] &= KNOWN
        child = rows[order[done], CHILD]
        while child >= 0:
            order[ahead] = child
            ahead += 1
            child = rows[child, SIBLING]
        done += 1
    at: cython.Py_ssize_t
    for at in range(ahead - 1, -1, -1):
        i = order[at]
        if not rows[i, FLAGS] & KNOWN:
            rows[i, FLAGS] |= NEEDED
        elif not rows[i, FLAGS] & NEEDED:
            continue
        weights[i] += rows[i, SIZE] + _OBJECT
        if rows[i, BASE] >= 0:
            rows[rows[i, BASE], FLAGS] |= NEEDED
            if weights[i] >= least:
                rows[i, FLAGS] |= CUT
            else:
                weights[rows[i, BASE]] += weights[i]
    pieces: list = []
    starts: list = []
    weight: cython.longlong = 0
    for at in range(ahead):
        i = order[at]
        if rows[i, FLAGS] & NEEDED and (rows[i, BASE] < 0 or rows[i, FLAGS] & CUT):
            starts.append(i)
            weight += weights[i]
            if weight >= least:
                pieces.append((weight, starts))
                starts, weight = [], 0
    if starts:
        pieces.append((weight, starts))
    return pieces


def ids(table, index, width: cython.Py_ssize_t) -> bytes:
    """The names of a pack's objects but for trees, one behind the other in rising order."""
    count: cython.Py_ssize_t = len(table) // COLUMNS
    kinds: cython.uchar[::1] = bytearray(count + 1)
    i: cython.Py_ssize_t
    for i in range(count):
        if table[COLUMNS * i + KIND] == TREE:
            kinds[table[COLUMNS * i + NAME]] = 1
    names = index[8 + 1024 : 8 + 1024 + width * count]
    return b"".join([names[width * i : width * i + width] for i in range(count) if not kinds[i]])


def mark(table, index, width: cython.Py_ssize_t, known: bytes) -> int:
    """Marks the objects whose names are among some others, which stand one behind the other in rising order.

    Returns how many others there are but for trees.
    """
    count: cython.Py_ssize_t = len(table) // COLUMNS
    rows: cython.int[:, ::1] = memoryview(table).cast("B").cast("i", (count, COLUMNS)) if count else None
    names: cython.const[cython.uchar][::1] = index
    others: cython.const[cython.uchar][::1] = known or b"\0"
    found: cython.uchar[::1] = bytearray(count + 1)
    here: cython.Py_ssize_t = 0
    there: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(known) // width
    i: cython.Py_ssize_t
    order: cython.int
    while here < count and there < end:
        order = 0
        for i in range(width):
            if names[8 + 1024 + here * width + i] != others[there * width + i]:
                order = 1 if names[8 + 1024 + here * width + i] > others[there * width + i] else -1
                break
        if order == 0:
            found[here] = 1
        if order <= 0:
            here += 1
        if order >= 0:
            there += 1
    left: cython.Py_ssize_t = 0
    for i in range(count):
        rows[i, FLAGS] = KNOWN if found[rows[i, NAME]] else 0
        left += not found[rows[i, NAME]] and rows[i, KIND] != TREE
    return left
