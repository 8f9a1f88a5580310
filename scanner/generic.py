"""Judges pairs of a name and a value: is it a secret that somebody wrote down, and how sure is that.

Four things speak: what the name promises, how likely chance or a person made the value up, how the two are joined (a
quoted literal is a value, a bare word in a program is a variable), and where they stand.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from scanner import nonsecrets
from scanner.assignments import Pair, Syntax, in_text, pairs
from scanner.credentialnames import Promise, sense
from scanner.cues import TRIGGER
from scanner.likelihood import invention, likelihood
from scanner.model import Confidence

__all__ = ["TRIGGER", "Context", "Guess", "Medium", "Rejected", "find", "judge", "surroundings"]

LONGEST = 4096


class Medium(StrEnum):
    """What kind of file a pair stands in."""

    CODE = "code"
    """bare words are variables"""
    CONFIG = "config"
    """bare words are values"""
    TEXT = "text"
    """bare words may be anything"""
    WORDING = "wording"
    """translations and labels: nothing in it is a secret but what looks random"""
    GENERATED = "generated"
    """lock files, minified code, source maps, notebooks' output"""


class Context(NamedTuple):
    """Where a pair stands. `before` and `after` are what its lines hold before the name and after the value."""

    medium: Medium = Medium.TEXT
    trial: bool = False
    before: bytes = b""
    after: bytes = b""


class Rejected(NamedTuple):
    """Why a pair is none."""

    reason: str


class Guess(NamedTuple):
    """A pair that is likely a secret: offsets of the value, how sure, and why."""

    name: bytes
    value_start: int
    value_end: int
    confidence: Confidence
    reason: str
    syntax: Syntax


_CODE = frozenset(
    "py pyi pyx js jsx ts tsx mjs cjs vue svelte go java kt kts scala groovy c h cc cpp cxx hpp hh m mm cs vb fs rb erb php "
    "rs swift dart lua pl pm r jl ex exs erl clj cljs hs elm ml sol zig nim d pas proto graphql thrift ipynb jinja j2 "
    "coffee pug ejs hbs tpl".split()
)
_CONFIG = frozenset(
    "yml yaml json json5 jsonc toml ini conf cfg cnf config properties props env xml plist tf tfvars hcl gradle sh bash zsh "
    "ksh fish ps1 psm1 bat cmd sql dockerfile mk cmake service nix bicep http rest esmtprc npmrc netrc pgpass reg desktop".split()
)
_GENERATED = re.compile(
    r"(?:\.lock|\.lockb|\.min\.(?:js|css)|\.map|\.sum|-lock\.(?:json|ya?ml)|\.svg|\.css|npm-shrinkwrap\.json|\.snap|\.har|\.cast)$"
    r"|(?:^|/)SHA\d+SUMS?|(?:^|/)RECORD$|(?:^|/)checksums?"
)
_WORDING = re.compile(
    r"\.(?:po|pot|strings|resx|arb|xlf|xliff|ftl|mo|properties\.\w\w)$|(?:^|[/_.-])(?:i18n|l10n|locales?|lang|langs|languages?|"
    r"translations?|messages?|nls|intl)(?:[/_.-]|$)|(?:^|[/_.-])[a-z]{2}[-_][A-Z]{2}\.\w+$"
    r"|(?:^|/)[a-z]{2}\.(?:json|ya?ml|ts|js|php|properties)$"
)
_TRIAL = re.compile(
    r"(?i)(?:^|[/_.-])(?:tests?|specs?|examples?|samples?|demos?|fixtures?|mocks?|docs?|testing|testdata|e2e|readme|tutorials?)(?:[/_.-]|$)"
)


@lru_cache(maxsize=1024)
def surroundings(path: str) -> tuple[Medium, bool]:
    """The kind of file by its name, and whether it is there for trying things out: tests, examples, documentation."""
    name = path.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower()
    trial = _TRIAL.search(path) is not None or suffix in ("md", "rst", "adoc")
    if _GENERATED.search(path):
        return Medium.GENERATED, trial
    if _WORDING.search(path):
        return Medium.WORDING, trial
    if suffix in _CODE:
        return Medium.CODE, trial
    if suffix in _CONFIG or "Dockerfile" in name or "Makefile" in name or name.startswith(".env"):
        return Medium.CONFIG, trial
    return Medium.TEXT, trial


_PLAIN = re.compile(rb"[A-Za-z]+$")
_IDENTIFIER = re.compile(rb"[A-Za-z][A-Za-z0-9]*(?:[_.:/-][A-Za-z0-9]+)*[_:]?$")
_HUMP = re.compile(rb"[a-z][A-Z][a-z]")
_CORE = re.compile(rb"(?i:passw|pwd|secret|token|(?<![a-z])key|credential|auth(?!or)|login|user|value|param|field)")
_TOY = re.compile(
    rb"pass|pwd|admin|test|secret|demo|user|welcome|qwerty|root|hello|guest|default|login|1234|abc|temp|super"
)
_SPELLED = bytes.maketrans(b"0@$3!4", b"oaseia")
_LABEL = re.compile(rb"[A-Z][a-z]+(?:[ :]|$)")
_DIRECTIVE = re.compile(rb"^[\s#/*-]{0,12}(?:export |set |setx |ENV |ARG |-e |SET |default )?[\w.-]{0,40}$")


def judge(name: bytes, value: bytes, syntax: Syntax, context: Context) -> Confidence | Rejected:
    """Whether `value` is a secret, and how sure that is.

    HIGH: one would bet on it. MEDIUM: more likely than not somebody's value, be it a toy one in a test. LOW: cannot be
    told from a label or a field's name.
    """
    promised = sense(name)
    if promised is None:
        return Rejected("the name promises no secret")
    if syntax is Syntax.BARE and context.medium is Medium.CODE and not in_text(context.before):
        return Rejected("a variable")
    password = promised.promise is Promise.PASSWORD
    if not (4 if password else 8) <= len(value) <= LONGEST:
        return Rejected("too short or too long")
    reason = nonsecrets.why(value)
    if reason:
        return Rejected(reason)
    foreign = sum(byte > 126 for byte in value)
    if foreign and (foreign * 4 > len(value) or not any(48 <= byte < 58 for byte in value)):
        return Rejected("words")
    if syntax in (Syntax.SPACE, Syntax.PROSE) and (likelihood(value) < 6 or _PLAIN.match(value)):
        return Rejected("prose")
    if syntax is Syntax.CALL and not context.after.lstrip(b"\"'` ").startswith(b")"):
        return Rejected("one argument of several")
    if password:
        return _password(name, value, syntax, context, promised.plain)
    if promised.promise is Promise.AUTH and _credentials(value):
        return Confidence.MEDIUM
    if promised.promise is Promise.LABEL:
        return _labelled(value, context)
    judged = _token(value, syntax, context, promised.plain)
    if (
        isinstance(judged, Rejected)
        and promised.promise is Promise.SECRET
        and promised.plain
        and _WORD.fullmatch(value)
    ):
        return _phrase(syntax, context)
    return judged


_WORD = re.compile(rb"[A-Za-z]{3,}[A-Za-z0-9!@#$%^&*]{5,}")


def _phrase(syntax: Syntax, context: Context) -> Confidence | Rejected:
    """Words in one piece, given as a secret: by people in a hurry, or the name of what keeps it."""
    if syntax in (Syntax.QUOTED, Syntax.BARE, Syntax.FLAG, Syntax.DEFAULT) and context.medium in _WRITTEN:
        return Confidence.LOW
    return Rejected("words")


def _credentials(value: bytes) -> bool:
    """Whether an Authorization header's value is base64 of a user and a password."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    return bool(colon) and len(password) > 2 and password.isascii() and not nonsecrets.reference(password)


def _labelled(value: bytes, context: Context) -> Confidence | Rejected:
    """Values of keys of no known sort: long, of one piece, and as random as can be, or nothing."""
    if nonsecrets.uuid(value):
        return Confidence.LOW
    if (
        len(value) < 16
        or likelihood(value) < (18 if _HEX.fullmatch(value) else 25)
        or not _DIGIT.search(value)
        or context.medium not in _WRITTEN
    ):
        return Rejected("not random enough for a key of any sort")
    return Confidence.LOW if _HEX.fullmatch(value) or context.trial else Confidence.MEDIUM


_DIGIT = re.compile(rb"[0-9]")
_HEX = re.compile(rb"[0-9a-fA-F]+")
_WRITTEN = frozenset((Medium.CODE, Medium.CONFIG, Medium.TEXT))


_PIECES = re.compile(rb"[A-Za-z0-9]{12,}")


def _token(value: bytes, syntax: Syntax, context: Context, plain: bool) -> Confidence | Rejected:
    """Values that machines make: they must look random."""
    if nonsecrets.uuid(value):
        return Confidence.MEDIUM if plain else Confidence.LOW
    random = likelihood(value)
    if random < 10:
        pieces = _PIECES.findall(value)
        random = max((likelihood(piece) for piece in pieces), default=random)
    if b" " in value and (random < 60 or not value.isascii()):
        return Rejected("words")
    if random < 10:
        if plain and syntax is Syntax.QUOTED and invention(value) > 3 and not _CORE.search(value):
            return Confidence.LOW
        return Rejected("words")
    if context.medium in (Medium.GENERATED, Medium.WORDING):
        return Confidence.LOW
    if random >= 30 and len(value) >= 16 and plain and not context.trial and syntax not in (Syntax.SPACE, Syntax.PROSE):
        return Confidence.HIGH
    return Confidence.MEDIUM if random >= 14 or plain else Confidence.LOW


def _password(name: bytes, value: bytes, syntax: Syntax, context: Context, plain: bool) -> Confidence | Rejected:
    """Values that people think up: they need not look random, but must not be a name, a label or prose."""
    random, invented = likelihood(value), invention(value)
    if value.lower() in name.lower():
        return Rejected("its own name")
    spaces = value.count(b" ")
    if spaces:
        if (
            syntax not in (Syntax.QUOTED, Syntax.NAMED, Syntax.ELEMENT)
            or spaces > 4
            or _LABEL.match(value)
            or not plain
        ):
            return Rejected("words")
        return Confidence.LOW
    if context.medium in (Medium.GENERATED, Medium.WORDING):
        return Confidence.LOW if random > 20 and invented > 3 else Rejected("wording")
    marked = not _PLAIN.match(value)
    toy = context.trial or _TOY.search(value.lower().translate(_SPELLED)) is not None
    if marked and random >= 25 and len(value) >= 10 and invented > 2:
        return Confidence.HIGH if plain and not toy else Confidence.MEDIUM
    if marked and (invented > 2 or (random >= 12 and invented > 0)):
        return Confidence.LOW if toy and random < 20 else Confidence.MEDIUM
    identifier = _IDENTIFIER.match(value) is not None
    if identifier and syntax not in (Syntax.BARE, Syntax.FLAG) and _HUMP.search(value) and random < 8:
        return Rejected("an identifier")
    if identifier and _CORE.search(value) and syntax is not Syntax.QUOTED:
        given = syntax in (Syntax.BARE, Syntax.FLAG) and context.medium is not Medium.CODE and _PLAIN.match(value)
        return Confidence.LOW if given else Rejected("an identifier")
    if random >= 20 and not toy:
        return Confidence.MEDIUM
    return Confidence.LOW


def find(data: bytes, start: int, end: int, *, path: str) -> Iterator[Guess]:
    """The likely secrets that hits of `TRIGGER` between `start` and `end` point at.

    `start` and `end` are where those hits end (the same, for one hit); `path` is the file's name.
    """
    medium, trial = surroundings(path)
    for pair in pairs(data, start, end, code=medium is Medium.CODE):
        value = data[pair.value_start : pair.value_end]
        judged = judge(pair.name, value, pair.syntax, _context(data, pair, path, medium, trial))
        if isinstance(judged, Confidence):
            yield Guess(
                pair.name, pair.value_start, pair.value_end, judged, pair.sense.promise.name.lower(), pair.syntax
            )


def _context(data: bytes, pair: Pair, path: str, medium: Medium, trial: bool) -> Context:
    line = data.rfind(b"\n", max(0, pair.start - 200), pair.start) + 1
    after = data[pair.value_end : pair.value_end + 48].split(b"\n", 1)[0]
    if pair.sign == b":" and not pair.closed and path.endswith(".py"):
        trial = True
    return Context(medium, trial, data[max(line, pair.start - 200) : pair.start - pair.closed], after)
