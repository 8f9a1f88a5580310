"""User and service-id API keys of IBM Cloud: found by value, switched off, deleted, and proven dead.

What IBM leaves undocumented is met like this: the record is read before every change (a lock, or a change that was
made already, is seen there) and after every refusal (a lock that came meanwhile); tokens that were made from a key are
taken to outlive it by up to 60 minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from responders.calling import Answer, NoAnswer, json_of
from responders.provider import (
    Alive,
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
)
from responders.providers.ibm.iam import TOKEN_LIVES, Denied, Found, Grant, Iam, Missing, Verdict, code_of, place
from responders.providers.ibm.records import ApiKey
from responders.providers.replies import GONE, not_taken, taken
from responders.registry import KeyKind, KeyState, KnownKey
from scanner.model import Secret

NAME = "ibm"
IBM = "IBM"
RIGHT = "the role Administrator on the IAM Identity service"
BY_ITSELF, BY_VALUE = "itself", "value"
OUTLIVES = "access tokens that were made from the key before (IBM does not end them)"
IAM_RULES = frozenset({"ibm-cloud-iam-api-key", "ibm-cloud-api-key-file"})
STATES = {
    Verdict.DISABLED: KeyState.DISABLED,
    Verdict.EXPIRED: KeyState.EXPIRED,
    Verdict.NO_SUCH_KEY: KeyState.DELETED,
}


class IamKeys:
    """The keys of IAM. `use_leaked_key`: a registered key that leaked may be tried, and may switch itself off."""

    def __init__(
        self, iam: Iam, clock: Callable[[], datetime], *, has_credential: Callable[[], bool], use_leaked_key: bool
    ) -> None:
        self._iam = iam
        self._clock = clock
        self._has_credential = has_credential
        self._use_leaked_key = use_leaked_key

    # --- identify ---------------------------------------------------------------------------------------------------

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By value where it is at hand, else by the id that the registry knows."""
        if leak.secret is None:
            return self._by_id(known)
        if not _fits_header(leak.secret):
            return NotFound("no API key of IBM looks like this", sees_all=False)
        if not self._has_credential() and self._use_leaked_key:
            denied = Denied("keyfuse has no IBM credential of its own")
            return self._by_itself(leak.secret, known, denied, is_iam=_is_iam(leak, known))
        found = self._iam.by_value(leak.secret)
        match found:
            case ApiKey():
                return self._identified(found, "IBM's lookup by value: ")
            case Unknown():
                return found
            case _:
                return self._by_itself(leak.secret, known, found, is_iam=_is_iam(leak, known))

    def _by_id(self, known: KnownKey | None) -> Identity:
        if known is None or not known.provider_key_id:
            return Unknown("neither the value nor IBM's id of the key is at hand; report the leak once more")
        found = self._iam.by_id(known.provider_key_id)
        match found:
            case ApiKey():
                return self._identified(found, "IBM's record: ")
            case Missing(evidence):
                sees_all = bool(known.account_id) and self._iam.administers(known.account_id)
                return NotFound(evidence, sees_all=sees_all)
            case Denied(reason):
                return Unknown(reason)
            case Unknown():
                return found

    def _by_itself(self, value: Secret, known: KnownKey | None, why: Missing | Denied, *, is_iam: bool) -> Identity:
        """keyfuse's own credential may not see the key: it is tried, and a registered one looked up with itself.

        That IAM knows no such key is proof of death only for what is a key of IAM at all (`is_iam`).
        """
        said = why.evidence if isinstance(why, Missing) else why.reason
        if not self._use_leaked_key:
            return NotFound(said, sees_all=False) if isinstance(why, Missing) else Unknown(said)
        grant = self._iam.grant(value)
        if isinstance(grant, Unknown):
            return grant
        if grant.verdict is Verdict.NO_SUCH_KEY:
            return NotFound(grant.verdict.value, sees_all=is_iam)
        if known is None:  # a stranger's, as far as anybody knows: told of, and left alone
            works = grant.verdict is Verdict.ALIVE
            return NotFound(f"{said}; tried: {grant.verdict.value}", sees_all=False, works=works)
        if grant.bearer is None:
            ref = KeyRef(NAME, known.provider_key_id or known.id, {"type": "iam", "authority": BY_VALUE})
            return Identified(ref, STATES[grant.verdict], evidence=f"{said}; {grant.verdict.value}")
        found = self._iam.by_value(value, grant.bearer)
        if isinstance(found, ApiKey):
            self._iam.lend(found.id, grant.bearer)
            return self._identified(found, "looked up with the leaked key itself: ", BY_ITSELF)
        return Unknown(
            f"{said}; the key is alive, but may not look itself up either; give keyfuse's credential {RIGHT} "
            "in the key's account",
            works=True,
        )

    def _identified(self, key: ApiKey, how: str, authority: str = "keyfuse") -> Identified:
        details = {"type": "iam", "authority": authority, "account": key.account_id, "iam_id": key.iam_id}
        state = key.state(self._clock())
        return Identified(KeyRef(NAME, key.id, details), state, key.locked, key.action, how + key.words(self._clock()))

    # --- act --------------------------------------------------------------------------------------------------------

    def disable(self, ref: KeyRef, leak: Leak) -> Receipt:
        """POST …/disable, unless it is disabled, locked or gone already."""
        return self._change(ref, leak, "POST", "/disable", lambda key: key.disabled, KeyState.DISABLED)

    def enable(self, ref: KeyRef, leak: Leak) -> Receipt:
        """DELETE …/disable."""
        return self._change(ref, leak, "DELETE", "/disable", lambda key: not key.disabled, None)

    def delete(self, ref: KeyRef, leak: Leak) -> Receipt:
        """DELETE of the key itself."""
        return self._change(ref, leak, "DELETE", "", lambda _key: False, KeyState.DELETED)

    def unlock(self, ref: KeyRef, leak: Leak) -> Receipt:
        """DELETE …/lock."""
        return self._change(ref, leak, "DELETE", "/lock", lambda key: not key.locked, None)

    def _change(
        self,
        ref: KeyRef,
        leak: Leak,
        method: str,
        what: str,
        is_so: Callable[[ApiKey], bool],
        kills: KeyState | None,
    ) -> Receipt:
        bearer = self._authority(ref, leak)
        if isinstance(bearer, Refused):
            return bearer
        found = self._iam.by_id(ref.id, bearer)
        if isinstance(found, ApiKey):
            if kills is not None and self._is_own(ref):
                return Refused("keyfuse itself works with this key; give it another, then switch this one off by hand")
            if is_so(found):
                return Done(f"nothing had to be changed: {found.words(self._clock())}")
            if found.locked and what != "/lock":
                return Refused(f"key {found.id} is locked at IBM", locked=True, for_good=False)
        else:
            return _unread(found, seen_before=kills is not None and bool(ref.details.get("account")))
        answer = self._iam.ask(method, place(ref.id) + what, bearer=bearer)
        if isinstance(answer, Answer) and taken(answer):
            return Done(f"IBM took it (HTTP {answer.status})")
        return self._refused(ref, bearer, answer, is_so, kills)

    def _refused(
        self,
        ref: KeyRef,
        bearer: Secret | None,
        answer: Answer | NoAnswer | Unknown,
        is_so: Callable[[ApiKey], bool],
        kills: KeyState | None,
    ) -> Receipt:
        """Reads why: which status a lock or a repeat has is not documented, but the record shows both."""
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        body = json_of(answer) if isinstance(answer, Answer) else None
        if isinstance(answer, Answer) and answer.status in GONE and isinstance(body, dict) and kills is not None:
            return Done(f"it is gone already (HTTP {answer.status})")
        if isinstance(answer, Answer) and 400 <= answer.status < 500 and answer.status not in (401, 429):
            now = self._iam.by_id(ref.id, bearer)
            if isinstance(now, ApiKey) and is_so(now):
                return Done(f"it is so already: {now.words(self._clock())}")
            if isinstance(now, ApiKey) and now.locked:
                return Refused(f"key {now.id} is locked at IBM", locked=True, for_good=False)
        return not_taken(answer, IBM, RIGHT, code_of(body))

    def _authority(self, ref: KeyRef, leak: Leak) -> Secret | Refused | None:
        """Whose rights are used: keyfuse's own (None), or those of the leaked key where only it may."""
        match ref.details.get("authority"):
            case "itself" if (lent := self._iam.lent(ref.id)) is not None:
                return lent
            case "itself":
                grant = self._iam.grant(leak.secret) if leak.secret is not None else None
                if isinstance(grant, Grant) and grant.bearer is not None:
                    return grant.bearer
                if isinstance(grant, Unknown):
                    return Refused(f"nothing was sent: {grant.reason}", for_good=False)
                return Refused("only the key itself may change its record, and its value is not at hand or refused")
            case "value":
                return Refused(f"keyfuse may not see this key at IBM; it needs {RIGHT} in the key's account")
            case _:
                return None

    def _is_own(self, ref: KeyRef) -> bool:
        if not self._has_credential():
            return False
        own = self._iam.own()
        return own is not None and own.id == ref.id

    # --- prove ------------------------------------------------------------------------------------------------------

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the record back, and tries the value where it is at hand: it is dead when neither says otherwise."""
        record = self._record(ref, wanted)
        tried = self._tried(leak, wanted)
        for proof in (tried, record):
            if isinstance(proof, Alive) and not (proof is record and isinstance(tried, Dead)):
                return proof
        dead = [proof for proof in (record, tried) if isinstance(proof, Dead)]
        if not dead:
            return Unknown("; ".join(proof.reason for proof in (record, tried) if isinstance(proof, Unknown)))
        evidence = "; ".join(proof.evidence for proof in dead)
        return Dead(evidence, dead[-1].state, OUTLIVES, self._clock() + TOKEN_LIVES)

    def _record(self, ref: KeyRef, wanted: KeyState) -> Proof:
        if ref.details.get("authority") in (BY_ITSELF, BY_VALUE):
            return Unknown("keyfuse's own credential may not see the record")
        found: Found = self._iam.by_id(ref.id)
        match found:
            case ApiKey():
                return self._judged(found.state(self._clock()), wanted, f"read back: {found.words(self._clock())}")
            case Missing(evidence):
                account = ref.details.get("account", "")
                if account and self._iam.administers(account):  # it was shown before, and would still be shown
                    return Dead(f"read back: {evidence}", KeyState.DELETED)
                return Unknown(f"{evidence}; that is no proof, since keyfuse may not see every key")
            case Denied(reason):
                return Unknown(reason)
            case Unknown():
                return found

    def _tried(self, leak: Leak, wanted: KeyState) -> Proof:
        if leak.secret is None or not self._use_leaked_key:
            return Unknown("the key was not tried")
        grant = self._iam.grant(leak.secret)
        if isinstance(grant, Unknown):
            return grant
        if grant.verdict is Verdict.ALIVE:
            return Alive(f"tried: {grant.verdict.value}")
        return self._judged(STATES[grant.verdict], wanted, f"tried: {grant.verdict.value}")

    def _judged(self, state: KeyState, wanted: KeyState, evidence: str) -> Proof:
        if state is KeyState.ACTIVE:
            return Alive(evidence)
        if wanted is KeyState.DELETED and state is not KeyState.DELETED:
            return Alive(f"{evidence}, not deleted")
        return Dead(evidence, state)


def _is_iam(leak: Leak, known: KnownKey | None) -> bool:
    """Whether this is sure to be, or to have been, a key of IAM: its record says so, or the rule that found it."""
    return leak.kind.id in IAM_RULES or (known is not None and known.kind in (KeyKind.USER, KeyKind.SERVICE_ID))


def _unread(found: Missing | Denied | Unknown, *, seen_before: bool) -> Receipt:
    """The record could not be read, so nothing was sent."""
    match found:
        case Missing(evidence) if seen_before:
            return Done(f"it is gone already: {evidence}")
        case Missing(evidence):
            return Refused(f"{evidence}; keyfuse may not see every key, so it needs {RIGHT}")
        case Denied(reason):
            return Refused(f"{reason}; it needs {RIGHT}")
        case Unknown(reason):
            return Refused(f"nothing was sent: {reason}", for_good=False)


def _fits_header(value: Secret) -> bool:
    """Whether it can stand in a header at all; nothing else can be looked up."""
    return value.reveal().isascii() and value.reveal().decode("ascii").isprintable() and len(value) <= 4096
