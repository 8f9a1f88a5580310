"""Two responders over one database, as two processes are: a key is changed once, and the limit holds for both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from responders.incident import Incident, IncidentState
from responders.policy import Policy
from scanner.model import Secret
from tests.support.answering import POLICY, open_office, read_lines
from tests.support.stores import Clock, postgresql_schema, unreachable


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, worker_id: str) -> Iterator[str]:
    """An empty database that several processes may share."""
    if request.param == "sqlite":
        yield ""
    elif reason := unreachable():
        pytest.skip(reason)
    else:
        with postgresql_schema(f"{worker_id}_two") as schema:
            yield schema


def respond_together(
    directory: Path, url: str, secrets: tuple[Secret, Secret], policy: Policy = POLICY, *, meet_after: str
) -> list[Incident]:
    """Each secret is answered by a responder of its own; both wait for the other after the step `meet_after`."""
    barrier = threading.Barrier(2)

    def meeting() -> Callable[[str], None]:
        met: list[str] = []

        def checkpoint(step: str) -> None:
            if step == meet_after and not met:
                met.append(step)
                barrier.wait(20)

        return checkpoint

    def answer(secret: Secret, name: str) -> Incident:
        counter = iter(range(1000))
        with open_office(
            directory, Clock(), url=url, policy=policy, checkpoint=meeting(), ids=lambda: f"{name}-{next(counter)}"
        ) as office:
            return office.leak(secret)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(answer, secrets, ("left", "right")))


def test_one_key_is_changed_once(tmp_path: Path, url: str) -> None:
    with open_office(tmp_path, Clock(), url=url) as office:
        issued = office.issue()
    respond_together(tmp_path, url, (issued.secret, issued.secret), meet_after="identified")
    assert [line["change"] for line in read_lines(tmp_path / "changes.jsonl")] == ["disable"]
    with open_office(tmp_path, Clock(), url=url) as office:
        with office.records.read() as tx:
            [incident] = tx.incidents.list()
        assert incident.state is IncidentState.CONTAINED
        assert office.events().count("incident.opened") == 1
        assert len(office.delivered()) == 2


def test_the_hourly_limit_holds_for_both_together(tmp_path: Path, url: str) -> None:
    with open_office(tmp_path, Clock(), url=url) as office:
        first, second = office.issue("one"), office.issue("two")
    limited = replace(POLICY, actions_per_hour=1)
    ended = respond_together(tmp_path, url, (first.secret, second.secret), limited, meet_after="identified")
    assert sorted(incident.state for incident in ended) == [IncidentState.BLOCKED, IncidentState.CONTAINED]
    assert [line["change"] for line in read_lines(tmp_path / "changes.jsonl")] == ["disable"]
