"""What is found by looking at the new bytes of every object is what is found by looking at every object.

And it is found in the same places, and by the compiled modules and uncompiled ones alike.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.history import packed
from scanner.model import Finding, Skipped, Suppressed, Unit
from scanner.pipeline import Scanner
from scanner.rule import Family
from scanner.samples import sample
from scanner.sources.git.attribution import attribute
from scanner.sources.git.command import Git
from scanner.sources.git.objects import all_objects
from scanner.sources.git.pack.batch import compiled, first_sightings, object_units
from scanner.sources.git.pack.store import PackJob
from scanner.sources.git.repository import Repository as Found
from scanner.sources.git.repository import repository_at
from tests.support.histories import History, made_up
from tests.support.repositories import Repository
from tests.support.uncompiled import uncompiled

pytestmark = pytest.mark.skipif(not compiled(), reason="there was no C compiler when this was installed")

COMMITS = 60
Results = tuple[list[Finding], list[Suppressed], list[Skipped]]


def results(units: Iterable[Unit | Skipped], scanner: Scanner, margin: int | None = None) -> Results:
    """What is found in units, by sort."""
    found: list[object] = []
    for unit in units:
        if isinstance(unit, Skipped):
            found.append(unit)
        elif isinstance(unit, PackJob) and margin is not None:
            found += packed(scanner, unit, margin=margin)
        else:
            found += scanner.unit(unit)
    return (
        [each for each in found if isinstance(each, Finding)],
        [each for each in found if isinstance(each, Suppressed)],
        [each for each in found if isinstance(each, Skipped)],
    )


def told(findings: Iterable[Finding]) -> Counter[object]:
    """Findings as values that compare."""
    return Counter(
        (
            *(each.kind.id, each.fingerprint, each.span, each.origin, each.confidence, each.masked, each.encoding),
            tuple(sorted((name, part.reveal()) for name, part in each.parts.items())),
        )
        for each in findings
    )


def opened(repository: Repository) -> tuple[Git, Found]:
    """A repository as the scanner has it."""
    found = repository_at(str(repository.path))
    assert found is not None
    return Git(found.git_dir), found


@pytest.mark.parametrize(("seed", "object_format"), [(1, "sha1"), (2, "sha1"), (3, "sha256"), (4, "sha1")])
def test_packs_hold_what_their_objects_hold(tmp_path: Path, shipped: Scanner, seed: int, object_format: str) -> None:
    repository = made_up(tmp_path / "r", seed, COMMITS, shipped.engine.book.rules, object_format)
    git, found = opened(repository)
    units = list(object_units(git, found, "r"))
    assert any(isinstance(unit, PackJob) for unit in units)
    quick, quick_hidden, quick_skipped = results(units, shipped)
    plain, plain_hidden, plain_skipped = results(all_objects(git, "r"), shipped)
    assert plain
    assert told(quick) == told(plain)
    assert told(each.finding for each in quick_hidden) == told(each.finding for each in plain_hidden)
    assert quick_skipped == plain_skipped
    quickly = attribute(git, quick, quick=partial(first_sightings, found))
    assert told(quickly) == told(attribute(git, plain))


@pytest.mark.parametrize(("seed", "object_format"), [(5, "sha1"), (6, "sha256")])
def test_uncompiled_modules_find_the_same(tmp_path: Path, shipped: Scanner, seed: int, object_format: str) -> None:
    repository = made_up(tmp_path / "r", seed, 25, shipped.engine.book.rules, object_format)
    git, found = opened(repository)
    compiled_results = results(object_units(git, found, "r"), shipped)
    attributed = attribute(git, compiled_results[0], quick=partial(first_sightings, found))
    with uncompiled():
        again = results(object_units(git, found, "r"), shipped)
        assert told(again[0]) == told(compiled_results[0])
        assert told(attribute(git, again[0], quick=partial(first_sightings, found))) == told(attributed)


def _apart(shipped: Scanner, path: Path) -> Repository:
    """Files whose keywords stand on the line before, far from the end of the value, where alone they were edited.

    The earlier versions are longer: git makes the shorter ones from the longer.
    """
    rng = random.Random(11)
    history = History(rng, ())
    stream: list[bytes] = []
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for rule in shipped.engine.book.rules:
        if rule.family is not Family.CONTEXTUAL or rule.trigger or rng.random() < 0.9:
            continue
        try:
            text = sample(rule, rng).text
        except UsageError:
            continue
        name, found, value = text.partition(b"=")
        if found and b"\n" not in text:
            value = b" " * 20 + value.strip()
            filler = history.lines(60, 90), history.lines(60, 90)
            whole = filler[0] + name + b"=\n" + value + b"\n" + filler[1]
            cut = whole.index(value) + len(value) - 6
            before[rule.kind.id] = whole[:cut] + b" .\n" + filler[1] + history.lines(20, 30)
            after[rule.kind.id] = whole
    for number, files in enumerate((before, after)):
        stream.append(b"commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 0\n" % (10**9 + number))
        stream += (
            b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(text), text) for name, text in files.items()
        )
    repository = Repository.new(path, bare=True)
    repository.git("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", stdin=b"".join(stream))
    repository.git("repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=250")
    return repository


def test_a_margin_that_is_too_small_is_noticed(tmp_path: Path, shipped: Scanner) -> None:
    git, found = opened(_apart(shipped, tmp_path / "r"))
    plain = told(results(all_objects(git, "r"), shipped)[0])
    assert told(results(object_units(git, found, "r"), shipped)[0]) == plain
    missed = plain - told(results(object_units(git, found, "r"), shipped, margin=4)[0])
    assert missed
