"""Objects of a pack, made from what is stored of them: a content, or copies from another object with new bytes between.

Compiled by Cython where it can be (`delta.pxd` has the types); the same code runs uncompiled with the same results.
"""

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False

from __future__ import annotations

import zlib
from array import array

import cython

from scanner.sources.git.pack.table import BASE, COLUMNS, HEAD, SIZE, Damaged

if cython.compiled:
    from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
    from cython.cimports.libc.string import memcpy

try:
    from isal.isal_zlib import decompress as _quick
    from isal.isal_zlib import decompressobj as _bounded
    from isal.isal_zlib import error as _quick_error
except ImportError:
    _quick, _bounded, _quick_error = zlib.decompress, zlib.decompressobj, zlib.error

COMPILED: bool = cython.compiled

LARGEST = 16 << 20
"""Larger objects are left to git."""
_BASE = cython.declare(cython.int, BASE)
_HEAD = cython.declare(cython.int, HEAD)
_SIZE = cython.declare(cython.int, SIZE)
_LARGEST = cython.declare(cython.Py_ssize_t, LARGEST)
_QUICK_FROM = cython.declare(cython.Py_ssize_t, 2048)
_HARMLESS = cython.declare(cython.Py_ssize_t, 1 << 16)
_DEEPEST = cython.declare(cython.Py_ssize_t, 1 << 16)


class Reader:
    """Makes objects. `ops` says how the last one was made: `op_count` rows of a place in it, a length, and a place in
    its base, or below zero in its delta."""

    def __init__(self, pack, offsets, table) -> None:
        self.pack = memoryview(pack)
        self.at = offsets
        self.count = len(table) // COLUMNS
        self.rows = memoryview(table).cast("B").cast("i", (self.count, COLUMNS))
        self.ops = memoryview(array("q", bytes(8 * 3 * 64)))
        self.op_count = self.base_size = self.made_size = 0

    def inflated(self, place: cython.Py_ssize_t) -> bytes:
        """What is stored for an object: its content, or its delta. Raises Damaged."""
        begin: cython.longlong = self.at[place] + self.rows[place, _HEAD]
        end: cython.longlong = self.at[place + 1]
        size: cython.Py_ssize_t = self.rows[place, _SIZE]
        if size > _LARGEST or self.rows[place, _HEAD] == 0:
            raise Damaged("too large, or without a base")
        stored = self.pack[begin:end]
        inflated: bytes
        try:
            if end - begin > _HARMLESS:  # what it inflates to may be a thousand times as much
                inflated = _bounded().decompress(stored, size + 1)
            elif size >= _QUICK_FROM:
                inflated = _quick(stored, 15, size)
            else:
                inflated = zlib.decompress(stored, 15, size or 1)
        except (zlib.error, _quick_error) as error:
            raise Damaged("compressed data that is broken") from error
        if len(inflated) != size:
            raise Damaged("of another size than it says")
        return inflated

    def content(self, place: cython.Py_ssize_t) -> bytes:
        """An object's content, made from its family's first. Raises Damaged."""
        chain: list = []
        while self.rows[place, _BASE] >= 0:
            chain.append(place)
            place = self.rows[place, _BASE]
            if len(chain) > _DEEPEST:
                raise Damaged("in a ring of bases")
        content: bytes = self.inflated(place)
        for place in reversed(chain):
            content = self.made(place, content)
        return content

    def made(self, place: cython.Py_ssize_t, base: bytes) -> bytes:
        """An object's content, made from its base's; how is in `ops` until the next one is made."""
        delta: bytes = self.inflated(place)
        return self.joined(base, delta, self.parse(delta, len(base)))

    def joined(self, base: bytes, delta: bytes, size: cython.Py_ssize_t) -> bytes:
        """What the parsed delta says."""
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t
        length: cython.Py_ssize_t
        source: cython.longlong
        if cython.compiled:
            result: bytes = PyBytes_FromStringAndSize(cython.NULL, size)
            out: cython.p_uchar = result
            old: cython.p_uchar = base
            new: cython.p_uchar = delta
            for i in range(self.op_count):
                at = self.ops[3 * i]
                length = self.ops[3 * i + 1]
                source = self.ops[3 * i + 2]
                if source >= 0:
                    memcpy(out + at, old + source, length)
                else:
                    memcpy(out + at, new + (-source), length)
            return result
        pieces: list = []
        for i in range(self.op_count):
            length = self.ops[3 * i + 1]
            source = self.ops[3 * i + 2]
            pieces.append(base[source : source + length] if source >= 0 else delta[-source : length - source])
        return b"".join(pieces)

    def partly(
        self,
        base: bytes,
        delta: bytes,
        size: cython.Py_ssize_t,
        ranges,
        count: cython.Py_ssize_t,
        around: cython.Py_ssize_t,
    ) -> bytes:
        """What the parsed delta says of some stretches and so many bytes around them; anything elsewhere."""
        if not cython.compiled:
            return self.joined(base, delta, size)
        result: bytes = PyBytes_FromStringAndSize(cython.NULL, size)
        out: cython.p_uchar = result
        old: cython.p_uchar = base
        new: cython.p_uchar = delta
        op: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        low: cython.longlong
        high: cython.longlong
        begin: cython.longlong
        end: cython.longlong
        source: cython.longlong
        done: cython.longlong = 0
        for i in range(count):
            low = ranges[2 * i] - around
            if low < done:
                low = done
            high = ranges[2 * i + 1] + around
            if high > size:
                high = size
            if high <= low:
                continue
            done = high
            while op < self.op_count and self.ops[3 * op] + self.ops[3 * op + 1] <= low:
                op += 1
            while op < self.op_count and self.ops[3 * op] < high:
                begin = self.ops[3 * op] if self.ops[3 * op] > low else low
                end = self.ops[3 * op] + self.ops[3 * op + 1]
                if end > high:
                    end = high
                source = self.ops[3 * op + 2]
                if source >= 0:
                    memcpy(out + begin, old + source + (begin - self.ops[3 * op]), end - begin)
                else:
                    memcpy(out + begin, new - source + (begin - self.ops[3 * op]), end - begin)
                if self.ops[3 * op] + self.ops[3 * op + 1] > high:
                    break
                op += 1
        return result

    def parse(self, delta: bytes, base_size: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Reads a delta into `ops`: rows of a place in the result, a length, and a place in the base, or below zero in
        the delta. Returns the result's size."""
        end: cython.Py_ssize_t = len(delta)
        data: cython.p_uchar = delta
        here: cython.Py_ssize_t = 0
        number: cython.longlong
        result_size: cython.longlong = 0
        shift: cython.int
        which: cython.int
        byte: cython.longlong
        for which in range(2):
            number = 0
            shift = 0
            while True:
                if here >= end or shift > 42:
                    raise Damaged("a delta without sizes")
                byte = data[here]
                here += 1
                number |= (byte & 127) << shift
                shift += 7
                if not byte & 128:
                    break
            if which == 0 and number != base_size:
                raise Damaged("of another base")
            result_size = number
        if result_size > _LARGEST:
            raise Damaged("too large")
        made: cython.longlong = 0
        count: cython.Py_ssize_t = 0
        source: cython.longlong
        length: cython.longlong
        bit: cython.int
        while here < end:
            byte = data[here]
            here += 1
            if byte & 128:
                source = length = 0
                for bit in range(7):
                    if byte & (1 << bit):
                        if here >= end:
                            raise Damaged("a delta that is cut off")
                        number = data[here]
                        if bit < 4:
                            source |= number << (8 * bit)
                        else:
                            length |= number << (8 * (bit - 4))
                        here += 1
                length = length or 0x10000
                if source + length > base_size:
                    raise Damaged("a delta that copies what is not there")
            else:
                if not byte or here + byte > end:
                    raise Damaged("a delta that is cut off")
                source, length = -here, byte
                here += byte
            if made + length > result_size:
                raise Damaged("a delta that makes too much")
            if 3 * count + 3 > self.ops.shape[0]:
                self.ops = larger(self.ops)
            self.ops[3 * count] = made
            self.ops[3 * count + 1] = length
            self.ops[3 * count + 2] = source
            count += 1
            made += length
        if made != result_size:
            raise Damaged("a delta that makes too little")
        self.op_count = count
        self.base_size = base_size
        self.made_size = made
        return made

    def carried(self, regions: list):
        """Where stretches of the base stand in what was last made of it: pairs of place and shift, in no order.

        None when one of them is not there in one piece, or another time in pieces.
        """
        found: list = []
        i: cython.Py_ssize_t
        low: cython.longlong
        high: cython.longlong
        source: cython.longlong
        length: cython.longlong
        at: cython.longlong
        number: cython.Py_ssize_t
        once: cython.bint
        for number in range(len(regions)):
            low, high = regions[number][0], regions[number][1]
            once = False
            for i in range(self.op_count):
                source = self.ops[3 * i + 2]
                length = self.ops[3 * i + 1]
                if source < 0 or source >= high or source + length <= low:
                    continue
                if source > low or source + length < high:
                    return None
                at = self.ops[3 * i]
                # What stands beside it is part of the matter, be it the text's beginning or end.
                if source == low and (low > 0 or at > 0):
                    return None
                if source + length == high and (high < self.base_size or at + length < self.made_size):
                    return None
                found.append((number, at - source))
                once = True
            if not once:
                return None
        return found


def larger(numbers):
    """Twice the room for numbers."""
    return memoryview(array("q", bytes(memoryview(numbers)) * 2))
