"""Rule: one token kind, valid and ready to match. Made from rule files by `scanner.rulebook`.

A rule is matched twice. The first pass (`scanner.engine`) runs the `trigger` of every rule over all bytes at once; it
may say too much, never too little. The second pass (`scanner.confirm`) runs the exact `pattern` around a hit.
"""

from __future__ import annotations

from enum import StrEnum

from scanner.model import Confidence, TokenKind
from scanner.record import Record


class Family(StrEnum):
    """How a kind is recognised."""

    PREFIXED = "prefixed"
    """by a fixed text inside the value"""
    CONTEXTUAL = "contextual"
    """by its form and a keyword near it: the value alone says nothing"""
    STRUCTURED = "structured"
    """by a syntax around it: PEM, URLs, headers, configuration files"""
    GENERIC = "generic"
    """by the name it is assigned to and its own likelihood"""


class Pair(Record):
    """A second part that belongs to a secret: the finding carries it as `name` when `rule` matches `within` lines.

    `columns`, where it is not 0, also bounds how far apart their columns are. `loose` takes a partner that lost its
    place to a surer match.
    """

    name: str
    rule: str
    within: int
    required: bool
    columns: int = 0
    loose: bool = False


class Allow(Record):
    """Matches that somebody knows about and that do not count: those of `rules` (of all, when empty) that it names.

    A match is named by the path of its file (`paths`, searched for), by `regexes` (searched for in the `target`:
    "secret", "match" or "line"), or by `words` (lower case) in the secret. One of the three is enough; with `every`,
    each that is not empty must name it. Expressions are for the `regex` package, over bytes.
    """

    rules: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    target: str = "secret"
    words: tuple[str, ...] = ()
    every: bool = False


class Rule(Record):
    """One token kind.

    trigger    first pass: a Hyperscan expression over bytes that ends at the shortest text that can still become a
               match. Empty for contextual rules, which the engine groups by `value` and `keywords`.
    pattern    second pass: for the `regex` package, over bytes, with the named group `secret`; every other named group
               becomes a part of the finding. Boundaries (what may not stand before or after) are in it.
    value      the expression of the secret alone, without boundaries or context.
    shortest   the fewest bytes the secret can have.
    before     the most bytes of a match that can lie before the end of its trigger.
    after      the most bytes of a match that can lie after the end of its trigger.
    prefix     the fixed text that the secret begins with; "" if there is none. Masks show it.
    literals   fixed texts of which every match holds at least one; for the search for encoded forms.
    keywords   contextual: lower-case words of which one must stand near the value.
    checks     names of functions in `scanner.checks`, all of which must pass.
    reject     a failed check means "not a token"; otherwise it means low confidence.
    confidence what a match is worth when nothing speaks for or against it.
    filters    names of filters in `scanner.filters` that judge this kind, beside those that judge every kind.
    general    a form that many vendors use (JWT, URLs, headers): a vendor's own kind wins where both match.
    identifier not a secret by itself: never reported alone, only as the part of a pair.
    written    the form as the rule file has it, in the notation that `notation` names: "layout", "pattern" or "regex"
               (that of other tools' configurations); "path" for a rule about files' names.
    source     how the form is known, in words.
    entropy    0, or what the secret's Shannon entropy (bits a byte) must be above.
    words      lower-case words of which one must stand anywhere in the text.
    path       an expression for the `regex` package that the file's path must match somewhere; "" for any file.
    whole      the file itself is what is found, for its path alone: the pattern only takes its beginning.
    """

    kind: TokenKind
    family: Family
    trigger: str
    pattern: str
    value: str
    shortest: int
    before: int
    after: int
    prefix: str = ""
    literals: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    reject: bool = True
    confidence: Confidence = Confidence.HIGH
    filters: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    identifier: bool = False
    site: str = ""
    note: str = ""
    written: str = ""
    notation: str = ""
    source: str = ""
    general: bool = False
    entropy: float = 0.0
    words: tuple[str, ...] = ()
    path: str = ""
    whole: bool = False
