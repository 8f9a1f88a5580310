"""Ways to write a text that the scanner has to see through, by the encoding that its findings name."""

from __future__ import annotations

import html
import textwrap
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping

Writer = Callable[[str], str]


def _each(form: str) -> Writer:
    return lambda text: "".join(form.format(ord(c)) for c in text)


def _signs(form: str) -> Writer:
    return lambda text: "".join(c if c.isalnum() else form.format(ord(c)) for c in text)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _mime(width: int) -> Writer:
    return lambda text: "\r\n".join(textwrap.wrap(_base64("preamble " * 20 + text + "\nrest\n" * 20), width))


def _split(parts: int, begin: str, between: str, end: str) -> Writer:
    """Strings put together: the text cut behind its first characters, in so many parts."""

    def write(text: str) -> str:
        width = max(6, -(-len(text) // parts))
        pieces = [text[at : at + width] for at in range(0, len(text), width)]
        return begin + between.join(pieces) + end

    return write


def _dump(text: str) -> str:
    """As `hexdump -C` writes it."""
    data = text.encode()
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = " ".join(f"{b:02x}" for b in row[:8]) + "  " + " ".join(f"{b:02x}" for b in row[8:])
        lines.append(f"{at:08x}  {shown:<48}  |{row.decode('latin-1')}|")
    return "\n".join(lines)


ENCODED: Mapping[str, Mapping[str, Writer]] = {
    "base64": {
        "plain": _base64,
        "unpadded": lambda text: _base64(text).rstrip("="),
        "url-safe": lambda text: urlsafe_b64encode(text.encode()).decode(),
        "in 64": _mime(64),
        "in 76": _mime(76),
        "in strings": lambda text: '"' + '" +\n  "'.join(textwrap.wrap(_base64(f"key = {text}\n"), 40)) + '"',
        "behind other text": lambda text: _base64(f"user=ada&token={text}&x=1"),
    },
    "hex": {
        "small": lambda text: text.encode().hex(),
        "capital": lambda text: text.encode().hex().upper(),
        "spaced": lambda text: text.encode().hex(" "),
        "colons": lambda text: text.encode().hex(":").upper(),
        "list": lambda text: "{ " + ", ".join(f"0x{b:02x}" for b in text.encode()) + " }",
        "list in lines": lambda text: ",\n    ".join(f"0x{b:02X}" for b in text.encode()),
        "dump": _dump,
        "wrapped": lambda text: "\n  ".join(textwrap.wrap(text.encode().hex(), 40)),
    },
    "percent": {"all": _each("%{:02X}"), "all small": _each("%{:02x}"), "signs": _signs("%{:02X}")},
    "unicode-escape": {"all": _each("\\u{:04x}"), "braces": _each("\\u{{{:x}}}"), "signs": _signs("\\u{:04X}")},
    "escape": {"all": _each("\\x{:02x}"), "octal": _each("\\{:03o}"), "signs": _signs("\\x{:02X}")},
    "html": {
        "decimal": _each("&#{};"),
        "hex": _each("&#x{:x};"),
        "signs": _signs("&#{};"),
    },
    "quoted-printable": {"all": _each("={:02X}")},
    "reversed": {"all": lambda text: text[::-1]},
    "joined": {
        "plus": _split(2, 'key = "', '" + "', '"'),
        "plus over lines": _split(3, 'var key = "', '" +\n        "', '";'),
        "adjacent": _split(3, "KEY = ('", "'\n       '", "')"),
        "dot": _split(2, "$key = '", "' . '", "';"),
        "ampersand": _split(2, 'key = "', '" & _\n      "', '"'),
        "two dots": _split(2, 'local key = "', '" .. "', '"'),
        "formatted": _split(2, 'key = f"', '" \\\n   f"', '"'),
        "concat": _split(3, 'concat("', '", "', '")'),
        "list": _split(3, '["', '", "', '"].join("")'),
        "appended": _split(2, 'key = "', '"\nkey += "', '"'),
        "builder": _split(2, 'b.append("', '").append("', '");'),
        "yaml": _split(2, "token: >-\n  ", "\n  ", "\nother: words\n"),
        "quoted yaml": _split(2, 'token: "', "\\\n  ", '"\nother: words\n'),
        "shell": _split(2, "export KEY=", "\\\n", "\necho done\n"),
        "soft line ends": _split(2, "token: ", "=\r\n", "\r\n"),
        "mail": _split(2, "> ", "\n> ", "\n> Regards\n"),
        "written out": _split(2, '{"text": "', "\\n", '"}'),
    },
}


def entities(text: str) -> str:
    """As a template engine writes it."""
    return html.escape(text)
