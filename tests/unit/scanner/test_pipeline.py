"""Units in, events out: in one process or several, with registered keys confirmed and nothing lost on the way."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from datetime import date
from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.model import (
    REGISTERED,
    Finding,
    Fingerprint,
    Fingerprinter,
    ScanEvent,
    Scanned,
    Shape,
    Skipped,
    Suppressed,
    Unit,
)
from scanner.options import Options
from scanner.pipeline import Scanner, build_scanner, scan
from scanner.suppress import Baseline, Entry
from tests.support.rules import KEY, blob, results, rule, scanner
from tests.support.tokens import github_token, keyfuse_key, text
from tests.support.units import Broken, Contents, Deadly, Endless

RNG = random.Random(50)
FIXED = rule("acme-token", "acmt_ + base62{24}")
SCANNER = scanner(FIXED, shapes=(Shape("kfk_", "base62", 42),))
KEYS = [keyfuse_key(RNG).encode() for _ in range(3)]


def token() -> bytes:
    return f"acmt_{text(RNG, 24)}".encode()


def file(number: int) -> tuple[str, bytes]:
    return f"dir/{number}", b"a = " + token() + b"\nb = " + KEYS[number % 3] + b"\n" + b"filler\n" * 50


UNITS = tuple(Contents(tuple(file(unit * 10 + number) for number in range(10))) for unit in range(30))


def known(asked: Collection[Fingerprint]) -> set[Fingerprint]:
    mine = {Fingerprinter(KEY).of(key) for key in KEYS[:2]}
    return mine & set(asked)


def facts(events: list[ScanEvent]) -> set[object]:
    return {
        (event.kind.id, event.secret.reveal(), event.span, event.origin, event.confidence, event.masked)
        for event in events
        if isinstance(event, Finding)
    }


def children() -> list[multiprocessing.process.BaseProcess]:
    return multiprocessing.active_children()


def test_one_process_and_several_find_the_same() -> None:
    alone = list(scan(UNITS, SCANNER, jobs=1, known=known))
    together = list(scan(UNITS, SCANNER, jobs=3, known=known))
    assert len(facts(alone)) == 300 + 200
    assert facts(alone) == facts(together)
    for events in (alone, together):
        assert sum(event.blobs for event in events if isinstance(event, Scanned)) == 300
        assert not [event for event in events if isinstance(event, Skipped)]
    assert children() == []


def test_small_work_starts_no_process() -> None:
    assert len(list(scan([Contents((file(1),), size=100)], SCANNER, jobs=4))) == 2
    code = (
        "import sys; from tests.unit.scanner.test_pipeline import *;"
        "before = 'scanner.pool' in sys.modules; list(scan([Contents((file(1),), size=9)], SCANNER, jobs=4));"
        "print(before, 'scanner.pool' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False False\n"


def test_skipped_units_pass_through() -> None:
    skipped = Skipped("there", "no right to read it")
    for jobs in (1, 3):
        assert skipped in list(scan([skipped, *UNITS[:10], skipped], SCANNER, jobs=jobs))


def test_a_dying_worker_costs_its_unit_alone() -> None:
    units: list[Unit] = [*UNITS[:9], Deadly("hostile/\x1b[31mfile"), *UNITS[9:]]
    events = list(scan(units, SCANNER, jobs=2, known=known))
    assert len(facts(events)) == 500
    [skipped] = [event for event in events if isinstance(event, Skipped)]
    assert skipped.origin == "hostile/\\x1b[31mfile"
    assert "killed by SIGKILL" in skipped.reason
    assert children() == []


def test_all_workers_may_die() -> None:
    events = list(scan([Deadly(str(number)) for number in range(12)], SCANNER, jobs=3))
    assert sorted(int(event.origin) for event in events if isinstance(event, Skipped)) == list(range(12))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_mistake_in_one_unit_costs_that_unit(jobs: int) -> None:
    events = list(scan([*UNITS[:8], Broken()], SCANNER, jobs=jobs, known=known))
    [skipped] = [event for event in events if isinstance(event, Skipped)]
    assert skipped.origin == "broken/one"
    assert "internal error" in skipped.reason
    assert "nobody should see" not in skipped.reason
    assert len(facts(events)) == 80 + 54


def test_whoever_stops_listening_ends_the_workers() -> None:
    events = scan([*UNITS[:8], Endless(), Endless(), Endless()], SCANNER, jobs=3)
    next(events)
    assert children()
    events.close()  # type: ignore[attr-defined]
    assert children() == []


def test_an_interrupt_leaves_no_orphans() -> None:
    script = (
        "from tests.unit.scanner.test_pipeline import *\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have started the tests without it
        "for event in scan([*UNITS[:8], *[Endless()] * 3], SCANNER, jobs=3):\n"
        "    print(*[child.pid for child in children()], flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    pids: set[int] = set()
    while len(pids) < 3:
        pids |= {int(pid) for pid in process.stdout.readline().split()}
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)  # reads on: a process that cannot write what it printed would not end
    assert process.returncode != 0
    assert not [pid for pid in pids if _alive(pid)]


def test_a_killed_parent_leaves_no_orphans() -> None:
    script = (
        "from tests.unit.scanner.test_pipeline import *\n"
        "for event in scan([*UNITS, *UNITS, *UNITS], SCANNER, jobs=3):\n"
        "    print(*[child.pid for child in children()], flush=True)\n"
        "    time.sleep(0.05)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids: set[int] = set()
    while len(pids) < 3:
        pids |= {int(pid) for pid in process.stdout.readline().split()}
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while [pid for pid in pids if _alive(pid)] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_registered_keys_are_found_by_fingerprint_alone() -> None:
    unit = Contents((("a", b"x " + KEYS[0] + b" " + KEYS[2]),))
    for answer, count in ((known, 1), (None, 0)):
        found = [event for event in scan([unit], SCANNER, known=answer) if isinstance(event, Finding)]
        assert [(finding.kind, finding.secret.reveal()) for finding in found] == [(REGISTERED, KEYS[0])] * count


def test_a_rule_keeps_what_is_registered_too() -> None:
    own = scanner(rule("own-key", "kfk_ + base62{38}"), shapes=(Shape("kfk_", "base62", 42),))
    found = [event for event in scan([Contents((("a", KEYS[0]),))], own, known=known) if isinstance(event, Finding)]
    assert [finding.kind.id for finding in found] == ["own-key"]


@pytest.mark.parametrize("form", [b"%s", b'"%s"', b"KEY=%s", b"a/%s/b", b'"\\n%s"', b"k%%3D%s", b"-%s-"])
def test_a_registered_key_of_any_form_is_found(form: bytes) -> None:
    value = text(RNG, 44).encode()
    bare = scanner(FIXED, shapes=(Shape("", "base62", 44),))

    def is_it(asked: Collection[Fingerprint]) -> set[Fingerprint]:
        return {Fingerprinter(KEY).of(value)} & set(asked)

    found = [
        event for event in scan([Contents((("a", form % value),))], bare, known=is_it) if isinstance(event, Finding)
    ]
    assert [finding.secret.reveal() for finding in found] == [value]


def test_a_mark_never_silences_a_registered_key() -> None:
    unit = Contents(
        (("a", KEYS[0] + b" keyfuse:allow\n" + KEYS[2] + b" keyfuse:allow\n" + token() + b" keyfuse:allow"),)
    )
    events = [event for event in scan([unit], SCANNER, known=known) if not isinstance(event, Scanned)]
    assert [type(event).__name__ for event in events] == ["Suppressed", "Finding"]
    assert [event.secret.reveal() for event in events if isinstance(event, Finding)] == [KEYS[0]]


def test_a_baseline_silences_by_fingerprint() -> None:
    secret = token()
    entry = Entry(Fingerprinter(KEY).of(secret), reason="rotated", expires=date(2030, 1, 1))
    for today, kind in ((date(2030, 1, 1), Suppressed), (date(2030, 1, 2), Finding)):
        quiet = scanner(FIXED, options=Options(baseline=Baseline([entry], today)))
        [result] = results(quiet, secret)
        assert isinstance(result, kind)


def test_a_mistyped_rule_name_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean acme-token"):
        scanner(FIXED, options=Options(disabled_rules=frozenset({"acme-tokn"})))


def test_the_shipped_book_opens_from_its_cache(shipped: Scanner, rule_cache: Path) -> None:
    first = shipped
    second = build_scanner(Fingerprinter(KEY), cache_directory=rule_cache)
    assert first.engine.rules_hash == second.engine.rules_hash == second.engine.book.hash
    data = f'token = "{github_token(random.Random(51))}"\n'.encode()
    assert facts(list(first.scan(blob(data)))) == facts(list(second.scan(blob(data)))) != set()


def test_a_clean_start_imports_nothing_heavy(shipped: Scanner, rule_cache: Path) -> None:
    assert shipped.engine.rules_hash  # compiled, and in the cache
    code = (
        "import sys; from pathlib import Path; from scanner.pipeline import build_scanner; from scanner.model import *;"
        f"s = build_scanner(Fingerprinter(b'k' * 32), cache_directory=Path({str(rule_cache)!r}));"
        "list(s.scan(Blob(b'clean = 1', Origin(Place.FILE, 'x'))));"
        "print(sorted({'regex', 'tomllib', 'multiprocessing', 'zipfile', 'tarfile', 'lzma', 'json', 'tempfile',"
        " 'scanner.finder', 'scanner.checks', 'scanner.notation'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
