"""Takes a provider's own listing of keys into the registry: new keys, what changed of known ones, those that are gone.

What the registry alone knows (owners, what to do where an action is unsupported) is kept. A key that was not listed is
called deleted only after the provider, asked for that very key, shows none and would show it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from responders.auditlog import Entry
from responders.enrolment import Defaults
from responders.errors import IllegalMove
from responders.issuer import first_tag, mask, new_id
from responders.listing import Listed, NotListed, Whole
from responders.provider import Identified, Leak, NotFound, Provider
from responders.records import Records, Transaction
from responders.registrar import By, Registrar, checked_name
from responders.registry import Change, KeyKind, KeyState, KnownKey
from responders.shapes import derive
from scanner.model import REGISTERED, Fingerprinter

SYNC = "sync"
BATCH = 200
DAY = 86400


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch of listed keys."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be taken over, and why."""

    what: str
    reason: str


class Sync:
    """One provider's listing, taken over once."""

    def __init__(
        self,
        records: Records,
        fingerprinter: Fingerprinter,
        clock: Callable[[], datetime],
        provider: Provider,
        defaults: Defaults,
        *,
        actor: str,
        rng: random.Random | None = None,
    ) -> None:
        self._records = records
        self._fingerprinter = fingerprinter
        self._clock = clock
        self._provider = provider
        self._defaults = defaults
        self._actor = actor
        self._rng = rng or random.SystemRandom()
        self._registrar = Registrar(records, clock)

    def run(self, listing: Iterable[Listed | NotListed | Whole]) -> Iterator[Taken | Problem]:
        """Takes it over, a batch at a time; what was taken over stays so when something fails later."""
        seen: set[str] = set()
        wholes: list[Whole] = []
        waiting: list[Listed] = []
        for item in listing:
            match item:
                case Listed():
                    seen.add(item.provider_key_id)
                    waiting.append(item)
                case Whole():
                    wholes.append(item)
                case NotListed(what, reason):
                    yield Problem(what, reason)
            if len(waiting) >= BATCH:
                yield from self._take(waiting)
                waiting = []
        if waiting:
            yield from self._take(waiting)
        for whole in wholes:
            yield from self._missing(whole, seen)

    # --- listed keys ------------------------------------------------------------------------------------------------

    def _take(self, batch: list[Listed]) -> Iterator[Taken | Problem]:
        problems = []
        new = changed = 0
        with self._records.begin() as tx:
            for item in batch:
                known = self._known(tx, item)
                if known is None:
                    key = self.new_key(item)
                    tx.keys.add(key, derive(item.value.reveal()) if item.value is not None else None)
                    new += 1
                    continue
                try:
                    after = self._registrar.edit_in(
                        tx,
                        known.id,
                        SYNC,
                        lambda key, item=item: self._merged(key, item),  # type: ignore[misc]
                        By(self._actor),
                        minds_lock=False,
                    )
                    changed += after.entity_tag != known.entity_tag
                except IllegalMove:
                    problems.append(
                        Problem(
                            f"key {item.provider_key_id} ({known.name})",
                            "the registry has it as deleted, but its provider lists it as alive; look who is right",
                        )
                    )
            if new:
                details = {"provider": self._provider.name, "new": str(new), "changed": str(changed)}
                tx.audit.append(Entry(self._actor, "keys.sync", "keys", details))
        yield Taken(new, changed, len(batch) - new - changed - len(problems))
        yield from problems

    def _known(self, tx: Transaction, item: Listed) -> KnownKey | None:
        found = tx.keys.by_provider_id(self._provider.name, item.provider_key_id)
        if found is None and item.value is not None:
            fingerprint = self._fingerprinter.of(item.value)
            found = tx.keys.lookup([fingerprint]).get(fingerprint)
        return found

    def new_key(self, item: Listed) -> KnownKey:
        """The record of a key that the registry does not know yet."""
        now, defaults = self._clock(), self._defaults
        shape = derive(item.value.reveal()) if item.value is not None else None
        params = {"provider_key_id": item.provider_key_id} | ({"locked": "True"} if item.locked else {})
        return KnownKey(
            id=new_id(self._rng),
            name=checked_name(item.name[:255]),
            provider=self._provider.name,
            created_at=item.created_at or now,
            modified_at=now,
            entity_tag=first_tag(self._rng),
            description=item.description,
            provider_key_id=item.provider_key_id,
            kind=item.kind,
            account_id=item.account_id,
            iam_id=item.iam_id,
            owners=item.owners or defaults.owners,
            scopes=item.scopes,
            created_by=item.created_by,
            expires_at=item.expires_at,
            last_used_at=item.last_used_at,
            locked=bool(item.locked),
            state=_stored(item.state),
            masked=mask(item.value.reveal(), shape) if item.value is not None else item.masked or "***",
            fingerprint=self._fingerprinter.of(item.value) if item.value is not None else None,
            action_when_leaked=item.action or defaults.action_when_leaked,
            if_unsupported=defaults.if_unsupported,
            history=(Change(now, self._actor, SYNC, params),),
        )

    def _merged(self, key: KnownKey, item: Listed) -> KnownKey:
        """The record with the provider's word on what the provider decides."""
        used = key.last_used_at
        if item.last_used_at is not None and (used is None or (item.last_used_at - used).total_seconds() > DAY):
            used = item.last_used_at  # noted once a day: else every run would be a change of every key
        return replace(
            key,
            name=checked_name(item.name[:255]) if item.named else key.name,
            description=item.description or key.description,
            provider_key_id=item.provider_key_id,
            kind=key.kind if _is_finer(key.kind, item.kind) else item.kind,
            account_id=item.account_id or key.account_id,
            iam_id=item.iam_id or key.iam_id,
            owners=key.owners or item.owners,
            scopes=item.scopes or key.scopes,
            expires_at=item.expires_at or (key.expires_at if key.replaced_by else None),
            last_used_at=used,
            locked=_locked(key, item),
            state=_stored(item.state),
            masked=item.masked or key.masked if key.fingerprint is None else key.masked,
            action_when_leaked=item.action or key.action_when_leaked,
        )

    # --- keys that were not listed ----------------------------------------------------------------------------------

    def _missing(self, whole: Whole, seen: set[str]) -> Iterator[Taken | Problem]:
        with self._records.read() as tx:
            missing = [
                key
                for key in tx.keys.all()
                if (key.provider, key.account_id) == (self._provider.name, whole.account_id)
                and key.kind in whole.kinds
                and key.state is not KeyState.DELETED
                and key.provider_key_id
                and key.provider_key_id not in seen
            ]
        gone = 0
        for key in missing:
            identity = self._provider.identify(Leak(REGISTERED, None), key)
            match identity:
                case NotFound(sees_all=True) | Identified(state=KeyState.DELETED):
                    self._registrar.edit(
                        key.id,
                        SYNC,
                        lambda each: replace(each, state=KeyState.DELETED),
                        By(self._actor, message=f"not listed any more; {identity.evidence}"),
                        minds_lock=False,
                    )
                    gone += 1
                case Identified(evidence=said) | NotFound(evidence=said):
                    yield Problem(
                        f"key {key.id} ({key.name})", f"it is not listed, but that it is gone is not sure: {said}"
                    )
                case other:
                    yield Problem(
                        f"key {key.id} ({key.name})", f"it is not listed, and nobody could tell: {other.reason}"
                    )
        if gone:
            yield Taken(gone=gone)


def _stored(state: KeyState) -> KeyState:
    """Expired is told by the date, never stored."""
    return KeyState.ACTIVE if state is KeyState.EXPIRED else state


def _is_finer(known: KeyKind, listed: KeyKind) -> bool:
    """A key inside a service credential is listed as one of a service id where the credentials cannot be read."""
    return (known, listed) == (KeyKind.SERVICE_SPECIFIC, KeyKind.SERVICE_ID)


def _locked(key: KnownKey, item: Listed) -> bool:
    """A lock that a person set here stays; one that came from the provider goes with the provider's."""
    if item.locked is None:
        return key.locked
    last = next((change for change in reversed(key.history) if "locked" in change.params), None)
    ours = key.locked and (last is None or last.action != SYNC)
    return item.locked or ours
