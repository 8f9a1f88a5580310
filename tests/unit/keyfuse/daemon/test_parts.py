"""Smaller parts: chores, counted providers, meters, and how the lookout and the marks go together."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from keyfuse.daemon.answers import Answers
from keyfuse.daemon.chores import Chore, Round
from keyfuse.daemon.counted import Counted
from keyfuse.daemon.ground import Ground
from keyfuse.daemon.health import Health
from keyfuse.daemon.journal import Journal
from keyfuse.daemon.lookout import Lookout
from keyfuse.daemon.memory import Memory
from keyfuse.daemon.meters import Meters
from keyfuse.daemon.settling import MOST
from keyfuse.daemon.sights import Sights
from keyfuse.session import Session
from responders.errors import ProviderError, StoreError
from responders.provider import Uncertain
from tests.support.stores import Clock


def test_a_chore_that_fails_is_said_and_done_again() -> None:
    now, done, out = [0.0], list[str](), io.StringIO()
    health = Health()
    health.unready("daemon", "")

    def fails() -> None:
        done.append("b")
        if len(done) < 4:
            raise StoreError("the database is locked; repeat")

    meters = Meters(_no_records)
    chores = [Chore("a", 2.0, lambda: done.append("a")), Chore("b", 3.0, fails)]
    rounds = Round("upkeep", chores, meters, Journal(out), health, lambda: now[0])
    assert rounds.turn() == 2.0
    assert done == ["a", "b"]
    assert health.ready().troubles == {"b": "the database is locked; repeat"}
    now[0] = 2.5
    assert rounds.turn() == 0.5
    now[0] = 3.0
    rounds.turn()
    assert done == ["a", "b", "a", "b"]
    assert health.ready().well
    assert 'keyfuse_errors_total{part="b"} 1.0' in meters.text().decode()
    assert "the database is locked" in out.getvalue()


def _no_records() -> Any:
    raise StoreError("the database cannot be reached")


def test_metrics_say_when_the_database_is_gone() -> None:
    text = Meters(_no_records).text().decode()
    assert "keyfuse_database_up 0.0" in text
    assert "keyfuse_incidents" not in text


class _Provider:
    name = "forge"

    def disable(self, outcome: object) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_failures_of_providers_are_counted_and_passed_on() -> None:
    failed: list[str] = []
    inner: Mapping[str, Any] = {"forge": _Provider()}
    providers: Any = Counted(inner, failed.append)
    assert (list(providers), len(providers), "forge" in providers) == (["forge"], 1, True)
    provider = providers["forge"]
    assert provider.name == "forge"
    assert provider.disable("done") == "done"
    assert failed == []
    assert provider.disable(Uncertain("no answer")) == Uncertain("no answer")
    with pytest.raises(ProviderError):
        provider.disable(ProviderError("refused"))
    assert failed == ["forge", "forge"]


@pytest.fixture
def session(tmp_path: Path, rule_cache: Path) -> Iterator[Session]:
    (tmp_path / "keyfuse.toml").write_text("")
    env = {
        "KEYFUSE_DATA_DIR": str(tmp_path / "data"),
        "KEYFUSE_CACHE_DIR": str(rule_cache),
        "KEYFUSE_CONFIG": str(tmp_path / "keyfuse.toml"),
    }
    with Session(None, Clock(), env) as made:
        yield made


def test_a_mass_change_becomes_one_piece_of_work_and_the_mark_waits_for_it(session: Session, tmp_path: Path) -> None:
    meters, journal, health = Meters(session.records), Journal(io.StringIO()), Health()
    answers = Answers(session, meters, journal, health, lambda: None)
    memory = Memory(session.records)
    memory.saw_all("t", 50.0, "rules")
    queued: list[tuple[str, Mapping[str, Any]]] = []
    now = [1000.0]

    def enqueue(kind: str, target: str, payload: Mapping[str, Any], dedupe: str) -> None:
        queued.append((kind, payload))

    lookout = Lookout(
        Sights(session), answers, memory, enqueue, meters, journal, health, 0.1, lambda: now[0], lambda: now[0]
    )
    lookout.settle({"t": Ground(str(tmp_path), str(tmp_path))})
    for number in range(MOST + 1):
        lookout.wrote("t", f"{tmp_path}/{number}", True)
    now[0] = 2000.0
    lookout.mark()
    assert memory.of("t").upto < 1000.0
    lookout._round()
    assert queued == [("sweep", {"since": 1000.0})]
    lookout.mark(but={"t"})
    assert memory.of("t").upto < 1000.0, "what is listed from time to time gets its mark from that alone"
    lookout.mark()
    assert memory.of("t").upto > 1000.0, "what is in the queue is not forgotten any more"
    lookout.lost("t", True)
    lookout._round()
    assert queued[-1] == ("sweep", {"since": 0.0})
