"""One rule, carried over: a table of the configuration in, a rule and its allowlists out, with notes on the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import regex

from scanner.gitleaks.config import Table, number_of, tables_of, text_of, texts_of
from scanner.gitleaks.note import Note, Refused
from scanner.model import Confidence, Severity, TokenKind, printable
from scanner.notation import re2, re2forms
from scanner.notation.render import expression
from scanner.notation.tree import Alternatives, Node, NotationError, head, longest, runaway, shortest
from scanner.rule import Allow, Family, Pair, Rule
from scanner.rulefile import ANCHOR, LONGEST

PROVIDER = "custom"
SOURCE = "a gitleaks configuration"
RARE = 16.0
"""The fewest bits of chance that it must take to meet a form: less matches nearly any text."""
WHOLE = 256
"""How much of a file's beginning stands for it where the file itself is what is found."""
ANYWHERE = 1 << 30
"""As many lines as there can be."""

_KNOWN = (
    *("id", "description", "regex", "secretgroup", "entropy", "path", "keywords", "tags", "allowlists", "required"),
    "skipreport",
)
_ALLOW = ("description", "condition", "commits", "paths", "regexes", "regextarget", "stopwords", "targetrules")
_NAME = 120
_TRIGGER_WHOLE = r"\A[\x00-\xff]"


@dataclass(slots=True)
class Carried:
    """What became of a rule. Without `rule` it is not used, or (`amends`) it only adds to the shipped rule of its id.

    `parts` names what was carried over.
    """

    id: str
    rule: Rule | None = None
    allow: list[Allow] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    amends: bool = False
    entropy: float = 0.0
    path: str = ""

    def note(self, what: str, why: str, instead: str, *, lost: bool = False) -> None:
        """Adds a note about this rule."""
        self.notes.append(Note(self.id, what, why, instead, lost))


def slug(name: str) -> str:
    """An id as ours are: lower-case letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def carry(table: Table, *, default: bool) -> Carried:
    """A rule's table, carried over. `default` tells that the shipped rules belong to it. Raises Refused."""
    name = table["id"]
    carried = Carried(slug(name))
    if not carried.id:
        raise Refused("an id needs a letter or a digit")
    if carried.id != name:
        carried.note(f"id {name!r}", "ids are lower-case letters, digits and dashes", f"it is {carried.id}")
    for unknown in sorted(set(table) - set(_KNOWN)):
        carried.note(unknown, "no such field is known", "it is ignored")
    if texts_of(table, "tags"):
        carried.note("tags", "findings here have none", "they are ignored")
    expressed, path = text_of(table, "regex"), text_of(table, "path")
    carried.entropy = number_of(table, "entropy")
    carried.path = searching(path, "path") if path else ""
    if expressed:
        _carry_regex(carried, table, expressed)
    elif path:
        _carry_path(carried, table, path)
    elif default:
        carried.amends = True
        if texts_of(table, "keywords"):
            carried.note("keywords", "the shipped rule of this id has its own", "they are ignored")
        if table.get("required"):
            carried.note("required", "the shipped rule of this id has its own pairs", "it is ignored")
    else:
        raise Refused("neither a regex nor a path")
    for each in table.get("allowlists", []):
        carried.allow += allow_of(each, (carried.id,), carried.notes, carried.id)
    if carried.allow:
        carried.parts.append(f"{len(carried.allow)} allowlist" + "s" * (len(carried.allow) > 1))
    return carried


def _carry_regex(carried: Carried, table: Table, written: str) -> None:
    try:
        parsed = re2.parse(written)
    except NotationError as error:
        raise Refused(f"regex: {error}") from error
    for wide in parsed.wide:
        carried.note("regex", wide, "it may match a little more")
    group = table.get("secretgroup", 0)
    if not isinstance(group, int) or isinstance(group, bool) or not 0 <= group <= parsed.groups:
        raise Refused(f"secretGroup {group!r}, but regex has {parsed.groups} groups")
    secrets = frozenset((group,)) if group else _first_groups(carried, parsed)
    try:
        node, bound = re2forms.fitted(parsed.node, LONGEST)
        trigger, bits = re2forms.best_trigger(node)
        pattern = re2forms.exact(parsed.node, bound, secrets)
        regex.compile(pattern.encode("latin-1"))
    except (NotationError, regex.error) as error:
        carried.note("regex", str(error), "the rule is not used", lost=True)
        return
    if bits < RARE:
        why = "it has no part that is rare, so that it would match nearly any text"
        carried.note("regex", why, "the rule is not used; give it fixed text", lost=True)
        return
    _remark(carried, bound, trigger.anchor, node)
    secret = _secret(parsed.node, secrets, bound) or node
    start = head(secret).decode("ascii", "replace")
    silent = table.get("skipreport") is True
    pairs = _pairs(table)
    words = tuple(dict.fromkeys(word.lower() for word in texts_of(table, "keywords") if word))
    carried.parts += ["regex"] + ["keywords"] * bool(words)
    carried.parts += [f"entropy above {carried.entropy:g}"] * bool(carried.entropy) + ["path"] * bool(carried.path)
    carried.parts += [f"requires {pair.rule}" for pair in pairs] + ["never reported alone"] * silent
    carried.rule = Rule(
        kind=_kind(carried.id, table, Severity.INFO if silent else Severity.HIGH),
        family=Family.STRUCTURED,
        trigger=trigger.text,
        pattern=pattern,
        value=expression(secret, names=False),
        shortest=shortest(secret),
        before=trigger.before,
        after=trigger.after,
        prefix=start if shortest(secret) > len(start) else "",
        confidence=Confidence.HIGH if trigger.anchor >= ANCHOR else Confidence.MEDIUM,
        pairs=pairs,
        identifier=silent,
        written=written,
        notation="regex",
        source=SOURCE,
        entropy=carried.entropy,
        words=words,
        path=carried.path,
    )


def _carry_path(carried: Carried, table: Table, path: str) -> None:
    """A rule about files' names: the file is found when there is anything in it, and its beginning stands for it."""
    for name, given in (("entropy", carried.entropy), ("keywords", texts_of(table, "keywords"))):
        if given:
            carried.note(name, "the rule has a path only", "every file with such a path is found")
    carried.parts.append("path alone: the file is what is found")
    carried.rule = Rule(
        kind=_kind(carried.id, table, Severity.HIGH),
        family=Family.STRUCTURED,
        trigger=_TRIGGER_WHOLE,
        pattern=rf"\A(?P<secret>[\x00-\xff]{{1,{WHOLE}}})",
        value=rf"[\x00-\xff]{{1,{WHOLE}}}",
        shortest=1,
        before=1,
        after=WHOLE,
        written=path,
        notation="path",
        source=SOURCE,
        path=carried.path,
        whole=True,
    )


def _kind(name: str, table: Table, severity: Severity) -> TokenKind:
    description = printable(" ".join((text_of(table, "description") or "").split()))
    title = description if len(description) <= _NAME else description[: _NAME - 1].rstrip() + "…"
    return TokenKind(name, title or name, PROVIDER, severity)


def _first_groups(carried: Carried, parsed: re2.Expression) -> frozenset[int]:
    """Without a secretGroup, the first group that holds anything is the secret; without groups, all of the match."""
    found = re2forms.first_groups(parsed.node)
    if parsed.groups and not found:
        carried.note("regex", "each of its groups may be missing and no secretGroup says which", "all of it counts")
    elif found and min(found) > 1:
        why = "an earlier group may be missing and no secretGroup says which is the secret"
        carried.note("regex", why, f"group {min(found)} is")
    return found


def _remark(carried: Carried, bound: int, anchor: int, node: Node) -> None:
    """Notes on what is matched otherwise or is dear."""
    if bound:
        why = "`*`, `+` and `{n,}` have no end"
        carried.note("regex", why, f"they match at most {bound:,} times, and a match {longest(node):,} bytes at most")
    if anchor < ANCHOR:
        why = f"no fixed text of {ANCHOR} characters to look for"
        carried.note("regex", why, "it is used all the same; `keyfuse rules check --cost` says what it costs")
    if runaway(node):
        why = "repetitions inside repetitions, which can take long"
        carried.note("regex", why, "a text on which it takes longer than `match_timeout` is listed as skipped")


def _secret(node: re2.Node, numbers: frozenset[int], bound: int) -> Node | None:
    """Our tree of the groups that are the secret."""
    groups = [group for group in re2forms.captures(node) if group.number in numbers]
    made = [each for group in groups if (each := re2forms.bounded(group.node, bound)) is not None]
    if not made:
        return None
    return made[0] if len(made) == 1 else Alternatives(tuple(made))


def _pairs(table: Table) -> tuple[Pair, ...]:
    pairs = []
    for each in tables_of(table.get("required", []), "required"):
        name = slug(text_of(each, "id") or "")
        if not name:
            raise Refused("required: an id is missing")
        lines, columns = int(number_of(each, "withinlines")), int(number_of(each, "withincolumns"))
        within = lines if "withinlines" in each else ANYWHERE
        pairs.append(Pair(name, name, within, required=True, columns=columns, loose=True))
    return tuple(pairs)


def searching(text: str, what: str) -> str:
    """An expression that is searched for in a path, a line or a value. Raises Refused."""
    try:
        pattern = re2forms.searching(re2.parse(text).node)
        regex.compile(pattern.encode("latin-1"))
    except (NotationError, regex.error) as error:
        raise Refused(f"{what} {text!r}: {error}") from error
    return pattern


def allow_of(table: Table, rules: tuple[str, ...], notes: list[Note], owner: str = "") -> list[Allow]:
    """An allowlist for some rules (all, when there are none given): one Allow, or none with a note. Raises Refused."""
    for unknown in sorted(set(table) - set(_ALLOW)):
        notes.append(Note(owner, f"allowlist: {unknown}", "no such field is known", "it is ignored"))
    condition = (text_of(table, "condition") or "OR").upper()
    if condition not in ("OR", "||", "AND", "&&"):
        raise Refused(f"allowlist: condition {condition!r} is neither OR nor AND")
    target = text_of(table, "regextarget") or "secret"
    if target not in ("secret", "match", "line"):
        raise Refused(f"allowlist: regexTarget {target!r} is none of secret, match, line")
    every = condition in ("AND", "&&")
    commits = texts_of(table, "commits")
    allow = Allow(
        rules=rules,
        paths=tuple(searching(each, "allowlist: path") for each in texts_of(table, "paths")),
        regexes=tuple(searching(each, "allowlist: regex") for each in texts_of(table, "regexes")),
        target=target,
        words=tuple(word.lower() for word in texts_of(table, "stopwords") if word),
        every=every,
    )
    empty = not (allow.paths or allow.regexes or allow.words)
    if commits:
        instead = "the rest of the allowlist counts" if not (every or empty) else "the allowlist is not used"
        why = "one content is scanned once, in whichever commits it is"
        notes.append(Note(owner, "allowlist: commits", why, f"{instead}; `keyfuse baseline` silences findings"))
        return [] if every or empty else [allow]
    if empty:
        raise Refused("an allowlist with nothing in it: it takes paths, regexes, stopwords or commits")
    return [allow]
