"""Walks a pack's families of deltas, and gathers what is new in each object with some bytes around it.

An object is stored whole or as a list of copies from another one and new bytes between them. What needs no more than
`MARGIN` bytes around it either lies in a stretch that was copied in one piece, and then it is in the other object too,
or near the end of such a stretch, and then it is gathered here. So looking at what is gathered is looking at all.

Compiled by Cython where it can be; the same code runs uncompiled with the same results.
"""

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False

from __future__ import annotations

from array import array

import cython

from scanner.sources.git.pack.delta import Reader, larger
from scanner.sources.git.pack.table import (
    BLOB,
    CHILD,
    CUT,
    FLAGS,
    KIND,
    KNOWN,
    NEEDED,
    SIBLING,
    TREE,
    Damaged,
)

if cython.compiled:
    from cython.cimports.libc.string import memchr, memcpy

COMPILED: bool = cython.compiled

MARGIN = 256
"""So many bytes on both sides of what is new are gathered with it, and the rest of the lines there."""
LINE = 9216
"""The most that is gathered of a line beyond the margin."""
BINARY_HEAD = 8192
"""Content is binary when there is a NUL in so many bytes of its beginning."""
CLIP = 5
"""Columns of clips: the object; where the clip begins and ends in the buffer; where it begins in the object; the place
of the first of its cores."""
_CHILD = cython.declare(cython.int, CHILD)
_SIBLING = cython.declare(cython.int, SIBLING)
_KIND = cython.declare(cython.int, KIND)
_FLAGS = cython.declare(cython.int, FLAGS)
_CUT = cython.declare(cython.int, CUT)
_KNOWN = cython.declare(cython.int, KNOWN)
_NEEDED = cython.declare(cython.int, NEEDED)
_BLOB = cython.declare(cython.int, BLOB)
_TREE = cython.declare(cython.int, TREE)
_CLIP = cython.declare(cython.Py_ssize_t, CLIP)
_LINE = cython.declare(cython.Py_ssize_t, LINE)
_BINARY_HEAD = cython.declare(cython.Py_ssize_t, BINARY_HEAD)
_KIND_HEAD = cython.declare(cython.Py_ssize_t, 36 << 10)  # scanner.unpack.kinds.HEAD
_HELD = cython.declare(cython.Py_ssize_t, 48 << 20)  # so much is kept of contents that others are made of
_BUFFER = cython.declare(cython.Py_ssize_t, 1 << 20)
_ALONE = cython.declare(cython.Py_ssize_t, 1 << 18)
_CLIPS = cython.declare(cython.Py_ssize_t, 1 << 13)
_CORES = cython.declare(cython.Py_ssize_t, 1 << 15)
_AROUND = cython.declare(cython.Py_ssize_t, 1024)


class Walk(Reader):
    """One job's walk. The sink has methods for what comes up:

    scan(data, clips, count, cores): gathered text; `count` clips, rows of `CLIP` numbers, and one more that says where
        the last one's cores end; cores are pairs of offsets in `data`, between which bytes are new.
    whole(place, content): a text that is new and long. binary(place, content): what is to be taken apart first.
    lost(places): what is to be read by git.
    """

    def __init__(self, pack, offsets, table, sink, kind_of, margin: cython.Py_ssize_t = MARGIN) -> None:
        super().__init__(pack, offsets, table)
        self.sink = sink
        self.kind_of = kind_of
        self.margin = margin
        self.buffer = bytearray(_BUFFER)
        self.clips = memoryview(array("q", bytes(8 * _CLIP * (_CLIPS + 1))))
        self.cores = memoryview(array("q", bytes(8 * 2 * _CORES)))
        self.ranges = memoryview(array("q", bytes(8 * 4 * 64)))
        self.fill = self.clip_count = self.core_count = self.held = self.objects = self.size = 0
        self.seen = set()

    def run(self, starts: list) -> None:
        """Goes through what begins with these objects, and has all of it scanned."""
        for start in starts:
            self._family(start)
        self._flush()

    def _family(self, start: cython.Py_ssize_t):
        """An object and all that is made of it, but for what is another job's."""
        try:
            content: bytes = self.content(start)
            special: cython.bint = self._root(start, content)
        except (Damaged, ValueError):
            self._lose(start)
            return
        if self.rows[start, _CHILD] < 0:
            return
        contents: list = [content]
        specials: list = [special]
        nexts: list = [self.rows[start, _CHILD]]
        self.held = len(content)
        place: cython.Py_ssize_t
        following: cython.Py_ssize_t
        while nexts:
            place = nexts[-1]
            base: bytes = contents[-1]
            special = specials[-1]
            following = self.rows[place, _SIBLING]
            if following >= 0:
                nexts[-1] = following
            else:
                nexts.pop()
                contents.pop()
                specials.pop()
                self.held -= len(base)
            if self.rows[place, _FLAGS] & (_CUT | _NEEDED) != _NEEDED or not self.rows[place, _KIND]:
                continue
            try:
                if self.rows[place, _CHILD] < 0 and not special and self.rows[place, _KIND] == _BLOB:
                    self._leaf(place, base)
                    continue
                made: bytes = self.made(place, base)
                special = self._child(place, made, special)
            except (Damaged, ValueError):
                self._lose(place)
                continue
            if self.rows[place, _CHILD] >= 0:
                if self.held + len(made) > _HELD:
                    self._lose_children(place)
                    continue
                nexts.append(self.rows[place, _CHILD])
                contents.append(made)
                specials.append(special)
                self.held += len(made)

    def _lose(self, place: cython.Py_ssize_t):
        self.sink.lost([place])
        self._lose_children(place)

    def _lose_children(self, place: cython.Py_ssize_t):
        """Leaves what is made of an object to git."""
        places: list = []
        waiting: list = [place]
        child: cython.Py_ssize_t
        while waiting:
            child = self.rows[waiting.pop(), CHILD]
            while child >= 0:
                if self.rows[child, _FLAGS] & (_CUT | _NEEDED) == _NEEDED:
                    places.append(child)
                    waiting.append(child)
                child = self.rows[child, _SIBLING]
        self.sink.lost(places)

    def _special(self, content: bytes, known_head: cython.bint = False) -> cython.bint:
        """Whether a content is more than one text. With `known_head` it begins as a text does."""
        if cython.compiled:
            data: cython.p_char = content
            size: cython.Py_ssize_t = len(content)
            if memchr(data, 0, size if size < _BINARY_HEAD else BINARY_HEAD) != cython.NULL:
                return True
        elif content.find(b"\0", 0, BINARY_HEAD) >= 0:
            return True
        return not known_head and bool(self.kind_of(content[:_KIND_HEAD]))

    def _root(self, place: cython.Py_ssize_t, content: bytes) -> cython.bint:
        """Has an object looked at of which nothing was seen before.

        True when nothing can be said of what is copied from it: it is more than one text, or is not looked at.
        """
        if self.rows[place, _FLAGS] & _KNOWN:
            return True
        self.objects += 1
        self.size += len(content)
        if self.rows[place, _KIND] == _TREE:
            return False
        if self.rows[place, _KIND] != _BLOB:
            self._message(place, content)
            return False
        if self._special(content):
            self.sink.binary(place, content)
            return True
        self._new(place, content)
        return False

    def _new(self, place: cython.Py_ssize_t, content: bytes):
        size: cython.Py_ssize_t = len(content)
        if size > _ALONE:
            self.sink.whole(place, content)
        elif size:
            self._room(size, 1)
            self._core(0, size)
            self._clip(place, content, 0, size)

    def _child(self, place: cython.Py_ssize_t, content: bytes, base_special: cython.bint) -> cython.bint:
        """Has what is new in an object looked at. True as for `_root`."""
        if self.rows[place, _KIND] != _BLOB or self.rows[place, _FLAGS] & _KNOWN:
            return self._root(place, content)
        self.objects += 1
        self.size += len(content)
        kept: cython.longlong = self.ops[1] if self.op_count > 0 and self.ops[2] == 0 else 0
        if (base_special or kept < _BINARY_HEAD) and self._special(content, kept >= _KIND_HEAD and not base_special):
            self.sink.binary(place, content)
            return True
        if base_special:
            self._new(place, content)
        else:
            self._gather(place, content, self._boundaries(len(content)), len(content))
        return False

    def _leaf(self, place: cython.Py_ssize_t, base: bytes):
        """Has what is new looked at in an object that nothing is made of: the rest of it need not be made either."""
        delta: bytes = self.inflated(place)
        size: cython.Py_ssize_t = self.parse(delta, len(base))
        whole: bytes
        if not cython.compiled or self.op_count == 0 or self.ops[2] != 0 or self.ops[1] < _BINARY_HEAD:
            whole = self.joined(base, delta, size)
            self._child(place, whole, False)
            return
        self.objects += 1
        self.size += size
        count: cython.Py_ssize_t = self._boundaries(size)
        whole = self.partly(base, delta, size, self.ranges, count, self.margin + _AROUND)
        if not self._gather(place, whole, count, _AROUND):
            whole = self.joined(base, delta, size)
            self._gather(place, whole, count, size)

    def _gather(
        self, place: cython.Py_ssize_t, content: bytes, count: cython.Py_ssize_t, around: cython.Py_ssize_t
    ) -> cython.bint:
        """Gathers the stretches in `ranges` with what stands around them. False when the content is not known so far
        around them; then some may have been gathered already."""
        size: cython.Py_ssize_t = len(content)
        i: cython.Py_ssize_t = 0
        first: cython.Py_ssize_t
        low: cython.Py_ssize_t
        high: cython.Py_ssize_t
        stop: cython.Py_ssize_t = 0
        further: cython.Py_ssize_t
        while i < count:
            first = i
            low = _line_start(content, self.ranges[2 * i] - self.margin)
            if 0 < self.ranges[2 * i] - self.margin - around > low:
                return False
            if low < stop:
                low = stop
            high = stop
            while i < count and (i == first or self.ranges[2 * i] - self.margin <= high):
                further = _line_end(content, self.ranges[2 * i + 1] + self.margin, size)
                if size > self.ranges[2 * i + 1] + self.margin + around < further:
                    return False
                if further > high:
                    high = further
                i += 1
            stop = high
            if high - low > _ALONE:
                if around < size:
                    return False
                self.sink.whole(place, content)
                return True
            if i - first > _CLIPS:
                first = i - 1
                self.ranges[2 * first], self.ranges[2 * first + 1] = low, high
            self._room(high - low, i - first)
            while first < i:
                self._core(self.ranges[2 * first] - low, self.ranges[2 * first + 1] - low)
                first += 1
            self._clip(place, content, low, high)
        return True

    def _boundaries(self, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The stretches of a made object between those that were copied in one piece: how many, in `ranges`."""
        count: cython.Py_ssize_t = 0
        last: cython.longlong = 0  # where the last copy ended in the base; -1 behind new bytes
        i: cython.Py_ssize_t
        at: cython.longlong
        length: cython.longlong
        source: cython.longlong
        low: cython.longlong
        high: cython.longlong
        for i in range(self.op_count + 1):
            if i < self.op_count:
                at = self.ops[3 * i]
                length = self.ops[3 * i + 1]
                source = self.ops[3 * i + 2]
            else:
                at, length, source = size, 0, self.base_size
            low = high = at
            if source < 0:
                high = at + length
                last = -1
            else:
                if last == source or (last == -1 and i < self.op_count):
                    last = source + length
                    continue
                last = source + length
            if count and low <= self.ranges[2 * count - 1]:
                if high > self.ranges[2 * count - 1]:
                    self.ranges[2 * count - 1] = high
                continue
            if 2 * count + 2 > self.ranges.shape[0]:
                self.ranges = larger(self.ranges)
            self.ranges[2 * count] = low
            self.ranges[2 * count + 1] = high
            count += 1
        return count

    def _message(self, place: cython.Py_ssize_t, content: bytes):
        """Gathers a commit's or tag's message, and what people wrote in its head unless it was seen before."""
        end: cython.Py_ssize_t = content.find(b"\n\n")
        head: bytes = content if end < 0 else content[:end]
        fresh: list = []
        left_out: cython.bint = False
        for line in head.split(b"\n"):
            if not line.startswith(b" "):
                left_out = line.startswith((b"tree ", b"parent ", b"object ", b"type ", b"gpgsig "))
            if left_out:
                continue
            if line.startswith((b"author ", b"committer ", b"tagger ")):
                line = line[line.index(b" ") + 1 : line.rfind(b">") + 1]
            if line not in self.seen:
                if len(self.seen) > 100_000:
                    self.seen.clear()
                self.seen.add(line)
                fresh.append(line)
        if fresh:
            self._small(place, b"\n".join(fresh), 0)
        if end >= 0:
            self._small(place, content, end + 2)

    def _small(self, place: cython.Py_ssize_t, content: bytes, start: cython.Py_ssize_t):
        size: cython.Py_ssize_t = len(content)
        if size - start > _ALONE:
            self.sink.whole(place, content[start:])
        elif size > start:
            self._room(size - start, 1)
            self._core(0, size - start)
            self._clip(place, content, start, size)

    def _core(self, low: cython.longlong, high: cython.longlong):
        """Notes a stretch of new bytes in the clip that is added next."""
        self.cores[2 * self.core_count] = self.fill + low
        self.cores[2 * self.core_count + 1] = self.fill + high
        self.core_count += 1

    def _clip(self, place: cython.Py_ssize_t, content: bytes, low: cython.Py_ssize_t, high: cython.Py_ssize_t):
        """Copies a stretch of a content behind the others, and three bytes that no text has in it."""
        row: cython.Py_ssize_t = _CLIP * self.clip_count
        end: cython.Py_ssize_t = self.fill + high - low
        if cython.compiled:
            data: cython.p_uchar = content
            memcpy(cython.address(self.buffer[self.fill]), data + low, high - low)
        else:
            self.buffer[self.fill : end] = content[low:high]
        self.clips[row], self.clips[row + 1], self.clips[row + 2], self.clips[row + 3] = place, self.fill, end, low
        self.clips[row + _CLIP + 4] = self.core_count
        self.buffer[end], self.buffer[end + 1], self.buffer[end + 2] = 10, 0, 10
        self.fill = end + 3
        self.clip_count += 1

    def _room(self, size: cython.Py_ssize_t, cores: cython.Py_ssize_t):
        """Has the buffer scanned if a clip does not fit into it any more."""
        if self.clip_count >= _CLIPS or self.core_count + cores > _CORES or self.fill + size > _BUFFER - 8:
            self._flush()

    def _flush(self):
        if self.clip_count:
            data = bytes(memoryview(self.buffer)[: self.fill])
            self.sink.scan(data, memoryview(self.clips), self.clip_count, memoryview(self.cores))
        self.fill = self.clip_count = self.core_count = 0


@cython.cfunc
def _line_start(content: bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the line begins that goes on here, or `LINE` bytes before."""
    data: cython.p_uchar = content
    least: cython.Py_ssize_t = at - _LINE if at > _LINE else 0
    if at > len(content):
        at = len(content)
    while at > least and data[at - 1] != 10:
        at -= 1
    return at if at > 0 else 0


@cython.cfunc
def _line_end(content: bytes, at: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Behind the end of the line that goes on here, or `LINE` bytes behind."""
    data: cython.p_uchar = content
    most: cython.Py_ssize_t = at + _LINE if at + _LINE < size else size
    while at < most:
        at += 1
        if data[at - 1] == 10:
            break
    return at if at < size else size
