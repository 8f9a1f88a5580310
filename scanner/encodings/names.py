"""The names of encodings, as `Finding.encoding` and the meanings of the first pass's patterns have them."""

from __future__ import annotations

BASE64 = "base64"
HEX = "hex"
PERCENT = "percent"
UNICODE = "unicode-escape"
ESCAPE = "escape"
HTML = "html"
QUOTED_PRINTABLE = "quoted-printable"
UTF_16 = "utf-16"
REVERSED = "reversed"
JOINED = "joined"
