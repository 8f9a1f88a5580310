"""What a person does next, as steps that can be followed word for word. Pure."""

from __future__ import annotations

import shlex
from typing import assert_never

from responders.incident import Incident, IncidentState
from responders.notify.notice import Event
from responders.policy import Blocked
from responders.registry import KeyState, KnownKey, LeakAction
from scanner.model import printable

EMBEDDED = "keyfuse"
"""The provider whose keys keyfuse issues itself."""


def next_steps(event: Event, incident: Incident, known: KnownKey | None) -> list[str]:
    """The steps for where the incident stands now, the most urgent first."""
    match event:
        case Event.CONTAINED:
            return [replace_key(known), clean_up(incident), close(incident)]
        case Event.LEAKED if not incident.reason:
            apply = f"Have the key's leak action applied:  keyfuse leaks respond {incident.id}"
            return [apply, replace_key(known), clean_up(incident)]
        case Event.LEAKED | Event.UNCONFIRMED:
            return [
                "Treat the key as live: keyfuse goes on by itself and tells you how it ends.",
                replace_key(known),
                clean_up(incident),
            ]
        case Event.BLOCKED:
            return [*unblock(incident, known), replace_key(known), clean_up(incident), close(incident)]
        case Event.FAILED:
            return [
                f"Revoke it by hand at its provider, or have keyfuse try again:  keyfuse leaks respond {incident.id}",
                replace_key(known),
                clean_up(incident),
                close(incident),
            ]
        case Event.NOTED:
            return [*_left_alone(known), clean_up(incident), close(incident)]
        case Event.ESCALATED:
            state = {IncidentState.BLOCKED: Event.BLOCKED, IncidentState.FAILED: Event.FAILED}
            return next_steps(state.get(incident.state, Event.UNCONFIRMED), incident, known)
        case Event.DIGEST | Event.TEST:
            return []
        case _:
            assert_never(event)


def replace_key(known: KnownKey | None) -> str:
    """How to get a new key."""
    if known is None or known.provider != EMBEDDED:
        return "Issue a new key at the provider and put it where the leaked one is used."
    if known.state is KeyState.DELETED or known.action_when_leaked is LeakAction.DELETE:
        again = f"keyfuse keys create --name {shlex.quote(printable(known.name))}"
    else:
        again = f"keyfuse keys reissue {known.id}"
    return f"Issue a new key and put it where the leaked one is used:  {again}"


def clean_up(incident: Incident) -> str:
    """What to do about the places where it was seen."""
    if any(sighting.commit for sighting in incident.sightings):
        return (
            "Take the key out of the places named above. It stays readable in the git history, so only a dead key is "
            "safe there; look through what was done with it since then."
        )
    return "Take the key out of the places named above, and look through what was done with it since then."


def close(incident: Incident) -> str:
    """How to close the incident."""
    return f'When that is done, close the incident:  keyfuse leaks resolve {incident.id} --reason "replaced"'


def unblock(incident: Incident, known: KnownKey | None) -> list[str]:
    """What takes away the obstacle that the incident's reason names."""
    again = f"keyfuse leaks respond {incident.id}"
    key_id = known.id if known else "KEY"
    match Blocked.of(incident.reason):
        case Blocked.OWN:
            return ["Give keyfuse another credential to work with, then revoke this one by hand."]
        case Blocked.PROTECTED:
            return [f"Take the key out of `protected` in the configuration and run:  {again}  (or revoke it by hand)"]
        case Blocked.LOCKED:
            return [f"Unlock the key and let keyfuse act:  keyfuse keys unlock {key_id} && {again}"]
        case Blocked.UNSUPPORTED:
            return [
                "Revoke the key by hand at its provider.",
                f"Or say what keyfuse may do instead:  keyfuse keys update {key_id} --if-unsupported delete && {again}",
            ]
        case Blocked.AMBIGUOUS:
            return ["Find out which of the keys it is at the provider, and revoke that one by hand."]
        case Blocked.UNSEEN:
            return [f"Let keyfuse see all keys of that account at the provider, then run:  {again}"]
        case Blocked.NOT_CONNECTED:
            return [f"Connect keyfuse to {printable(incident.provider)} in the configuration, then run:  {again}"]
        case Blocked.LIMIT:
            return [f"Check that this is no false alarm, then let it through:  keyfuse leaks approve {incident.id}"]
        case Blocked.DRY_RUN:
            return [f"This was a rehearsal. Set dry_run = false, then let keyfuse act:  {again}"]
        case None:
            return [f"Take the obstacle away and let keyfuse act:  {again}"]


def _left_alone(known: KnownKey | None) -> list[str]:
    if known is None:
        return [
            "Find out whose key this is and revoke it at its provider; keyfuse does not know it.",
            "Register the keys you own, so that keyfuse can act the next time:  keyfuse keys import FILE",
        ]
    disable = f"keyfuse keys disable {known.id}" if known.provider == EMBEDDED else "revoke it at its provider"
    return [replace_key(known), f"The leaked key STILL WORKS. Switch it off as soon as nothing uses it:  {disable}"]
