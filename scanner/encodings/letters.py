"""Encodings that write all of a text in letters of their own: base64 and hex, on one line, wrapped, or as a list."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile

from scanner.decode import Text
from scanner.encodings import names
from scanner.encodings.mending import mended, through, without
from scanner.record import Record

LONGEST = 1 << 20
"""How much of a stretch is decoded around a hit, in bytes to each side."""

_HITS = 16
"""So many hits of a stretch are looked at when the alignment is sought."""
_BEFORE, _BEHIND = 3, 24
"""How much has to be text for an alignment to be right: bytes before and behind the place of a hit."""
_LINE_END = rb"={0,2}[ \t]{0,8}(?:\\{0,3}[\"'`]|[<,;)\]}]|\\{1,4}[nr]|\r?\n|\Z)"
_LINE_BEGIN_BACKWARDS = rb"[ \t>|#*]{0,24}(?:\n|\Z|[\"'`:=(,])"
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n\r\0"
_SIGN = re.compile(rb"[\s\\\"'`]")
"""What the layout begins with."""
_FOREIGN = 2
"""So many bytes there may be no text."""
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LAYOUT = (
    rb"\s++|\\{1,4}[nrt]"  # line ends, and line ends written out
    rb"|\\{0,3}[\"'`]\s{0,40}+[+.,&\\]?+\s{0,40}+(?:_\s{1,40}+)?\\{0,3}[\"'`]"  # strings put together
    rb"|\n[>|#* ]{1,8}+"  # quoted and commented lines
)


def _from_base64(letters: bytes) -> bytes:
    body = letters.translate(_URL_SAFE)
    body = body[: len(body) - (len(body) % 4 == 1)]
    return binascii.a2b_base64(body + b"=" * (-len(body) % 4))


def _from_hex(letters: bytes) -> bytes:
    return binascii.unhexlify(letters[: len(letters) & ~1])


class Letters(Record):
    """An alphabet in which a group of letters stands for a group of bytes."""

    name: str
    run: re.Pattern[bytes]
    stretch: re.Pattern[bytes]
    backwards: re.Pattern[bytes]
    layout: re.Pattern[bytes]
    read_letters: Callable[[bytes], bytes]
    group: int
    plain: int

    def around(self, data: bytes, first: int, _end: int) -> tuple[int, int]:
        """The stretch around a hit, over line ends, bounded by `LONGEST` to each side."""
        reach = 256
        while True:
            low = max(0, first - reach)
            run = self.backwards.match(data[low:first][::-1])
            taken = run.end() if run else 0
            if taken < first - low or low == 0 or reach >= LONGEST:
                break
            reach *= 16
        found = self.stretch.match(data, first, min(len(data), first + LONGEST))
        return first - taken, found.end() if found else first

    def onwards(self, data: bytes, start: int, end: int) -> int | None:
        """The next run of letters."""
        found = self.run.search(data, start, end + 2 * self.group)
        return min(found.start() + 2 * self.group, found.end()) if found and found.start() < end else None

    def read(self, data: bytes, start: int, end: int, hits: Sequence[int]) -> Iterator[Text]:
        """What a stretch says, at each alignment at which it says text near a hit.

        White space at line ends is passed over. Words before it may have got into the stretch, so every alignment is
        tried.
        """
        breaks = [*self._breaks(data, start, end)]
        text = without(data, start, end, breaks)
        places = [hit - start - _taken(breaks, hit) for hit in hits[:_HITS]]
        for skipped in range(min(self.group, len(text.data))):
            if any(self._says_text(text.data, place, skipped) for place in places):
                try:
                    plain = self.read_letters(text.data[skipped:])
                except binascii.Error:
                    continue
                locate = through(text.locate, self._step(skipped, len(text.data)))
                yield Text(plain, (self.name,), locate, own_lines=False)

    def _breaks(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where the layout is in a stretch. Asked at the few places that may be, it costs a hundredth of a search."""
        sign = _SIGN.search(data, start, end)
        while sign is not None:
            found = self.layout.match(data, sign.start(), end)
            if found is not None:
                yield found.span()
            sign = _SIGN.search(data, found.end() if found else sign.end(), end)

    def alone(self, data: bytes, start: int, end: int, hits: Sequence[int]) -> Iterator[Text]:
        """What the lines with hits say, each by itself, when it makes no sense to join them."""
        waiting = sorted(hits, reverse=True)
        for run in self.run.finditer(data, start, end):
            if run.span() == (start, end):
                return
            inside = []
            while waiting and waiting[-1] <= run.end():
                inside.append(max(run.start(), waiting.pop()))
            if inside:
                yield from self.read(data, *run.span(), inside)

    def _says_text(self, letters: bytes, place: int, skipped: int) -> bool:
        groups = max(0, (place - skipped) // self.group)
        first = max(0, groups - _BEFORE // self.plain) * self.group + skipped
        try:
            said = self.read_letters(letters[first : first + (_BEFORE + _BEHIND) // self.plain * self.group])
        except binascii.Error:
            return False
        return len(said) >= _BEFORE and len(said.translate(None, _TEXT)) <= _FOREIGN

    def _step(self, skipped: int, size: int) -> Callable[[int, int], tuple[int, int]]:
        def step(first: int, last: int) -> tuple[int, int]:
            final = -(-last * self.group // self.plain) + skipped
            return first * self.group // self.plain + skipped, min(final, size)

        return step


def _taken(breaks: Sequence[tuple[int, int]], place: int) -> int:
    """How many bytes of breaks lie before a place."""
    return sum(min(end, place) - start for start, end in takewhile(lambda each: each[0] < place, breaks))


def _letters(name: str, alphabet: bytes, read: Callable[[bytes], bytes], group: int, plain: int) -> Letters:
    letters, sign = b"[" + alphabet + b"]", rb"[\"'`]"
    layout = b"(?:" + _LAYOUT + b")++"
    line = layout + letters + b"{16,}+(?=" + _LINE_END + b")"
    # a short last line, if it is plain that it is the last, or it is no word
    word = b"[A-Za-z][a-z]*+(?!" + letters + b")"
    last = letters + b"{1,15}+(?==|" + sign + rb"|\r?\n\r?\n|\r?\n?\Z)|(?!" + word + b")"
    last = layout + b"(?:" + last + letters + b"{1,15}+(?=" + _LINE_END + b"))"
    before = rb"[ \t>|#*\"'`]{0,24}+\n\r?[ \t\"'`+.,&\\]{0,24}+" + letters + b"{16,}+"
    return Letters(
        name,
        re.compile(letters + b"{%d,}+" % (2 * group)),
        re.compile(letters + b"*+(?:" + line + b")*+(?:" + last + b")?"),
        re.compile(letters + b"*+(?:" + before + b"(?=" + _LINE_BEGIN_BACKWARDS + b"))*+"),
        re.compile(_LAYOUT),
        read,
        group,
        plain,
    )


BASE64 = _letters(names.BASE64, rb"A-Za-z0-9+/_\-", _from_base64, 4, 3)
HEX = _letters(names.HEX, rb"0-9A-Fa-f", _from_hex, 2, 1)

_BETWEEN = rb"(?:[\s,:;\-]{1,24}|[ \t]{1,4}\|[^\n]{1,16}\|\r?\n[0-9A-Fa-f]{8}[ \t]{1,4})"
"""What stands between two bytes of a list; or between two lines of a hex dump, with its text and its offsets."""
_PAIR = rb"(?:0[xX])?([0-9A-Fa-f]{2})(?![0-9A-Za-z])"


class HexList(Record):
    """Bytes one by one, with signs between them: `67 68`, `67:68`, `0x67, 0x68`."""

    first: re.Pattern[bytes] = re.compile(rb"(?<![0-9A-Za-z])" + _PAIR + rb"(?:" + _BETWEEN + _PAIR + rb"){3}")
    pair: re.Pattern[bytes] = re.compile(_BETWEEN + rb"?" + _PAIR)

    def around(self, data: bytes, first: int, end: int) -> tuple[int, int]:
        """The list that a hit stands in."""
        stop = max(0, first - GAP)
        while (begin := self.first.search(data, stop, end + GAP)) is not None:
            stop = begin.end()
            for found in self.pair.finditer(data, stop, begin.start() + LONGEST):
                if found.start() > stop:
                    break
                stop = found.end()
            if stop >= first:
                return begin.start(), stop
        return first, first

    def onwards(self, data: bytes, start: int, end: int) -> int | None:
        """The next list."""
        found = self.first.search(data, start, end)
        return found.end() if found else None

    def alone(self, _data: bytes, _start: int, _end: int, _hits: Sequence[int]) -> Iterator[Text]:
        """Nothing: there is one way to read it."""
        return iter(())

    def read(self, data: bytes, start: int, end: int, _hits: Sequence[int]) -> Iterator[Text]:
        """What the list says."""
        text = mended(data, start, end, self.pair, _from_pair)
        yield Text(text.data, (names.HEX,), text.locate, own_lines=False)


GAP = 400
"""So far before its hit a list is taken to begin, at most."""

HEX_LIST = HexList()


def _from_pair(found: re.Match[bytes]) -> bytes:
    return bytes((int(found[1], 16),))
