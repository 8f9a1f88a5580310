"""What is said of a provider before it is asked anything: what it can do, what it needs, and how that is known.

`keyfuse providers list|show`, the checks of `[provider.<name>]` and docs/providers.md are all made from this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from responders.provider import Capabilities, DisableKind, Lookup, ProveKind

Default = str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CredentialNeed:
    """A credential that keyfuse works with: the settings `<name>_env`, `<name>_file` and `<name>_keyring`.

    `permissions` are the least that suffice. One that is not `required` adds to what can be done.
    """

    name: str
    why: str
    permissions: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class OptionNeed:
    """A setting that is no secret. Its default's type says what it takes: a string, true or false, or a list."""

    name: str
    why: str
    default: Default = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One base URL: the setting `base_url` (for the name ""), else `<name>_url`. Without `url` it must be set.

    An `optional` one adds to what can be done, where it is set.
    """

    url: str
    name: str = ""
    why: str = "Where the API is."
    optional: bool = False

    @property
    def setting(self) -> str:
        """The name of the setting that overrides it."""
        return f"{self.name}_url" if self.name else "base_url"


@dataclass(frozen=True, slots=True)
class Ability:
    """What can be done with keys of certain kinds: one row of the table.

    `kinds` are ids of rules; empty means every kind of this provider that no other row names. `evidence` says how the
    facts are known (the tags are explained in docs/providers.md). `by_hand` is what a person does where keyfuse cannot.
    """

    what: str
    capabilities: Capabilities
    kinds: tuple[str, ...] = ()
    evidence: str = ""
    note: str = ""
    by_hand: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """A provider, described. `prove_after` overrides the configuration's schedule where the provider is slow."""

    name: str
    title: str
    abilities: tuple[Ability, ...]
    services: tuple[Service, ...] = ()
    credentials: tuple[CredentialNeed, ...] = ()
    options: tuple[OptionNeed, ...] = ()
    docs: str = ""
    notes: tuple[str, ...] = ()
    outlives: str = ""
    prove_after: tuple[timedelta, ...] = ()
    requests_per_minute: int = 60

    @property
    def capabilities(self) -> Capabilities:
        """What it can do for some kind of key or other."""
        return union([ability.capabilities for ability in self.abilities])


class Worth(StrEnum):
    """What a configured credential turned out to be worth."""

    WORKS = "works"
    REFUSED = "refused"
    UNKNOWN = "could not tell"
    MISSING = "not configured"


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying one credential showed; nothing was changed by it."""

    credential: str
    worth: Worth
    detail: str = ""


@runtime_checkable
class Triable(Protocol):
    """A provider whose configured credentials can be tried without changing anything."""

    def trials(self) -> Sequence[Trial]:
        """Tries each credential once."""
        ...


_ORDER = (DisableKind.NATIVE, DisableKind.EMULATED, DisableKind.OWNER, DisableKind.NONE)
_PROOFS = (ProveKind.BOTH, ProveKind.READ_BACK, ProveKind.TRY_KEY, ProveKind.NONE)


def union(rows: Iterable[Capabilities]) -> Capabilities:
    """The best of each column."""
    found = list(rows)
    lookups = [row.lookup for row in found if row.lookup is not Lookup.NONE]
    return Capabilities(
        lookup=lookups[0] if lookups else Lookup.NONE,
        disable=min((row.disable for row in found), key=_ORDER.index, default=DisableKind.NONE),
        reversible=any(row.reversible for row in found),
        delete=any(row.delete for row in found),
        prove=min((row.prove for row in found), key=_PROOFS.index, default=ProveKind.NONE),
        authoriser="; ".join(dict.fromkeys(row.authoriser for row in found if row.authoriser)),
    )
