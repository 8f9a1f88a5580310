"""What a notice says: everything a person needs, and nothing that could hurt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from responders.incident import Incident, IncidentState, Sighting
from responders.notify.notice import Event, Notice
from responders.notify.wording import compose, digest, identify
from responders.policy import Block, Blocked
from responders.registry import LeakAction
from scanner.model import Fingerprint, Severity
from tests.support.stores import START, known_key

KEY = replace(known_key(1), name="deploy", owners=("owner@example.org",), account_id="account-1")
INCIDENT = Incident(
    id="incident-1",
    fingerprint=Fingerprint("kfp1:" + "a" * 64),
    state=IncidentState.CONTAINED,
    rule="keyfuse-key",
    kind_name="keyfuse key",
    provider="keyfuse",
    severity=Severity.CRITICAL,
    masked="kfk_…a1B2",
    opened_at=START,
    changed_at=START,
    key_id=KEY.id,
    reason="the key was disabled",
    evidence="the record reads disabled",
    outlives="access tokens minted from it",
    outlives_until=START + timedelta(hours=1),
    sightings=(Sighting("src/app.py", "blob", "shop", "0123456789abcdef", "A. Author", line=7, seen_at=START),),
    sighting_count=9,
)


def told(event: Event, incident: Incident = INCIDENT, *, registered: bool = True) -> Notice:
    return compose(event, incident, KEY if registered else None, ("owner@example.org", "admin@example.org"), START)


def test_it_says_which_key_whose_where_since_when_what_was_done_and_what_lives_on() -> None:
    body = told(Event.CONTAINED).body
    for fact in (
        'The key "deploy" (kfk_…a1B2) leaked and is now dead',
        "deploy, id ApiKey-0001",
        "owner@example.org",
        "account-1",
        "shop: src/app.py:7 (blob, commit 0123456789 by A. Author)",
        "and 8 more places",
        "2026-03-01 12:00 UTC",
        "the key was disabled",
        "the record reads disabled",
        "access tokens minted from it, until 2026-03-01 13:00 UTC at the latest",
        "owner@example.org, admin@example.org",
        "keyfuse keys reissue ApiKey-0001",
        "git history",
        "keyfuse leaks resolve incident-1",
    ):
        assert fact in body, fact


def test_a_deleted_key_is_replaced_by_a_new_one() -> None:
    deleted = replace(KEY, action_when_leaked=LeakAction.DELETE)
    assert "keyfuse keys create --name deploy" in compose(Event.CONTAINED, INCIDENT, deleted, (), START).body


@pytest.mark.parametrize(
    ("by", "step"),
    [
        (Blocked.LOCKED, "keyfuse keys unlock ApiKey-0001 && keyfuse leaks respond incident-1"),
        (Blocked.LIMIT, "keyfuse leaks approve incident-1"),
        (Blocked.PROTECTED, "`protected`"),
        (Blocked.UNSUPPORTED, "--if-unsupported"),
        (Blocked.AMBIGUOUS, "which of the keys"),
        (Blocked.UNSEEN, "see all keys"),
        (Blocked.NOT_CONNECTED, "Connect keyfuse"),
        (Blocked.OWN, "another credential"),
        (Blocked.DRY_RUN, "dry_run = false"),
    ],
)
@pytest.mark.parametrize("event", [Event.BLOCKED, Event.ESCALATED])
def test_every_obstacle_has_its_own_next_step(by: Blocked, step: str, event: Event) -> None:
    blocked = replace(INCIDENT, state=IncidentState.BLOCKED, reason=Block(by, "so it is").reason)
    assert step in told(event, blocked).body


def test_an_unregistered_leak_says_so() -> None:
    noted = replace(INCIDENT, state=IncidentState.NOTED, key_id=None, reason="not registered")
    body = told(Event.NOTED, noted, registered=False).body
    assert "keyfuse does not know it" in body
    assert "keyfuse keys import" in body


@pytest.mark.parametrize("event", [event for event in Event if event not in (Event.DIGEST, Event.TEST)])
def test_hostile_text_is_shown_harmless(event: Event) -> None:
    hostile = Sighting("\x1b[2Jevil\nSubject: forged", "file", author="\x07", commit="c\x1b", seen_at=START)
    incident = replace(INCIDENT, sightings=(hostile,), masked="\x1b]0;x", reason="\x1bno", kind_name="\x1bkind")
    name = replace(KEY, name='d"\n\x1b[31m')
    for known in (name, None):
        notice = compose(event, incident, known, ("a\x1b@example.org",), START)
        assert "\x1b" not in notice.subject + notice.body + "".join(notice.data.values())
        assert "\n" not in notice.subject
        assert "\nSubject: forged" not in notice.body


def test_the_id_is_the_same_for_a_repeat_and_another_after_a_reopening() -> None:
    assert identify(Event.NOTED, INCIDENT, 0) == identify(Event.NOTED, replace(INCIDENT, reason="other"), 0)
    different = {
        identify(Event.NOTED, INCIDENT, 0),
        identify(Event.NOTED, INCIDENT, 1),
        identify(Event.CONTAINED, INCIDENT, 0),
        identify(Event.NOTED, replace(INCIDENT, opened_at=START + timedelta(seconds=1)), 0),
        identify(Event.BLOCKED, replace(INCIDENT, reason="locked: so"), 0),
        identify(Event.BLOCKED, replace(INCIDENT, reason="protected: so"), 0),
    }
    assert len(different) == 6


def test_a_digest_names_every_incident_and_has_the_same_id_in_any_order() -> None:
    notices = [told(Event.CONTAINED, replace(INCIDENT, id=f"incident-{n}")) for n in range(3)]
    folded = digest(notices, "mail", "owner@example.org", START)
    assert folded.id == digest(notices[::-1], "mail", "owner@example.org", START).id
    assert folded.id != digest(notices, "mail", "admin@example.org", START).id
    assert all(f"incident-{n}" in folded.body for n in range(3))
