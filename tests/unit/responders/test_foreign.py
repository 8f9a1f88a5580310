"""Reports of other scanners: what is taken from each, what is skipped, what is refused."""

from __future__ import annotations

import contextlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.foreign import ForeignReport, read_report
from scanner.errors import UsageError
from scanner.model import Severity
from tests.support.stores import FINGERPRINTER, START
from tests.support.tokens import keyfuse_key

VALUE = keyfuse_key(random.Random(7))
OTHER = keyfuse_key(random.Random(8))


def read(*documents: object) -> ForeignReport:
    content = "\n".join(json.dumps(document) for document in documents).encode()
    return read_report(content, FINGERPRINTER, source="elsewhere", seen_at=START)


def gitleaks(value: str = VALUE, file: str = "src/app.py", line: int = 3) -> dict[str, object]:
    return {
        "RuleID": "generic-api-key",
        "Description": "Generic key",
        "File": file,
        "StartLine": line,
        "Secret": value,
        "Match": f"key = {value}",
        "Commit": "c0ffee" * 6,
        "Author": "A. Author",
        "Date": "2026-01-01T00:00:00Z",
        "Fingerprint": "theirs",
    }


def sarif(driver: str, snippet: str = "", **prints: str) -> dict[str, object]:
    region = {"startLine": 5, "snippet": {"text": snippet}}
    location = {"physicalLocation": {"artifactLocation": {"uri": "a/b.txt"}, "region": region}}
    result = {"ruleId": "some-rule", "locations": [location], "partialFingerprints": prints}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": driver}}, "results": [result]}]}


def test_gitleaks_findings_of_one_value_are_one_leak_in_two_places() -> None:
    report = read([gitleaks(), gitleaks(file="other.py", line=9), gitleaks(OTHER)])
    first, second = report.leaks
    assert first.fingerprint == FINGERPRINTER.of(VALUE.encode())
    assert [(place.where, place.line, place.commit) for place in first.sightings] == [
        ("src/app.py", 3, "c0ffee" * 6),
        ("other.py", 9, "c0ffee" * 6),
    ]
    assert second.leak.secret is not None
    assert second.leak.secret.reveal() == OTHER.encode()
    assert (first.leak.kind.id, first.leak.kind.provider, first.source) == ("generic-api-key", "unknown", "elsewhere")
    assert VALUE not in first.masked
    assert first.masked.endswith(VALUE[-4:])


@pytest.mark.parametrize("value", ["REDACTED", VALUE[:4] + "...", "***", "", "short"])
def test_a_value_that_is_not_there_is_skipped_and_said(value: str) -> None:
    report = read([gitleaks(value)])
    assert not report.leaks
    assert [skipped.origin for skipped in report.skipped] == ["src/app.py:3"]


def test_a_snippet_is_the_value_only_where_the_scanner_makes_it_so() -> None:
    [leak] = read(sarif("gitleaks", VALUE)).leaks
    assert leak.fingerprint == FINGERPRINTER.of(VALUE.encode())
    assert leak.sightings[0].where == "a/b.txt"
    other = read(sarif("another scanner", f"key = {VALUE}"))
    assert not other.leaks
    assert len(other.skipped) == 1


def test_keyfuses_own_reports_need_no_value() -> None:
    fingerprint = FINGERPRINTER.of(VALUE.encode())
    own: dict[str, object] = {
        "rule": "keyfuse-key",
        "provider": "keyfuse",
        "severity": "critical",
        "fingerprint": fingerprint,
    }
    own |= {"masked": "kfk_…last", "path": "x.zip", "inside": ["a/b"], "start_line": 2}
    whole = {"version": 1, "tool": {"name": "keyfuse"}, "findings": [own]}
    for report in (read(whole), read(own, own), read(sarif("keyfuse", **{"keyfuse/v1": fingerprint}))):
        [leak] = report.leaks
        assert leak.fingerprint == fingerprint
        assert leak.leak.secret is None
    [leak] = read(whole).leaks
    assert (leak.leak.kind.provider, leak.leak.kind.severity) == ("keyfuse", Severity.CRITICAL)
    assert (leak.masked, leak.sightings[0].where) == ("kfk_…last", "x.zip!a/b")


def test_a_made_up_fingerprint_is_no_fingerprint() -> None:
    assert not read(sarif("keyfuse", **{"keyfuse/v1": "kfp1:nonsense"})).leaks


def test_trufflehog_writes_one_finding_a_line() -> None:
    place = {"commit": "abc", "file": "f.py", "email": "a@example.org", "timestamp": "2026", "line": 4}
    line = {"SourceMetadata": {"Data": {"Git": place}}, "DetectorName": "Thing", "Raw": VALUE, "Redacted": ""}
    [leak] = read(line, line).leaks
    assert (leak.leak.kind.id, leak.sightings[0].where, leak.sightings[0].line) == ("Thing", "f.py", 4)


def test_a_scanner_that_found_nothing_may_write_nothing() -> None:
    assert read() == ForeignReport((), ())


def test_hostile_text_is_shown_harmless() -> None:
    [leak] = read([gitleaks(file="\x1b[2J" + "x" * 5000)]).leaks
    assert "\x1b" not in leak.sightings[0].where
    assert len(leak.sightings[0].where) == 1000


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        b"\xff\xfe\x00",
        b'{"a": 1}',
        b"[1, 2]",
        b'[{"RuleID": 1}]',
        b'{"runs": [{}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(UsageError):
        read_report(content, FINGERPRINTER, source="x", seen_at=START)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["runs", "tool", "results", "findings", "RuleID", "Raw", "File", "x"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_document_does_worse_than_be_refused(document: object) -> None:
    with contextlib.suppress(UsageError):
        read(document)


def test_kingfisher_writes_an_envelope_or_one_finding_a_line() -> None:
    commit = {"id": "abc", "date": "2026", "committer": {"name": "A", "email": "a@example.org"}}
    finding = {"snippet": VALUE, "path": "f.py", "line": 4, "git_metadata": {"commit": commit}, "confidence": "medium"}
    record = {"rule": {"name": "A rule", "id": "kingfisher.thing.1"}, "finding": finding}
    for report in (read({"findings": [record, record], "metadata": {}}), read(record, record, {"access_map": []})):
        [leak] = report.leaks
        [place] = {(each.where, each.line, each.commit, each.author) for each in leak.sightings}
        assert place == ("f.py", 4, "abc", "a@example.org")
        assert leak.leak.kind.id == "kingfisher.thing.1"
        assert leak.leak.secret is not None
    assert read({"findings": []}) == ForeignReport((), ())


def test_detect_secrets_holds_no_values_so_each_finding_is_named() -> None:
    results = {"a.py": [{"type": "Secret Keyword", "filename": "a.py", "hashed_secret": "0" * 40, "line_number": 7}]}
    report = read({"version": "1.5.0", "plugins_used": [{"name": "KeywordDetector"}], "results": results})
    assert not report.leaks
    assert [(each.origin, "scan the place" in each.reason) for each in report.skipped] == [("a.py:7", True)]
