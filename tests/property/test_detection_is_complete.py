"""Nothing planted is lost: every shipped kind, anywhere in real text, across windows, in archives and encodings."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scanner.model as real_text
from scanner import rulebook
from scanner.confirm import worth
from scanner.errors import UsageError
from scanner.model import Blob, Finding, Origin, Place, Skipped
from scanner.pipeline import Scanner, scan
from scanner.rule import Family, Rule
from scanner.samples import Sample, sample
from tests.support.rules import blob
from tests.support.units import Contents

FORMS = (b"%s", b"x = '%s'", b'  - "%s",', b"// %s", b"%s;", b"> %s <", b"a\\n%s\\n")
LINES = Path(real_text.__file__).read_bytes().split(b"\n")


@cache
def rules() -> list[Rule]:
    return list(rulebook.load().rules)


def planted(rule: Rule, rng: random.Random, form: bytes | None = None) -> tuple[bytes, Sample] | None:
    """Real text with a sample in it that the rule's exact pattern matches there and its own filters let pass."""
    try:
        made = sample(rule, rng)
    except UsageError:
        return None
    at = rng.randrange(len(LINES) - 30)
    middle = (form or rng.choice(FORMS)) % made.text
    data = b"\n".join([*LINES[at : at + 12], middle, *LINES[at + 12 : at + 24]])
    matches = regex.finditer(rule.pattern.encode("latin-1"), data)
    if not any(match["secret"] == made.secret for match in matches):
        return None
    if worth(rule, made.secret)[0] is None:  # chance wrote something that looks like words
        return None
    return data, made


def found(shipped: Scanner, data: bytes) -> list[bytes]:
    results = shipped.scan(blob(data))
    return [result.secret.reveal() for result in results if isinstance(result, Finding)]


def covered(secret: bytes, seen: list[bytes]) -> bool:
    """Whether a secret was found, alone or with what stands beside it: of two rules the better one may cut wider."""
    return any(secret in other or other in secret for other in seen)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.kind.id)
def test_every_kind_is_found_and_its_trigger_never_misses(shipped: Scanner, rule: Rule) -> None:
    rng = random.Random(rule.kind.id)
    engine = shipped.engine
    place = rules().index(rule)
    tried = 0
    # A name and its value bring their own syntax; inside other quotes they are another text.
    for form in (b"%s",) if rule.family is Family.GENERIC else FORMS:
        case = planted(rule, rng, form)
        if case is None:
            continue
        tried += 1
        data, made = case
        hit = {at for candidate in engine.candidates(data) for at in engine.meanings[candidate.pattern][1]}
        assert place in hit, form
        if not rule.identifier and not any(pair.required for pair in rule.pairs):
            assert covered(made.secret, found(shipped, data)), form
    assert tried


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_kinds_in_one_text(shipped: Scanner, seed: int) -> None:
    rng = random.Random(seed)
    cases = [planted(rule, rng, b"%s") for rule in rng.sample(rules(), 12) if not rule.identifier and not rule.pairs]
    texts = [case for case in cases if case is not None]
    seen = found(shipped, b"\n\n".join(data for data, _ in texts))
    for _, made in texts:
        assert covered(made.secret, seen)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_across_the_borders_of_windows_each_is_found_once(shipped: Scanner, seed: int) -> None:
    rng = random.Random(seed)
    rule = rng.choice([rule for rule in rules() if rule.family is Family.PREFIXED and not rule.identifier])
    case = planted(rule, rng, b" %s ")
    if case is None:
        return
    data, made = case
    size, overlap = 200 << 10, 64 << 10
    filler = b"line of text\n" * 40_000
    start = rng.randrange(len(filler) - 1)
    start = filler.rfind(b"\n", 0, start) + 1
    text = filler[:start] + data + b"\n" + filler[start:]
    blobs = [
        Blob(text[at : at + size], Origin(Place.FILE, "large"), at, text.count(b"\n", 0, at) + 1)
        for at in range(0, len(text) - overlap, size - overlap)
    ]
    events = [event for event in shipped.unit(Windows(blobs)) if isinstance(event, Finding)]
    spans = [event.span for event in events if event.secret.reveal() == made.secret]
    assert [text[span.start : span.end] for span in spans] == [made.secret]
    assert spans[0].start_line == text.count(b"\n", 0, spans[0].start) + 1


class Windows:
    """Unit: the windows of one file."""

    weight = 1

    def __init__(self, blobs: list[Blob]) -> None:
        self._blobs = blobs

    def blobs(self) -> Iterator[Blob | Skipped]:
        """The windows, in order."""
        yield from self._blobs


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_in_archives_and_encodings(shipped: Scanner, seed: int) -> None:
    rng = random.Random(seed)
    prefixed = [rule for rule in rules() if rule.family is Family.PREFIXED and not rule.identifier and not rule.pairs]
    case = planted(rng.choice(prefixed), rng, b"%s")
    if case is None:
        return
    data, made = case
    for _ in range(rng.randrange(1, 5)):
        if rng.random() < 0.5:
            data = gzip.compress(data)
            continue
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            archive.writestr("member", data)
        data = out.getvalue()
    assert made.secret in found(shipped, data)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_in_base64_and_utf_16(shipped: Scanner, seed: int) -> None:
    rng = random.Random(seed)
    long = [r for r in rules() if r.family is Family.PREFIXED and not r.pairs and not r.identifier]
    case = planted(rng.choice([r for r in long if r.literals and min(map(len, r.literals)) >= 4]), rng, b"%s")
    if case is None:
        return
    data, made = case
    assert made.secret in found(shipped, b"data: " + b64encode(data))
    assert made.secret in found(shipped, b"\xff\xfe" + data.decode().encode("utf-16-le"))


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_ordinary_lines_hold_nothing_in_any_order(shipped: Scanner, lines: list[bytes]) -> None:
    assert found(shipped, b"\n".join(lines)) == []


@given(st.binary(max_size=4000))
@settings(max_examples=100, deadline=None)
def test_any_bytes_can_be_scanned(shipped: Scanner, data: bytes) -> None:
    for head in (b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\xff\xfe"):
        list(shipped.scan(blob(head + data)))


def test_one_core_and_two_find_the_same(shipped: Scanner) -> None:
    rng = random.Random(60)
    cases = [case for rule in rules() if (case := planted(rule, rng)) is not None]
    units = [
        Contents(tuple((f"{at}-{n}", data) for n, (data, _) in enumerate(cases[at : at + 20])))
        for at in range(0, len(cases), 20)
    ]
    seen = [
        {
            (e.kind.id, e.secret.reveal(), e.span, e.origin)
            for e in scan(units, shipped, jobs=jobs)
            if isinstance(e, Finding)
        }
        for jobs in (1, 2)
    ]
    assert seen[0] == seen[1] != set()
