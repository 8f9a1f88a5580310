"""A whole responding keyfuse over a SQLite file in one directory, with a provider that writes down what it is told."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from responders.incident import Incident, Sighting
from responders.issuer import Issued, Issuer, NewKey
from responders.keyfile import Sealer
from responders.leakreport import LeakReport
from responders.notify.channels import Channel, Channels
from responders.notify.courier import Courier, CourierSettings
from responders.notify.outlets import LinesFile
from responders.notify.routing import Routing
from responders.notify.telling import Telling
from responders.policy import Policy
from responders.provider import (
    Alive,
    Capabilities,
    Dead,
    DisableKind,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    Lookup,
    NotFound,
    Proof,
    ProveKind,
    Provider,
    Receipt,
    Unsupported,
)
from responders.providers.embedded import EmbeddedProvider
from responders.records import Records
from responders.registrar import By
from responders.registry import KeyState, KnownKey, LeakAction
from responders.respond import Responder
from responders.store import open_store
from scanner.model import Secret, Severity, TokenKind
from tests.support.stores import FINGERPRINTER, START, Clock

EMBEDDED = TokenKind("keyfuse-key", "keyfuse key", "keyfuse", Severity.CRITICAL)
ADMINISTRATOR = "security@example.org"
OWNER = "owner@example.org"
SEALER = Sealer(bytes(range(32)))
ACTOR = "tester"
POLICY = Policy()
ROUTING = Routing(administrators=(ADMINISTRATOR,))
PATIENTLY = CourierSettings()


@dataclass
class WritingProvider:
    """Passes everything on to another provider, and writes every change that is asked for to a file.

    `before` is called with the name of each call and may return an answer in the provider's stead.
    """

    inner: Provider
    journal: Path
    secret_needed: bool = False
    before: Callable[[str], object | None] = lambda _call: None
    leaks: list[Leak] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.inner.name

    capabilities = property(lambda self: self.inner.capabilities)

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        self.leaks.append(leak)
        return self.before("identify") or self.inner.identify(leak, known)  # type: ignore[return-value]

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        self._write("disable", ref, idempotency_key)
        answer = self.before("disable")
        return answer or self.inner.disable(ref, leak, idempotency_key=idempotency_key)  # type: ignore[return-value]

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        self._write("enable", ref, idempotency_key)
        return self.inner.enable(ref, idempotency_key=idempotency_key)

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        self._write("delete", ref, idempotency_key)
        answer = self.before("delete")
        return answer or self.inner.delete(ref, leak, idempotency_key=idempotency_key)  # type: ignore[return-value]

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        self._write("unlock", ref, idempotency_key)
        return self.inner.unlock(ref, idempotency_key=idempotency_key)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        self.leaks.append(leak)
        return self.before("prove") or self.inner.prove(ref, leak, wanted)  # type: ignore[return-value]

    def needs_secret(self) -> bool:
        return self.secret_needed

    def answer(self, **answers: object) -> None:
        """What to say from now on instead of the inner provider, by the name of the call."""
        self.before = answers.get

    def changes(self) -> list[str]:
        """The changes asked for so far, in order."""
        return [line["change"] for line in read_lines(self.journal)]

    def _write(self, change: str, ref: KeyRef, idempotency_key: str) -> None:
        with self.journal.open("a") as file:
            file.write(json.dumps({"change": change, "key": ref.id, "idempotency_key": idempotency_key}) + "\n")


@dataclass
class Vendor:
    """A vendor with one key, known by its value; the registry knows it by the vendor's id alone."""

    secret: Secret
    state: KeyState = KeyState.ACTIVE
    name: str = "vendor"
    capabilities: Capabilities = Capabilities(  # noqa: RUF009  (frozen)
        Lookup.BY_VALUE_ADMIN, DisableKind.NATIVE, True, False, ProveKind.READ_BACK, "an administrator"
    )

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        if leak.secret != self.secret:
            return NotFound("no such key", sees_all=True)
        ref = KeyRef(self.name, "vendor-1", {"account": "a1"})
        return Identified(ref, self.state, evidence="looked up by value", owners=("vendor-owner@example.org",))

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        assert (ref.id, ref.details) == ("vendor-1", {"account": "a1"})
        self.state = KeyState.DISABLED
        return Done("200")

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        return Unsupported("not here")

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        return Unsupported("not here")

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        return Unsupported("not here")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        if self.state is KeyState.ACTIVE:
            return Alive("it reads active")
        return Dead("it reads disabled", self.state, outlives="access tokens", until=START + timedelta(hours=1))

    def needs_secret(self) -> bool:
        return False


@dataclass
class Office:
    """Everything that answers a leak, over one directory."""

    directory: Path
    clock: Clock
    records: Records
    issuer: Issuer
    provider: WritingProvider
    responder: Responder
    courier: Courier

    def issue(self, name: str = "deploy", action: LeakAction = LeakAction.DISABLE, **more: object) -> Issued:
        """A key with an owner."""
        wanted = replace(NewKey(name, action_when_leaked=action, owners=(OWNER,)), **more)  # type: ignore[arg-type]
        return self.issuer.create(wanted, By("tester"))

    def leak(self, secret: Secret, where: str = "app.env", line: int = 1) -> Incident:
        """Reports the secret as found there, and responds."""
        found = found_in(secret, self.clock, where, line=line)
        incident = self.responder.report(found, actor=ACTOR)
        return self.responder.respond(incident.id, found.leak, actor=ACTOR)

    def key(self, issued: Issued) -> KnownKey:
        """The key's record as it stands."""
        return self.issuer.get(issued.key.id)

    def delivered(self) -> list[dict[str, str]]:
        """What arrived on the file channel, after a round of the courier."""
        self.courier.deliver()
        return read_lines(self.directory / "notices.jsonl")

    def events(self) -> list[str]:
        """The events of the audit log, in order."""
        with self.records.read() as tx:
            return [record.event for record in tx.audit.read()]


def found_in(secret: Secret, clock: Clock, where: str = "app.env", *, line: int = 1) -> LeakReport:
    """A report of this secret at this place."""
    place = Sighting(where, "file", line=line, seen_at=clock())
    return LeakReport(Leak(EMBEDDED, secret), FINGERPRINTER.of(secret), "kfk_…" + "last", (place,))


def read_lines(path: Path) -> list[dict[str, str]]:
    """JSON lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def open_office(
    directory: Path,
    clock: Clock,
    *,
    policy: Policy = POLICY,
    routing: Routing = ROUTING,
    channels: Mapping[str, Channel] | None = None,
    settings: CourierSettings = PATIENTLY,
    checkpoint: Callable[[str], None] = lambda _step: None,
    ids: Callable[[], str] | None = None,
    vendors: Mapping[str, Provider] | None = None,
    url: str = "",
) -> Iterator[Office]:
    """The office in this directory; opened again, it finds what it left there."""
    records = open_store(url, clock=clock, data_dir=directory)
    issuer = Issuer(records, FINGERPRINTER, clock)
    provider = WritingProvider(EmbeddedProvider(issuer), directory / "changes.jsonl")
    outlets: Mapping[str, Channel] = channels or {
        "file": LinesFile("file", personal=True, path=directory / "notices.jsonl")
    }
    personal = {name: channel.personal for name, channel in outlets.items()}
    counter = itertools.count(1)
    responder = Responder(
        records,
        {"keyfuse": provider, **(vendors or {})},
        policy,
        Telling(routing, personal, repeat_after=policy.repeat_after),
        clock=clock,
        ids=ids or (lambda: f"{next(counter):04d}-{directory.name}"),
        sealer=lambda: SEALER,
        checkpoint=checkpoint,
    )
    courier = Courier(records, Channels(outlets.values()), settings, clock=clock, checkpoint=checkpoint)
    try:
        yield Office(directory, clock, records, issuer, provider, responder, courier)
    finally:
        records.close()
