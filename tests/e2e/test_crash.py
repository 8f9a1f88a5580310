"""A process that dies at any step of a response loses no incident, repeats no change, and leaves no notice unsent."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from responders.auditlog import verify
from responders.incident import ActionState, IncidentState
from responders.notify.queue import DeliveryState
from responders.registry import KeyState, LeakAction
from scanner.model import Secret
from tests.support.answering import ADMINISTRATOR, OWNER, open_office, read_lines
from tests.support.stores import Clock

STEPS = (
    "reported",
    "identified",
    "decided",
    "sent",
    "receipt written",
    "proof asked for",
    "proof written",
    "claimed",
    "carried",
    "marked",
    "carried",
    "marked",
)
"""The steps of a response to one leak that two people are told of."""


@pytest.fixture(scope="module")
def leaked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Secret]:
    """A directory in which one key was issued, and its value."""
    directory = tmp_path_factory.mktemp("leaked")
    with open_office(directory, Clock()) as office:
        issued = office.issue(action=LeakAction.DELETE)
    return directory, issued.secret


def respond_until(directory: Path, secret: Secret, fatal: int) -> subprocess.CompletedProcess[str]:
    """Runs the driver; the secret goes by stdin."""
    command = [sys.executable, "-m", "tests.support.responding", str(directory), str(fatal)]
    return subprocess.run(command, input=secret.reveal().decode(), capture_output=True, text=True, timeout=60)


def test_the_steps_are_these(leaked: tuple[Path, Secret], tmp_path: Path) -> None:
    template, secret = leaked
    directory = shutil.copytree(template, tmp_path / "data")
    run = respond_until(directory, secret, len(STEPS))
    assert run.returncode == 0, run.stderr
    assert tuple(run.stdout.splitlines()) == STEPS


@pytest.mark.parametrize("fatal", range(len(STEPS)), ids=[f"{n}-{name}" for n, name in enumerate(STEPS)])
def test_killed_at_any_step_everything_is_finished_once(
    leaked: tuple[Path, Secret], tmp_path: Path, fatal: int
) -> None:
    template, secret = leaked
    directory = shutil.copytree(template, tmp_path / "data")
    run = respond_until(directory, secret, fatal)
    assert run.returncode == -signal.SIGKILL, run.stderr

    clock = Clock()
    clock.forward(minutes=10)
    with open_office(directory, clock) as office:
        office.responder.recover()
        office.courier.deliver()
        with office.records.read() as tx:
            [incident] = tx.incidents.list()
            [action] = tx.incidents.actions(incident.id)
            deliveries = tx.notices.of_incident(incident.id)
            verify(tx.audit.read(), tx.audit.head())
            [key] = tx.keys.all()
        assert incident.state is IncidentState.CONTAINED
        assert incident.evidence
        assert incident.sighting_count == 1
        assert action.state is ActionState.ENDED
        assert key.state is KeyState.DELETED
        assert office.provider.changes() == ["delete"]
        assert {(d.recipient, d.state) for d in deliveries} == {
            (OWNER, DeliveryState.SENT),
            (ADMINISTRATOR, DeliveryState.SENT),
        }
        arrived = read_lines(directory / "notices.jsonl")
        assert {line["recipient"] for line in arrived} == {OWNER, ADMINISTRATOR}
        assert len({line["id"] for line in arrived}) == 1
        # Only between sending and marking can a notice go out twice, and then under the same id.
        assert len(arrived) == (3 if STEPS[fatal] == "carried" else 2)
        assert office.events().count("incident.contained") == 1
