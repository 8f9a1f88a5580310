"""Whatever a provider answers, and in whatever order: no blind repeats, and nothing is called dead that is not."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.auditlog import verify
from responders.incident import ActionState, IncidentState
from responders.provider import Accepted, Alive, Dead, Done, Refused, Uncertain, Unknown
from responders.registry import KeyState
from tests.support.answering import open_office, read_lines
from tests.support.stores import Clock, sqlite_template

RECEIPTS = (Done("200"), Accepted("202"), Uncertain("reset"), Refused("later", for_good=False), Refused("never"))
PROOFS = (Dead("gone", KeyState.DISABLED), Alive("works"), Unknown("503"))
SETTLED = (IncidentState.CONTAINED, IncidentState.FAILED)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_template(tmp_path_factory.mktemp("template")).parent


@settings(max_examples=30, deadline=None)
@given(
    receipts=st.lists(st.sampled_from(RECEIPTS), min_size=8, max_size=8),
    proofs=st.lists(st.sampled_from(PROOFS), min_size=8, max_size=8),
)
def test_any_answers_in_any_order(template: Path, receipts: list[object], proofs: list[object]) -> None:
    clock, said = Clock(), list[object]()
    answers = {"disable": iter(receipts), "prove": iter(proofs)}

    def before(call: str) -> object | None:
        if call not in answers:
            return None
        said.append(next(answers[call]))
        return said[-1]

    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(shutil.copytree(template, Path(scratch) / "data"))
        with open_office(directory, clock) as office:
            issued = office.issue()
            office.provider.before = before
            incident = office.leak(issued.secret)
            for _ in range(6):
                clock.forward(hours=2)
                office.responder.prove_pending()
            with office.records.read() as tx:
                incident = tx.incidents.get(incident.id)
                [action] = tx.incidents.actions(incident.id)
                verify(tx.audit.read(), tx.audit.head())
            sent = read_lines(office.provider.journal)
    # One change, under one key, and sent again only right after the key was seen alive.
    assert len({line["idempotency_key"] for line in sent}) == 1
    for number, answer in enumerate(said):
        if number and answer in RECEIPTS:
            assert said[number - 1] == Alive("works")
        if answer in (Done("200"), Accepted("202")):
            assert not [later for later in said[number + 1 :] if later in RECEIPTS]
    # Dead means proven, and only then; an action that has ended is an incident that has settled.
    assert (incident.state is IncidentState.CONTAINED) == (Dead("gone", KeyState.DISABLED) in said)
    assert (incident.state is IncidentState.FAILED) == (Refused("never") in said)
    assert (action.state is ActionState.ENDED) == (incident.state in SETTLED)
