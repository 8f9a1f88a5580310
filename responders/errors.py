"""The errors of responding; the tree whose root is in `scanner.errors` goes on here.

KeyfuseError
├── UsageError
│   ├── NoSuchRecord         nothing is stored under that id
│   ├── IllegalMove          an incident cannot go that way from its state
│   ├── Locked               the key is locked; unlock it first
│   ├── StaleRecord          somebody else changed it meanwhile (entity tag)
│   ├── Taken                something with this value, name or id is there already
│   └── QuotaExceeded        one more key than the account may have
└── CannotRun
    ├── StoreError           the database cannot be used (locked, read-only, newer, damaged, full)
    ├── KeyFileError         the fingerprint key is missing, damaged or readable by others
    ├── LogBroken            the audit log's chain does not hold
    └── ProviderError        a provider cannot be talked to at all (answers are values, see `provider`)
"""

from __future__ import annotations

from scanner.errors import CannotRun, UsageError


class NoSuchRecord(UsageError):
    """Nothing is stored under that id or name."""


class IllegalMove(UsageError):
    """An incident or key cannot go that way from the state it is in."""


class Locked(UsageError):
    """The key is locked: no attribute can change until it is unlocked."""


class StaleRecord(UsageError):
    """The record changed since it was read; read it again and repeat."""


class Taken(UsageError):
    """Something with this value, name or id is there already."""


class QuotaExceeded(UsageError):
    """The account may not have one more key of this kind."""


class StoreError(CannotRun):
    """The database cannot be used; the text says why and what to do."""


class KeyFileError(CannotRun):
    """The fingerprint key is missing, damaged, or readable by others."""


class LogBroken(CannotRun):
    """The audit log's chain does not hold: a gap, an edit or a cut-off tail."""


class ProviderError(CannotRun):
    """A provider cannot be talked to at all, for want of settings or of a right."""
