"""What the name of a file says about the text in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import StrEnum
from functools import lru_cache


class Medium(StrEnum):
    """What kind of file it is."""

    CODE = "code"
    """bare words are variables"""
    CONFIG = "config"
    """bare words are values"""
    TEXT = "text"
    """bare words may be anything"""
    WORDING = "wording"
    """translations and labels: what is beside a password's name is how people call it"""
    GENERATED = "generated"
    """lock files, minified code, source maps, recordings: full of what looks random"""


class Purpose(StrEnum):
    """What the file is for."""

    USE = "use"
    TEST = "test"
    EXAMPLE = "example"
    """documentation, samples, demonstrations: the values in it are made up, as a rule"""
    PUBLISHED = "published"
    """other people's code that everybody has: what was secret in it is none any more"""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_CODE = _words(
    "py pyi pyx js jsx ts tsx mjs cjs vue svelte go java kt kts scala groovy c h cc cpp cxx hpp hh m mm cs vb fs rb",
    "erb php rs swift dart lua pl pm r jl ex exs erl clj cljs hs elm ml sol zig nim d pas proto graphql thrift ipynb",
    "jinja j2 coffee pug ejs hbs tpl",
)
_CONFIG = _words(
    "yml yaml json json5 jsonc toml ini conf cfg cnf config properties props env xml plist tf tfvars hcl gradle sh",
    "bash zsh ksh fish ps1 psm1 bat cmd sql dockerfile mk cmake service nix bicep http rest npmrc netrc pgpass reg",
    "desktop",
)
_WORDED = _words("po pot strings resx arb xlf xliff ftl mo")
_MADE = _words("lock lockb map sum svg css snap har cast")
_MADE_NAMES = r"\.min\.js$|-lock\.(?:json|ya?ml)$|^npm-shrinkwrap\.json$|^(?:SHA\d+SUMS?|RECORD|checksums?)"
_LANGUAGE = r"(?:^|[_.-])[a-z]{2}[-_][A-Z]{2}\.\w+$|^[a-z]{2}\.(?:json|ya?ml|ts|js|php|properties)$"
_WORDING_WORDS = _words(
    "i18n l10n locale locales lang langs language languages translation translations message messages nls intl"
)
_TEST_WORDS = _words("test tests spec specs fixture fixtures mock mocks testing testdata e2e molecule conftest")
_EXAMPLE_WORDS = _words(
    "example examples sample samples demo demos doc docs readme tutorial tutorials sandbox md rst adoc"
)
_PACKAGES = _words(
    "node_modules bower_components site-packages dist-packages ansible_collections third_party thirdparty vendor",
    "godeps pods jspm_packages",
)
"""Directories for the packages that a project uses and did not write."""
_SEPARATORS = str.maketrans("/\\_.-", "     ")


@lru_cache(maxsize=1024)
def surroundings(path: str) -> tuple[Medium, Purpose]:
    """What kind of file it is by its name, and what for. Paths may have either kind of slash."""
    name = path.replace("\\", "/").rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower()
    words = frozenset(path.lower().translate(_SEPARATORS).split())
    purpose = Purpose.USE
    if _PACKAGES & frozenset(path.lower().replace("\\", "/").split("/")[:-1]):
        purpose = Purpose.PUBLISHED
    elif words & _EXAMPLE_WORDS:
        purpose = Purpose.EXAMPLE
    elif words & _TEST_WORDS:
        purpose = Purpose.TEST
    if suffix in _MADE or re.search(_MADE_NAMES, name):
        return Medium.GENERATED, purpose
    if suffix in _WORDED or words & _WORDING_WORDS or re.search(_LANGUAGE, name):
        return Medium.WORDING, purpose
    if suffix in _CODE:
        return Medium.CODE, purpose
    if suffix in _CONFIG or name.startswith((".env", "Dockerfile", "Makefile")):
        return Medium.CONFIG, purpose
    return Medium.TEXT, purpose


_SAID = re.compile(rb"\"(?:documentation|description|summary|help|doc|docs|examples?|sample)\" ?: ?\"(?:[^\"\\]|\\.)*$")
_SAID_AT_MOST = 8192


class Purposes:
    """What the places of one file are for. Its docstrings and descriptions are documentation, too."""

    __slots__ = ("_data", "_docstrings", "_purpose")

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        _, self._purpose = surroundings(path)
        self._docstrings = [_Marks(data, quotes) for quotes in _QUOTES] if path.endswith((".py", ".pyi")) else []

    def at(self, start: int) -> Purpose:
        """What the place at this offset is for."""
        if self._purpose is Purpose.EXAMPLE or self._purpose is Purpose.PUBLISHED:
            return self._purpose
        if any(marks.before(start) % 2 for marks in self._docstrings) or _in_description(self._data, start):
            return Purpose.EXAMPLE
        return self._purpose


_QUOTES = (b'"""', b"'''")


class _Marks:
    """Where a text stands in a file, found when first asked for."""

    __slots__ = ("_data", "_ends", "_text")

    def __init__(self, data: bytes, text: bytes) -> None:
        self._data = data
        self._text = text
        self._ends: list[int] | None = None

    def before(self, start: int) -> int:
        """How many stand before an offset."""
        if self._ends is None:
            self._ends = [found.end() for found in re.finditer(re.escape(self._text), self._data)]
        return bisect_right(self._ends, start)


def _in_description(data: bytes, start: int) -> bool:
    """Whether an offset lies in a string of JSON that describes something, as those of API models do."""
    line = data[max(data.rfind(b"\n", 0, start) + 1, start - _SAID_AT_MOST) : start]
    at = line.rfind(b'": "')
    at = max(at, line.rfind(b'":"'))
    return at >= 0 and _SAID.search(line, max(0, at - 16)) is not None
