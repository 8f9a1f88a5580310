"""A key service of one's own: what it is asked and what it answers, over HTTP or through a command.

What is sent is one JSON object, and so is the answer:

    {"version": 1, "verb": "identify" | "state" | "disable" | "enable" | "delete", "id": "…", "details": {…},
     "secret": "…", "parts": {…}, "idempotency_key": "…"}

`secret` and `parts` are what leaked; they come with identify and state where they are at hand. `id` and `details` are
what identify answered; they come with everything else. `idempotency_key` comes with the three changes: under the same
key the effect is to happen once.

    identify, state   {"found": true, "id": "…", "state": "active" | "disabled" | "expired" | "deleted",
                       "locked": false, "owners": ["…"], "action_when_leaked": "none" | "disable" | "delete",
                       "details": {"…": "…"}}
                      {"found": false, "sees_all": true}     nobody has it; sees_all: it would have been seen
                      {"ambiguous": ["…", "…"]}              several keys may be meant
    a change          {"outcome": "done" | "accepted" | "refused" | "locked" | "later" | "unsupported", "reason": "…"}

Whatever else comes back is "could not tell".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from responders.about import Ability, About, OptionNeed, Trial, Worth
from responders.connection import ProviderSettings
from responders.provider import (
    Accepted,
    Alive,
    Ambiguous,
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
    Receipt,
    Refused,
    Uncertain,
    Unknown,
    Unsupported,
)
from responders.providers.once import Once
from responders.registry import KeyState, KnownKey, LeakAction
from scanner.model import Secret

VERBS = ("disable", "enable", "delete")
CAN = OptionNeed("can", "Which changes your service knows: disable, enable, delete.", VERBS)
LONGEST = 500
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class NotSaid:
    """No answer that could be understood. `sent` says that a change may have taken effect."""

    reason: str
    sent: bool
    wait: float | None = None


Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | NotSaid]
"""Sends one question (its verb, and the whole object) and returns the answer."""


def ability(settings: ProviderSettings) -> Ability:
    """What the service says that it can do."""
    can = settings.options.get("can", VERBS)
    known = can if isinstance(can, tuple) else VERBS
    return Ability(
        "keys that you issue yourself",
        Capabilities(
            lookup=Lookup.BY_VALUE_ADMIN,
            disable=DisableKind.NATIVE if "disable" in known else DisableKind.NONE,
            reversible="enable" in known,
            delete="delete" in known,
            prove=ProveKind.READ_BACK,
            authoriser="your own service",
        ),
    )


class OwnProvider:
    """A key service of one's own (see `responders.provider.Provider`)."""

    def __init__(self, about: About, settings: ProviderSettings, ask: Ask) -> None:
        self._about = about
        self._ask = ask
        self._once = Once()
        self._able = ability(settings).capabilities

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        return self._about.name

    @property
    def about(self) -> About:
        """What is said of it."""
        return self._about

    @property
    def capabilities(self) -> Capabilities:
        """As the setting `can` says."""
        return self._able

    def needs_secret(self) -> bool:
        """To identify a key after a restart."""
        return True

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """Asks which key this is."""
        if known is not None and known.provider != self.name:
            return NotFound(f"the registry has it as a key of {known.provider}", sees_all=False)
        key_id = known.provider_key_id if known else ""
        if leak.secret is None and not key_id:
            return Unknown("neither the value nor the key's id is at hand")
        return self._look("identify" if leak.secret else "state", KeyRef(self.name, key_id), leak)

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Asks for the key to be switched off."""
        return self._change("disable", ref, idempotency_key, possible=self._able.disable is DisableKind.NATIVE)

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Asks for it to be switched on."""
        return self._change("enable", ref, idempotency_key, possible=self._able.reversible)

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Asks for it to be ended for ever."""
        return self._change("delete", ref, idempotency_key, possible=self._able.delete)

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Locks are the service's own business."""
        return Unsupported("locks are taken off at the service itself")

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Asks how the key is now."""
        match self._look("state", ref, leak):
            case Identified(state=KeyState.ACTIVE, evidence=evidence):
                return Alive(evidence)
            case Identified(state=state, evidence=evidence) if wanted is KeyState.DELETED and state is not wanted:
                return Alive(f"{evidence}: not deleted")
            case Identified(state=state, evidence=evidence):
                return Dead(evidence, state)
            case NotFound(sees_all=True, evidence=evidence):
                return Dead(evidence, KeyState.DELETED)
            case NotFound(evidence=reason) | Ambiguous(reason=reason) | Unknown(reason=reason):
                return Unknown(reason)

    def trials(self) -> Sequence[Trial]:
        """Asks after a key that nobody has."""
        said = self._ask("state", self._question("state", KeyRef(self.name, "keyfuse-trial"), None))
        if isinstance(said, NotSaid):
            return [Trial("service", Worth.UNKNOWN, said.reason)]
        answered = isinstance(said.get("found"), bool)
        return [Trial("service", Worth.WORKS if answered else Worth.UNKNOWN, "" if answered else "it says neither")]

    def _look(self, verb: str, ref: KeyRef, leak: Leak) -> Identity:
        said = self._ask(verb, self._question(verb, ref, leak))
        if isinstance(said, NotSaid):
            return Unknown(said.reason)
        several = said.get("ambiguous")
        if isinstance(several, list):
            return Ambiguous(tuple(str(each) for each in several), "your service says that several keys may be meant")
        if said.get("found") is False:
            return NotFound("your service has no such key", sees_all=said.get("sees_all") is True)
        key_id, state = said.get("id"), said.get("state")
        if said.get("found") is not True or not isinstance(key_id, str) or not key_id or state not in set(KeyState):
            return Unknown("your service answered something that keyfuse does not understand")
        owners, details, action = said.get("owners"), said.get("details"), said.get("action_when_leaked")
        return Identified(
            KeyRef(self.name, key_id, _texts(details) if isinstance(details, dict) else {}),
            KeyState(str(state)),
            locked=said.get("locked") is True,
            action=LeakAction(str(action)) if action in set(LeakAction) else None,
            evidence=f"your service says that it is {state}",
            owners=tuple(each for each in owners if isinstance(each, str)) if isinstance(owners, list) else (),
        )

    def _change(self, verb: str, ref: KeyRef, idempotency_key: str, *, possible: bool) -> Receipt:
        if not possible:
            return Unsupported(f"your service cannot {verb} keys (the setting `can`)")
        question = self._question(verb, ref, None, idempotency_key)
        return self._once.do(f"{verb}/{ref.id}/{idempotency_key}", lambda: _receipt(self._ask(verb, question)))

    @staticmethod
    def _question(verb: str, ref: KeyRef, leak: Leak | None, idempotency_key: str = "") -> dict[str, Any]:
        question: dict[str, Any] = {"version": 1, "verb": verb}
        if ref.id:
            question |= {"id": ref.id, "details": dict(ref.details)}
        if leak is not None and leak.secret is not None:
            question["secret"] = _plain(leak.secret)
            question["parts"] = {name: _plain(part) for name, part in leak.parts.items()}
        if idempotency_key:
            question["idempotency_key"] = idempotency_key
        return question


def _receipt(said: Mapping[str, Any] | NotSaid) -> Receipt:
    if isinstance(said, NotSaid):
        return Uncertain(said.reason) if said.sent else Refused(said.reason, False, False, said.wait)
    reason = str(said.get("reason") or "")[:LONGEST]
    match said.get("outcome"):
        case "done":
            return Done(reason or "your service says that it is done")
        case "accepted":
            return Accepted(reason or "your service took it")
        case "refused":
            return Refused(reason or "your service refused")
        case "locked":
            return Refused(reason or "your service says that the key is locked", locked=True, for_good=False)
        case "later":
            return Refused(reason or "your service asks to come again", for_good=False)
        case "unsupported":
            return Unsupported(reason or "your service cannot do that")
        case _:
            return Uncertain("your service answered something that keyfuse does not understand")


def _texts(table: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): value for name, value in table.items() if isinstance(value, str)}


def _plain(secret: Secret) -> str:
    return secret.reveal().decode("utf-8", "surrogateescape")
