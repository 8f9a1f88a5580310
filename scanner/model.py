"""The nouns of scanning. Plain values: no input, no output, no patterns.

This module and `scanner.errors` are all that `responders` may see of the scanner.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import BinaryIO, NewType, NoReturn, Protocol

from scanner.record import Record, replace

Fingerprint = NewType("Fingerprint", str)
"""`kfp1:` and 64 hex digits: HMAC-SHA256 of a secret under this installation's key."""


class Secret:
    """Credential bytes in a box.

    It prints as `***`, compares in constant time, and refuses to be pickled, so that a secret gets into a log, a
    traceback, a queue or a file only where somebody wrote `reveal()`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The plaintext. Every call is a place to look at in review."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied out of this process")


class Fingerprinter:
    """Turns secrets into fingerprints under one installation's key (32 bytes or more)."""

    __slots__ = ("_inner",)

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("the fingerprint key must have at least 32 bytes")
        self._inner = hmac.new(key, digestmod=hashlib.sha256)

    def of(self, secret: Secret | bytes) -> Fingerprint:
        """The fingerprint of a secret's exact bytes."""
        mac = self._inner.copy()
        mac.update(secret.reveal() if isinstance(secret, Secret) else secret)
        return Fingerprint("kfp1:" + mac.hexdigest())

    def __repr__(self) -> str:
        return "Fingerprinter(***)"


class Severity(IntEnum):
    """What a live key of this kind would let a stranger do. `INFO` marks identifiers, which are never findings."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The lower-case word used in files and reports."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure the scanner is that the text is a real credential."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The lower-case word used in files and reports."""
        return self.name.lower()


class Place(StrEnum):
    """Where in a file tree or a repository bytes were met."""

    FILE = "file"
    FILE_NAME = "file-name"
    STDIN = "stdin"
    INDEX = "index"
    BLOB = "blob"
    COMMIT_MESSAGE = "commit-message"
    TAG_MESSAGE = "tag-message"
    NOTE = "note"
    REF_NAME = "ref-name"
    STASH = "stash"
    REFLOG = "reflog"
    UNREACHABLE = "unreachable"
    CONFIG = "config"
    REPORT = "report"


class TokenKind(Record):
    """What a rule recognises: the part of a rule that findings, reports and responders need."""

    id: str
    name: str
    provider: str
    severity: Severity


REGISTERED = TokenKind("registered-key", "Registered key", "registry", Severity.CRITICAL)
"""The kind of a finding that only the registry's shapes recognise."""


class Origin(Record):
    """Where bytes were met; kept apart from the bytes, since the same content may be met in many places.

    `path` is as the file system or git gives it (undecodable bytes as surrogates; never print it raw: see `printable`).
    `inside` names the members on the way into an archive. Git origins carry the object id in `blob`; `commit`, `author`
    and `date` (ISO 8601) name the first commit that holds it, once attribution has run. It also says whether that is
    still in the tip of a branch (`in_tip`) and whether any ref leads to it (`reachable`); both are None where that
    makes no sense, as for a file outside of a repository, or could not be told. The first `base` characters of the path
    lead to what was to be scanned, and say nothing of what is in it.
    """

    place: Place
    path: str
    inside: tuple[str, ...] = ()
    repository: str | None = None
    blob: str | None = None
    commit: str | None = None
    author: str | None = None
    date: str | None = None
    ref: str | None = None
    base: int = 0
    in_tip: bool | None = None
    reachable: bool | None = None

    @property
    def name(self) -> str:
        """What the content is called where it stands: its path below what was to be scanned, or within its archive."""
        return self.inside[-1] if self.inside else self.path[self.base :]

    def within(self, member: str) -> Origin:
        """The origin of a member of this container."""
        return replace(self, inside=(*self.inside, member))

    def __str__(self) -> str:
        where = printable("!".join((self.path, *self.inside)))
        match self.place:
            case Place.FILE | Place.STDIN | Place.REPORT:
                return where
            case Place.BLOB if self.commit:
                return f"{where} (commit {self.commit[:10]})"
            case _:
                return f"{where} ({self.place.value})" if where else self.place.value


class Span(Record):
    """Where a match lies. Byte offsets into the content that was searched, and lines and columns that count from 1.

    Columns count characters; `end` and `end_column` are exclusive. For a decoded match they are the place of the
    encoded text in the content as it was met.
    """

    start: int
    end: int
    start_line: int
    start_column: int
    end_line: int
    end_column: int


class Blob(Record):
    """Bytes and where they were met. `origin.blob`, where known, identifies the content.

    A large file comes as several blobs that overlap: `offset` is where `data` begins in the file, `first_line` the
    number of its first line. The first of them also carries `stream`, an open binary file over the whole content, for
    unpacking archives too large to be held in memory; whoever yields the blob closes it.
    """

    data: bytes
    origin: Origin
    offset: int = 0
    first_line: int = 1
    stream: BinaryIO | None = None


class Skipped(Record):
    """Something that could not be looked into, and why. Counted and shown, never silence."""

    origin: str
    reason: str


class Candidate(Record):
    """What the first pass says: pattern number, and the first and the last of some offsets where matches end.

    Ends of one pattern that lie close together are one candidate, however many there are. Never leaves `scanner`.
    With `keyword`, `first` is where a keyword ends and `end` the last place where a value of it can begin.
    """

    pattern: int
    first: int
    end: int
    keyword: bool = False


class Finding(Record):
    """A confirmed match.

    `parts` holds what was found beside the secret and belongs to it (an access key id next to its secret, say), by the
    name the rule gives it. `encoding` lists what the text was wrapped in, outermost first. `fingerprint` is that of
    `secret`, the plain one, whatever it was wrapped in.
    """

    kind: TokenKind
    secret: Secret
    fingerprint: Fingerprint
    span: Span
    origin: Origin
    confidence: Confidence
    masked: str
    encoding: tuple[str, ...] = ()
    parts: Mapping[str, Secret] = MappingProxyType({})


class Suppressed(Record):
    """A finding that somebody silenced: `by` is `inline` or `baseline`. It is shown, not dropped."""

    finding: Finding
    by: str
    reason: str


class Scanned(Record):
    """Progress: so many more blobs and bytes have been looked at since the last one."""

    blobs: int
    bytes: int


class Unit(Protocol):
    """A piece of work that one worker process reads and scans. It can be pickled; it holds no secrets.

    `weight` is about how many bytes there are to scan, so that work is cut by weight and not by count.
    """

    @property
    def weight(self) -> int:
        """About how many bytes this is."""
        ...

    def blobs(self) -> Iterator[Blob | Skipped]:
        """Reads what is to be scanned; called in the worker."""
        ...


class Source(Protocol):
    """Where units come from: one target, or one part of it."""

    def units(self) -> Iterator[Unit | Skipped]:
        """The work there is, cut into units; called in the main process."""
        ...


ScanEvent = Finding | Suppressed | Skipped | Scanned


class Shape(Record):
    """How registered keys look: a fixed text prefix, then characters of one alphabet; `length` counts all of it.

    The registry knows only shapes and fingerprints, so that keys of any form are found where no rule knows them.
    `longest`, where it is not 0, makes `length` the shortest of a range of lengths, both ends included.
    """

    prefix: str
    alphabet: str
    length: int
    longest: int = 0


ALPHABETS: Mapping[str, str] = {
    "digit": "0-9",
    "hex": "0-9a-f",
    "HEX": "0-9A-F",
    "base36": "0-9a-z",
    "BASE36": "0-9A-Z",
    "base62": "0-9A-Za-z",
    "base64url": "0-9A-Za-z_-",
    "base64": "0-9A-Za-z+/=",
    "token": "0-9A-Za-z+/=_.~:-",
    "printable": "!-~",
}
"""The alphabets of shapes, narrowest first, as the inside of a character class."""


def printable(text: str) -> str:
    """Text that is safe on a terminal and in a report: control characters and undecodable bytes as visible escapes."""
    if text.isprintable():
        return text
    shown = []
    for character in text:
        point = ord(character)
        if 0xDC80 <= point <= 0xDCFF:
            shown.append(f"\\x{point - 0xDC00:02x}")
        elif character.isprintable():
            shown.append(character)
        else:
            shown.append(character.encode("unicode_escape", "surrogatepass").decode("ascii"))
    return "".join(shown)
