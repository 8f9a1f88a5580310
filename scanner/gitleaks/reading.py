"""A configuration file as rules: what a rule book takes from it, and everything that a person should know of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanner.gitleaks.carry import Carried, allow_of, carry, slug
from scanner.gitleaks.config import Config, gathered, texts_of
from scanner.gitleaks.note import Note, Refused
from scanner.record import replace
from scanner.rule import Allow, Rule


@dataclass(slots=True)
class Reading:
    """What a file gives. `carried` are its rules in order, `allow` its allowlists, `errors` what it is refused for.

    `use_default` tells that the shipped rules belong to it; `settle` then makes them fit.
    """

    path: str
    carried: list[Carried] = field(default_factory=list)
    allow: list[Allow] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    use_default: bool = False
    disabled: tuple[str, ...] = ()

    @property
    def unused(self) -> tuple[str, ...]:
        """A line for each rule that is not used."""
        return tuple(f"{self.path}: {note}" for note in self.notes if note.lost)


def read(path: Path, table: Mapping[str, Any]) -> Reading:
    """Everything that a configuration file gives; nothing is raised."""
    reading = Reading(str(path))
    try:
        config = gathered(path, table)
    except Refused as refused:
        reading.errors.append(str(refused))
        return reading
    reading.use_default, reading.disabled = config.use_default, config.disabled
    reading.notes += config.notes
    _read_rules(reading, config)
    names = {carried.id for carried in reading.carried}
    for each in config.allowlists:
        try:
            reading.allow += _global(reading, texts_of(each, "targetrules"), each, names)
        except Refused as refused:
            reading.errors.append(str(refused))
    _require(reading, names)
    reading.notes += [note for carried in reading.carried for note in carried.notes]
    reading.allow += [allow for carried in reading.carried for allow in carried.allow]
    return reading


def _read_rules(reading: Reading, config: Config) -> None:
    seen: set[str] = set()
    for name, table in config.rules.items():
        try:
            carried = carry(table, default=config.use_default)
        except Refused as refused:
            reading.errors.append(f"rule {name}: {refused}")
            continue
        if carried.id in seen:
            reading.errors.append(f"rule {name}: its id is {carried.id} here, as another rule's")
            continue
        seen.add(carried.id)
        reading.carried.append(carried)


def _global(reading: Reading, targets: tuple[str, ...], table: dict[str, Any], names: set[str]) -> list[Allow]:
    """An allowlist of the file: for the rules it names, or for all that belong to the file."""
    rules = tuple(map(slug, targets))
    for name in rules:
        if name not in names and not reading.use_default:
            raise Refused(f"allowlist: targetRules: there is no rule {name!r}")
    if not rules and not reading.use_default:
        rules = tuple(sorted(names))
        if not rules:
            why = "it has neither rules nor `[extend] useDefault = true`, so that no rule belongs to it"
            reading.notes.append(Note("", "allowlist", why, "it is not used"))
            return []
    return allow_of(table, rules, reading.notes)


def _require(reading: Reading, names: set[str]) -> None:
    """Rules that require one which is not used, or not there, cannot be complete."""
    unused = {carried.id for carried in reading.carried if carried.rule is None and not carried.amends}
    for carried in reading.carried:
        for pair in carried.rule.pairs if carried.rule else ():
            if pair.rule in unused:
                carried.note("required", f"rule {pair.rule} is not used", "the rule is not used either", lost=True)
                carried.rule = None
                break
            if pair.rule not in names and not reading.use_default:
                reading.errors.append(f"rule {carried.id}: required: there is no rule {pair.rule!r}")


def settle(reading: Reading, rules: dict[str, Rule]) -> None:
    """Puts a file's rules among others (by id, in order): in the place of one of the same id, or behind all of them.

    What the file says of shipped rules is applied to them: what it disables, and what it adds.
    """
    for name in map(slug, reading.disabled):
        if name not in rules:
            why = "no shipped rule has this id: the shipped rules are keyfuse's own"
            reading.notes.append(Note("", f"[extend] disabledRules {name!r}", why, "nothing is disabled"))
        elif _needed(name, rules.values()):
            rules[name] = replace(rules[name], identifier=True)
        else:
            del rules[name]
    for carried in reading.carried:
        shipped = rules.get(carried.id)
        if carried.rule is not None:
            if shipped is not None:
                why = "a rule of this id is there already"
                reading.notes.append(Note(carried.id, "regex", why, "this one takes its place"))
            rules[carried.id] = carried.rule
        elif carried.amends and shipped is not None:
            entropy, path = carried.entropy or shipped.entropy, carried.path or shipped.path
            rules[carried.id] = replace(shipped, entropy=entropy, path=path)
        elif carried.amends:
            why = "no shipped rule has this id: the shipped rules are keyfuse's own"
            reading.notes.append(Note(carried.id, "a rule without regex and path", why, "it has no effect"))


def _needed(name: str, rules: Iterable[Rule]) -> bool:
    """Whether a rule is the part of another."""
    return any(pair.rule == name for rule in rules for pair in rule.pairs)
