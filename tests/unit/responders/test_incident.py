"""Incidents move along legal edges only."""

from __future__ import annotations

import pytest

from responders.errors import IllegalMove
from responders.incident import CLOSED, LEGAL, IncidentState, move

S = IncidentState


def test_every_state_has_its_edges_and_can_be_reached() -> None:
    assert set(LEGAL) == set(S)
    assert set().union(*LEGAL.values()) == set(S)


def test_closed_incidents_can_only_reopen_and_no_state_leads_to_itself() -> None:
    for closed in CLOSED:
        assert LEGAL[closed] == {S.OPEN}
    for state in S:
        assert state not in LEGAL[state]


@pytest.mark.parametrize("state", [state for state in S if state not in (*CLOSED, S.ACTING)])
def test_a_person_can_close_whatever_is_not_being_acted_on(state: IncidentState) -> None:
    assert move(state, S.RESOLVED) is S.RESOLVED
    assert move(state, S.DISMISSED) is S.DISMISSED


def test_an_illegal_move_names_the_legal_ones() -> None:
    with pytest.raises(IllegalMove, match="from here it can become: open"):
        move(S.RESOLVED, S.CONTAINED)
