"""Turns imported rows into registry records, and stores them in batches."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

from responders.auditlog import Entry
from responders.imports import BadRow, Row
from responders.issuer import first_tag, mask, new_id
from responders.records import Records
from responders.registrar import checked_name
from responders.registry import IfUnsupported, KeyKind, KeyState, KnownKey, LeakAction
from responders.shapes import derive
from scanner.errors import UsageError
from scanner.model import Fingerprinter, Shape

BATCH = 5000
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a row says nothing else."""

    provider: str = "other"
    kind: KeyKind = KeyKind.OTHER
    account_id: str = ""
    iam_id: str = ""
    owners: tuple[str, ...] = ()
    action_when_leaked: LeakAction = LeakAction.DISABLE
    if_unsupported: IfUnsupported = IfUnsupported.BLOCK


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch that is safely stored: so many new keys, so many that were known, so many that only a rule can find."""

    new: int
    known: int
    shapeless: int


def enrol(
    records: Records,
    fingerprinter: Fingerprinter,
    clock: Callable[[], datetime],
    rows: Iterable[Row | BadRow],
    defaults: Defaults,
    *,
    actor: str,
    source: str,
    batch: int = BATCH,
    rng: random.Random | None = None,
) -> Iterator[Stored | BadRow]:
    """Stores rows a batch at a time; yields what became of each batch, and every row that cannot be used.

    What was stored stays stored when a later row, or the process, fails; importing the same file again is harmless.
    """
    made = _Maker(fingerprinter, clock, defaults, actor, rng or random.SystemRandom())
    waiting: list[_Waiting] = []
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            waiting.append(_Waiting(row.line, *made.key(row)))
        except UsageError as error:
            yield BadRow(row.line, str(error))
        if len(waiting) >= batch:
            yield from _flush(records, waiting, actor, source)
            waiting = []
    if waiting:
        yield from _flush(records, waiting, actor, source)


def _flush(records: Records, waiting: list[_Waiting], actor: str, source: str) -> Iterator[Stored | BadRow]:
    with records.begin() as transaction:
        added = transaction.keys.add_many([(one.key, one.shape) for one in waiting])
        new = added.new + added.completed
        if new:
            details = {"source": source, "new": str(added.new), "known": str(added.known)}
            details |= {"completed": str(added.completed)} if added.completed else {}
            transaction.audit.append(Entry(actor, "keys.import", "keys", details))
    yield Stored(new, added.known, sum(1 for one in waiting if one.shape is None))
    clashing = frozenset(added.clashing)
    for one in waiting if clashing else ():
        if one.key.id in clashing:
            yield BadRow(
                one.line,
                f"the {one.key.provider} key {one.key.provider_key_id} is registered with another value; "
                "delete that record first, or leave the id out",
            )


class _Waiting(NamedTuple):
    """A record that will be stored with its batch, and the line it comes from."""

    line: int
    key: KnownKey
    shape: Shape | None


class _Maker:
    """Makes records out of rows."""

    def __init__(
        self,
        fingerprinter: Fingerprinter,
        clock: Callable[[], datetime],
        defaults: Defaults,
        actor: str,
        rng: random.Random,
    ) -> None:
        self._fingerprinter = fingerprinter
        self._now = clock()
        self._defaults = defaults
        self._actor = actor
        self._rng = rng

    def key(self, row: Row) -> tuple[KnownKey, Shape | None]:
        """A record and its shape. Raises UsageError without the value in its text."""
        given, default = row.fields, self._defaults
        shape = derive(row.value)
        name = _text(given, "name", "") or _text(given, "provider_key_id", "") or f"imported, line {row.line}"
        return KnownKey(
            id=new_id(self._rng),
            name=checked_name(name),
            provider=_text(given, "provider", default.provider).lower(),
            created_at=_moment(given, "created_at") or self._now,
            modified_at=self._now,
            entity_tag=first_tag(self._rng),
            description=_text(given, "description", ""),
            provider_key_id=_text(given, "provider_key_id", ""),
            kind=_one_of(KeyKind, given, "kind", default.kind),
            account_id=_text(given, "account_id", default.account_id),
            iam_id=_text(given, "iam_id", default.iam_id),
            owners=_several(given, "owners") or default.owners,
            scopes=_several(given, "scopes"),
            created_by=_text(given, "created_by", self._actor),
            expires_at=_moment(given, "expires_at"),
            locked=_flag(given, "locked"),
            state=KeyState.DISABLED if _flag(given, "disabled") else KeyState.ACTIVE,
            masked=mask(row.value, shape),
            fingerprint=self._fingerprinter.of(row.value),
            action_when_leaked=_one_of(LeakAction, given, "action_when_leaked", default.action_when_leaked),
            if_unsupported=_one_of(IfUnsupported, given, "if_unsupported", default.if_unsupported),
        ), shape


def _text(given: Mapping[str, object], name: str, default: str) -> str:
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise UsageError(f"`{name}` is not a text")
    text = str(value).strip()
    if not text.isprintable():
        raise UsageError(f"`{name}` holds control characters, or is not valid UTF-8")
    return text


def _several(given: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = given.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[\s,;]+", _text(given, name, "")) if part)
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise UsageError(f"`{name}` is neither a text nor a list of texts")


def _one_of(kind: type[E], given: Mapping[str, object], name: str, default: E) -> E:
    if name not in given:
        return default
    try:
        return kind(_text(given, name, "").lower())
    except ValueError:
        raise UsageError(f"`{name}` is none of {', '.join(kind)}") from None


def _flag(given: Mapping[str, object], name: str) -> bool:
    value = given.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    match str(value).strip().lower():
        case "true" | "yes" | "1":
            return True
        case "false" | "no" | "0" | "":
            return False
        case _:
            raise UsageError(f"`{name}` is neither true nor false")


def _moment(given: Mapping[str, object], name: str) -> datetime | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, datetime):
        try:
            # Providers write up to nine digits of a second; Python reads six.
            value = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(value).strip()))
        except ValueError:
            raise UsageError(f"`{name}` is not a time like 2026-12-31T12:00:00Z") from None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
