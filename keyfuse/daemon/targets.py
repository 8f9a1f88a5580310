"""The targets of the configuration and of `keyfuse targets`, as one list in the database."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import Any

from keyfuse import config
from keyfuse.daemon.schedule import next_time
from keyfuse.mirrors import remote
from responders.auditlog import Entry
from responders.records import Records
from responders.targets import Target, TargetKind
from scanner.errors import UsageError


def target_of(section: config.Target, *, node: str, now: datetime, origin: str, actor: str) -> Target:
    """A `[[target]]`, or what a command line says of one. Raises UsageError for a URL or schedule of no use."""
    settings: dict[str, Any] = {
        "watch": section.watch,
        "every": section.every.total_seconds(),
        "cron": section.cron,
        "jitter": section.jitter.total_seconds(),
    }
    if section.path is not None:
        kind, place = TargetKind.PATH, os.path.abspath(section.path)
    else:
        kind, place, node = TargetKind.URL, remote(section.url).address, ""
        if section.url_env:
            settings["url_env"] = section.url_env
        if section.url_file is not None:
            settings["url_file"] = str(section.url_file)
    target = Target(section.name, kind, place, now, node, settings, origin, actor)
    return replace(target, next_at=next_time(target, now))


def synchronise(records: Records, sections: tuple[config.Target, ...], *, node: str, now: datetime) -> list[Target]:
    """Brings the list in line with this node's configuration. Returns all targets, those of other nodes too.

    Paths of the configuration belong to this node, under its own name if another node has one so called already.
    """
    origin = f"config:{node}"
    wanted = [target_of(section, node=node, now=now, origin=origin, actor="configuration") for section in sections]
    with records.read() as tx:
        stored = {target.name: target for target in tx.targets.list()}
    names = {target.name for target in wanted}
    changes: list[Target] = []
    for target in wanted:
        before = stored.get(target.name)
        if before is not None and before.origin != origin and before.kind is TargetKind.PATH and before.node != node:
            raise UsageError(f"a target called {target.name} belongs to another node of this database; rename yours")
        if before is None or _differ(before, target):
            changes.append(target)
    stale = [target.name for target in stored.values() if target.origin == origin and target.name not in names]
    if changes or stale:
        with records.begin() as tx:
            for name in stale:
                tx.targets.remove(name)
            for target in changes:
                tx.targets.put(target)
    with records.read() as tx:
        return list(tx.targets.list())


def add_target(records: Records, target: Target, actor: str) -> None:
    """Stores a target that a person adds. Raises UsageError where its name is taken by another place."""
    with records.begin() as tx:
        before = tx.targets.get(target.name)
        if before is not None and before.origin != "command":
            raise UsageError(f"{target.name} stands in the configuration; change it there, or choose another name")
        if before is not None and (before.place, before.node) != (target.place, target.node):
            raise UsageError(f"{target.name} is {before.place} already; remove it first, or choose another name")
        tx.targets.put(target)
        tx.audit.append(Entry(actor, "target.added", f"target:{target.name}", {"place": target.place}))


def remove_target(records: Records, name: str, actor: str) -> None:
    """Forgets a target that a person added. Raises UsageError for one that is not there, or is the configuration's."""
    target = named(records, name)
    if target.origin != "command":
        raise UsageError(f"{name} stands in the configuration; take it out there")
    with records.begin() as tx:
        tx.targets.remove(name)
        tx.audit.append(Entry(actor, "target.removed", f"target:{name}", {"place": target.place}))


def named(records: Records, name: str) -> Target:
    """The target of that name. Raises UsageError, which says what names there are."""
    with records.read() as tx:
        target = tx.targets.get(name)
        names = [each.name for each in tx.targets.list()]
    if target is None:
        raise UsageError(f"there is no target {name}; there are: {', '.join(names) or 'none'}")
    return target


def _differ(before: Target, after: Target) -> bool:
    return (before.kind, before.place, before.node, dict(before.settings)) != (
        after.kind,
        after.place,
        after.node,
        dict(after.settings),
    )
