"""AWS access keys: found by the id beside the secret, set inactive or deleted by an administrator of the account.

- Which account: read out of the id, else sts:GetAccessKeyInfo. Which user: iam:GetAccessKeyLastUsed. State:
  iam:ListAccessKeys. Change: iam:UpdateAccessKey, iam:DeleteAccessKey, always with the user's name, since without it
  AWS means the caller's own key. AWS's own service model; exercised against moto, not against AWS.
- An id that only stood beside the secret is believed when both together sign a call (sts:GetCallerIdentity, which needs
  no right) or when that key is dead; a signature that does not fit says that they do not belong together.
- Sessions that a key made outlive it. `cut_sessions` denies them to its user by an inline policy, and makes it possible
  to answer for temporary keys at all. From memory of AWS's own console (AWSRevokeOlderSessions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

from responders.about import Trial, Worth
from responders.errors import ProviderError
from responders.provider import (
    Alive,
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
from responders.providers.asking import BEYOND, known_id, out_of_reach
from responders.providers.aws import ABOUT, KEY_KINDS, NAME
from responders.providers.aws.client import GONE, THROTTLED, AwsClient, Failure, Login
from responders.providers.aws.ids import LONG_TERM, TEMPORARY, account_of, principal_of
from responders.providers.aws.owner import Owner
from responders.providers.once import Once
from responders.registry import KeyState, KnownKey
from scanner.model import Secret

STATES = {"Active": KeyState.ACTIVE, "Inactive": KeyState.DISABLED, "Expired": KeyState.EXPIRED}
SESSIONS_LIVE = timedelta(hours=36)
MOST_PAGES = 20
CREDENTIAL = "secret_access_key"
USER, ROLE, ACCOUNT, SEEN = "user", "role", "account", "seen"


class Tried(Enum):
    """What came of a call that was signed with what leaked."""

    NOT = "not tried"
    WORKS = "works"
    DEAD = "refused"
    OTHERS = "id and secret belong to different keys"


class AwsProvider:
    """Answers for AWS's access keys (see `responders.provider.Provider`)."""

    def __init__(
        self, client: AwsClient, owner: Owner, clock: Callable[[], datetime], accounts: tuple[str, ...]
    ) -> None:
        self._client = client
        self._owner = owner
        self._clock = clock
        self._accounts = accounts
        self._once = Once()

    @property
    def name(self) -> str:
        """The name used in rules, registry and configuration."""
        return NAME

    @property
    def capabilities(self) -> Capabilities:
        """Both actions, reversible and not."""
        return ABOUT.capabilities

    # --- whose key --------------------------------------------------------------------------------------------------

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By the id in the registry's record, else by the one that stood beside the secret."""
        if leak.kind.provider == NAME and leak.kind.id not in KEY_KINDS:
            return out_of_reach(NAME, known, f"keyfuse knows no way to end a {leak.kind.name} of AWS")
        key_id, certain = _id_of(leak, known)
        if not key_id:
            why = "no access key id stood beside the secret, and the registry's record has none (provider_key_id)"
            return NotFound(why, sees_all=False)
        if TEMPORARY.fullmatch(key_id):
            return self._identify_temporary(leak, key_id)
        tried = Tried.NOT if certain else self._try(leak, key_id)
        if tried is Tried.OTHERS:
            return NotFound(f"the secret is not that of {key_id}, which stood beside it", sees_all=False)
        if isinstance(tried, Failure):
            return Unknown(tried.reason)
        return self._identify_certain(key_id, tried)

    def _identify_certain(self, key_id: str, tried: Tried = Tried.NOT) -> Identity:
        home = self._home(key_id, "", tried)
        if isinstance(home, Failure):
            return Unknown(home.reason, works=tried is Tried.WORKS)
        account, ours = home
        return self._identify_by_id(key_id, account) if ours else _elsewhere(key_id, account, tried)

    def _home(self, key_id: str, account: str, tried: Tried) -> tuple[str, bool] | Failure:
        """The key's account, and whether keyfuse works in it. Without credentials of its own it works in none."""
        try:
            found = account or self._account_of(key_id)
            if isinstance(found, Failure):
                return found
            ours = self._is_ours(found)
        except ProviderError:
            if tried is Tried.NOT:
                raise
            return account, False
        return ours if isinstance(ours, Failure) else (found, ours)

    def _account_of(self, key_id: str) -> str | Failure:
        if account := account_of(key_id):
            return account
        found = self._client.sts("get_access_key_info", AccessKeyId=key_id)
        return found if isinstance(found, Failure) else str(found.get("Account", ""))

    def _is_ours(self, account: str) -> bool | Failure:
        if self._accounts:
            return account in self._accounts
        own = self._client.own_account()
        return own if isinstance(own, Failure) else own == account

    def _try(self, leak: Leak, key_id: str) -> Tried | Failure:
        """Whether secret and id belong together, and still work: a call that anybody may make, signed with both."""
        if leak.secret is None or leak.kind.id != "aws-secret-access-key":
            return Tried.NOT
        found = self._client.sts("get_caller_identity", Login(key_id, leak.secret))
        if not isinstance(found, Failure):
            return Tried.WORKS
        return {"InvalidClientTokenId": Tried.DEAD, "SignatureDoesNotMatch": Tried.OTHERS}.get(found.code, found)

    def _identify_by_id(self, key_id: str, account: str) -> Identity:
        used = self._client.iam(account, "get_access_key_last_used", AccessKeyId=key_id)
        if isinstance(used, Failure):
            if used.code == GONE:
                return NotFound(f"account {account} has no access key {key_id}", sees_all=True)
            return Unknown(f"{used.reason} (it takes iam:GetAccessKeyLastUsed)")
        user = str(used.get("UserName") or "")
        status = self._status(account, user, key_id) if user else None
        if isinstance(status, Failure):
            return Unknown(f"{status.reason} (it takes iam:ListAccessKeys)")
        if status not in STATES:
            why = f"AWS names {user or 'nobody'} as the user of {key_id}, but does not list it there"
            return NotFound(f"{why}; is it a key of the root account?", sees_all=False)
        details = {USER: user, ACCOUNT: account, SEEN: self._clock().isoformat()}
        evidence = f"account {account} lists {key_id} of user {user} as {status}"
        return Identified(KeyRef(NAME, key_id, details), STATES[status], evidence=evidence, owners=())

    def _status(self, account: str, user: str, key_id: str) -> str | Failure | None:
        """The key's status in its user's list; None when it is not in it."""
        marker: Mapping[str, object] = {}
        for _page in range(MOST_PAGES):
            listed = self._client.iam(account, "list_access_keys", UserName=user, **marker)
            if isinstance(listed, Failure):
                return None if listed.code == GONE else listed
            if "AccessKeyMetadata" not in listed:
                return Failure("", 0, "the list of access keys came without its entries", sent=True)
            for key in listed["AccessKeyMetadata"]:
                if key.get("AccessKeyId") == key_id:
                    return str(key.get("Status"))
            if not listed.get("IsTruncated"):
                return None
            if not listed.get("Marker"):
                return Failure("", 0, "the list of access keys was cut off", sent=True)
            marker = {"Marker": listed["Marker"]}
        return Failure("", 0, "the list of access keys has no end", sent=True)

    def _identify_temporary(self, leak: Leak, key_id: str) -> Identity:
        """A temporary key: whose it is tells only a call with all three parts."""
        token, secret = (leak.secret, leak.parts.get("secret")) if leak.kind.id == "aws-session-token" else (None, None)
        if token is None or secret is None:
            why = f"{key_id} is temporary, and whose it is tells only a call with its secret and its session token"
            return NotFound(f"{why}; it ends by itself within 36 hours", sees_all=False)
        found = self._client.sts("get_caller_identity", Login(key_id, secret, token))
        if isinstance(found, Failure):
            if found.code in ("InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException"):
                return NotFound(f"AWS refuses the temporary key {key_id} ({found.code})", sees_all=True)
            return Unknown(found.reason)
        account, who = str(found.get("Account", "")), principal_of(str(found.get("Arn", "")))
        home = self._home(key_id, account, Tried.WORKS)
        if isinstance(home, Failure):
            return Unknown(home.reason, works=True)
        if not home[1]:
            return _elsewhere(key_id, account, Tried.WORKS)
        if not who:
            return NotFound(
                f"{key_id} belongs to neither a user nor a role that keyfuse could stop", sees_all=False, works=True
            )
        details = {**who, ACCOUNT: account, SEEN: self._clock().isoformat()}
        state = KeyState.ACTIVE
        if not isinstance(ended := self._owner.sessions_ended(details), Failure) and ended:
            state = KeyState.DISABLED
        return Identified(KeyRef(NAME, key_id, details), state, evidence="a call with it tells whose it is")

    # --- changes ----------------------------------------------------------------------------------------------------

    def disable(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Sets the key inactive; then, where configured, ends its sessions and attaches the quarantine policy."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        if TEMPORARY.fullmatch(ref.id):
            return self._once.do(idempotency_key, lambda: self._owner.end_sessions(ref.details))
        return self._once.do(idempotency_key, lambda: self._and_owner(ref, self._set(ref, "Inactive")))

    def enable(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """Sets the key active again. Policies that keyfuse gave its user stay; they concern what was made before."""
        if BEYOND in ref.details or TEMPORARY.fullmatch(ref.id):
            return Unsupported("what ended is made anew, not switched on again")
        return self._once.do(idempotency_key, lambda: self._set(ref, "Active"))

    def delete(self, ref: KeyRef, leak: Leak, *, idempotency_key: str) -> Receipt:
        """Removes the key for ever; then as `disable`."""
        if BEYOND in ref.details:
            return Unsupported(ref.details[BEYOND])
        if TEMPORARY.fullmatch(ref.id):
            return Unsupported("a temporary key cannot be deleted; it ends by itself, or with all its owner's sessions")
        return self._once.do(idempotency_key, lambda: self._and_owner(ref, self._delete(ref)))

    def unlock(self, ref: KeyRef, *, idempotency_key: str) -> Receipt:
        """There is no such thing."""
        return Unsupported("AWS has no locks on access keys")

    def _set(self, ref: KeyRef, status: str) -> Receipt:
        whole = self._whole(ref)
        if not isinstance(whole, KeyRef):
            return whole
        arguments = {"UserName": whole.details[USER], "AccessKeyId": ref.id, "Status": status}
        done = self._client.iam(whole.details[ACCOUNT], "update_access_key", **arguments)
        if isinstance(done, Failure):
            gone = done.code == GONE and status == "Inactive"
            return Done(f"AWS has no access key {ref.id} any more") if gone else done.receipt("iam:UpdateAccessKey")
        return Done(f"AWS set {ref.id} {status}")

    def _delete(self, ref: KeyRef) -> Receipt:
        whole = self._whole(ref)
        if not isinstance(whole, KeyRef):
            return whole
        arguments = {"UserName": whole.details[USER], "AccessKeyId": ref.id}
        done = self._client.iam(whole.details[ACCOUNT], "delete_access_key", **arguments)
        if isinstance(done, Failure) and done.code != GONE:
            return done.receipt("iam:DeleteAccessKey")
        return Done(
            f"AWS has no access key {ref.id} any more" if isinstance(done, Failure) else f"AWS deleted {ref.id}"
        )

    def _whole(self, ref: KeyRef) -> KeyRef | Receipt:
        """The reference with user and account (without a user AWS means the caller's own key), or why not to go on."""
        if self._client.own_key_id() == ref.id:
            return Refused("keyfuse itself works with this key; give it another, then disable this one by hand")
        if ref.details.get(USER) and ref.details.get(ACCOUNT):
            return ref
        found = self._identify_certain(ref.id) if LONG_TERM.fullmatch(ref.id) else None
        match found:
            case Identified(ref=whole):
                return whole
            case NotFound(evidence=reason):
                return Refused(reason)
            case Unknown(reason=reason):
                return Refused(reason, for_good=False)
            case _:
                return Refused("whose key it is was never found out")

    def _and_owner(self, ref: KeyRef, receipt: Receipt) -> Receipt:
        if not isinstance(receipt, Done) or ACCOUNT not in ref.details:
            return receipt
        further = self._owner.restrict(ref.details)
        return Done("; ".join([receipt.evidence, *further]))

    # --- proof ------------------------------------------------------------------------------------------------------

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the key's status back; for a temporary key, the policy that ends its sessions."""
        if BEYOND in ref.details:
            return Unknown(ref.details[BEYOND])
        account, user = ref.details.get(ACCOUNT, ""), ref.details.get(USER, "")
        ended = self._owner.sessions_ended(ref.details)
        if TEMPORARY.fullmatch(ref.id):
            if isinstance(ended, Failure):
                return Unknown(ended.reason)
            evidence = "a policy denies everything to sessions from before it"
            return Dead(evidence, KeyState.DISABLED) if ended else Alive("no policy ends its sessions")
        status = self._status(account, user, ref.id)
        if isinstance(status, Failure):
            return Unknown(status.reason)
        state = KeyState.DELETED if status is None else STATES.get(status)
        if state is None:
            return Unknown(f"AWS lists {ref.id} with a status that is not known here")
        if state is KeyState.ACTIVE or (wanted is KeyState.DELETED and state is not KeyState.DELETED):
            return Alive(f"account {account} lists {ref.id} as {status}")
        evidence = f"account {account} lists {ref.id} as {status}" if status else f"user {user} has no key {ref.id}"
        if ended is True:
            return Dead(f"{evidence}, and a policy ends its earlier sessions", state)
        until = self._clock() + SESSIONS_LIVE
        return Dead(evidence, state, outlives="sessions that were made with it before", until=until)

    def trials(self) -> Sequence[Trial]:
        """Asks AWS whose the configured key is."""
        try:
            found = self._client.sts("get_caller_identity")
        except ProviderError as error:
            return [Trial(CREDENTIAL, Worth.MISSING, str(error))]
        if not isinstance(found, Failure):
            return [Trial(CREDENTIAL, Worth.WORKS, f"account {found.get('Account')}")]
        refused = found.code and 400 <= found.status < 500 and found.code not in THROTTLED
        return [Trial(CREDENTIAL, Worth.REFUSED if refused else Worth.UNKNOWN, found.reason)]

    def needs_secret(self) -> bool:
        """The id is enough."""
        return False


def _id_of(leak: Leak, known: KnownKey | None) -> tuple[str, bool]:
    """The access key's id, and whether it is certain: by the registry, not by what stood near."""
    known_one = known_id(NAME, known)
    candidates = [known_one, *(part.reveal().decode("latin-1") for part in _possible_ids(leak))]
    for candidate in candidates:
        if LONG_TERM.fullmatch(candidate) or TEMPORARY.fullmatch(candidate):
            return candidate, candidate == known_one
    return "", False


def _possible_ids(leak: Leak) -> list[Secret]:
    return [part for part in (leak.parts.get("id"), leak.secret) if part is not None]


def _elsewhere(key_id: str, account: str, tried: Tried) -> NotFound:
    if tried is Tried.DEAD:
        return NotFound(f"AWS refuses a call that is signed with {key_id}", sees_all=True)
    where = f"account {account}" if account else "an account"
    why = f"{key_id} belongs to {where} which keyfuse does not work in (accounts, role)"
    return NotFound(why, sees_all=False, works=tried is Tried.WORKS)
