"""`[provider.<name>] type = "http"`: a key service of one's own, asked by signed HTTP calls.

    POST <base_url>/<verb>                the object that `responders.providers.own` describes, as JSON
    X-Keyfuse-Timestamp                   seconds since 1970, when it was sent
    X-Keyfuse-Signature                   sha256= and the hex HMAC-SHA256, under the shared secret, of timestamp, a full
                                          stop, and the body as it is

A service computes the signature over the body as it came, compares in constant time, and refuses old timestamps. It
answers 200 with its object; 404 to a verb that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from responders.about import About, CredentialNeed, Service
from responders.calling import NoAnswer, json_of
from responders.catalog import Desk
from responders.connection import ProviderSettings
from responders.notify.webhook import sign
from responders.provider import Provider
from responders.providers.own import CAN, NotSaid, OwnProvider, ability
from responders.recipe_calls import failure


def about(name: str, settings: ProviderSettings) -> About:
    """What is said of the service of that name."""
    return About(
        name,
        f"your key service {name}",
        (ability(settings),),
        services=(Service("", why="Where it is; the verb is put behind it."),),
        credentials=(CredentialNeed("secret", "Signs every call.", "A random secret that both sides know.", True),),
        options=(CAN,),
    )


def make(desk: Desk) -> Provider:
    """The provider that asks it."""

    def ask(verb: str, question: Mapping[str, Any]) -> Mapping[str, Any] | NotSaid:
        body = json.dumps(question).encode("utf-8", "surrogateescape")
        timestamp = str(int(desk.clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Keyfuse-Timestamp": timestamp,
            "X-Keyfuse-Signature": sign(desk.caller.credential("secret"), timestamp, body),
        }
        answer = desk.caller.send("POST", f"/{verb}", headers=headers, body=body)
        if isinstance(answer, NoAnswer):
            return NotSaid(answer.reason, answer.sent)
        if unclear := failure(answer, desk.about.name):
            return NotSaid(unclear.reason, unclear.sent, unclear.wait)
        said = json_of(answer)
        if not answer.ok or not isinstance(said, dict):
            return NotSaid(f"{desk.about.name} answered {answer.status}, which is no answer to {verb}", sent=answer.ok)
        return said

    return OwnProvider(desk.about, desk.settings, ask)
