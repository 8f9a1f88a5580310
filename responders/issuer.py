"""The embedded provider's own keys: issued, verified, switched off, deleted and reissued here.

A value is `kfk_`, 32 characters of base 62, and 6 more that are the CRC-32 of all before them (digits, upper, lower
case), so that a scanner can tell it from chance. It is shown once; what stays is its fingerprint.
"""

from __future__ import annotations

import random
import string
import uuid
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responders.auditlog import Entry
from responders.errors import IllegalMove, QuotaExceeded
from responders.records import Records, Transaction
from responders.registrar import By, Registrar, checked_name
from responders.registry import Change, IfUnsupported, KeyKind, KeyState, KnownKey, LeakAction
from responders.shapes import derive
from scanner.errors import UsageError
from scanner.model import Fingerprinter, Secret, Shape

PROVIDER = "keyfuse"
PREFIX = "kfk_"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BODY_LENGTH = 32
CHECK_LENGTH = 6
SHORTEST_GIVEN = 32
"""IBM's limit for values made elsewhere (IAM Identity API, create API key)."""
CLASSIC_KEYS = 1
"""At most one classic infrastructure key per user (IBM Cloud, classic API keys)."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is asked for. `iam_id` is whom the key authenticates; `owners` are the people to tell."""

    name: str
    description: str = ""
    kind: KeyKind = KeyKind.USER
    account_id: str = ""
    iam_id: str = ""
    owners: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    action_when_leaked: LeakAction = LeakAction.DISABLE
    if_unsupported: IfUnsupported = IfUnsupported.BLOCK
    locked: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A new record and its value, which is known here and never again."""

    key: KnownKey
    secret: Secret


@dataclass(frozen=True, slots=True)
class Valid:
    """The value belongs to this key, which may be used now."""

    key: KnownKey


@dataclass(frozen=True, slots=True)
class Invalid:
    """The value may not be used, and why; `key` is the record where there is one."""

    reason: str
    key: KnownKey | None = None


Verdict = Valid | Invalid


@dataclass(frozen=True, slots=True)
class IssueRules:
    """Who may have how many keys. `administrators` may create keys where creation is restricted.

    IBM Cloud allows 20 keys a user, and "restrict API key creation" stops everyone without explicit access.
    """

    user_keys: int = 20
    restrict_creation: bool = False
    administrators: tuple[str, ...] = ()


def checksum(text: str) -> str:
    """The six characters that end a value: CRC-32 of everything before, in base 62."""
    number, digits = zlib.crc32(text.encode("ascii")), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def mint(rng: random.Random) -> Secret:
    """A new value."""
    head = PREFIX + "".join(rng.choice(BASE62) for _ in range(BODY_LENGTH))
    return Secret((head + checksum(head)).encode("ascii"))


def new_id(rng: random.Random) -> str:
    """A new record's id, in IBM's form."""
    return f"ApiKey-{uuid.UUID(int=rng.getrandbits(128), version=4)}"


def first_tag(rng: random.Random) -> str:
    """A new record's entity tag, in IBM's form."""
    return f"1-{rng.getrandbits(128):032x}"


def mask(value: bytes, shape: Shape | None) -> str:
    """What may be shown of a value: its fixed prefix and last four characters, where enough of it stays hidden."""
    prefix = shape.prefix if shape is not None else ""
    if shape is None or len(value) - len(prefix) < 16:
        return "***"
    return f"{prefix}…{value[-4:].decode('ascii')}"


class Issuer:
    """Issues keys and keeps their records. All changes go through one transaction each, audit log included."""

    def __init__(
        self,
        records: Records,
        fingerprinter: Fingerprinter,
        clock: Callable[[], datetime],
        *,
        rules: IssueRules = IssueRules(),
        rng: random.Random | None = None,
    ) -> None:
        self._records = records
        self._fingerprinter = fingerprinter
        self._clock = clock
        self._rules = rules
        self._rng = rng or random.SystemRandom()
        self._registrar = Registrar(records, clock)

    def now(self) -> datetime:
        """The moment by which keys expire."""
        return self._clock()

    def create(self, wanted: NewKey, by: By, value: Secret | None = None) -> Issued:
        """Issues a key, or registers `value` (at least 32 characters, not known yet) as one.

        Raises UsageError, and QuotaExceeded with what to do about it.
        """
        now = self._clock()
        if value is not None and len(value) < SHORTEST_GIVEN:
            raise UsageError(f"a given value must have at least {SHORTEST_GIVEN} characters; this one has {len(value)}")
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise UsageError(
                f"the key would expire before it exists ({wanted.expires_at.isoformat()}); name a later time"
            )
        secret = value or mint(self._rng)
        key = self._record(wanted, by.actor, now, secret)
        with self._records.begin() as transaction:
            self._mind_quota(transaction, wanted, by.actor)
            self._store(transaction, key, secret, by)
        return Issued(key, secret)

    def verify(self, secret: Secret, scopes: Collection[str] = (), *, count: bool = True) -> Verdict:
        """Whether this value may be used now, for all of these scopes; a use is counted unless `count` is false.

        A key without scopes is not limited to any. The value is looked up by its fingerprint, so the time it takes
        tells nothing about stored values.
        """
        now = self._clock()
        fingerprint = self._fingerprinter.of(secret)
        with self._records.read() as reading:
            verdict = _judge(reading.keys.lookup([fingerprint]).get(fingerprint), scopes, now)
        if isinstance(verdict, Invalid) or not count:
            return verdict
        with self._records.begin() as transaction:
            verdict = _judge(transaction.keys.lookup([fingerprint]).get(fingerprint), scopes, now)
            if isinstance(verdict, Valid):
                transaction.keys.used(verdict.key.id, now)
        return verdict

    def lookup(self, secret: Secret) -> KnownKey | None:
        """The record of this value, whoever issued it."""
        fingerprint = self._fingerprinter.of(secret)
        with self._records.read() as transaction:
            return transaction.keys.lookup([fingerprint]).get(fingerprint)

    def get(self, key_id: str) -> KnownKey:
        """The record with this id or name. Raises NoSuchRecord."""
        with self._records.read() as transaction:
            return transaction.keys.get(key_id)

    def issued(self, key: KnownKey) -> bool:
        """Whether this is one of the embedded provider's own keys."""
        return key.provider == PROVIDER

    def disable(self, key_id: str, by: By) -> KnownKey:
        """Switches a key off until it is enabled again. Raises Locked, IllegalMove, StaleRecord."""
        return self._registrar.set_state(self._own(key_id).id, KeyState.DISABLED, by)

    def enable(self, key_id: str, by: By) -> KnownKey:
        """Switches a disabled key on again. Raises Locked, IllegalMove, StaleRecord."""
        return self._registrar.set_state(self._own(key_id).id, KeyState.ACTIVE, by)

    def delete(self, key_id: str, by: By) -> KnownKey:
        """Ends a key for ever; its record stays, so that a leak of it is still recognised."""
        return self._registrar.set_state(self._own(key_id).id, KeyState.DELETED, by)

    def unlock(self, key_id: str, by: By) -> KnownKey:
        """Takes the lock off."""
        return self._registrar.unlock(self._own(key_id).id, by)

    def reissue(self, key_id: str, overlap: timedelta, by: By, *, expires_at: datetime | None = None) -> Issued:
        """A new key in place of an old one, which lives on for `overlap` and then dies.

        The new one lives as long as the old one was to live, unless `expires_at` says otherwise.
        """
        if overlap < timedelta():
            raise UsageError("the overlap cannot be negative")
        now = self._clock()
        secret = mint(self._rng)
        with self._records.begin() as transaction:
            old = self._replaceable(transaction.keys.get(key_id))
            lifetime = None if old.expires_at is None else now + (old.expires_at - old.created_at)
            wanted = NewKey(
                name=old.name,
                description=old.description,
                kind=old.kind,
                account_id=old.account_id,
                iam_id=old.iam_id,
                owners=old.owners,
                scopes=old.scopes,
                expires_at=expires_at or lifetime,
                action_when_leaked=old.action_when_leaked,
                if_unsupported=old.if_unsupported,
            )
            new = replace(self._record(wanted, by.actor, now, secret), replaces=old.id)
            ends = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
            self._registrar.edit_in(
                transaction, old.id, "replaced", lambda key: replace(key, replaced_by=new.id, expires_at=ends), by
            )
            self._store(transaction, new, secret, By(by.actor, message=by.message))
        return Issued(new, secret)

    def _own(self, key_id: str) -> KnownKey:
        key = self.get(key_id)
        if key.provider != PROVIDER:
            raise UsageError(f"key {key.id} ({key.name}) was issued by {key.provider}, not here; change it there")
        return key

    def _replaceable(self, key: KnownKey) -> KnownKey:
        if key.provider != PROVIDER:
            raise UsageError(f"key {key.id} ({key.name}) was issued by {key.provider}, not here; reissue it there")
        if key.state is KeyState.DELETED:
            raise IllegalMove(f"key {key.id} ({key.name}) is deleted; create another with `keyfuse keys create`")
        if key.replaced_by:
            raise IllegalMove(f"key {key.id} ({key.name}) was replaced already, by {key.replaced_by}; reissue that one")
        return key

    def _record(self, wanted: NewKey, actor: str, now: datetime, secret: Secret) -> KnownKey:
        key_id = new_id(self._rng)
        value = secret.reveal()
        return KnownKey(
            id=key_id,
            name=checked_name(wanted.name),
            provider=PROVIDER,
            created_at=now,
            modified_at=now,
            entity_tag=first_tag(self._rng),
            description=wanted.description,
            provider_key_id=key_id,
            kind=wanted.kind,
            account_id=wanted.account_id,
            iam_id=wanted.iam_id,
            owners=wanted.owners,
            scopes=wanted.scopes,
            created_by=actor,
            expires_at=wanted.expires_at,
            locked=wanted.locked,
            state=KeyState.DISABLED if wanted.disabled else KeyState.ACTIVE,
            masked=mask(value, derive(value)),
            fingerprint=self._fingerprinter.of(secret),
            action_when_leaked=wanted.action_when_leaked,
            if_unsupported=wanted.if_unsupported,
            history=(Change(now, actor, "create"),),
        )

    def _store(self, transaction: Transaction, key: KnownKey, secret: Secret, by: By) -> None:
        transaction.keys.add(key, derive(secret.reveal()))
        details = {"name": key.name, "kind": key.kind.value, "action_when_leaked": key.action_when_leaked.value}
        transaction.audit.append(Entry(by.actor, "key.create", f"key:{key.id}", details))

    def _mind_quota(self, transaction: Transaction, wanted: NewKey, actor: str) -> None:
        rules = self._rules
        if rules.restrict_creation and actor not in rules.administrators:
            raise QuotaExceeded("creating keys is restricted here; ask an administrator ([registry] administrators)")
        most = {KeyKind.USER: rules.user_keys, KeyKind.CLASSIC: CLASSIC_KEYS}.get(wanted.kind)
        if most is None or transaction.keys.count(iam_id=wanted.iam_id, kind=wanted.kind) < most:
            return
        whose = wanted.iam_id or "the user without an IAM id"
        raise QuotaExceeded(
            f"{whose} has {most} {wanted.kind} key{'s' * (most > 1)} already, and may have no more; delete one first"
        )


def _judge(key: KnownKey | None, scopes: Collection[str], now: datetime) -> Verdict:
    if key is None:
        return Invalid("no key with this value is registered")
    if key.provider != PROVIDER:
        return Invalid(f"the key was issued by {key.provider}, which alone can verify it", key)
    match key.effective_state(now):
        case KeyState.DELETED:
            return Invalid("the key is deleted", key)
        case KeyState.DISABLED:
            return Invalid("the key is disabled", key)
        case KeyState.EXPIRED:
            return Invalid(
                f"the key is expired since {key.expires_at.isoformat() if key.expires_at else 'a while'}", key
            )
        case KeyState.ACTIVE:
            missing = sorted(set(scopes) - set(key.scopes)) if key.scopes else []
            return Invalid(f"the key lacks the scope {', '.join(missing)}", key) if missing else Valid(key)
