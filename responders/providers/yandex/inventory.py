"""What there is in Yandex Cloud: clouds, folders, service accounts, and their credentials.

No call of Yandex finds a key by its value, so a leaked one is looked for here: by the last six characters, which
exactly one key must have. Keys that show none (made before the field existed) are counted, and nobody guesses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from responders.calling import Answer, Caller, json_of
from responders.listing import Listed, NotListed, Whole
from responders.providers.yandex.api import Api, Trouble, trouble
from responders.providers.yandex.records import SORTS, Account, Record, Sort, account, record
from responders.registry import KeyState

ACCOUNTS = "/iam/v1/serviceAccounts"
KEPT = timedelta(seconds=60)
"""For how long what was listed is searched again, when several keys leak at once."""
SHORTEST_ENDING = 4


@dataclass(slots=True)
class Matches:
    """What a search found: records that fit, how many keys could not be judged, and what could not be looked at."""

    fitting: list[Record] = field(default_factory=list)
    maskless: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    broken: str = ""


class Inventory:
    """Looks through everything that keyfuse may see, or through what the configuration narrows it to."""

    def __init__(self, api: Api, caller: Caller, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._caller = caller
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Sort, tuple[datetime, list[Record | Trouble]]] = {}

    def read(self, sort: Sort, key_id: str) -> Record | Trouble:
        """One credential, as it stands now."""
        answer = self._api.ask("GET", f"{sort.path}/{quote(key_id, safe='')}")
        if not isinstance(answer, Answer) or not answer.ok:
            return trouble(answer)
        return record(json_of(answer), sort) or Trouble("Yandex Cloud's answer is no key's record")

    def account(self, account_id: str) -> Account | Trouble:
        """One service account, as it stands now."""
        answer = self._api.ask("GET", f"{ACCOUNTS}/{quote(account_id, safe='')}")
        if not isinstance(answer, Answer) or not answer.ok:
            return trouble(answer)
        return account(json_of(answer)) or Trouble("Yandex Cloud's answer is no service account's record")

    def search(self, sort: Sort, *, ending: str = "", public_id: str = "") -> Matches:
        """Every credential of this sort whose secret ends so, or whose public half this is."""
        found = Matches()
        for each in self._all(sort):
            match each:
                case Trouble(reason, denied=True):
                    found.hidden.append(reason)
                case Trouble(reason):
                    found.broken = reason
                case Record(ending="", id=key_id) if ending:
                    found.maskless.append(key_id)
                case Record() if _fits(each, ending, public_id):
                    found.fitting.append(each)
        return found

    def _all(self, sort: Sort) -> list[Record | Trouble]:
        with self._lock:
            until, kept = self._kept.get(sort, (self._clock(), []))
            if self._clock() < until:
                return kept
            fresh: list[Record | Trouble] = []
            for _cloud, owner in self._accounts():
                fresh += [owner] if isinstance(owner, Trouble) else self._of(sort, owner)
            if not any(isinstance(each, Trouble) and not each.denied for each in fresh):
                self._kept[sort] = (self._clock() + KEPT, fresh)
            return fresh

    def _of(self, sort: Sort, owner: Account) -> Iterator[Record | Trouble]:
        for item in self._api.pages(sort.path, sort.listed, query={"serviceAccountId": owner.id}):
            if isinstance(item, Trouble):
                yield item
            else:
                yield record(item, sort) or Trouble("Yandex Cloud lists a key that nobody here understands")

    def _accounts(self) -> Iterator[tuple[str, Account | Trouble]]:
        """Every service account, with the cloud it is in (or "" where the configuration names folders)."""
        folders: Iterator[tuple[str, str | Trouble]] = iter(
            [("", folder) for folder in self._caller.option("folder_ids")]
        )
        if not self._caller.option("folder_ids"):
            folders = self._folders()
        for cloud, folder in folders:
            if isinstance(folder, Trouble):
                yield cloud, folder
                continue
            for item in self._api.pages(ACCOUNTS, "serviceAccounts", query={"folderId": folder}):
                owner = item if isinstance(item, Trouble) else account(item)
                yield cloud, owner or Trouble("Yandex Cloud lists a service account that nobody here understands")

    def _folders(self) -> Iterator[tuple[str, str | Trouble]]:
        clouds: list[str | Trouble] = list(self._caller.option("cloud_ids"))
        if not clouds:
            clouds = [_id_in(each) for each in self._places("clouds")]
        for cloud in clouds:
            if isinstance(cloud, Trouble):
                yield "", cloud
                continue
            for each in self._places("folders", cloudId=cloud):
                yield cloud, _id_in(each)

    def _places(self, name: str, **query: str) -> Iterator[dict[str, Any] | Trouble]:
        return self._api.pages(f"/resource-manager/v1/{name}", name, service="resource_manager", query=query)

    def reach(self) -> tuple[int, str]:
        """How many service accounts keyfuse sees, and why not all, where some place is not shown to it."""
        owners = [owner for _cloud, owner in self._accounts()]
        troubles = [owner.reason for owner in owners if isinstance(owner, Trouble)]
        return len(owners) - len(troubles), troubles[0] if troubles else ""

    # --- for the registry -------------------------------------------------------------------------------------------

    def listing(self) -> Iterator[Listed | NotListed | Whole]:
        """Every credential that keyfuse may see, cloud by cloud; the cloud is the account."""
        whole: dict[str, bool] = {}
        everywhere = True
        for cloud, owner in self._accounts():
            whole.setdefault(cloud, True)
            if isinstance(owner, Trouble):
                everywhere = whole[cloud] = False
                yield NotListed(f"service accounts of cloud {cloud}" if cloud else "service accounts", owner.reason)
                continue
            for sort in Sort:
                for each in self._of(sort, owner):
                    if isinstance(each, Trouble):
                        whole[cloud] = False
                        yield NotListed(f"{sort.words}s of {owner.name}", each.reason)
                    else:
                        yield self.listed(each, owner, cloud)
        for cloud, is_whole in whole.items():
            if cloud and is_whole and everywhere:
                yield Whole(frozenset(SORTS), cloud)

    def listed(self, each: Record, owner: Account | None, cloud: str = "") -> Listed:
        """A record as the registry takes it. Yandex keeps no leak action."""
        suspended = owner is not None and owner.suspended
        whose = owner.name if owner is not None else each.account
        return Listed(
            provider_key_id=each.id,
            name=each.description or f"{each.sort.words} of {whose}",
            named=bool(each.description),
            kind=each.sort.kind,
            state=KeyState.DISABLED if suspended else each.state(self._clock()),
            description=each.description,
            account_id=cloud,
            iam_id=each.account,
            scopes=each.scopes,
            created_at=each.created_at,
            expires_at=each.expires_at,
            last_used_at=each.last_used_at,
            masked=f"…{(each.ending or each.public_id)[-4:]}" if each.ending or each.public_id else "",
        )


def _fits(each: Record, ending: str, public_id: str) -> bool:
    if public_id:
        return each.public_id == public_id
    return len(each.ending) >= SHORTEST_ENDING and ending.endswith(each.ending)


def _id_in(place: dict[str, Any] | Trouble) -> str | Trouble:
    return place if isinstance(place, Trouble) else str(place["id"])
