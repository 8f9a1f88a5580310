"""Everything a repository can hold is looked at without being asked for: one repository for each place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from scanner.model import Finding, Skipped
from scanner.pipeline import Scanner, scan
from scanner.sources.target import TargetOptions, open_target
from tests.support.hiding import PLACES
from tests.support.tokens import github_token


def _audit(path: Path, scanner: Scanner, **options: object) -> tuple[list[Finding], list[Skipped]]:
    target = open_target(str(path), TargetOptions(**options))  # type: ignore[arg-type]
    events = list(scan(target.units(), scanner))
    found = [event for event in events if isinstance(event, Finding)]
    return target.finish(found), [event for event in events if isinstance(event, Skipped)]


def _with(findings: Sequence[Finding], token: str) -> list[Finding]:
    return [each for each in findings if each.secret.reveal() == token.encode()]


@pytest.mark.parametrize("name", PLACES)
def test_a_secret_is_found_in(name: str, tmp_path: Path, shipped: Scanner) -> None:
    token = github_token(random.Random(name))
    hidden = PLACES[name](tmp_path, token)
    findings, _ = _audit(hidden.target, shipped)
    (finding,) = _with(findings, token)
    origin = finding.origin
    assert (origin.place.value, origin.path, origin.commit) == (hidden.place, hidden.path, hidden.commit)
    assert finding.span.start_line == hidden.first_line
    assert (origin.in_tip, origin.reachable) == (hidden.tip, hidden.reachable)
    if origin.commit is not None:
        assert origin.author
        assert origin.date
