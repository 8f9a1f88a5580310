"""What AWS can do about the user or role of a leaked key, beside the key itself: end sessions, quarantine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from responders.provider import Accepted, Done, Receipt, Refused, Unsupported
from responders.providers.aws.client import GONE, AwsClient, Failure
from responders.providers.aws.ids import SESSIONS_POLICY, ends_sessions_before, sessions_policy


class Owner:
    """Restricts users and roles. `who` has user or role, account, and when the key was seen alive."""

    def __init__(
        self, client: AwsClient, clock: Callable[[], datetime], *, cut_sessions: bool = False, quarantine: str = ""
    ) -> None:
        self._client = client
        self._clock = clock
        self._cut_sessions = cut_sessions
        self._quarantine = quarantine

    def restrict(self, who: Mapping[str, str]) -> list[str]:
        """Does what is configured, each once; what came of each, in words."""
        said = []
        if self._cut_sessions:
            receipt = self.end_sessions(who)
            if isinstance(receipt, Done | Accepted):
                said.append(receipt.evidence)
            else:
                said.append(f"its sessions may go on: {receipt.reason}")
        if self._quarantine and _is_known(who) and "user" in who:
            arn = self._quarantine if ":" in self._quarantine else f"arn:aws:iam::aws:policy/{self._quarantine}"
            done = self._client.iam(who["account"], "attach_user_policy", UserName=who["user"], PolicyArn=arn)
            name = arn.rpartition("/")[2]
            said.append(
                f"{name} was not attached: {done.reason}" if isinstance(done, Failure) else f"{name} was attached"
            )
        return said

    def end_sessions(self, who: Mapping[str, str]) -> Receipt:
        """Denies everything to the sessions that were made before now."""
        if not self._cut_sessions:
            return Unsupported(
                "AWS cannot switch off a temporary key by itself; cut_sessions ends all earlier sessions of its owner"
            )
        if not _is_known(who):
            return Refused("whose sessions they are was never found out")
        kind = "user" if "user" in who else "role"
        policy = {"PolicyName": SESSIONS_POLICY, "PolicyDocument": sessions_policy(self._clock())}
        done = self._client.iam(who["account"], f"put_{kind}_policy", **_named(who), **policy)
        if isinstance(done, Failure):
            return done.receipt(f"iam:Put{kind.title()}Policy")
        return Done(f"policy {SESSIONS_POLICY} ends the earlier sessions of {kind} {who[kind]}")

    def sessions_ended(self, who: Mapping[str, str]) -> bool | Failure:
        """Whether a policy denies the sessions from before the key was found."""
        if not self._cut_sessions or not _is_known(who):
            return False
        kind = "user" if "user" in who else "role"
        found = self._client.iam(who["account"], f"get_{kind}_policy", **_named(who), PolicyName=SESSIONS_POLICY)
        if isinstance(found, Failure):
            return False if found.code == GONE else found
        before = ends_sessions_before(found.get("PolicyDocument"))
        return before is not None and before >= datetime.fromisoformat(who["seen"]).replace(microsecond=0)


def _is_known(who: Mapping[str, str]) -> bool:
    return bool({"user", "role"} & who.keys()) and {"account", "seen"} <= who.keys()


def _named(who: Mapping[str, str]) -> dict[str, Any]:
    return {"UserName": who["user"]} if "user" in who else {"RoleName": who["role"]}
