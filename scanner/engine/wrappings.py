"""What the first pass looks for so that `scanner.encodings` need not decode everywhere.

Three kinds of expressions: the rules' fixed texts as encodings write them, which are many but cheap, since Hyperscan
looks for thousands of fixed texts nearly as fast as for ten; stretches in which every character is an escape, which are
few and hardly ever met; and bare prefixes, for texts in pieces. Where one hits, the stretch is decoded and scanned like
any other text, so that expressions need not say whose fixed text it is, and only its beginning counts.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from scanner.encodings import names
from scanner.likelihood import likelihood
from scanner.rule import Family, Rule

Wrapping = tuple[str, tuple[int, ...], Sequence[str]]
"""An encoding, for joined texts the rules whose prefix it is, and expressions that point at it."""

LISTED = "hex-list"
"""Bytes in hex with signs between them, which are read otherwise than hex without."""

HEAD = 8
"""So much of a fixed text is looked for."""
SHORTEST = 3
"""Shorter fixed texts are met everywhere, however they are written."""
PLAIN = 4
"""The shortest fixed text whose forms are all looked for."""
LONGER = 8
"""How many characters of base64 behind a shorter one have to look like those of text."""

TOGETHER = 24
"""How many fixed texts share a pattern number. Thousands of one number compile in quadratic time (measured: 14 s)."""

_RARE = 7.0
"""From so many nats on a short prefix is no beginning of a word."""
_NO_WORD = 6
"""A prefix of so many characters is rare, whatever they are."""
_STRUCTURED = 8
"""The shortest fixed text of a structured kind that says anything."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TOKEN = range(0x20, 0x7F)
_UNRESERVED = b"-._~"
_SIGNS: tuple[tuple[Callable[[str], str], str], ...] = (
    ("%{}".format, names.PERCENT),
    ("\\x{}".format, names.ESCAPE),
    ("\\u00{}".format, names.UNICODE),
    ("&#x{};".format, names.HTML),
    (lambda digits: f"&#{int(digits, 16)};", names.HTML),
    (lambda digits: chr(int(digits, 16)) if bytes.fromhex(digits) in _UNRESERVED else f"%{digits}", names.PERCENT),
)
"""How the signs in a fixed text are written by those who escape everything but letters and digits; and by those who use
percent signs only where they must (RFC 3986, 2.3)."""
_QUOTES = ("\\x22", "\\x27")
"""What a common prefix has to stand behind."""
_PRINTABLE = "[2-7][0-9A-Fa-f]"

RUNS = (
    (rf"(?:%(?:25){{0,3}}{_PRINTABLE}){{3}}", names.PERCENT),
    (rf"(?:\\{{1,4}}u00{_PRINTABLE}|\\{{1,4}}[uUx]\{{0{{0,6}}{_PRINTABLE}\}}|%u00{_PRINTABLE}){{3}}", names.UNICODE),
    (rf"(?:\\{{1,4}}U000000{_PRINTABLE}){{3}}", names.UNICODE),
    (rf"(?:\\{{1,4}}[xX]{_PRINTABLE}){{3}}", names.ESCAPE),
    (r"(?:\\{1,4}0?(?:1[0-7]|0[4-7])[0-7]){3}", names.ESCAPE),
    (rf"(?:&(?:amp;)?#(?:[xX]0{{0,4}}{_PRINTABLE}|0{{0,4}}(?:3[2-9]|[4-9][0-9]|1[0-2][0-9]));){{3}}", names.HTML),
    (rf"(?:={_PRINTABLE}){{3}}", names.QUOTED_PRINTABLE),
    (rf"(?:0[xX]{_PRINTABLE}[,;: ]\s{{0,8}}){{10}}", LISTED),
    (rf"(?:{_PRINTABLE}[ :]{{1,2}}){{10}}", LISTED),
)
"""Stretches in which one character after another is written as an escape."""


def wrappings(rules: Sequence[Rule]) -> Iterator[Wrapping]:
    """Every expression for encoded forms of what the rules look for."""
    prefixed = [rule for rule in rules if rule.family is Family.PREFIXED]
    texts = [text for rule in prefixed for text in rule.literals]
    told = _heads(
        (
            text
            for rule in rules
            if rule.family is Family.STRUCTURED and rule.literals and min(map(len, rule.literals)) >= _STRUCTURED
            for text in rule.literals
            if not text.startswith("http")
        ),
        2 * HEAD,
    )
    forms = dict.fromkeys(form for head in _heads(texts, HEAD) for form in _forms(head))
    forms.update(dict.fromkeys(form for head in _heads(texts, 6 * HEAD) for form in _with_escaped_signs(head)))
    forms.update(dict.fromkeys((_fixed(text), names.BASE64) for head in told for text in base64_texts(head)))
    prefixes: dict[bytes, list[int]] = {}
    for place, rule in enumerate(rules):
        if rule.family is Family.PREFIXED:
            for prefix in beginnings(rule):
                prefixes.setdefault(prefix, []).append(place)
    rare = [prefix for prefix in prefixes if is_rare(prefix)]
    forms.update(dict.fromkeys((_fixed(prefix[:HEAD][::-1]), names.REVERSED) for prefix in rare))
    grouped: dict[str, list[str]] = {}
    for text, name in (*forms, *(RUNS if forms else ())):
        grouped.setdefault(name, []).append(text)
    for name, group in grouped.items():
        yield from ((name, (), group[at : at + TOGETHER]) for at in range(0, len(group), TOGETHER))
    for prefix, places in prefixes.items():
        begins = ("",) if prefix in rare else _QUOTES
        yield names.JOINED, tuple(places), [before + _fixed(prefix) for before in begins]


def beginnings(rule: Rule) -> Iterator[bytes]:
    """The fixed texts that a rule's secrets begin with, if they are long enough to be looked for alone."""
    for literal in rule.literals:
        if literal.startswith(rule.prefix) and len(literal) >= PLAIN:
            yield literal.encode("latin-1")


def is_rare(prefix: bytes) -> bool:
    """Whether a prefix is no word, nor the end of one, that text is full of."""
    return len(prefix) >= _NO_WORD or likelihood(prefix) >= _RARE


def _heads(literals: Iterable[str], size: int) -> Collection[bytes]:
    """The beginnings of fixed texts that are long enough, without those that begin with another.

    Texts so short that not all of their forms are looked for stand for themselves only.
    """
    heads: list[bytes] = []
    for text in sorted({literal.encode("latin-1")[:size] for literal in literals if len(literal) >= SHORTEST}):
        if not heads or not text.startswith(heads[-1]) or len(heads[-1]) < PLAIN <= len(text):
            heads.append(text)
    return heads


def _forms(head: bytes) -> Iterator[tuple[str, str]]:
    """A fixed text's forms, as expressions, each with the encoding it points at."""
    for written in _either_case(head.hex()):
        yield written, names.HEX
    if len(head) < PLAIN:
        yield from ((text, names.BASE64) for text in base64_expressions(head))
    else:
        yield from ((_fixed(text), names.BASE64) for text in _nested_in_base64(head))


def _with_escaped_signs(head: bytes) -> Iterator[tuple[str, str]]:
    """A fixed text whose letters and digits stand as they are, as far as its first sign; that is rare enough."""
    sign = next((at for at in range(2, len(head)) if not chr(head[at]).isalnum()), len(head))
    head = head[: sign + 1]
    for write, name in _SIGNS:
        for shown in ("{:02x}", "{:02X}"):
            text = "".join(chr(byte) if chr(byte).isalnum() else write(shown.format(byte)) for byte in head)
            if len(text) > len(head):
                yield _fixed(text.encode("latin-1")), name


def _nested_in_base64(head: bytes) -> Iterator[bytes]:
    """What a fixed text becomes in base64, in base64 of base64 and of UTF-16, and in three when it comes first."""
    yield from base64_texts(head)
    for inner in base64_texts(head):
        yield from base64_texts(inner)
    yield whole_base64(whole_base64(whole_base64(head)))
    yield from base64_texts(head.decode("latin-1").encode("utf-16-le"))


def whole_base64(text: bytes) -> bytes:
    """The characters of a text's base64 that nothing behind it has a part in."""
    return b64encode(text)[: len(text) * 8 // 6]


def base64_texts(text: bytes) -> Iterator[bytes]:
    """The characters that a text has in base64, wherever it begins in its group of three bytes.

    Characters that also hold bits of the bytes before or behind are left out.
    """
    for before in range(3):
        coded = b64encode(bytes(before) + text)
        yield coded[-(-before * 8 // 6) : (before + len(text)) * 8 // 6]


def base64_expressions(text: bytes) -> Iterator[str]:
    """Expressions for a short text in base64 with more text behind it, wherever it begins in its group."""
    for before in range(3):
        known: list[Collection[int]] = [*[range(256)] * before, *((byte,) for byte in text), *[_TOKEN] * LONGER]
        bits = [_letters(known, at) for at in range(len(known) * 8 // 6)]
        yield "".join(bits[-(-before * 8 // 6) :])


def _letters(known: Sequence[Collection[int]], at: int) -> str:
    """The letters that may stand at a place in base64, as a character or a class, by what each byte may be."""
    byte, offset = divmod(at * 6, 8)
    own = 8 - offset
    if own >= 6:
        letters = {one >> own - 6 & 63 for one in known[byte]}
    else:
        following = known[byte + 1] if byte + 1 < len(known) else range(256)
        letters = {
            high << 6 - own | low
            for high in {one & (1 << own) - 1 for one in known[byte]}
            for low in {two >> 2 + own for two in following}
        }
    members = "".join(f"\\x{_ALPHABET[letter]:02x}" for letter in sorted(letters))
    return members if len(letters) == 1 else f"[{members}]"


def _fixed(text: bytes) -> str:
    """A fixed text as an expression."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"\\x{byte:02x}" for byte in text)


def _either_case(text: str) -> Iterator[str]:
    """A text in hex, in small letters and in capitals; one expression that folds case would take longer to compile."""
    yield _fixed(text.encode("ascii"))
    yield _fixed(text.upper().encode("ascii"))
