"""Adds and removes the API's users, and says whose token it is that somebody shows."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from responders.auditlog import Entry
from responders.issuer import BASE62, BODY_LENGTH, checksum
from responders.records import Records
from responders.users import Role, User
from scanner.errors import UsageError
from scanner.model import Fingerprinter, Secret

PREFIX = "kfu_"
MOST_NAME = 100
USED_EVERY = timedelta(hours=1)
"""How exactly `last_used_at` is kept: one write an hour, not one for each request."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who is to be added. Without an `iam_id` the name is the identity."""

    name: str
    role: Role
    iam_id: str = ""
    account_id: str = ""
    parent: str = ""
    expires_at: datetime | None = None


def mint_token(rng: random.Random) -> Secret:
    """A new API token: `kfu_`, 32 characters of base 62, and six that are the CRC-32 of all before them."""
    head = PREFIX + "".join(rng.choice(BASE62) for _ in range(BODY_LENGTH))
    return Secret((head + checksum(head)).encode("ascii"))


class Gatekeeper:
    """Adds and removes users, and says whose token it is that somebody shows."""

    def __init__(
        self,
        records: Records,
        fingerprinter: Fingerprinter,
        clock: Callable[[], datetime],
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._records = records
        self._fingerprinter = fingerprinter
        self._clock = clock
        self._rng = rng or random.SystemRandom()

    def add(self, wanted: NewUser, *, actor: str) -> tuple[User, Secret]:
        """A new user and the token, which is known here and never again. Raises UsageError, NoSuchRecord."""
        name = _checked(wanted.name, "a user's name")
        iam_id = _checked(wanted.iam_id or name, "an identity")
        now = self._clock()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise UsageError("the token would expire before it exists; name a later time")
        secret = mint_token(self._rng)
        value = secret.reveal().decode("ascii")
        user = User(
            id=secrets.token_hex(8),
            name=name,
            role=wanted.role,
            iam_id=iam_id,
            token=self._fingerprinter.of(secret),
            masked=f"{PREFIX}…{value[-4:]}",
            created_at=now,
            created_by=actor,
            account_id=wanted.account_id,
            parent=wanted.parent,
            expires_at=wanted.expires_at,
        )
        with self._records.begin() as transaction:
            if user.parent and user.parent not in {other.iam_id for other in transaction.users.list()}:
                raise UsageError(f"nobody has the identity {user.parent!r}; `keyfuse users list` shows who there is")
            transaction.users.add(user)
            details = {"role": user.role.value, "iam_id": user.iam_id}
            transaction.audit.append(Entry(actor, "user.add", f"user:{user.name}", details))
        return user, secret

    def remove(self, name: str, *, actor: str) -> User:
        """Takes a user and the token away, at once. Raises NoSuchRecord."""
        with self._records.begin() as transaction:
            user = transaction.users.get(name)
            transaction.users.remove(user)
            transaction.audit.append(Entry(actor, "user.remove", f"user:{user.name}", {"iam_id": user.iam_id}))
        return user

    def of_token(self, token: Secret) -> tuple[User, frozenset[str]] | None:
        """Whose token this is, and who is below that user; None when it is nobody's, or has expired.

        It is looked up by its fingerprint, so the time it takes tells nothing about stored tokens.
        """
        fingerprint = self._fingerprinter.of(token)
        now = self._clock()
        with self._records.read() as transaction:
            user = transaction.users.by_token(fingerprint)
            below = transaction.users.below(user.iam_id) if user is not None else frozenset()
        if user is None or (user.expires_at is not None and user.expires_at <= now):
            return None
        if user.last_used_at is None or now - user.last_used_at >= USED_EVERY:
            with self._records.begin() as transaction:
                transaction.users.used(user.id, now)
        return user, below

    def all(self) -> Sequence[User]:
        """All users, in order of creation."""
        with self._records.read() as transaction:
            return transaction.users.list()


def _checked(text: str, what: str) -> str:
    name = text.strip()
    if not (1 <= len(name) <= MOST_NAME and name.isprintable()):
        raise UsageError(f"{what} has 1 to {MOST_NAME} printable characters")
    return name
