"""Rule files: TOML -> RawRule -> Rule. What a single rule can have wrong is found here, with the reason in words.

Heavy by comparison (TOML, the notations): imported only when a rule book is really read from its files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scanner.checks import CHECKS
from scanner.errors import RuleError
from scanner.filters import FILTERS
from scanner.model import Confidence, Severity, TokenKind
from scanner.notation import dialect, layout, re2, re2forms
from scanner.notation.render import bounded, expression
from scanner.notation.tree import Node, NotationError, alphabet, fixed, groups, head, longest, runaway, shortest
from scanner.notation.trigger import Trigger, trigger
from scanner.rule import Family, Pair, Rule

LONGEST = 65_536
"""The most bytes that a match may span."""
SHORTEST = 4
"""The fewest bytes of a secret that is no identifier."""
ANCHOR = 3
"""The fewest characters of fixed text that let a rule do without keywords."""

_FILE = layout.parse("base62{24}")
"""What stands for the content of a file that is found for its path alone."""
_SLUG = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_CONFIDENCE = {
    Family.PREFIXED: Confidence.HIGH,
    Family.STRUCTURED: Confidence.HIGH,
    Family.CONTEXTUAL: Confidence.MEDIUM,
    Family.GENERIC: Confidence.LOW,
}


@dataclass(frozen=True, slots=True)
class RawFile:
    """The head of a rule file: whose kinds these are."""

    provider: str
    title: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class RawPair:
    """An entry of `pairs`."""

    name: str
    rule: str
    within: int = 10
    required: bool = False


@dataclass(frozen=True, slots=True)
class RawRule:
    """A `[[kind]]` table as it stands in the file, with the types right and nothing else promised."""

    id: str
    name: str
    severity: str
    layout: str = ""
    pattern: str = ""
    family: str = ""
    keywords: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    check_fails: str = "reject"
    confidence: str = ""
    filters: tuple[str, ...] = ()
    pairs: tuple[RawPair, ...] = ()
    identifier: bool = False
    general: bool = False
    before: str | None = None
    after: str | None = None
    note: str = ""
    source: str = ""


class Refused(Exception):
    """Why a rule cannot be used; the caller adds file and rule."""


def table(path: Path) -> dict[str, Any]:
    """The TOML table of a file. Raises RuleError."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RuleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(f"{path}: not a TOML file in UTF-8: {error}") from error


def read(path: Path, content: dict[str, Any]) -> Iterator[Rule | RuleError]:
    """The rules of one file, whose table this is, and an error for each that cannot be used."""
    try:
        file, kinds = _tables(content)
    except Refused as refused:
        yield RuleError(f"{path}: {refused}")
        return
    for number, kind in enumerate(kinds, 1):
        label = kind.get("id") if isinstance(kind, dict) else None
        try:
            yield build(file, raw_rule(kind))
        except (Refused, NotationError) as why:
            yield RuleError(f"{path}: rule {label or f'number {number}'}: {why}")


def _tables(table: dict[str, Any]) -> tuple[RawFile, list[object]]:
    kinds = table.pop("kind", [])
    if not isinstance(kinds, list) or not kinds:
        raise Refused("no [[kind]] table; a rule file holds at least one")
    return _file(table), kinds


def _file(table: Mapping[str, Any]) -> RawFile:
    _known(table, RawFile)
    for name in ("provider", "title"):
        if not isinstance(table.get(name), str) or not table[name]:
            raise Refused(
                f"{name} is missing; it names {'the vendor in one word' if name == 'provider' else 'it for people'}"
            )
    if not _SLUG.fullmatch(table["provider"]):
        raise Refused(f"provider {table['provider']!r} is not lower-case letters, digits and single dashes")
    if not isinstance(table.get("site", ""), str):
        raise Refused("site must be a text")
    return RawFile(**table)


def raw_rule(table: object) -> RawRule:
    """A kind's table with the types checked. Raises Refused."""
    if not isinstance(table, dict):
        raise Refused("a kind is a table: [[kind]]")
    _known(table, RawRule)
    values: dict[str, Any] = {}
    for name, value in table.items():
        match name:
            case "keywords" | "filters" | "check":
                listed = [value] if name == "check" and isinstance(value, str) else value
                if not isinstance(listed, list) or not all(isinstance(item, str) and item for item in listed):
                    raise Refused(f"{name} must be a list of texts")
                values[name] = tuple(listed)
            case "pairs":
                values[name] = tuple(map(_raw_pair, value if isinstance(value, list) else [value]))
            case "identifier" | "general":
                values[name] = _typed(name, value, bool)
            case _:
                values[name] = _typed(name, value, str)
    for name in ("id", "name", "severity"):
        if not values.get(name):
            raise Refused(f"{name} is missing")
    return RawRule(**values)


def _raw_pair(table: object) -> RawPair:
    if not isinstance(table, dict):
        raise Refused('pairs is a list of tables such as { name = "id", rule = "acme-key-id", within = 10 }')
    _known(table, RawPair, "pairs: ")
    types = {"name": str, "rule": str, "within": int, "required": bool}
    values: dict[str, Any] = {name: _typed(f"pairs: {name}", value, types[name]) for name, value in table.items()}
    if not values.get("name") or not values.get("rule"):
        raise Refused("pairs: name and rule are needed")
    return RawPair(**values)


def _known(table: Mapping[str, Any], shape: type, where: str = "") -> None:
    names = [field.name for field in fields(shape)]
    for name in table:
        if name not in names:
            near = get_close_matches(name, names, 1)
            raise Refused(
                f"{where}unknown field {name!r}"
                + (f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}")
            )


def _typed(name: str, value: object, kind: type) -> object:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refused(f"{name} must be {({str: 'a text', bool: 'true or false', int: 'a number'})[kind]}")
    return value


def build(file: RawFile, raw: RawRule) -> Rule:
    """A valid rule out of a raw one. Raises Refused or NotationError."""
    if not _SLUG.fullmatch(raw.id):
        raise Refused("an id is lower-case letters, digits and single dashes")
    node = tree_of(raw)
    secret = secret_of(node)
    first_pass = trigger(node)
    family = _family(raw, node, secret)
    _measure(raw, node, secret, family, first_pass)
    severity = _one_of("severity", raw.severity, Severity)
    if raw.identifier != (severity is Severity.INFO):
        raise Refused('identifier = true and severity = "info" go together: an identifier is no secret by itself')
    confidence = _one_of("confidence", raw.confidence, Confidence) if raw.confidence else _CONFIDENCE[family]
    if raw.check_fails not in ("reject", "low"):
        raise Refused('check_fails is "reject" or "low"')
    _names("check", raw.check, CHECKS)
    _names("filter", raw.filters, FILTERS)
    alone = family in (Family.CONTEXTUAL, Family.GENERIC)
    before = layout.characters(raw.before) if raw.before is not None else None
    after = layout.characters(raw.after) if raw.after is not None else None
    title = raw.name if raw.name.startswith(file.title) else f"{file.title} {raw.name}"
    return Rule(
        kind=TokenKind(raw.id, title, file.provider, severity),
        family=family,
        trigger="" if alone else first_pass.text,
        pattern=bounded(node, before, after),
        value=expression(secret, names=False),
        shortest=shortest(secret),
        before=longest(node) if alone else first_pass.before,
        after=longest(node) if alone else first_pass.after,
        prefix=head(secret).decode("ascii", "replace"),
        literals=tuple(text.decode("latin-1") for text in fixed(node)),
        keywords=tuple(dict.fromkeys(word.lower() for word in raw.keywords)),
        checks=raw.check,
        reject=raw.check_fails == "reject",
        confidence=confidence,
        filters=raw.filters,
        pairs=tuple(Pair(pair.name, pair.rule, pair.within, pair.required) for pair in raw.pairs),
        identifier=raw.identifier,
        site=file.site,
        note=raw.note,
        written=raw.layout or raw.pattern,
        notation="layout" if raw.layout else "pattern",
        source=raw.source,
        general=raw.general,
    )


def tree_of(rule: RawRule | Rule) -> Node:
    """The tree of a rule's form, in whichever notation it is written."""
    if isinstance(rule, Rule):
        match rule.notation:
            case "layout":
                return layout.parse(rule.written)
            case "regex":
                return re2forms.fitted(re2.parse(rule.written).node, LONGEST)[0]
            case "path":
                return _FILE
            case _:
                return dialect.parse(rule.written)
    if bool(rule.layout) == bool(rule.pattern):
        raise Refused("a kind has either a layout or a pattern")
    try:
        return layout.parse(rule.layout) if rule.layout else dialect.parse(rule.pattern)
    except NotationError as error:
        raise Refused(f"{'layout' if rule.layout else 'pattern'}: {error}") from error


def secret_of(node: Node) -> Node:
    """The part of a tree that is the secret: the group of that name, or all of it."""
    named = [group.name for group in groups(node)]
    if len(set(named)) != len(named):
        raise Refused("a group's name stands twice")
    if named and "secret" not in named:
        raise Refused("named groups, but none named secret: (?P<secret>…)")
    return next((group.node for group in groups(node) if group.name == "secret"), node)


def _family(raw: RawRule, node: Node, secret: Node) -> Family:
    if raw.family:
        return Family(_one_of("family", raw.family, Family))
    if raw.keywords:
        return Family.CONTEXTUAL
    return Family.PREFIXED if secret is node else Family.STRUCTURED


def _measure(raw: RawRule, node: Node, secret: Node, family: Family, first_pass: Trigger) -> None:
    if shortest(secret) == 0:
        raise Refused("the secret can match nothing at all; give its runs a lower bound")
    if shortest(secret) < SHORTEST and not raw.identifier:
        raise Refused(f"the secret can be as short as {shortest(secret)}; below {SHORTEST} characters it says nothing")
    if longest(node) > LONGEST:
        raise Refused(f"a match can span {longest(node)} bytes; the limit is {LONGEST}: lower an upper bound")
    if runaway(node):
        raise Refused(
            "a variable repetition inside a variable repetition takes exponential time; fix one of the counts"
        )
    if family is Family.CONTEXTUAL:
        if not raw.keywords:
            raise Refused("a contextual kind needs keywords")
        if len(alphabet(secret)) > 128:
            raise Refused(
                "the value of a contextual kind is made of printable characters; this one takes nearly any byte"
            )
    elif family is not Family.GENERIC and first_pass.anchor < ANCHOR:
        raise Refused(
            f"too broad: a match must begin with, or soon hold, fixed text of at least {ANCHOR} characters, and the "
            f"longest here has {first_pass.anchor}; add fixed text, or the keywords that stand near such a value"
        )


def _one_of(name: str, word: str, kind: Any) -> Any:
    words = {getattr(member, "label", member.value): member for member in kind}
    if word not in words:
        raise Refused(f"{name} {word!r} is none of {', '.join(words)}")
    return words[word]


def _names(what: str, names: tuple[str, ...], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise Refused(f"unknown {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
