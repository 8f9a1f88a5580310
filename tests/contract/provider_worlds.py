"""The providers that the contract suite tests, each with the other side of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from responders.issuer import PROVIDER, Issuer, NewKey, Valid
from responders.provider import Leak, Provider
from responders.providers.embedded import EmbeddedProvider
from responders.providers.manual import ManualProvider
from responders.registrar import By, Registrar
from responders.registry import KeyState, KnownKey
from responders.store import SqlRecords
from scanner.model import REGISTERED, Secret
from tests.contract.provider_harness import Before, Harness
from tests.contract.vendor import VendorHarness
from tests.support.stores import FINGERPRINTER, Clock, known_key

PERSON = By("a person")


class EmbeddedHarness:
    """The embedded provider over a registry of its own."""

    def __init__(self, records: SqlRecords, clock: Clock) -> None:
        self._records = records
        self._issuer = Issuer(records, FINGERPRINTER, clock)
        self._registrar = Registrar(records, clock)
        self._made: KeyState | None = None
        self.provider: Provider = EmbeddedProvider(self._issuer)
        self.able = self.provider.capabilities

    def can_be(self, before: Before) -> bool:
        return True

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        issued = self._issuer.create(NewKey("leaky", owners=("a@example.org",)), PERSON)
        leak = Leak(REGISTERED, issued.secret)
        match before:
            case Before.ACTIVE:
                pass
            case Before.DISABLED:
                self._issuer.disable(issued.key.id, PERSON)
            case Before.LOCKED:
                self._registrar.lock(issued.key.id, PERSON)
            case Before.DELETED:
                self._issuer.delete(issued.key.id, PERSON)
            case Before.UNKNOWN:
                return Leak(REGISTERED, Secret(b"never registered " * 3)), None
            case Before.SOMEONE_ELSES:
                value = b"another vendor's value"
                other = known_key(1, provider="elsewhere", fingerprint=FINGERPRINTER.of(value))
                with self._records.begin() as transaction:
                    transaction.keys.add(other, None)
                return Leak(REGISTERED, Secret(value)), other
        return leak, self._issuer.get(issued.key.id)

    def state(self, leak: Leak) -> KeyState | None:
        assert leak.secret is not None
        found = self._issuer.lookup(leak.secret)
        return found.state if found else None

    def works(self, leak: Leak) -> bool:
        assert leak.secret is not None
        return isinstance(self._issuer.verify(leak.secret, count=False), Valid)

    def changes(self) -> int:
        with self._records.read() as transaction:
            return sum(1 for entry in transaction.audit.read() if entry.actor == "keyfuse-responder")

    def enable_again(self, leak: Leak) -> None:
        assert leak.secret is not None
        found = self._issuer.lookup(leak.secret)
        assert found is not None
        self._issuer.enable(found.id, PERSON)


class ManualHarness:
    """The stand-in for vendors that cannot be talked to: nothing ever changes."""

    def __init__(self, _records: SqlRecords, _clock: Clock) -> None:
        self.provider: Provider = ManualProvider("elsewhere")
        self.able = self.provider.capabilities
        self._state: KeyState | None = None

    def can_be(self, before: Before) -> bool:
        return True

    def leaked(self, before: Before) -> tuple[Leak, KnownKey | None]:
        leak = Leak(REGISTERED, Secret(b"a vendor's value " * 2))
        known = known_key(1, provider="elsewhere", provider_key_id="pk-1")
        match before:
            case Before.DISABLED:
                known = replace(known, state=KeyState.DISABLED)
            case Before.LOCKED:
                known = replace(known, locked=True)
            case Before.DELETED:
                known = replace(known, state=KeyState.DELETED)
            case Before.UNKNOWN:
                return leak, None
            case Before.SOMEONE_ELSES:
                known = replace(known, provider="third")
            case Before.ACTIVE:
                pass
        self._state = known.state
        return leak, known

    def state(self, leak: Leak) -> KeyState | None:
        return self._state

    def works(self, leak: Leak) -> bool:
        return self._state is KeyState.ACTIVE

    def changes(self) -> int:
        return 0

    def enable_again(self, leak: Leak) -> None:
        self._state = KeyState.ACTIVE


WORLDS = (
    "tests.contract.harness_recipes",
    "tests.contract.harness_own",
    "tests.contract.harness_ibm",
    "tests.contract.harness_yandex",
    "tests.contract.harness_clouds",
)
"""Modules with vendors' harnesses: each has HARNESSES, a mapping of names to callables that take a clock."""

STORED: dict[str, Callable[[SqlRecords, Clock], Harness]] = {
    PROVIDER: EmbeddedHarness,
    "manual": ManualHarness,
}
"""Providers that work on the records."""

VENDORS: dict[str, Callable[[Clock], VendorHarness]] = {
    name: harness for module in WORLDS for name, harness in import_module(module).HARNESSES.items()
}
"""Providers that speak to somebody else, over a fake."""

HARNESSES = sorted((*STORED, *VENDORS))
