"""Client secrets of Entra applications: found by application and by the three characters that Graph shows of each.

GET applications(appId='…') lists passwordCredentials with keyId and hint; POST applications/ID/removePassword removes
one; PATCH servicePrincipals(appId='…') disables the owner. From memory. Since three characters are few, the secret is
also tried: AADSTS7000215 means that it is not (or no longer) one of the application's, 7000222 that it has expired.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from responders.about import Trial
from responders.http import NoAnswer
from responders.provider import (
    Alive,
    Ambiguous,
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
    Uncertain,
    Unknown,
)
from responders.providers.asking import JsonApi, Reply, known_id, listed, not_done, unclear
from responders.providers.azure import NAME
from responders.providers.azure.login import AzureLogin, code_of
from responders.registry import KeyState, KnownKey

APP, OBJECT = "app", "object"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
REFUSED, EXPIRED = "7000215", "7000222"
TOKENS_LIVE = timedelta(minutes=90)
OUTLIVES = "access tokens that were made with it before"
RIGHTS = "Application.ReadWrite.OwnedBy (as an owner) or Application.ReadWrite.All"


class ClientSecrets:
    """Finds, removes and reads back client secrets."""

    def __init__(self, api: JsonApi, login: AzureLogin, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._login = login
        self._clock = clock

    def is_one(self, leak: Leak, known: KnownKey | None) -> bool:
        """Whether the registry's record says that it is one."""
        return bool(UUID.fullmatch(known_id(NAME, known).lower()))

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By the application beside it, or the registry's, and the secret's id or beginning."""
        app = _app_of(leak, known)
        if not app:
            why = "no application id stood beside the secret, and the registry's record has none (iam_id)"
            return NotFound(why, sees_all=False)
        reply = self._application(app)
        if isinstance(reply, Reply) and reply.says(404):
            return NotFound(f"the tenant has no application {app}", sees_all=False)
        if not isinstance(reply, Reply) or not reply.says(200) or not reply.data or "id" not in reply.data:
            return Unknown(unclear(reply, self._api.host))
        secrets = listed(reply.data.get("passwordCredentials"))
        record = known_id(NAME, known).lower()
        chosen = [each for each in secrets if each.get("keyId") == record] if record else _with_hint(secrets, leak)
        if not chosen:
            return NotFound(f"application {app} has no such client secret", sees_all=True)
        if len(chosen) > 1:
            ids = tuple(str(each.get("keyId")) for each in chosen)
            return Ambiguous(ids, f"several client secrets of application {app} may be meant")
        ref = KeyRef(NAME, str(chosen[0].get("keyId")), {APP: app, OBJECT: str(reply.data["id"])})
        return self._identified(ref, leak, certain=bool(record))

    def _identified(self, ref: KeyRef, leak: Leak, *, certain: bool) -> Identity:
        """The one that is listed, unless a try shows that it is another, and with its owner's state."""
        app, evidence = ref.details[APP], f"application {ref.details[APP]} lists client secret {ref.id}"
        state = KeyState.ACTIVE
        if leak.secret is not None:
            code = code_of(self._login.attempt(app, leak.secret, self._api))
            if code == REFUSED and not certain:
                return NotFound(f"Entra refuses the secret for application {app}: it is none of its own", sees_all=True)
            if code == EXPIRED:
                state = KeyState.EXPIRED
        enabled = self._owner_enabled(app)
        if isinstance(enabled, NoAnswer):
            return Unknown(enabled.reason)
        return Identified(ref, state if enabled else KeyState.DISABLED, evidence=evidence)

    def set_owner(self, ref: KeyRef, *, enabled: bool) -> Receipt:
        """Disables or enables the service principal."""
        app = ref.details.get(APP, "")
        if not UUID.fullmatch(app) or app == self._login.client_id.lower():
            return Refused("whose secret it is was never found out, or keyfuse itself works as this application")
        reply = self._login.ask(
            self._api, "PATCH", f"servicePrincipals(appId='{app}')", body={"accountEnabled": enabled}
        )
        if isinstance(reply, Reply) and reply.ok:
            return Done(f"the service principal of {app} is {'enabled' if enabled else 'disabled'} ({reply.status})")
        return not_done(reply, self._api.host, needs="Application.ReadWrite.All")

    def delete(self, ref: KeyRef, leak: Leak) -> Receipt:
        """Removes the secret from its application."""
        object_id = ref.details.get(OBJECT, "")
        if not UUID.fullmatch(object_id.lower()):
            return Refused("whose secret it is was never found out")
        if self._login.is_own(ref.details.get(APP, ""), leak.secret):
            return Refused("keyfuse itself works with this secret; give it another, then remove this one by hand")
        path = f"applications/{object_id}/removePassword"
        reply = self._login.ask(self._api, "POST", path, body={"keyId": ref.id})
        if isinstance(reply, Reply):
            if reply.ok:
                return Done(f"client secret {ref.id} was removed ({reply.status})")
            if reply.says(400) or reply.says(404):
                return Uncertain(
                    f"{self._api.host} answered {reply.status}, as it may where the secret is gone already"
                )
        return not_done(reply, self._api.host, needs=RIGHTS)

    def prove(self, ref: KeyRef, leak: Leak, wanted: KeyState) -> Proof:
        """Reads the application's list back, then the service principal where that is enough."""
        app = ref.details.get(APP, "")
        reply = self._application(app)
        until = self._clock() + TOKENS_LIVE
        if isinstance(reply, Reply) and reply.says(404):
            return Dead(f"application {app} is gone", KeyState.DELETED, OUTLIVES, until)
        if (
            not isinstance(reply, Reply)
            or not reply.says(200)
            or not isinstance((reply.data or {}).get("passwordCredentials"), list)
        ):
            return Unknown(unclear(reply, self._api.host))
        if ref.id not in [each.get("keyId") for each in listed((reply.data or {})["passwordCredentials"])]:
            return Dead(
                f"application {app} lists no client secret {ref.id} any more", KeyState.DELETED, OUTLIVES, until
            )
        if wanted is KeyState.DELETED:
            return Alive(f"application {app} still lists client secret {ref.id}")
        enabled = self._owner_enabled(app)
        if isinstance(enabled, NoAnswer):
            return Unknown(enabled.reason)
        if enabled:
            return Alive(f"application {app} is enabled and lists client secret {ref.id}")
        return Dead(f"the service principal of {app} reads disabled", KeyState.DISABLED, OUTLIVES, until)

    def trial(self) -> Trial:
        """Logs in as keyfuse's own application."""
        return self._login.trial(self._api)

    def has(self, ref: KeyRef) -> bool:
        """Whether the reference is to a client secret."""
        return APP in ref.details

    def _application(self, app: str) -> Reply | NoAnswer:
        query = {"$select": "id,appId,passwordCredentials"}
        return self._login.ask(self._api, "GET", f"applications(appId='{app}')", query=query)

    def _owner_enabled(self, app: str) -> bool | NoAnswer:
        query = {"$select": "id,accountEnabled"}
        reply = self._login.ask(self._api, "GET", f"servicePrincipals(appId='{app}')", query=query)
        if isinstance(reply, Reply):
            if reply.says(404):
                return True  # none in this tenant, so nobody has disabled it here
            if reply.says(200) and reply.data and isinstance(reply.data.get("accountEnabled"), bool):
                return bool(reply.data["accountEnabled"])
        return NoAnswer(unclear(reply, self._api.host), sent=False)


def _app_of(leak: Leak, known: KnownKey | None) -> str:
    part = leak.parts.get("client")
    named = known.iam_id.lower() if known is not None and known.provider == NAME else ""
    if not UUID.fullmatch(named) and part is not None:
        named = part.reveal().decode("latin-1").lower()
    return named if UUID.fullmatch(named) else ""


def _with_hint(secrets: list[Mapping[str, Any]], leak: Leak) -> list[Mapping[str, Any]]:
    """Those that may be it: with its first three characters as their hint, or without a hint."""
    begins = leak.secret.reveal()[:3].decode("latin-1") if leak.secret is not None else ""
    return [each for each in secrets if not each.get("hint") or not begins or each["hint"] == begins]
