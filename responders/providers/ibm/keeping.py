"""IBM Cloud's keys beside leaks: listed into the registry, their records changed, replaced by new ones.

Facts (IBM's SDK): listing a whole account takes the role Administrator on the IAM Identity service; `PUT` needs the
record's entity tag in `If-Match` and answers a stale one with a conflict (409 from memory, 412 accepted as well); an
empty text clears a field; `POST /v1/apikeys` shows the new value once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from responders.about import Trial, Worth
from responders.calling import Answer, Caller, NoAnswer, json_of
from responders.listing import Listed, NotListed, Replacement, Whole
from responders.provider import Done, KeyRef, Receipt, Refused, Unknown, Unsupported
from responders.providers.ibm.classic import ClassicKeys
from responders.providers.ibm.credentials import ServiceCredentials
from responders.providers.ibm.iam import KEYS, Iam, code_of, place
from responders.providers.ibm.keys import IBM, RIGHT
from responders.providers.ibm.records import ApiKey, api_key
from responders.providers.replies import not_taken, taken, told
from responders.registrar import Amendment
from responders.registry import KeyKind, KnownKey
from scanner.model import Secret

IAM_KINDS = (KeyKind.USER, KeyKind.SERVICE_ID, KeyKind.SERVICE_SPECIFIC)
CONFLICT = (409, 412)


class Keeping:
    """The account's keys, as an administrator keeps them."""

    def __init__(
        self,
        caller: Caller,
        iam: Iam,
        clock: Callable[[], datetime],
        classic: ClassicKeys,
        credentials: ServiceCredentials,
    ) -> None:
        self._caller = caller
        self._iam = iam
        self._clock = clock
        self._classic = classic
        self._credentials = credentials

    def trials(self) -> Sequence[Trial]:
        """What keyfuse's own key is worth: whether it gets a token, and whether it sees the account's keys."""
        if not self._caller.has("api_key"):
            return [Trial("api_key", Worth.MISSING, "set api_key_env or api_key_file")]
        token = self._iam.bearer()
        if isinstance(token, Unknown):
            refused = "does not work" in token.reason
            return [Trial("api_key", Worth.REFUSED if refused else Worth.UNKNOWN, token.reason)]
        account = self._account()
        if isinstance(account, Unknown):
            return [Trial("api_key", Worth.UNKNOWN, account.reason)]
        if not self._iam.administers(account):
            return [Trial("api_key", Worth.WORKS, f"but it sees only its own keys; it needs {RIGHT}")]
        return [Trial("api_key", Worth.WORKS, f"it sees every key of account {account}")]

    # --- listing ----------------------------------------------------------------------------------------------------

    def listing(self) -> Iterator[Listed | NotListed | Whole]:
        """User keys, keys of service ids, service credentials, and classic keys where the configuration wants them."""
        account = self._account()
        if isinstance(account, Unknown):
            yield NotListed("API keys", account.reason)
            return
        specific: dict[str, dict[str, Any]] = {}
        complete = True
        if self._caller.option("service_credentials"):
            found = self._credentials.service_ids()
            if isinstance(found, Unknown):
                complete = False
                yield NotListed("service credentials", found.reason)
            else:
                specific = found
                yield from self._credentials.listing()
        for kind, words in (("user", "user API keys"), ("serviceid", "API keys of service ids")):
            for key in self._iam.every(account, kind):
                if isinstance(key, Unknown):
                    complete = False
                    yield NotListed(words, key.reason)
                else:
                    yield self._listed(key, key.iam_id in specific)
        if complete:
            kinds = set(IAM_KINDS) - (set() if self._caller.option("service_credentials") else {IAM_KINDS[2]})
            yield Whole(frozenset(kinds), account)
        if self._caller.option("classic"):
            yield from self._classic.listing()

    def _account(self) -> str | Unknown:
        """The account that is configured, else that of keyfuse's own key."""
        if given := str(self._caller.option("account_id")):
            return given
        own = self._iam.own()
        if own is None or not own.account_id:
            return Unknown("IBM does not show keyfuse's own key, so its account is not known; set account_id")
        return own.account_id

    def _listed(self, key: ApiKey, is_specific: bool) -> Listed:
        kind = KeyKind.SERVICE_ID if key.is_service else KeyKind.USER
        return Listed(
            provider_key_id=key.id,
            name=key.name or key.id,
            kind=KeyKind.SERVICE_SPECIFIC if is_specific else kind,
            state=key.state(self._clock()),
            description=key.description,
            account_id=key.account_id,
            iam_id=key.iam_id,
            created_at=key.created_at,
            created_by=key.created_by,
            expires_at=key.expires_at,
            locked=key.locked,
            action=key.action,
        )

    # --- changing ---------------------------------------------------------------------------------------------------

    def amend(self, ref: KeyRef, amendment: Amendment) -> Receipt:
        """PUT of the fields that IBM keeps, under the entity tag that was just read."""
        wanted = _fields(amendment)
        if not wanted or ref.details.get("type") in ("classic", "credential"):
            return Unsupported("IBM keeps nothing of this; it is the registry's alone")
        found = self._iam.by_id(ref.id)
        if not isinstance(found, ApiKey):
            reason = getattr(found, "reason", "") or getattr(found, "evidence", "")
            return Refused(f"nothing was sent: {reason}", for_good=not isinstance(found, Unknown))
        if found.locked:
            return Refused(f"key {found.id} is locked at IBM", locked=True, for_good=False)
        answer = self._iam.ask("PUT", place(ref.id), headers={"If-Match": found.entity_tag or "*"}, json_body=wanted)
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        if isinstance(answer, Answer) and taken(answer):
            return Done(f"IBM took it (HTTP {answer.status}): {', '.join(sorted(wanted))}")
        code = code_of(json_of(answer)) if isinstance(answer, Answer) else ""
        if isinstance(answer, Answer) and answer.status in CONFLICT:
            return Refused(f"somebody changed the key at IBM just now ({told(answer, code)})", for_good=False)
        return not_taken(answer, IBM, RIGHT, code)

    def successor(self, key: KnownKey, expires_at: datetime | None) -> Replacement | Refused | Unsupported:
        """POST of a key like the old one, as IBM has it now."""
        if key.kind not in (KeyKind.USER, KeyKind.SERVICE_ID):
            return Unsupported(f"{key.kind} keys are made anew by whoever hands them out, in IBM's console")
        old = self._iam.by_id(key.provider_key_id)
        if not isinstance(old, ApiKey):
            return Refused(getattr(old, "reason", "") or getattr(old, "evidence", ""))
        body: dict[str, str] = {"name": old.name or key.name, "iam_id": old.iam_id, "account_id": old.account_id}
        body |= {"description": old.description} if old.description else {}
        body |= {"action_when_leaked": old.action.value} if old.action else {}
        body |= {"expires_at": stamp(expires_at)} if expires_at else {}
        answer = self._iam.ask("POST", KEYS, json_body=body)
        if isinstance(answer, Unknown):
            return Refused(f"nothing was sent: {answer.reason}", for_good=False)
        made = json_of(answer) if isinstance(answer, Answer) and answer.ok else None
        record, value = api_key(made), made.get("apikey") if isinstance(made, dict) else None
        if record is None or not isinstance(value, str) or not value:
            return _not_made(answer, old)
        return Replacement(self._listed(record, False), Secret(value.encode()))


def stamp(moment: datetime) -> str:
    """A time as IBM takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M+0000")


def _fields(amendment: Amendment) -> dict[str, str]:
    wanted: dict[str, str] = {}
    wanted |= {"name": amendment.name} if amendment.name is not None else {}
    wanted |= {"description": amendment.description} if amendment.description is not None else {}
    wanted |= {"action_when_leaked": amendment.action_when_leaked.value} if amendment.action_when_leaked else {}
    if amendment.never_expires:
        wanted["expires_at"] = ""
    elif amendment.expires_at is not None:
        wanted["expires_at"] = stamp(amendment.expires_at)
    return wanted


def _not_made(answer: Answer | NoAnswer, old: ApiKey) -> Refused:
    receipt = not_taken(answer, IBM, RIGHT) if isinstance(answer, NoAnswer) or not answer.ok else None
    if isinstance(receipt, Refused):
        return receipt
    return Refused(
        f"nobody can tell whether IBM made the new key: look among the keys of {old.iam_id} for a new one named "
        f"{old.name}, and delete it before you repeat this",
        for_good=False,
    )
