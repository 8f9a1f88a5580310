"""What ends by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from responders.incident import IncidentState
from responders.registry import EXPIRED, KeyState
from tests.support.answering import Office, found_in, open_office
from tests.support.stores import Clock


def state(office: Office, incident_id: str) -> IncidentState:
    with office.records.read() as tx:
        return tx.incidents.get(incident_id).state


def test_a_dismissal_that_has_run_out_has_the_leak_answered(tmp_path: Path) -> None:
    clock = Clock()
    with open_office(tmp_path, clock) as office:
        issued = office.issue()
        incident = office.responder.report(found_in(issued.secret, clock), actor="test", act=False)
        office.responder.dismiss(incident.id, "a test key", clock() + timedelta(days=1), actor="test")
        office.responder.tend()
        assert state(office, incident.id) is IncidentState.DISMISSED
        clock.forward(days=1)
        office.responder.tend()
        assert state(office, incident.id) is IncidentState.CONTAINED


def test_a_key_past_its_time_says_so_once(tmp_path: Path) -> None:
    clock = Clock()
    with open_office(tmp_path, clock) as office:
        issued = office.issue(expires_at=clock() + timedelta(hours=1))
        office.responder.tend()
        clock.forward(hours=1)
        office.responder.tend()
        office.responder.tend()
        with office.records.read() as tx:
            key = tx.keys.get(issued.key.id)
            told = [record for record in tx.audit.read() if record.event == "key.expired"]
        assert key.effective_state(clock()) is KeyState.EXPIRED
        assert [change.action for change in key.history].count(EXPIRED) == 1
        assert len(told) == 1
