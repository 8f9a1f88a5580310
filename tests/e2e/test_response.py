"""The whole response over a real store and the embedded provider: every way an incident can go, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from responders.auditlog import verify
from responders.errors import IllegalMove, ProviderError
from responders.incident import ActionState, IncidentState
from responders.policy import Act, Blocked, Note, Policy
from responders.provider import Accepted, Alive, Ambiguous, NotFound, Refused, Uncertain, Unknown, Unsupported
from responders.registrar import By
from responders.registry import IfUnsupported, KeyState, LeakAction
from scanner.model import Secret
from scanner.record import replace as replace_record
from tests.support.answering import (
    ACTOR,
    ADMINISTRATOR,
    OWNER,
    POLICY,
    Office,
    Vendor,
    found_in,
    open_office,
    read_lines,
)
from tests.support.stores import FINGERPRINTER, Clock, known_key

S = IncidentState


class Opens(Protocol):
    """Opens the office once more, under another policy."""

    def __call__(self, policy: Policy = ...) -> AbstractContextManager[Office]: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reopened(tmp_path: Path, clock: Clock) -> Opens:
    counter = iter(range(10_000))

    def opens(policy: Policy = POLICY) -> AbstractContextManager[Office]:
        return open_office(tmp_path, clock, policy=policy, ids=lambda: f"{next(counter):04d}-id")

    return opens


@pytest.fixture
def office(reopened: Opens) -> Iterator[Office]:
    with reopened() as office:
        yield office


def stranger() -> Secret:
    """A value that nobody registered."""
    return Secret(b"kfk_" + b"x" * 38)


# --- the states -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "state", "key_state", "changes"),
    [
        (LeakAction.DISABLE, S.CONTAINED, KeyState.DISABLED, ["disable"]),
        (LeakAction.DELETE, S.CONTAINED, KeyState.DELETED, ["delete"]),
        (LeakAction.NONE, S.NOTED, KeyState.ACTIVE, []),
    ],
)
def test_the_keys_own_leak_action_is_applied_and_proven(
    office: Office, action: LeakAction, state: IncidentState, key_state: KeyState, changes: list[str]
) -> None:
    issued = office.issue(action=action)
    incident = office.leak(issued.secret)
    assert incident.state is state
    assert office.key(issued).state is key_state
    assert office.key(issued).leaked
    assert office.provider.changes() == changes
    assert bool(incident.evidence) == (state is S.CONTAINED)
    assert {line["recipient"] for line in office.delivered()} == {OWNER, ADMINISTRATOR}


def test_the_audit_log_holds_intent_before_outcome_and_its_chain_holds(office: Office) -> None:
    office.leak(office.issue().secret)
    office.courier.deliver()
    events = [event for event in office.events() if event.startswith(("incident.", "action.", "decided", "notice"))]
    assert events == [
        "incident.opened",
        "incident.sighted",
        "decided",
        "action.sent",
        "incident.acting",
        "action.proving",
        "action.ended",
        "incident.contained",
        "notices.queued",
        "notice.sent",
        "notice.sent",
    ]
    with office.records.read() as tx:
        verify(tx.audit.read(), tx.audit.head())


def test_an_unregistered_leak_is_noted_and_the_administrators_are_told(office: Office) -> None:
    incident = office.leak(stranger())
    assert incident.state is S.NOTED
    assert "not registered" in incident.reason
    assert [line["recipient"] for line in office.delivered()] == [ADMINISTRATOR]


def test_a_locked_key_is_left_alone_unless_policy_says_otherwise(office: Office, reopened: Opens) -> None:
    issued = office.issue(locked=True)
    incident = office.leak(issued.secret)
    assert incident.state is S.BLOCKED
    assert Blocked.of(incident.reason) is Blocked.LOCKED
    assert office.provider.changes() == []
    with reopened(replace(POLICY, unlock_leaked_keys=True)) as bolder:
        assert bolder.leak(issued.secret).state is S.CONTAINED
        assert bolder.provider.changes() == ["disable", "unlock", "disable"]
        assert bolder.key(issued).disabled


def test_unlocked_and_asked_again_it_is_contained(office: Office) -> None:
    issued = office.issue(locked=True)
    incident = office.leak(issued.secret)
    office.issuer.unlock(issued.key.id, By("owner"))
    assert office.responder.retry(incident.id, actor=ACTOR).state is S.CONTAINED


@pytest.mark.parametrize("naming", ["id", "name", "fingerprint"])
def test_a_protected_key_is_left_alone(office: Office, reopened: Opens, naming: str) -> None:
    issued = office.issue()
    with reopened(replace(POLICY, protected=(str(getattr(issued.key, naming)),))) as careful:
        incident = careful.leak(issued.secret)
        assert Blocked.of(incident.reason) is Blocked.PROTECTED
        assert careful.provider.changes() == []


def test_its_own_credentials_are_left_alone(office: Office) -> None:
    issued = office.issue()
    office.responder._own = frozenset({FINGERPRINTER.of(issued.secret)})
    incident = office.leak(issued.secret)
    assert Blocked.of(incident.reason) is Blocked.OWN
    assert office.provider.changes() == []


def test_a_dry_run_decides_the_same_and_changes_nothing(office: Office, reopened: Opens) -> None:
    issued = office.issue()
    with reopened(replace(POLICY, dry_run=True)) as rehearsal:
        incident = rehearsal.leak(issued.secret)
        assert incident.state is S.BLOCKED
        assert incident.reason == "dry run: the key is to be disabled"
        assert rehearsal.provider.changes() == []
        assert len(rehearsal.delivered()) == 2
    assert office.leak(issued.secret).state is S.CONTAINED


def test_a_key_that_was_dead_already_is_proven_without_a_change(office: Office) -> None:
    issued = office.issue(disabled=True)
    incident = office.leak(issued.secret)
    assert incident.state is S.CONTAINED
    assert "already" in incident.reason
    assert incident.evidence
    assert office.provider.changes() == []


# --- the hourly limit -----------------------------------------------------------------------------------------------


def test_above_the_hourly_limit_incidents_wait_for_approval(office: Office, reopened: Opens, clock: Clock) -> None:
    first, second, third = (office.issue(name) for name in ("one", "two", "three"))
    with reopened(replace(POLICY, actions_per_hour=1)) as limited:
        assert limited.leak(first.secret).state is S.CONTAINED
        blocked = limited.leak(second.secret)
        assert Blocked.of(blocked.reason) is Blocked.LIMIT
        assert limited.responder.approve(blocked.id, actor=ACTOR).state is S.CONTAINED
        waiting = limited.leak(third.secret)
        clock.forward(hours=2)
        # Seen again it still waits; only a person lets it through.
        assert limited.leak(third.secret, "elsewhere.env").state is S.BLOCKED
        assert limited.responder.retry(waiting.id, actor=ACTOR).state is S.CONTAINED


def test_only_a_blocked_incident_can_be_approved(office: Office) -> None:
    incident = office.leak(stranger())
    with pytest.raises(IllegalMove, match="only a blocked one"):
        office.responder.approve(incident.id, actor=ACTOR)


# --- identity -------------------------------------------------------------------------------------------------------


def test_ambiguous_means_blocked(office: Office) -> None:
    office.provider.before = lambda call: (
        Ambiguous(("a", "b"), "the mask fits two keys") if call == "identify" else None
    )
    incident = office.leak(office.issue().secret)
    assert Blocked.of(incident.reason) is Blocked.AMBIGUOUS
    assert office.provider.changes() == []


@pytest.mark.parametrize(("sees_all", "state"), [(True, S.CONTAINED), (False, S.BLOCKED)])
def test_no_such_key_is_proof_only_for_who_sees_all(office: Office, sees_all: bool, state: IncidentState) -> None:
    office.provider.answer(identify=NotFound("no such key", sees_all))
    assert office.leak(office.issue().secret).state is state
    assert office.provider.changes() == []


def test_unreachable_is_not_inactive(office: Office, clock: Clock) -> None:
    office.provider.answer(identify=Unknown("no route to host"))
    issued = office.issue()
    incident = office.leak(issued.secret)
    assert incident.state is S.OPEN
    assert {line["event"] for line in office.delivered()} == {"leaked"}
    assert office.responder.prove_pending() == 0
    office.provider.answer()
    clock.forward(minutes=2)
    assert office.responder.prove_pending() == 1
    with office.records.read() as tx:
        assert tx.incidents.get(incident.id).state is S.CONTAINED


def test_a_provider_that_cannot_even_be_asked_blocks(office: Office) -> None:
    def unset(_call: str) -> None:
        raise ProviderError("no token is configured")

    office.provider.before = unset
    incident = office.leak(office.issue().secret)
    assert incident.reason == "not connected: no token is configured"


def test_a_key_known_only_from_a_listing_is_joined_by_the_vendors_own_lookup(tmp_path: Path, clock: Clock) -> None:
    vendor = Vendor(Secret(b"a value that only the vendor knows"))
    listed = replace(known_key(1), provider="vendor", provider_key_id="vendor-1", fingerprint=None)
    with open_office(tmp_path, clock, vendors={"vendor": vendor}) as office:
        with office.records.begin() as tx:
            tx.keys.add(listed, None)
        found = found_in(vendor.secret, clock)
        found = replace(found, leak=replace(found.leak, kind=replace_record(found.leak.kind, provider="vendor")))
        reported = office.responder.report(found, actor=ACTOR)
        assert reported.key_id is None
        incident = office.responder.respond(reported.id, found.leak, actor=ACTOR)
        assert (incident.state, incident.key_id) == (S.CONTAINED, listed.id)
        assert (incident.outlives, incident.outlives_until) == ("access tokens", clock() + timedelta(hours=1))
        with office.records.read() as tx:
            recorded = tx.keys.get(listed.id)
        assert (recorded.state, recorded.leaked) == (KeyState.DISABLED, True)
        assert [change.action for change in recorded.history][-2:] == ["leaked", "disabled"]
        told = office.delivered()
    # Its record names no owner, so the vendor's word on that counts.
    assert {line["recipient"] for line in told} == {"vendor-owner@example.org", ADMINISTRATOR}
    assert "access tokens, until" in told[0]["text"]


# --- receipts and proofs --------------------------------------------------------------------------------------------


def test_accepted_is_not_done(office: Office, clock: Clock) -> None:
    """The provider takes the request and does it later: unconfirmed until it is proven, and never sent twice."""
    office.provider.answer(disable=Accepted("202"), prove=Alive("still listed"))
    issued = office.issue()
    incident = office.leak(issued.secret)
    assert incident.state is S.UNCONFIRMED
    clock.forward(minutes=5)
    office.responder.prove_pending()
    office.issuer.disable(issued.key.id, By("the provider, at last"))
    office.provider.answer()
    clock.forward(hours=2)
    office.responder.prove_pending()
    with office.records.read() as tx:
        assert tx.incidents.get(incident.id).state is S.CONTAINED
    assert office.provider.changes() == ["disable"]
    assert {line["event"] for line in office.delivered()} == {"unconfirmed", "contained"}


def test_without_proof_it_fails_in_the_end(office: Office, clock: Clock) -> None:
    office.provider.answer(disable=Accepted("202"), prove=Unknown("503"))
    incident = office.leak(office.issue().secret)
    clock.forward(hours=25)
    office.responder.prove_pending()
    with office.records.read() as tx:
        assert tx.incidents.get(incident.id).state is S.FAILED
        assert [action.state for action in tx.incidents.pending()] == []
    assert office.provider.changes() == ["disable"]


def test_the_providers_word_on_when_to_look_again_is_kept(office: Office, clock: Clock) -> None:
    office.provider.answer(disable=Accepted("202", look_again_after=600))
    office.leak(office.issue().secret)
    clock.forward(minutes=9)
    assert office.responder.prove_pending() == 0
    clock.forward(minutes=2)
    assert office.responder.prove_pending() == 1


def test_after_a_time_out_the_state_is_read_before_anything_is_sent_again(office: Office, clock: Clock) -> None:
    """First the change took effect though the answer was lost; then, for another key, it did not."""
    taken, lost = office.issue("taken"), office.issue("lost")

    def takes_effect(call: str) -> Uncertain | None:
        if call != "disable":
            return None
        office.issuer.disable(taken.key.id, By("provider"))
        return Uncertain("timed out")

    office.provider.before = takes_effect
    assert office.leak(taken.secret).state is S.CONTAINED
    assert office.provider.changes() == ["disable"]

    office.provider.answer(disable=Uncertain("timed out"))
    incident = office.leak(lost.secret)
    assert incident.state is S.UNCONFIRMED
    office.provider.answer()
    clock.forward(minutes=5)
    office.responder.prove_pending()
    with office.records.read() as tx:
        assert tx.incidents.get(incident.id).state is S.CONTAINED
    assert office.provider.changes() == ["disable", "disable", "disable"]
    keys = [line["idempotency_key"] for line in journal(office)]
    assert keys[1] == keys[2] != keys[0]


def test_while_nobody_knows_the_state_nothing_is_sent_again(office: Office, clock: Clock) -> None:
    office.provider.answer(disable=Uncertain("reset"), prove=Unknown("reset"))
    office.leak(office.issue().secret)
    for _ in range(4):
        clock.forward(hours=1)
        office.responder.prove_pending()
    assert office.provider.changes() == ["disable"]


def test_refused_for_good_fails_and_a_person_may_try_again(office: Office) -> None:
    office.provider.answer(disable=Refused("not your key"))
    issued = office.issue()
    incident = office.leak(issued.secret)
    assert incident.state is S.FAILED
    assert office.leak(issued.secret).state is S.FAILED
    assert office.provider.changes() == ["disable"]
    office.provider.answer()
    assert office.responder.retry(incident.id, actor=ACTOR).state is S.CONTAINED


def test_refused_for_now_is_tried_again_later(office: Office, clock: Clock) -> None:
    office.provider.answer(disable=Refused("slow down", for_good=False))
    incident = office.leak(office.issue().secret)
    assert incident.state is S.ACTING
    office.provider.answer()
    clock.forward(minutes=5)
    office.responder.prove_pending()
    with office.records.read() as tx:
        assert tx.incidents.get(incident.id).state is S.CONTAINED


def test_the_providers_own_word_on_when_to_come_again_is_obeyed(office: Office, clock: Clock) -> None:
    office.provider.answer(disable=Refused("slow down", for_good=False, again_after=1800))
    incident = office.leak(office.issue().secret)
    office.provider.answer()
    for minutes, state in ((20, S.ACTING), (15, S.CONTAINED)):
        clock.forward(minutes=minutes)
        office.responder.prove_pending()
        with office.records.read() as tx:
            assert tx.incidents.get(incident.id).state is state


def test_a_slow_provider_has_a_schedule_of_its_own(reopened: Opens, clock: Clock) -> None:
    with reopened(replace(POLICY, prove_after_at={"keyfuse": (timedelta(minutes=7),)})) as office:
        office.provider.answer(disable=Accepted("202"), prove=Alive("it reads active"))
        incident = office.leak(office.issue().secret)
        assert incident.state is S.UNCONFIRMED
        with office.records.read() as tx:
            [action] = [each for each in tx.incidents.pending() if each.incident_id == incident.id]
        assert action.next_at == clock() + timedelta(minutes=7)


def test_a_record_gets_the_vendors_own_id_and_keeps_it(tmp_path: Path, clock: Clock) -> None:
    vendor = Vendor(Secret(b"a value that somebody registered"))
    mine = replace(known_key(1), provider="vendor", fingerprint=FINGERPRINTER.of(vendor.secret))
    with open_office(tmp_path, clock, vendors={"vendor": vendor}) as office:
        with office.records.begin() as tx:
            tx.keys.add(mine, None)
        office.leak(vendor.secret)
        with office.records.read() as tx:
            assert tx.keys.get(mine.id).provider_key_id == "vendor-1"


@pytest.mark.parametrize(
    ("fallback", "state", "changes"),
    [
        (IfUnsupported.BLOCK, S.BLOCKED, ["disable"]),
        (IfUnsupported.NONE, S.NOTED, ["disable"]),
        (IfUnsupported.DELETE, S.CONTAINED, ["disable", "delete"]),
        (IfUnsupported.SUSPEND_OWNER, S.BLOCKED, ["disable"]),
    ],
)
def test_disable_becomes_delete_only_where_the_key_says_so(
    office: Office, fallback: IfUnsupported, state: IncidentState, changes: list[str]
) -> None:
    office.provider.answer(disable=Unsupported("keys of this kind cannot"))
    issued = office.issue(if_unsupported=fallback)
    assert office.leak(issued.secret).state is state
    assert office.provider.changes() == changes


# --- joining, reopening, closing ------------------------------------------------------------------------------------


def test_one_secret_is_one_incident(office: Office) -> None:
    issued = office.issue(action=LeakAction.NONE)
    first, second = office.leak(issued.secret, "a.env"), office.leak(issued.secret, "b.env")
    assert first.id == second.id
    assert [place.where for place in second.sightings] == ["a.env", "b.env"]
    assert len(office.delivered()) == 2


def test_seen_again_after_a_day_it_is_told_again_but_only_if_seen_anew(office: Office, clock: Clock) -> None:
    issued = office.issue(action=LeakAction.NONE)
    office.leak(issued.secret, "a.env")
    clock.forward(hours=30)
    office.leak(issued.secret, "a.env")
    assert len(office.delivered()) == 2
    office.leak(issued.secret, "b.env")
    assert len(office.delivered()) == 4


def test_a_resolved_incident_reopens_when_seen_in_a_new_place(office: Office) -> None:
    secret = stranger()
    incident = office.leak(secret, "a.env")
    office.responder.resolve(incident.id, "not ours", actor=ACTOR)
    assert office.leak(secret, "a.env").state is S.RESOLVED
    assert office.leak(secret, "b.env").state is S.NOTED


def test_a_dismissed_incident_stays_closed_until_the_dismissal_runs_out(office: Office, clock: Clock) -> None:
    secret = stranger()
    incident = office.leak(secret)
    office.responder.dismiss(incident.id, "a sample", clock() + timedelta(days=30), actor=ACTOR)
    assert office.leak(secret, "b.env").state is S.DISMISSED
    clock.forward(days=31)
    assert office.leak(secret, "b.env").state is S.NOTED


def test_no_dismissal_covers_a_registered_active_key(office: Office, clock: Clock) -> None:
    issued = office.issue(locked=True)
    incident = office.leak(issued.secret)
    office.responder.dismiss(incident.id, "looks odd", clock() + timedelta(days=30), actor=ACTOR)
    assert office.leak(issued.secret).state is S.BLOCKED


def test_a_contained_key_that_lives_again_is_contained_again_and_told_again(office: Office, clock: Clock) -> None:
    issued = office.issue()
    office.leak(issued.secret)
    clock.forward(hours=1)
    assert office.leak(issued.secret, "b.env").state is S.CONTAINED
    assert office.provider.changes() == ["disable"]
    office.issuer.enable(issued.key.id, By("owner"))
    assert office.leak(issued.secret, "b.env").state is S.CONTAINED
    assert office.provider.changes() == ["disable", "disable"]
    assert [line["event"] for line in office.delivered()] == ["contained"] * 4


def test_a_closed_incident_is_not_responded_to(office: Office) -> None:
    incident = office.leak(stranger())
    office.responder.resolve(incident.id, "gone", actor=ACTOR)
    with pytest.raises(IllegalMove, match="reopen it first"):
        office.responder.retry(incident.id, actor=ACTOR)
    assert office.responder.reopen(incident.id, "not gone", actor=ACTOR).state is S.OPEN


def test_resolving_ends_what_was_pending(office: Office) -> None:
    office.provider.answer(disable=Accepted("202"), prove=Unknown("503"))
    incident = office.leak(office.issue().secret)
    office.responder.resolve(incident.id, "seen dead with my own eyes", actor=ACTOR)
    with office.records.read() as tx:
        assert not tx.incidents.pending()


# --- secrets, escalation, what-if -----------------------------------------------------------------------------------


def test_a_secret_that_is_needed_again_is_sealed_and_comes_back_after_a_restart(
    office: Office, reopened: Opens, clock: Clock
) -> None:
    office.provider.secret_needed = True
    office.provider.answer(identify=Unknown("unreachable"))
    issued = office.issue()
    office.leak(issued.secret)
    with office.records.read() as tx:
        [action] = tx.incidents.pending()
    assert action.sealed is not None
    assert issued.secret.reveal() not in action.sealed
    with reopened() as later:
        clock.forward(minutes=2)
        later.responder.prove_pending()
        assert later.provider.leaks[0].secret == issued.secret
        with later.records.read() as tx:
            [ended] = tx.incidents.actions(action.incident_id)
    assert (ended.state, ended.sealed) == (ActionState.ENDED, None)


def test_a_sealed_secret_is_erased_after_a_day(office: Office, clock: Clock) -> None:
    office.provider.secret_needed = True
    office.provider.answer(disable=Accepted("202"), prove=Unknown("503"))
    office.leak(office.issue().secret)
    clock.forward(hours=23)
    office.responder.tend()
    with office.records.read() as tx:
        assert [action.sealed is None for action in tx.incidents.pending()] == [False]
    clock.forward(hours=1)
    office.provider.leaks.clear()
    office.responder.tend()
    with office.records.read() as tx:
        assert not any(action.sealed for action in tx.incidents.pending())
    assert all(leak.secret is None for leak in office.provider.leaks)


def test_no_plaintext_reaches_the_directory(office: Office) -> None:
    office.provider.secret_needed = True
    office.provider.answer(identify=Unknown("unreachable"))
    issued = office.issue()
    office.leak(issued.secret)
    office.courier.deliver()
    for file in office.directory.rglob("*"):
        assert issued.secret.reveal() not in file.read_bytes(), file


def test_what_is_not_contained_in_time_is_escalated_once_to_the_administrators(office: Office, clock: Clock) -> None:
    office.leak(office.issue(locked=True).secret)
    office.leak(office.issue("fine").secret)
    office.delivered()
    clock.forward(minutes=59)
    office.responder.tend()
    assert "escalated" not in {line["event"] for line in office.delivered()}
    clock.forward(minutes=2)
    office.responder.tend()
    office.responder.tend()
    escalated = [line for line in office.delivered() if line["event"] == "escalated"]
    assert [line["recipient"] for line in escalated] == [ADMINISTRATOR]


def test_what_if_decides_by_the_registry_alone_and_writes_nothing(office: Office) -> None:
    issued = office.issue()
    before = office.events()
    known, decision = office.responder.what_if(found_in(issued.secret, office.clock))
    assert known is not None
    assert known.id == issued.key.id
    assert isinstance(decision, Act)
    assert isinstance(office.responder.what_if(found_in(stranger(), office.clock))[1], Note)
    assert office.events() == before
    assert not office.provider.leaks


def test_one_that_cannot_be_finished_keeps_no_other_from_being_finished(office: Office, clock: Clock) -> None:
    """A provider's defect on one incident is written down, and the next one goes on."""
    office.provider.answer(identify=Unknown("unreachable"))
    office.leak(office.issue("bad").secret)
    good = office.leak(office.issue("good").secret)
    answers = iter([ZeroDivisionError()])

    def breaks_once(call: str) -> None:
        if call == "identify":
            for error in answers:
                raise error

    office.provider.before = breaks_once
    clock.forward(minutes=5)
    assert office.responder.prove_pending() == 2
    with office.records.read() as tx:
        assert tx.incidents.get(good.id).state is S.CONTAINED
        [set_aside] = tx.incidents.pending()
        interrupted = [r.details["interrupted"] for r in tx.audit.read() if "interrupted" in r.details]
    assert interrupted == ["ZeroDivisionError"]
    assert set_aside.next_at is not None
    assert set_aside.next_at > clock()


def journal(office: Office) -> list[dict[str, str]]:
    """The changes the provider was asked for."""
    return read_lines(office.provider.journal)
