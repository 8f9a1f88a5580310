"""The one class behind all recipes: identifies, changes and proves, as the recipe of a provider says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from responders.about import About, Trial, Worth
from responders.errors import ProviderError
from responders.provider import (
    ITSELF,
    Alive,
    Ambiguous,
    Capabilities,
    Dead,
    Done,
    Identified,
    Identity,
    KeyRef,
    Leak,
    NotFound,
    Proof,
    Receipt,
    Refused,
    Unknown,
    Unsupported,
)
from responders.providers.once import Once
from responders.recipe import Call, Keys, Listing, Recipe
from responders.recipe_calls import Calls, Filling, Lacking, Means, Unclear, receipt_of
from responders.recipe_lists import STATES, Seen, walk
from responders.registry import KeyState, KnownKey

if TYPE_CHECKING:
    from responders.catalog import Desk

SORT = "keys"
"""In a KeyRef's details: which sort of key it is."""


class RecipeProvider:
    """A provider that is data (see `responders.provider.Provider` and `responders.recipe`)."""

    def __init__(self, recipe: Recipe, desk: Desk) -> None:
        self._recipe = recipe
        self._calls = Calls(recipe, desk.caller)
        self._desk = desk
        self._once = Once()

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return self._recipe.about.name

    @property
    def about(self) -> About:
        """What is said of it."""
        return self._recipe.about

    @property
    def capabilities(self) -> Capabilities:
        """What it can do for some sort of key or other."""
        return self._recipe.about.capabilities

    def needs_secret(self) -> bool:
        """Whether some call is made with the leaked key itself."""
        return any(keys.probe or "key" in _logins(keys) for keys in self._recipe.keys)

    # --- identify ---------------------------------------------------------------------------------------------------

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By an id that leaked with it, by an administrator's listing, else by trying the key."""
        if known is not None and known.provider != self.name:
            return NotFound(f"the registry has it as a key of {known.provider}", sees_all=False)
        keys = self._sort(leak, known)
        if keys is None:
            return Unknown(f"keyfuse cannot ask {self._title} about keys of this kind")
        if not (keys.probe or keys.read or keys.list):
            return self._by_record(keys, known)
        filling = Filling(self._desk.caller, keys, leak)
        try:
            return self._looked_up(keys, filling, known)
        except (Lacking, ProviderError) as error:
            if keys.probe is None and isinstance(error, ProviderError):
                raise
            return self._tried(keys, filling, known, _why(error), id_=self._leaked_id(keys, filling))

    def _sort(self, leak: Leak, known: KnownKey | None) -> Keys | None:
        """Which sort of key this is: by the rule that found it, else the one of which registered keys usually are."""
        found = next((keys for keys in self._recipe.keys if leak.kind.id in keys.rules), None)
        return found or (self._recipe.keys[0] if known is not None else None)

    def _by_record(self, keys: Keys, known: KnownKey | None) -> Identity:
        if known is None:
            return Unknown(f"{self._title} cannot be asked about this kind of key")
        return Identified(
            self._ref(known.provider_key_id or known.id, keys),
            known.state,
            locked=known.locked,
            evidence="the registry's record",
            owners=known.owners,
            asked=False,
        )

    @staticmethod
    def _leaked_id(keys: Keys, filling: Filling) -> str:
        """The key's id, where it is known from what leaked."""
        try:
            return filling.text(keys.id)
        except Lacking:
            return ""

    def _looked_up(self, keys: Keys, filling: Filling, known: KnownKey | None) -> Identity:
        """The provider's own record of the key. Raises what is missing where it cannot be looked up."""
        registered = known.provider_key_id if known else ""
        has_secret = filling.leak is not None and filling.leak.secret is not None
        if keys.id and has_secret:
            meant = filling.text(keys.id)
            if registered and registered != meant:
                return Ambiguous((registered, meant), "the registry names another id than what leaked")
            return self._identified(keys, self._read(keys, meant, filling), known, meant, filling)
        if keys.list is not None and keys.list.matches_values and has_secret:
            walked = walk(self._calls, keys.list, filling, filling.leak)
            if walked.trouble:
                return self._tried(keys, filling, known, walked.trouble, identifies=False)
            if len(walked.entries) > 1:
                ids = tuple(entry.id for entry in walked.entries)
                alive = self._probe(keys, filling).state is KeyState.ACTIVE
                return Ambiguous(ids, f"several keys of {self._title} look like it", works=alive)
            if not walked.entries:
                return self._absent(keys, filling)
            entry = walked.entries[0]
            if registered and registered != entry.id:
                return Ambiguous((registered, entry.id), "the registry names another id than the provider")
            if known is None and not entry.sure:
                return Ambiguous((entry.id,), "too few letters are visible to be sure that it is this key")
            seen = Seen(STATES.get(entry.word), "found in the provider's listing", entry.id, entry.owner, entry.found)
            return self._identified(keys, seen, known, entry.id, filling)
        if not registered:
            raise Lacking("the key's id at the provider (register it: provider_key_id)")
        return self._identified(keys, self._read(keys, registered, filling), known, registered, filling)

    def _identified(self, keys: Keys, seen: Seen, known: KnownKey | None, meant: str, filling: Filling) -> Identity:
        """What a reading of the key's own record says; where it says nothing, the key is tried."""
        if seen.state is None:
            return self._tried(keys, filling, known, seen.evidence, id_=meant)
        if seen.state is KeyState.DELETED:
            return self._no_record(keys, seen, filling)
        if keys.suspends_owner and self._probe(keys, filling).state is KeyState.DELETED:
            seen = replace(seen, state=KeyState.DISABLED, evidence=f"{seen.evidence}, but it is refused")
        ref = self._ref(meant, keys, seen.found)
        return Identified(ref, seen.state or KeyState.ACTIVE, evidence=seen.evidence, owners=_owners(seen.owner))

    def _no_record(self, keys: Keys, read: Seen, filling: Filling) -> Identity:
        """There is no key under that id: it was deleted, or the id that the registry has is wrong."""
        tried = self._probe(keys, filling)
        match tried.state:
            case None:
                return NotFound(read.evidence, sees_all=bool(keys.id))  # an id that leaked with the key is its own
            case KeyState.DELETED:
                return NotFound(f"{read.evidence}; {tried.evidence}", sees_all=True)
            case state:
                said = f"{read.evidence}, yet {tried.evidence}"
                return NotFound(said, sees_all=False, works=state is KeyState.ACTIVE)

    def _absent(self, keys: Keys, filling: Filling) -> Identity:
        """The administrator's listing has no such key."""
        seen = self._probe(keys, filling)
        where = "it is not among the keys that keyfuse may see"
        if seen.state is KeyState.ACTIVE:
            return NotFound(f"{where}, yet it works ({seen.evidence})", sees_all=False, works=True)
        if seen.state is None:
            return NotFound(f"{where}; {seen.evidence}", sees_all=False)
        return NotFound(f"{where}; {seen.evidence}", sees_all=True)

    def _tried(
        self,
        keys: Keys,
        filling: Filling,
        known: KnownKey | None,
        why_not: str,
        *,
        id_: str = "",
        identifies: bool = True,
    ) -> Identity:
        """What trying the key shows, where its record cannot be had."""
        seen = self._probe(keys, filling)
        match seen.state:
            case None:
                reason = seen.evidence if keys.probe is not None else f"{self._title} cannot be asked: {why_not}"
                return Unknown(reason)
            case KeyState.DELETED:
                return NotFound(seen.evidence, sees_all=known is not None or not self._recipe.many_sites)
            case _ if not identifies:
                works = seen.state is KeyState.ACTIVE
                return Unknown(f"the key {'works' if works else 'is known'}, but {why_not}", works=works)
            case state:
                registered = known.provider_key_id if known else ""
                if registered and seen.id and registered != seen.id:
                    return Ambiguous((registered, seen.id), "the registry names another id than the provider")
                ref = self._ref(id_ or seen.id or registered or ITSELF, keys, seen.found)
                return Identified(ref, state, evidence=seen.evidence, owners=_owners(seen.owner))

    # --- looking ----------------------------------------------------------------------------------------------------

    def _probe(self, keys: Keys, filling: Filling) -> Seen:
        """Tries the key itself."""
        if keys.probe is None:
            return Seen(None, "the key cannot be tried without changing something")
        try:
            return Seen.of(self._calls.make(keys.probe, filling), "the key was tried: ")
        except (Lacking, ProviderError) as error:
            return Seen(None, f"the key cannot be tried: {_why(error)}")

    def _read(self, keys: Keys, key_id: str, filling: Filling) -> Seen:
        """Reads the key's own record. Raises Lacking and ProviderError where that cannot be asked for."""
        reading = keys.read or keys.list
        filling = replace(filling, id=key_id)
        match reading:
            case None:
                raise Lacking("a way to read its record")
            case Call():
                return Seen.of(self._calls.make(reading, filling), "its record was read: ")
            case Listing():
                wanted = filling.text("{id.1}") if "/" in key_id else key_id
                walked = walk(self._calls, reading, filling, None, wanted)
                if walked.trouble:
                    return Seen(None, walked.trouble)
                if not walked.entries:
                    return Seen(KeyState.DELETED, "the provider's listing has it no more")
                entry = walked.entries[0]
                return Seen(STATES.get(entry.word), f"the provider's listing has it as {entry.word}", entry.id)

    # --- act --------------------------------------------------------------------------------------------------------

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Switches the key off, where the recipe knows how."""
        return self._change("disable", ref, leak, idempotency_key)

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Switches it on again, where the recipe knows how."""
        return self._change("enable", ref, None, idempotency_key)

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Ends the key for ever, where the recipe knows how."""
        return self._change("delete", ref, leak, idempotency_key)

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """No recipe knows locks."""
        return Unsupported(f"{self._title} has no locks")

    def _change(self, verb: str, ref: KeyRef, leak: Leak | None, idempotency_key: str) -> Receipt:
        keys = self._meant(ref, verb)
        call: Call | None = getattr(keys, verb) if keys else None
        if keys is None or call is None:
            by_hand = self._by_hand(keys)
            return Unsupported(f"keyfuse cannot {verb} {keys.what if keys else 'keys'} of {self._title}; {by_hand}")
        own_id = "" if ref.id == ITSELF else ref.id
        found = {name: value for name, value in ref.details.items() if name != SORT}
        filling = Filling(self._desk.caller, keys, leak, own_id, found)
        return self._once.do(f"{verb}/{ref.id}/{idempotency_key}", lambda: self._carry_out(verb, call, keys, filling))

    def _carry_out(self, verb: str, call: Call, keys: Keys, filling: Filling) -> Receipt:
        """Reads the state where that can be done, and sends the change where it is still needed."""
        base = None
        try:
            if isinstance(keys.read, Call) and filling.id and self._calls.can(keys.read, filling):
                before = self._calls.make(keys.read, filling)
                if isinstance(before, Unclear):
                    if not before.refused or call.merge_from is not None:
                        said = f"its record could not be read first: {before.reason}"
                        return Refused(said, for_good=before.refused, again_after=before.wait)
                elif before.word == "gone" and verb == "enable":
                    return Refused(f"{before.text}: there is no such key any more")
                elif before.word == "gone" or (verb == "disable" and before.word == "disabled"):
                    return Done(f"{before.text}: it was {before.word} already")
                base = before.body if isinstance(before, Means) else None
            return receipt_of(self._calls.make(call, filling, base=base), call)
        except Lacking as error:
            raise ProviderError(f"{self._title} cannot be told to {verb} it without {error}") from None

    def _meant(self, ref: KeyRef, verb: str) -> Keys | None:
        """The sort of key that a reference names; without one, the first that can do this."""
        named = ref.details.get(SORT)
        if named is not None:
            return next((keys for keys in self._recipe.keys if keys.what == named), None)
        return next((keys for keys in self._recipe.keys if getattr(keys, verb)), None)

    def _by_hand(self, keys: Keys | None) -> str:
        rows = self._recipe.about.abilities
        said = next((row.by_hand for row in rows if keys is not None and row.what == keys.what), "")
        return said or "do it in the provider's own console"

    # --- prove ------------------------------------------------------------------------------------------------------

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the record back and tries the key, as far as each can be done; what speaks for life wins."""
        keys = self._meant(ref, "probe")
        if keys is None:
            return Unknown(f"keyfuse cannot ask {self._title} about keys of this kind")
        filling = Filling(self._desk.caller, keys, leak, "" if ref.id == ITSELF else ref.id, _found(ref))
        tried = self._probe(keys, filling)
        read = self._read_back(keys, filling)
        if keys.suspends_owner and tried.state is KeyState.DELETED and read.state is KeyState.ACTIVE:
            read = replace(read, state=KeyState.DISABLED)  # its record does not tell that its owner is suspended
        if KeyState.ACTIVE in (tried.state, read.state):
            alive = tried if tried.state is KeyState.ACTIVE else read
            contrary = tried.state is KeyState.DELETED
            return Unknown(f"{read.evidence}, yet {tried.evidence}") if contrary else Alive(alive.evidence)
        return self._dead(keys, tried, read, wanted)

    def _read_back(self, keys: Keys, filling: Filling) -> Seen:
        if not filling.id or not (keys.read or keys.list):
            return Seen(None, "its record cannot be read")
        try:
            return self._read(keys, filling.id, filling)
        except (Lacking, ProviderError) as error:
            return Seen(None, f"its record cannot be read without {_why(error)}")

    def _dead(self, keys: Keys, tried: Seen, read: Seen, wanted: KeyState) -> Proof:
        evidence = "; ".join(seen.evidence for seen in (read, tried) if seen.state is not None)
        if read.state is None and tried.state is None:
            return Unknown(tried.evidence if keys.probe is not None else read.evidence)
        state = read.state or tried.state or KeyState.DELETED
        if read.state is None and tried.state is KeyState.DELETED and keys.disable is not None:
            state = KeyState.DISABLED  # a refusal does not tell a disabled key from a deleted one
        if wanted is KeyState.DELETED and state is not KeyState.DELETED:
            return Alive(f"{evidence}: it is {state.value}, and not shown to be deleted")
        until = self._desk.clock() + self._recipe.outlives_for if self._recipe.outlives_for else None
        return Dead(evidence, state, self._recipe.about.outlives, until)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def trials(self) -> Sequence[Trial]:
        """Tries each configured credential, where the recipe says how."""
        return [self._trial(need.name) for need in self._recipe.about.credentials]

    def _trial(self, name: str) -> Trial:
        if not self._desk.caller.has(name):
            return Trial(name, Worth.MISSING, f"set {name}_env, {name}_file or {name}_keyring")
        check = self._recipe.checks.get(name)
        try:
            self._desk.caller.credential(name)
            if check is None:
                return Trial(
                    name, Worth.UNKNOWN, "it can be read; nothing can be asked with it without changing something"
                )
            meaning = self._calls.make(check, Filling(self._desk.caller))
        except (Lacking, ProviderError) as error:
            return Trial(name, Worth.UNKNOWN, _why(error))
        if isinstance(meaning, Unclear):
            return Trial(name, Worth.UNKNOWN, meaning.reason)
        worth = {"active": Worth.WORKS, "unknown": Worth.UNKNOWN}.get(meaning.word, Worth.REFUSED)
        return Trial(name, worth, meaning.text)

    @property
    def _title(self) -> str:
        return self._recipe.about.title

    def _ref(self, key_id: str, keys: Keys, found: Mapping[str, str] | None = None) -> KeyRef:
        return KeyRef(self.name, key_id, {SORT: keys.what, **(found or {})})


def _logins(keys: Keys) -> set[str]:
    calls = [keys.disable, keys.enable, keys.delete, keys.read, keys.list]
    found = [call.call if isinstance(call, Listing) else call for call in calls if call is not None]
    return {name for call in found for name in call.logins}


def _found(ref: KeyRef) -> dict[str, str]:
    return {name: value for name, value in ref.details.items() if name != SORT}


def _owners(owner: str) -> tuple[str, ...]:
    return (owner,) if owner else ()


def _why(error: Exception) -> str:
    return f"it needs {error}" if isinstance(error, Lacking) else str(error)
