"""Finds names and the values beside them, in every syntax that people write.

The first pass hits `scanner.cues.TRIGGER`; `pairs` then looks at the text around a hit and nowhere else. Everything
here is bounded: names begin at most `BEFORE` bytes before a hit, values end at most `AFTER` bytes after it, and no
expression can go back over more than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from scanner.credentialnames import Promise, Sense, sense
from scanner.nonsecrets import common

BEFORE = 224
"""The most bytes before the end of a trigger that a pair's name can begin."""
AFTER = 4096
"""The most bytes after the end of a trigger that a pair's value can end."""
NEAREST = 4
"""So many names before a hit are looked at: hostile text has hundreds."""


class Syntax(StrEnum):
    """How name and value are joined."""

    QUOTED = "quoted"
    BARE = "bare"
    CALL = "call"
    DEFAULT = "default"
    COMPARED = "compared"
    ELEMENT = "element"
    NAMED = "named"
    LISTED = "listed"
    FLAG = "flag"
    QUERY = "query"
    SPACE = "space"
    PROSE = "prose"


class Pair(NamedTuple):
    """A name and a value beside it; offsets into the searched bytes. The value is without its quotes.

    `start` is where the name begins, `closed` whether it stands in quotes itself, `sign` what joins the two, if it is
    a sign like `=`.
    """

    name: bytes
    sense: Sense
    start: int
    value_start: int
    value_end: int
    syntax: Syntax
    closed: bool
    sign: bytes


_CUES = (b"pass", b"secret", b"token", b"key", b"pw", b"auth", b"credential", b"bearer", b"psw", b"senha", b"kennwort")
_FOREIGN = tuple(word.encode() for word in ("密码", "비밀번호", "패스워드", "пароль", "contraseña"))
_NAME_BYTES = bytes(65 if byte > 127 or chr(byte).isalnum() or byte in b"_.-$@" else 32 for byte in range(256))
_FOLLOWS = frozenset(b"\"'`)[]}\\ \t\r\n:=,(|?!<>&+")
_SCHEMES = (b"basic ", b"bearer ", b"token ", b"apikey ", b"digest ", b"negotiate ", b"bot ", b"key ")

_BLOCK = rb"[|>][-+0-9]{0,2}[ \t]{0,8}\r?\n[ \t]{1,40}+(?P<value>[^\s:]{1,512}+)[ \t]*(?:\r?\n|$)"


class _Patterns(NamedTuple):
    joint: re.Pattern[bytes]
    opening: re.Pattern[bytes]
    fallback: re.Pattern[bytes]
    compared: re.Pattern[bytes]
    bare: re.Pattern[bytes]


@cache
def _patterns() -> _Patterns:
    """Compiled on first use: starting up must not pay for it."""
    joint = (
        rb"(?P<close>(?:\\{0,3}[\"'`]|&quot;|&\#3[49];|[\])}]){0,3}+)(?:\[\w{0,6}\])?(?:"
        rb"(?P<typed>[ ]?:[ ]?[A-Za-z][\w.\[\]|<>?]{1,24}(?:[ ]\|[ ]?\w{2,12})?[ ]?=(?!=)[ ]{0,2}"
        rb"(?=[A-Za-z@]{0,2}[\"'`]))"
        rb"|[ \t]{0,16}(?P<op>\.=|::=|:=|::=|\?=|\|\|=|\?\?=|=>|->|={2,3}|!={1,2}|\+=|=|:[-=]|:)\s{0,40}+"
        rb"|[ ](?P<dash>-[ ])(?=[\"'])"
        rb"|(?P<declared>[ \t]\*?(?:string|char)(?:\[\d{0,4}\])?[ \t]?=[ \t]?)"
        rb"|(?P<attribute>[\s,]{1,64}+\\?[\"']?(?:default)?(?i:value|content)\\?[\"']?[ ]{0,2}[:=]\s{0,8}+)"
        rb"|(?P<variable>[ ]\{[^{}]{0,160}?\bdefault[ ]{0,8}=[ ]{0,4})(?=[\"'])"
        rb"|(?P<plist></(?i:key|name)>\s{0,16}+<(?i:string|value)>)"
        rb"|\s{0,2}(?P<comma>,)\s{0,16}+(?=[A-Za-z@]{0,2}\\{0,3}[\"'`])"
        rb"|(?P<call>\()\s{0,8}+(?=[A-Za-z@]{0,2}\\{0,3}[\"'`])"
        rb"|\s{0,2}(?P<or>\|\||\?\?|\bor\b)\s{0,2}(?=[\"'`])"
        rb"|(?P<element>(?:[ ][^<>]{0,80})?>)\s{0,40}+"
        rb"|(?P<prose>[ \t](?:is|was|(?:for|of)[ ](?!(?:this|the|a|an|your|each|that|our|its)[ ])[\w.@-]{1,40})"
        rb"[ \t]{0,2}[:=]?[ \t]{0,2})(?=[^ \t])"
        rb"|(?P<space>[ \t]{1,8}+)(?=[^\s=:]))"
    )
    return _Patterns(
        joint=re.compile(joint),
        opening=re.compile(
            rb"\[?(?:&[\w-]{1,32} |!!(?:str|binary) )?"
            rb"(?:[rbufLNU@$]{1,2}|\[\]byte\("
            rb"|(?:new )?\w{0,20}(?:Secret|String|Str|str|bytes|from|Bytes|Password)\w{0,8}\()?"
            rb"(?P<quote>\\{0,3}(?:\"\"\"|'''|\"|'|`)|&quot;|&\#3[49];|\\u0022)"
        ),
        fallback=re.compile(
            rb"[\w.:$>-]{1,60}(?:[(\[][\"'][\w.-]{1,60}[\"'])?[\])]{0,2}\s{0,2}(?:,|\|\||\?\?|\bor\b|\?:)\s{0,2}(?=[\"'`])"
        ),
        compared=re.compile(rb"([\"'`])[ ]{0,2}[!=]==?[ ]{0,2}$"),
        bare=re.compile(rb"(?:&[\w-]{1,32} |!!(?:str|binary) )?(?P<value>[^\s\"'`<>;]{1,4096}+)"),
    )


_NAMELESS = (
    (b"-u", rb"(?:-u|--user)[ =]{1,2}[\"']?[\w.@%+-]{1,64}:(?P<user>[^\s\"'$]{2,64})"),
    (b"mysql", rb"mysql\w{0,5}\b[^\n]{0,80}?[ ]-p[ ]?[\"']?(?P<option>[^\s\"'$-][^\s\"'$]{2,64})"),
    (b"login", rb"\blogin\b[^\n]{0,80}?[ ]-p[ ]?[\"']?(?P<option>[^\s\"'$-][^\s\"'$]{2,64})"),
    (b"sshpass", rb"sshpass[^\n]{0,20}?[ ]-p[ ]?[\"']?(?P<option>[^\s\"'$-][^\s\"'$]{2,64})"),
    (b"redis-cli", rb"redis-cli\b[^\n]{0,80}?[ ]-a[ ]?[\"']?(?P<option>[^\s\"'$-][^\s\"'$]{2,64})"),
    (b"mongo", rb"mongo\w{0,4}\b[^\n]{0,80}?[ ]-p[ ]?[\"']?(?P<option>[^\s\"'$-][^\s\"'$]{2,64})"),
    (b"identified ", rb"(?i:identified (?:with \w{3,40} )?by)[ ]{1,2}[\"'](?P<sql>[^\s\"']{2,128})[\"']"),
    (
        b"securestring",
        rb"(?i:SecureString(?:[ ]-(?:String|AsPlainText|Force))*[ (]+)[\"'](?P<secure>[^\s\"']{2,128})[\"']",
    ),
    (b"networkcredential", rb"NetworkCredential\([ ]?[\"'][\w.@+-]{1,64}[\"'], ?[\"'](?P<login>[^\s\"']{2,128})[\"']"),
    (b"auth=", rb"\bauth=(?:\w{0,24})\([ ]?[\"'][\w.@+-]{1,64}[\"'], ?[\"'](?P<login>[^\s\"']{2,128})[\"']"),
    (b"basic ", rb"[ \"'`:]Basic[ ]{1,2}(?P<basic>[A-Za-z0-9+/]{8,}={0,2})"),
)
"""Commands and calls that take a value without a name: what must be near, and the expression."""


@cache
def _expression(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


def pairs(data: bytes, start: int, end: int, *, code: bool = False) -> Iterator[Pair]:
    """The pairs that hits of the trigger between `start` and `end` (offsets of their ends) point at, nearest first.

    A pair is given when its value touches that range, so that hits of one line do not repeat one another's pairs. Of
    the names before a single hit the nearest few are looked at. In `code`, values without quotes are variables, unless
    they stand in a string or a comment.
    """
    low = max(0, start - BEFORE)
    window = data[low : end + 1]
    if b"default" not in window:  # only a variable of HCL begins more than a line above its value
        line = window.rfind(b"\n", 0, max(0, start - low - 3))
        above = window.rfind(b"\n", 0, max(0, line)) + 1
        low, window = low + above, window[above:]
    lower = window.lower()
    names = _names(window, lower, data[end + 1 : end + 64])
    for begin, stop in names if start < end else names[:NEAREST]:
        # a name whose line ends before the hit has its value there, or on the next line
        if window.find(b"\n", stop, max(0, start - low - 3)) < stop + 9:
            name = (window[begin:stop] if stop < len(window) else data[low + begin : low + stop]).rstrip(b".-")
            promised = sense(name)
            pair = promised and _pair(data, low + begin, name, promised, code)
            if pair and pair.value_start <= end + 2 and max(pair.value_end, low + stop) + 3 >= start:
                yield pair
    if (
        b" -" in lower
        or b"basic" in lower
        or b"ident" in lower
        or b"string" in lower
        or b"auth=" in lower
        or b"kcred" in lower
    ):
        for command, pattern in _NAMELESS:
            if command in lower:
                yield from _nameless(data, _expression(pattern), low, start, end)


def _names(window: bytes, lower: bytes, rest: bytes) -> list[tuple[int, int]]:
    """Where the names in a window begin and end that may promise a secret, the last first.

    `rest` is what follows the window: a name that its end cuts is followed there.
    """
    mask = window.translate(_NAME_BYTES)
    found: dict[int, int] = {}
    for cue in _CUES if lower.isascii() else _CUES + _FOREIGN:
        at = lower.find(cue)
        while at >= 0:
            stop = mask.find(b" ", at)
            if stop < 0:
                cut = (rest + b" ").translate(_NAME_BYTES).find(b" ")
                stop, follows = len(mask) + cut, (rest + b" ")[cut]
            else:
                follows = window[stop]
            begin = mask.rfind(b" ", 0, at) + 1
            if cue == b"key" and begin == at and lower[at - 1 : at] == b" ":
                begin = mask.rfind(b" ", 0, at - 1) + 1
            if stop - begin <= 96 and follows in _FOLLOWS:
                found[begin] = stop
            at = lower.find(cue, stop)
    return sorted(found.items(), reverse=True)


def _pair(data: bytes, begin: int, name: bytes, promised: Sense, code: bool) -> Pair | None:
    """The name that begins here with its value, if there is one, and without `Bearer` and the like before the value."""
    pair = _before(data, begin, name, promised) or _after(data, begin, name, promised, code)
    if pair and promised.promise in (Promise.AUTH, Promise.TOKEN):
        value = data[pair.value_start : pair.value_start + 12].lower()
        if b" " in value and value.startswith(_SCHEMES):
            return pair._replace(value_start=pair.value_start + value.index(b" ") + 1)
    return pair


def _nameless(data: bytes, pattern: re.Pattern[bytes], low: int, start: int, end: int) -> Iterator[Pair]:
    """Values that follow no name but a command or a call: `curl -u somebody:…`, `IDENTIFIED BY '…'`."""
    for found in pattern.finditer(data, low, end + 130):
        group = found.lastgroup or 0
        first, last = found.span(group)
        if first <= end + 2 and last + 3 >= start and (group != "user" or _login(data, found.start(), first, last)):
            syntax = Syntax.FLAG if group in ("user", "option") else Syntax.QUOTED
            name, promised = (b"authorization", _AUTH) if group == "basic" else (b"password", _PASSWORD)
            yield Pair(name, promised, found.start(), first, last, syntax, False, b"")


_PASSWORD = Sense(Promise.PASSWORD, plain=True)
_AUTH = Sense(Promise.AUTH, plain=True)


def _login(data: bytes, at: int, first: int, last: int) -> bool:
    """Whether the value behind a user's name is the password of a command that fetches things, and none for show."""
    line = data[data.rfind(b"\n", max(0, at - 400), at) + 1 : at]
    fetches = b"curl" in line or b"http" in line or b"wget" in line or b"xh " in line
    return fetches and not common(data[first:last])


def _after(data: bytes, begin: int, name: bytes, promised: Sense, code: bool) -> Pair | None:
    """The value that follows a name."""
    patterns = _patterns()
    stop = begin + len(name)
    joint = patterns.joint.match(data, stop, stop + 240)
    if joint is None:
        return None
    at = joint.end()
    kind = joint.lastgroup or ""
    syntax = _SYNTAX.get(kind, Syntax.QUOTED)
    if kind == "op" and joint.group("op")[:1] in b"=!" and joint.group("op")[1:2] == b"=":
        syntax = Syntax.COMPARED
    closed = joint.end("close") > joint.start("close")
    if kind == "comma" and (not closed or data[begin - 1 : begin] != joint.group("close")[:1]):
        return None
    opening = patterns.opening.match(data, at, at + 64)
    if opening is None and kind in ("op", "declared") and data[at : at + 1] not in b"|>{":
        fallback = patterns.fallback.match(data, at, at + 160)
        if fallback:
            opening, syntax = patterns.opening.match(data, fallback.end(), fallback.end() + 48), Syntax.DEFAULT
    if opening:
        quote = opening.group("quote")
        if not closed and len(quote) == 1 and _line(data, begin).count(quote) % 2:
            return None
        span = _quoted(data, opening)
        if kind == "space" and _expression(_SQL).search(_line(data, begin)):
            syntax = Syntax.QUOTED
    elif kind == "element":
        close = at + len(data[at : max(at, data.find(b"</", at, at + AFTER))].rstrip())
        span = (at, close) if close > at and data[begin - 1 : begin] == b"<" else None
    elif kind in ("typed", "comma", "call", "or") or (
        code and kind in ("op", "attribute") and not in_text(_line(data, begin - closed))
    ):
        return None
    else:
        syntax = _bare_syntax(data, begin, name, kind, joint.group("op"), syntax)
        across = b"\n" in data[stop:at] and kind not in ("attribute", "plist")
        span = None if across else _unquoted(data, at, syntax, promised)
    return Pair(name, promised, begin, *span, syntax, closed, joint.group("op") or b"") if span else None


def _line(data: bytes, begin: int) -> bytes:
    """What stands before on the line, without long strings' quotes: those hold other quotes."""
    low = max(0, begin - 200)
    line = data[max(low, data.rfind(b"\n", low, begin) + 1) : begin]
    return line.replace(b'"""', b"").replace(b"'''", b"")


_SQL = rb"(?i:\b(?:with|encrypted|login|set)[ ]{1,4}$)"
_COMMENT = rb"^\s*(?://|#|\*|/\*|--|;|<!--|rem |REM )|\s(?://|#) "


def in_text(before: bytes) -> bool:
    """Whether what follows on a line of code stands inside a string or a comment; `before` is the line up to there."""
    if before.count(b'"') % 2 or before.count(b"'") % 2 or before.count(b"`") % 2:
        return True
    return _expression(_COMMENT).search(before) is not None


_SYNTAX = {
    "attribute": Syntax.NAMED,
    "plist": Syntax.NAMED,
    "variable": Syntax.QUOTED,
    "comma": Syntax.LISTED,
    "call": Syntax.CALL,
    "or": Syntax.DEFAULT,
    "element": Syntax.ELEMENT,
    "prose": Syntax.PROSE,
    "space": Syntax.SPACE,
}


def _bare_syntax(data: bytes, begin: int, name: bytes, kind: str, op: bytes | None, syntax: Syntax) -> Syntax:
    before = data[max(0, begin - 1) : begin]
    if kind == "space" and (name.startswith(b"-") or (before == b"/" and data[begin - 2 : begin - 1].isspace())):
        return Syntax.FLAG
    if op == b"=" and before and before in b"?&":
        return Syntax.QUERY
    return Syntax.BARE if syntax is Syntax.QUOTED else syntax


def _quoted(data: bytes, opening: re.Match[bytes]) -> tuple[int, int] | None:
    """A value in quotes, up to the same quote behind the same number of backslashes."""
    quote = opening.group("quote")
    start = opening.end()
    limit = start + AFTER
    end = data.find(quote, start, limit)
    if not quote.startswith((b"\\", b"&")):
        while end > start and (end - start - len(data[start:end].rstrip(b"\\"))) % 2:
            end = data.find(quote, end + 1, limit)
    while data[start : start + 1] == b" " and start < end:
        start += 1
    end = start + len(data[start:end].rstrip(b" "))
    if end <= start or (len(quote) < 3 and quote[-1:] != b"`" and b"\n" in data[start:end]):
        return None
    return start, end


def _unquoted(data: bytes, at: int, syntax: Syntax, promised: Sense) -> tuple[int, int] | None:
    """A value without quotes: up to white space, and to the sign that ends it where it stands."""
    patterns = _patterns()
    if data[at : at + 1] in (b"|", b">"):
        block = _expression(_BLOCK).match(data, at, at + AFTER)
        return block.span("value") if block else None
    found = patterns.bare.match(data, at, at + AFTER)
    if found and promised.promise is Promise.AUTH and found.group().lower() + b" " in _SCHEMES:
        found = patterns.bare.match(data, found.end() + 1, at + AFTER)
    if found is None:
        return None
    value = found.group("value")
    if syntax is Syntax.QUERY:
        value = value.split(b"&", 1)[0].split(b"#", 1)[0]
    value = value.split(b"\\n", 1)[0].split(b"\\r", 1)[0].split(b"&quot", 1)[0]
    for left, right in ((b"(", b")"), (b"[", b"]"), (b"{", b"}")):
        close = value.find(right)
        if close >= 0 and value.find(left, 0, close) < 0 and not value[close + 1 : close + 2].isalnum():
            value = value[:close]
    value = value.rstrip(b",\\")
    return (found.start("value"), found.start("value") + len(value)) if value else None


def _before(data: bytes, begin: int, name: bytes, promised: Sense) -> Pair | None:
    """The value that a name is compared with from the left: `"…" == password`."""
    if b"=" not in data[max(0, begin - 4) : begin]:
        return None
    compared = _patterns().compared.search(data, max(0, begin - 8), begin)
    if compared is None:
        return None
    end = compared.start()
    start = data.rfind(compared.group(1), max(0, end - 200), end) + 1
    if start < 1 or start >= end or b"\n" in data[start:end]:
        return None
    return Pair(name, promised, begin, start, end, Syntax.COMPARED, False, b"==")
