"""What every store of records does, whatever database is under it: incidents, sightings and actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from responders.errors import NoSuchRecord
from responders.incident import Action, ActionKind, ActionState, Incident, IncidentState, Sighting
from responders.store import SqlRecords
from scanner.errors import UsageError
from scanner.model import Fingerprint, Severity
from tests.support.stores import FINGERPRINTER, START, Clock


def incident(name: str, **changes: object) -> Incident:
    """An open incident."""
    made = Incident(
        id=name,
        fingerprint=FINGERPRINTER.of(name.encode()),
        state=IncidentState.OPEN,
        rule="a-rule",
        kind_name="A key",
        provider="keyfuse",
        severity=Severity.CRITICAL,
        masked="abc_…wxyz",
        opened_at=START,
        changed_at=START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def action(name: str, **changes: object) -> Action:
    """A planned action of incident `i1`."""
    made = Action(name, "i1", ActionKind.DISABLE, ActionState.PLANNED, f"once-{name}", "keyfuse", START)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_an_incident_comes_back_as_it_was_stored(records: SqlRecords) -> None:
    stored = incident(
        "i1",
        key_id="ApiKey-1",
        reason="because",
        evidence="read back",
        outlives="a session",
        outlives_until=START + timedelta(hours=1),
        dismissed_until=START + timedelta(days=9),
        approved=True,
    )
    with records.begin() as transaction:
        transaction.incidents.add(stored)
    with records.read() as transaction:
        assert transaction.incidents.get("i1") == stored
        assert transaction.incidents.by_fingerprint(stored.fingerprint) == stored
        assert transaction.incidents.by_fingerprint(Fingerprint("kfp1:no")) is None
        assert transaction.incidents.list() == [stored]


def test_a_changed_incident_keeps_its_sightings(records: SqlRecords) -> None:
    seen = Sighting("a.txt", "file", "repo", "c0ffee", "me", "2026-01-01", 7, START, "audit")
    with records.begin() as transaction:
        transaction.incidents.add(incident("i1"))
        assert transaction.incidents.see("i1", seen)
        transaction.incidents.put(incident("i1", state=IncidentState.NOTED))
        found = transaction.incidents.get("i1")
        assert (found.state, found.sightings, found.sighting_count) == (IncidentState.NOTED, (seen,), 1)
        with pytest.raises(NoSuchRecord):
            transaction.incidents.put(incident("nobody"))


def test_the_same_place_is_seen_once(records: SqlRecords) -> None:
    place = Sighting("a.txt", "file", line=3, seen_at=START)
    with records.begin() as transaction:
        transaction.incidents.add(incident("i1"))
        transaction.incidents.add(incident("i2"))
        assert transaction.incidents.see("i1", place)
        again = replace(place, seen_at=START + timedelta(days=1), source="report", author="x")
        assert not transaction.incidents.see("i1", again)
        assert transaction.incidents.see("i2", place)
        for other in (
            replace(place, line=4),
            replace(place, where="b.txt"),
            replace(place, commit="c0"),
            replace(place, repository="r"),
            replace(place, place="blob"),
        ):
            assert transaction.incidents.see("i1", other)
        assert transaction.incidents.get("i1").sighting_count == 6


def test_many_sightings_are_counted_and_the_first_are_shown(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.incidents.add(incident("i1"))
        for line in range(1020):
            transaction.incidents.see("i1", Sighting("a", "file", line=line))
        found = transaction.incidents.get("i1")
        assert (found.sighting_count, [place.line for place in found.sightings]) == (1020, list(range(1000)))
        assert [place.line for place in transaction.incidents.list()[0].sightings] == list(range(10))


def test_an_incident_is_named_by_the_start_of_its_id(records: SqlRecords) -> None:
    with records.begin() as transaction:
        transaction.incidents.add(incident("abc-1"))
        transaction.incidents.add(incident("abc-12"))
        assert transaction.incidents.get("abc-12").id == "abc-12"
        assert transaction.incidents.get("abc-1").id == "abc-1"
        with pytest.raises(UsageError, match="several"):
            transaction.incidents.get("abc")
        for unknown in ("abd", "", "%", "abc_1"):
            with pytest.raises(NoSuchRecord):
                transaction.incidents.get(unknown)


def test_lists_are_newest_first_and_narrowed_by_state(records: SqlRecords) -> None:
    states = [IncidentState.OPEN, IncidentState.NOTED, IncidentState.OPEN]
    with records.begin() as transaction:
        for number, state in enumerate(states):
            opened = START + timedelta(minutes=number)
            transaction.incidents.add(incident(f"i{number}", state=state, opened_at=opened))
        assert [found.id for found in transaction.incidents.list()] == ["i2", "i1", "i0"]
        assert [found.id for found in transaction.incidents.list(limit=1)] == ["i2"]
        assert [found.id for found in transaction.incidents.list(states=[IncidentState.OPEN])] == ["i2", "i0"]


def test_actions_come_back_and_change(records: SqlRecords) -> None:
    first = action(
        "a1",
        ref_id="ApiKey-1",
        ref_details={"owner": "me"},
        outcome="",
        reason="r",
        attempts=2,
        next_at=START,
        sealed=b"\x00sealed",
    )
    with records.begin() as transaction:
        transaction.incidents.add(incident("i1"))
        transaction.incidents.put_action(first)
        transaction.incidents.put_action(action("a2"))
        assert transaction.incidents.actions("i1") == transaction.incidents.pending() == [first, action("a2")]
        ended = replace(first, state=ActionState.ENDED, outcome="contained")
        transaction.incidents.put_action(ended)
    with records.read() as transaction:
        assert transaction.incidents.pending() == [action("a2")]
        assert transaction.incidents.actions("i1")[0] == replace(ended, sealed=None)


def test_only_what_was_sent_counts_for_the_limit_and_only_once(records: SqlRecords, clock: Clock) -> None:
    def put(changed: Action) -> None:
        with records.begin() as transaction:
            transaction.incidents.put_action(changed)

    with records.begin() as transaction:
        transaction.incidents.add(incident("i1"))
    put(action("a1", state=ActionState.SENT))
    put(action("a2"))
    put(action("a3", kind=ActionKind.NONE, state=ActionState.SENT))
    put(action("a4", state=ActionState.ENDED, outcome="blocked"))
    clock.forward(minutes=30)
    put(action("a1", state=ActionState.PROVING))
    put(action("a1", state=ActionState.ENDED))
    put(action("a5", state=ActionState.SENT))
    with records.read() as transaction:
        assert transaction.incidents.changes_since(START) == 2
        assert transaction.incidents.changes_since(START + timedelta(minutes=10)) == 1
        assert transaction.incidents.changes_since(START + timedelta(minutes=31)) == 0
