"""Keys of Google's service accounts: the leaked file holds the key's id, and its account's address names the project.

GET, DELETE and POST :disable, :enable of projects/P/serviceAccounts/EMAIL/keys/ID. :disable and that `-` as the project
turns "no such key" into 403 are Google's documentation; the rest is from memory. Disabling twice is answered both ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from responders.http import NoAnswer
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
    Uncertain,
    Unknown,
)
from responders.providers.asking import JsonApi, Reply, known_id, listed, not_done, segment, unclear
from responders.providers.google import NAME
from responders.providers.google.login import GoogleLogin
from responders.registry import KeyState, KnownKey

RESOURCE = "resource"
KEY_ID = re.compile(r"[0-9a-f]{40}")
NAMED = re.compile(r"projects/([^/\s]+)/serviceAccounts/([^/\s]+)/keys/([0-9a-f]{40})")
ADDRESS = re.compile(r"[^@\s/]+@([a-z0-9.-]+)\.iam\.gserviceaccount\.com")
TOKENS_LIVE = timedelta(hours=1)
MOST_PAGES = 20
RIGHTS = "iam.serviceAccountKeys.get, .disable, .enable and .delete"


class ServiceAccountKeys:
    """Finds, changes and reads back keys of service accounts."""

    def __init__(
        self, api: JsonApi, login: GoogleLogin, clock: Callable[[], datetime], projects: tuple[str, ...]
    ) -> None:
        self._api = api
        self._login = login
        self._clock = clock
        self._projects = projects

    def is_one(self, leak: Leak, known: KnownKey | None) -> bool:
        """Whether the registry's record says that it is such a key."""
        found = known_id(NAME, known)
        return bool(KEY_ID.fullmatch(found) or NAMED.fullmatch(found))

    def identify(self, leak: Leak, known: KnownKey | None) -> Identity:
        """By the key's id: out of the registry's record, else out of the file."""
        key_id, email, project = _named(leak, known)
        if not key_id:
            return NotFound("the leaked file holds no private_key_id, and the registry has none", sees_all=False)
        if not email:
            return self._search(key_id, known)
        return self._identified(_resource(project or "-", email, key_id), project, known)

    def _identified(self, resource: str, project: str, known: KnownKey | None) -> Identity:
        reply = self._ask("GET", resource)
        if isinstance(reply, Reply) and reply.data is not None:
            if reply.says(200) and "name" in reply.data:
                ref = KeyRef(NAME, known_id(NAME, known) or resource.rpartition("/")[2], {RESOURCE: resource})
                state = KeyState.DISABLED if reply.data.get("disabled") is True else KeyState.ACTIVE
                return Identified(ref, state, evidence=f"{self._api.host} has the record of {ref.id}")
            if reply.says(404):
                return NotFound(f"project {project or '-'} has no such key", sees_all=bool(project))
            if reply.says(403) and project not in self._projects:
                why = f"the key is of project {project or 'nobody knows which'}, which keyfuse may not look into"
                return NotFound(f"{why} (projects; it takes {RIGHTS})", sees_all=False)
        return Unknown(unclear(reply, self._api.host))

    def _search(self, key_id: str, known: KnownKey | None) -> Identity:
        """Looks for the key at every service account of the configured projects."""
        for project in self._projects:
            for email in self._accounts(project):
                if isinstance(email, NoAnswer):
                    return Unknown(email.reason)
                found = self._identified(_resource(project, email, key_id), project, known)
                if not isinstance(found, NotFound):
                    return found
        why = "the leaked file's client_email was not found beside its key, and no service account of the projects that"
        return NotFound(f"{why} are configured has the key", sees_all=False)

    def _accounts(self, project: str) -> Iterator[str | NoAnswer]:
        page = ""
        for _page in range(MOST_PAGES):
            query = {"pageSize": "100"} | ({"pageToken": page} if page else {})
            reply = self._ask("GET", f"projects/{segment(project)}/serviceAccounts", query=query)
            if not isinstance(reply, Reply) or not reply.says(200) or reply.data is None:
                yield NoAnswer(f"the service accounts of {project}: {unclear(reply, self._api.host)}", sent=False)
                return
            for account in listed(reply.data.get("accounts")):
                yield str(account.get("email", ""))
            page = str(reply.data.get("nextPageToken") or "")
            if not page:
                return
        yield NoAnswer(f"the list of service accounts of {project} has no end", sent=False)

    def change(self, ref: KeyRef, verb: str) -> Receipt:
        """Disables, enables or deletes."""
        resource = ref.details.get(RESOURCE, ref.id)
        if KEY_ID.fullmatch(resource):
            found = self._search(resource, None)
            resource = found.ref.details[RESOURCE] if isinstance(found, Identified) else ""
        if not NAMED.fullmatch(resource):
            return Refused("which key it is was never found out; projects says where to look")
        if resource.endswith(f"/{self._login.account().key_id}"):
            return Refused("keyfuse itself works with this key; give it another, then disable this one by hand")
        method, path = ("DELETE", resource) if verb == "delete" else ("POST", f"{resource}:{verb}")
        reply = self._ask(method, path, body=None if verb == "delete" else {})
        if isinstance(reply, Reply):
            if reply.ok:
                return Done(f"{self._api.host} took {verb} ({reply.status})")
            if reply.says(404) and verb != "enable":
                return Done(f"{self._api.host} has no such key any more (404)")
            if reply.says(400) or reply.says(409):
                return Uncertain(
                    f"{self._api.host} answered {reply.status} to {verb}, as it may where it is done already"
                )
        return not_done(reply, self._api.host, needs=RIGHTS)

    def prove(self, ref: KeyRef, wanted: KeyState) -> Proof:
        """Reads the record back."""
        resource = ref.details.get(RESOURCE, "")
        reply = self._ask("GET", resource)
        until = self._clock() + TOKENS_LIVE
        if isinstance(reply, Reply) and reply.data is not None:
            if reply.says(404) and not resource.startswith("projects/-/"):
                return Dead(f"{self._api.host} has no such key any more (404)", KeyState.DELETED, OUTLIVES, until)
            if reply.says(200) and "name" in reply.data:
                if reply.data.get("disabled") is True and wanted is not KeyState.DELETED:
                    return Dead("its record reads disabled", KeyState.DISABLED, OUTLIVES, until)
                return Alive(
                    "its record is there and reads " + ("disabled" if reply.data.get("disabled") else "active")
                )
        return Unknown(unclear(reply, self._api.host))

    def _ask(self, method: str, path: str, **more: object) -> Reply | NoAnswer:
        return self._login.ask(self._api, method, path, **more)


OUTLIVES = "access tokens that were made with it before"


def _named(leak: Leak, known: KnownKey | None) -> tuple[str, str, str]:
    """The key's id, its account's address and the project, as far as they are known."""
    record = known_id(NAME, known)
    if whole := NAMED.fullmatch(record):
        return whole[3], whole[2], "" if whole[1] == "-" else whole[1]
    part = leak.parts.get("id")
    key_id = record if KEY_ID.fullmatch(record) else part.reveal().decode("latin-1") if part is not None else ""
    address = leak.parts.get("email")
    email = known.iam_id if known is not None and known.provider == NAME and "@" in known.iam_id else ""
    email = email or (address.reveal().decode("latin-1") if address is not None else "")
    return (key_id if KEY_ID.fullmatch(key_id) else ""), email, project_of(email)


def project_of(email: str) -> str:
    """The project that a service account's address names; "" where it names none (Google's own default accounts).

    NAME@PROJECT.iam.gserviceaccount.com; for a project of a domain NAME@PROJECT.DOMAIN.iam.gserviceaccount.com.
    """
    found = ADDRESS.fullmatch(email)
    if not found:
        return ""
    project, dot, domain = found[1].partition(".")
    return f"{domain}:{project}" if dot else project


def _resource(project: str, email: str, key_id: str) -> str:
    return f"projects/{segment(project)}/serviceAccounts/{segment(email)}/keys/{segment(key_id)}"
