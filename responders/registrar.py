"""Changes records of the registry: locks, entity tags, history and audit log in one transaction.

It knows nothing of values or providers; whoever issues keys or drives a provider records the result through it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from responders.auditlog import Entry
from responders.errors import IllegalMove, Locked
from responders.records import Records, Transaction
from responders.registry import Change, IfUnsupported, KeyState, KnownKey, LeakAction
from scanner.errors import UsageError

MOST_NAME = 255

Edit = Callable[[KnownKey], KnownKey]


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, and on what terms.

    `if_tag` is the entity tag that the record must still have (IBM's If-Match). A change with the same
    `idempotency_key` has its effect once, however often it is asked for.
    """

    actor: str
    if_tag: str | None = None
    idempotency_key: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What may be changed of a record; None leaves a field as it is. `never_expires` takes the expiry away."""

    name: str | None = None
    description: str | None = None
    owners: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    never_expires: bool = False
    action_when_leaked: LeakAction | None = None
    if_unsupported: IfUnsupported | None = None


class Registrar:
    """Edits records; every edit is in the key's history and in the audit log, or did not happen."""

    def __init__(self, records: Records, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._clock = clock

    def amend(self, key_id: str, amendment: Amendment, by: By) -> KnownKey:
        """Changes what a person may change. Raises Locked, StaleRecord, UsageError."""
        return self.edit(key_id, "update", lambda key: _amended(key, amendment), by)

    def lock(self, key_id: str, by: By) -> KnownKey:
        """From now on no attribute can change until it is unlocked."""
        return self.edit(key_id, "lock", lambda key: replace(_living(key), locked=True), by, minds_lock=False)

    def unlock(self, key_id: str, by: By) -> KnownKey:
        """Takes the lock off."""
        return self.edit(key_id, "unlock", lambda key: replace(_living(key), locked=False), by, minds_lock=False)

    def set_state(self, key_id: str, state: KeyState, by: By) -> KnownKey:
        """Records that a key is active, disabled or deleted. Raises Locked; IllegalMove for a deleted key."""
        verb = {KeyState.ACTIVE: "enable", KeyState.DISABLED: "disable", KeyState.DELETED: "delete"}.get(state)
        if verb is None:
            raise UsageError("a key expires by its date; set --expires-at instead")

        def moved(key: KnownKey) -> KnownKey:
            return replace(key if state is KeyState.DELETED else _living(key), state=state)

        return self.edit(key_id, verb, moved, by)

    def edit(self, key_id: str, action: str, change: Edit, by: By, *, minds_lock: bool = True) -> KnownKey:
        """Applies a change to one record. What changes nothing leaves no trace, but for its idempotency key."""
        try:
            with self._records.begin() as transaction:
                return self.edit_in(transaction, key_id, action, change, by, minds_lock=minds_lock)
        except Locked as error:
            with self._records.begin() as transaction:
                name = transaction.keys.get(key_id).id
                refused = {"outcome": "refused", "reason": str(error)}
                transaction.audit.append(Entry(by.actor, f"key.{action}", f"key:{name}", refused))
            raise

    def edit_in(
        self, transaction: Transaction, key_id: str, action: str, change: Edit, by: By, *, minds_lock: bool = True
    ) -> KnownKey:
        """The same inside a transaction that the caller holds."""
        key = transaction.keys.get(key_id)
        if by.idempotency_key and any(made.params.get("idempotency_key") == by.idempotency_key for made in key.history):
            return key
        if key.locked and minds_lock:
            raise Locked(f"key {key.id} ({key.name}) is locked; unlock it first: keyfuse keys unlock {key.id}")
        changed = change(key)
        params = _differences(key, changed)
        if not params and not by.idempotency_key and by.if_tag in (None, key.entity_tag):
            return key
        if by.idempotency_key:
            params["idempotency_key"] = by.idempotency_key
        entry = Change(self._clock(), by.actor, action, params, by.message)
        stored = transaction.keys.put(changed, entry, if_tag=by.if_tag)
        transaction.audit.append(Entry(by.actor, f"key.{action}", f"key:{key.id}", params))
        return stored


def checked_name(name: str) -> str:
    """A name that can be listed and looked up. Raises UsageError."""
    if not 1 <= len(name.strip()) <= MOST_NAME:
        raise UsageError(f"a key's name has 1 to {MOST_NAME} characters")
    return name.strip()


def _living(key: KnownKey) -> KnownKey:
    if key.state is KeyState.DELETED:
        raise IllegalMove(f"key {key.id} ({key.name}) is deleted, and that is for ever; create another")
    return key


def _amended(key: KnownKey, amendment: Amendment) -> KnownKey:
    _living(key)
    expires_at = None if amendment.never_expires else amendment.expires_at or key.expires_at
    if (
        key.replaced_by
        and expires_at != key.expires_at
        and (expires_at is None or expires_at > (key.expires_at or expires_at))
    ):
        raise IllegalMove(f"key {key.id} was replaced by {key.replaced_by} and cannot live longer; use that one")
    return replace(
        key,
        name=key.name if amendment.name is None else checked_name(amendment.name),
        description=key.description if amendment.description is None else amendment.description,
        owners=key.owners if amendment.owners is None else amendment.owners,
        scopes=key.scopes if amendment.scopes is None else amendment.scopes,
        expires_at=expires_at,
        action_when_leaked=amendment.action_when_leaked or key.action_when_leaked,
        if_unsupported=amendment.if_unsupported or key.if_unsupported,
    )


def _differences(before: KnownKey, after: KnownKey) -> dict[str, str]:
    """The fields that differ, with their new values as text."""
    changed = (field.name for field in fields(KnownKey) if field.name != "history")
    return {name: _text(getattr(after, name)) for name in changed if getattr(before, name) != getattr(after, name)}


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)
