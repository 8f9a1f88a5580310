"""Judges pairs of a name and a value: is it a secret that somebody wrote down, and how sure is that.

Four things speak: what the name promises, how likely chance or a person made the value up, how the two are joined (a
quoted literal is a value, a bare word in a program is a variable), and where they stand.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from scanner import nonsecrets
from scanner.assignments import Pair, Syntax, in_text, pairs
from scanner.credentialnames import Promise, Sense, sense
from scanner.cues import TRIGGER
from scanner.likelihood import invention, likelihood
from scanner.model import Confidence
from scanner.surroundings import Medium, Purpose, Purposes, surroundings

__all__ = ["TRIGGER", "Context", "Guess", "Rejected", "find", "judge", "kind_of"]

LONGEST = 4096
SEEN = 256
"""So much of a value is looked at for what is no secret: hostile text must not cost more."""
LINE = 500
"""A line of code is minified from so many bytes on."""
SURE = 30
"""From this likelihood on a token is sure to be random (natural log-odds)."""
RANDOM = 10
"""Below it a token is rather made of words."""


class Context(NamedTuple):
    """Where a pair stands. `before` and `after` are what its lines hold before the name and after the value."""

    medium: Medium = Medium.TEXT
    purpose: Purpose = Purpose.USE
    before: bytes = b""
    after: bytes = b""


class Rejected(NamedTuple):
    """Why a pair is none."""

    reason: str


class Guess(NamedTuple):
    """A pair that is likely a secret: offsets of the value, how sure, what the name promises."""

    name: bytes
    value_start: int
    value_end: int
    confidence: Confidence
    reason: str
    syntax: Syntax


def kind_of(guess: Guess) -> str:
    """The id of the rule that a guess belongs to: passwords are people's inventions, all else is a machine's."""
    promised = sense(guess.name)
    return "generic-password" if promised and promised.promise is Promise.PASSWORD else "generic-secret"


_LETTERS = rb"[A-Za-z]+"
_DIGIT = rb"[0-9]"
_HEX = rb"[0-9a-fA-F]+"
_HASH = rb"(?:0x)?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128})"
_PIECE = rb"[A-Za-z0-9]{12,}"
_ONE_PIECE = rb"[A-Za-z]{3,}[A-Za-z0-9!@#$%^&*]{5,}"
_IDENTIFIER = rb"[A-Za-z][A-Za-z0-9]*(?:[_.:/-][A-Za-z0-9]+)*[_:]?"
_HUMP = rb"[a-z][A-Z][a-z]"
_NAMED_AFTER = rb"passw|pwd|secret|token|(?<![a-z])key|credential|auth(?!or)|login|user|value|param|field"
_SAID = rb"^[A-Z][a-z]+(?:[ :]|$)|(?i:\b(?:password|passwort|token|secret|key|login)s?\b)"
_SHOWN = frozenset((Purpose.EXAMPLE, Purpose.PUBLISHED))
_WRITTEN = frozenset((Medium.CODE, Medium.CONFIG, Medium.TEXT))
_LITERAL = frozenset((Syntax.QUOTED, Syntax.NAMED, Syntax.ELEMENT))
_GIVEN = frozenset((Syntax.BARE, Syntax.FLAG))


@cache
def _compiled(expression: bytes) -> re.Pattern[bytes]:
    return re.compile(expression)


def judge(name: bytes, value: bytes, syntax: Syntax, context: Context) -> Confidence | Rejected:
    """Whether `value` is a secret, and how sure that is.

    HIGH: one would bet on it. MEDIUM: more likely than not a value that somebody uses. LOW: a toy, an example, or not
    to be told from a label or a field's name.
    """
    promised = sense(name)
    if promised is None:
        return Rejected("the name promises no secret")
    if syntax is Syntax.BARE and context.medium is Medium.CODE and not in_text(context.before):
        return Rejected("a variable")
    if not (4 if promised.promise is Promise.PASSWORD else 8) <= len(value) <= LONGEST:
        return Rejected("too short or too long")
    reason = nonsecrets.why(value[:SEEN]) or _misread(value, syntax, context)
    if reason:
        return Rejected(reason)
    match promised.promise:
        case Promise.PASSWORD:
            return _password(name, value, syntax, context, promised.plain)
        case Promise.LABEL:
            return _key(value, context)
        case Promise.AUTH | Promise.TOKEN:
            return _authorization(value, syntax, context, promised)
        case Promise.SECRET | Promise.KEY:
            return _token(value, syntax, context, promised)


def _misread(value: bytes, syntax: Syntax, context: Context) -> str | None:
    """Why a value is none, by how it stands beside its name."""
    value = value[:SEEN]
    foreign = sum(byte > 126 for byte in value)
    if foreign and (foreign * 4 > len(value) or not _compiled(_DIGIT).search(value)):
        return "words"
    match syntax:
        case Syntax.SPACE | Syntax.PROSE if likelihood(value) < 6 or _compiled(_LETTERS).fullmatch(value):
            return "prose"
        case Syntax.LISTED if _compiled(_IDENTIFIER).fullmatch(value) and likelihood(value) < 20:
            return "a name in a list"
        case Syntax.CALL if not context.after.lstrip(b"\"'` ").startswith(b")"):
            return "one argument of several"
    return None


def _token(value: bytes, syntax: Syntax, context: Context, promised: Sense) -> Confidence | Rejected:
    """Values that machines make: they must look random."""
    used = context.purpose is Purpose.USE
    if nonsecrets.uuid(value):
        return Confidence.MEDIUM if promised.plain and used else Confidence.LOW
    random = likelihood(value)
    if random < RANDOM:
        random = max((likelihood(piece) for piece in _compiled(_PIECE).findall(value)), default=random)
    if b" " in value and (random < 2 * SURE or not value.isascii()):
        return Rejected("words")
    if random < RANDOM or (random < 25 and not _compiled(_DIGIT).search(value)):
        return _phrase(value, syntax, context, promised)
    if context.medium not in _WRITTEN or context.purpose in _SHOWN or syntax is Syntax.PROSE:
        return Confidence.LOW
    if random < 14 and not promised.plain:
        return Confidence.LOW
    if random >= SURE and len(value) >= 16 and promised.plain and syntax is not Syntax.SPACE:
        return Confidence.HIGH if used else Confidence.MEDIUM
    return Confidence.MEDIUM if used or random >= SURE else Confidence.LOW


def _phrase(value: bytes, syntax: Syntax, context: Context, promised: Sense) -> Confidence | Rejected:
    """Words given as a secret: by people in a hurry, or the name of what keeps it."""
    if promised.plain and context.medium in _WRITTEN and context.purpose not in _SHOWN:
        if syntax is Syntax.QUOTED and invention(value) > 3 and not _compiled(_NAMED_AFTER).search(value.lower()):
            return Confidence.LOW
        written = syntax is Syntax.QUOTED or syntax is Syntax.DEFAULT or syntax in _GIVEN
        if promised.promise is Promise.SECRET and written and _compiled(_ONE_PIECE).fullmatch(value):
            return Confidence.LOW
    return Rejected("words")


def _key(value: bytes, context: Context) -> Confidence | Rejected:
    """Values of keys of no known sort: long, of one piece, and as random as can be, or nothing."""
    if nonsecrets.uuid(value):
        return Confidence.LOW
    hexadecimal = _compiled(_HEX).fullmatch(value) is not None
    random = len(value) >= 16 and likelihood(value) >= (18 if hexadecimal else 25)
    if not random or not _compiled(_DIGIT).search(value) or context.medium not in _WRITTEN:
        return Rejected("not random enough for a key of any sort")
    if hexadecimal and context.purpose is not Purpose.USE:
        return Rejected("a test vector")
    return Confidence.LOW if hexadecimal or context.purpose is not Purpose.USE else Confidence.MEDIUM


def _authorization(value: bytes, syntax: Syntax, context: Context, promised: Sense) -> Confidence | Rejected:
    """Values of Authorization headers and the like: a login, or a token."""
    password = _login(value)
    if password is None:
        return _token(value, syntax, context, promised)
    used = context.purpose is Purpose.USE
    if len(password) < 3 or nonsecrets.reference(password) or (nonsecrets.common(password) and not used):
        return Rejected("a login without a password")
    return Confidence.MEDIUM if used and not nonsecrets.toy(password) else Confidence.LOW


def _login(value: bytes) -> bytes | None:
    """The password in a Basic header's value, which is base64 of a user, a colon and a password; None if it is none."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon and user.isascii() and password.isascii() else None


def _password(name: bytes, value: bytes, syntax: Syntax, context: Context, plain: bool) -> Confidence | Rejected:
    """Values that people think up: they need not look random, but must not be a name, a label or prose."""
    if _own_name(value.lower().rstrip(b"=:"), name.lower()):
        return Rejected("its own name")
    if context.purpose is not Purpose.USE and nonsecrets.common(value):
        return Rejected("a toy")
    if context.purpose is Purpose.PUBLISHED and nonsecrets.toy(value):
        return Rejected("a toy")
    spaces = value.count(b" ")
    if spaces:
        said = spaces > 4 or not plain or _compiled(_SAID).search(value) is not None
        return Rejected("words") if said or syntax not in _LITERAL else Confidence.LOW
    random, invented = likelihood(value), invention(value)
    if context.medium not in _WRITTEN:
        return Confidence.LOW if random > 20 and invented > 3 else Rejected("wording")
    most = _most(value, syntax, context, random)
    if not _compiled(_LETTERS).fullmatch(value):
        if random >= 25 and len(value) >= 10 and invented > 2:
            return min(most, Confidence.HIGH if plain else Confidence.MEDIUM)
        if invented > 2 or (random >= 12 and invented > 0):
            return min(most, Confidence.MEDIUM)
    if _compiled(_IDENTIFIER).fullmatch(value) and _variable(value, syntax, context, random):
        return Rejected("an identifier")
    return min(most, Confidence.MEDIUM) if random >= 20 else Confidence.LOW


def _own_name(value: bytes, name: bytes) -> bool:
    """Whether a value says no more than its name; `mysql` beside `mysql_password` is a password, if a poor one."""
    if value == name or (len(name) >= 10 and value.endswith(name)):
        return True
    return value in name and _compiled(_NAMED_AFTER).search(value) is not None


def _most(value: bytes, syntax: Syntax, context: Context, random: float) -> Confidence:
    """The most that a password can be worth: toys and examples are low, whatever they look like."""
    if context.purpose is not Purpose.USE or syntax is Syntax.PROSE or _compiled(_HASH).fullmatch(value):
        return Confidence.LOW
    if nonsecrets.toy(value):
        return Confidence.MEDIUM if random >= SURE else Confidence.LOW
    return Confidence.HIGH


def _variable(value: bytes, syntax: Syntax, context: Context, random: float) -> bool:
    """Whether a word that could be an identifier is rather the name of something than a password."""
    if syntax not in _GIVEN and _compiled(_HUMP).search(value) and random < 8:
        return True
    if syntax is Syntax.QUOTED or not _compiled(_NAMED_AFTER).search(value.lower()):
        return False
    return syntax not in _GIVEN or context.medium is Medium.CODE or not _compiled(_LETTERS).fullmatch(value)


def find(data: bytes, start: int, end: int, *, path: str, purposes: Purposes | None = None) -> Iterator[Guess]:
    """The likely secrets that hits of `TRIGGER` between `start` and `end` point at.

    `start` and `end` are where those hits end (the same, for one hit); `path` is the file's name;
    `purposes` are kept by who asks about many places of one file.
    """
    medium, _ = surroundings(path)
    purposes = purposes or Purposes(data, path)
    best: dict[int, Guess] = {}
    for pair in pairs(data, start, end, code=medium is Medium.CODE):
        value = data[pair.value_start : pair.value_end]
        here = Medium.GENERATED if medium is Medium.CODE and _minified(data, pair) else medium
        judged = judge(pair.name, value, pair.syntax, _context(data, pair, here, _purpose(purposes, pair, path)))
        if isinstance(judged, Confidence):
            reason = pair.sense.promise.name.lower()
            guess = Guess(pair.name, pair.value_start, pair.value_end, judged, reason, pair.syntax)
            other = best.get(pair.value_start)
            if other is None or other.confidence < judged:
                best[pair.value_start] = guess
    yield from best.values()


def _context(data: bytes, pair: Pair, medium: Medium, purpose: Purpose) -> Context:
    line = data.rfind(b"\n", max(0, pair.start - 200), pair.start) + 1
    after = data[pair.value_end : pair.value_end + 48].split(b"\n", 1)[0]
    return Context(medium, purpose, data[max(line, pair.start - 200) : pair.start - pair.closed], after)


def _minified(data: bytes, pair: Pair) -> bool:
    """Whether a pair stands in a line of a length that nobody writes."""
    start, end = max(0, pair.start - LINE), min(len(data), pair.value_end + LINE)
    first = data.rfind(b"\n", start, pair.start) + 1 or start
    last = data.find(b"\n", pair.value_end, end)
    return (last if last >= 0 else end) - first - (pair.value_end - pair.value_start) >= LINE


def _purpose(purposes: Purposes, pair: Pair, path: str) -> Purpose:
    """What the place of a pair is for; in Python, a bare name before a colon is no Python, and so documentation."""
    if pair.sign == b":" and not pair.closed and path.endswith((".py", ".pyi")):
        return Purpose.EXAMPLE
    return purposes.at(pair.start)
