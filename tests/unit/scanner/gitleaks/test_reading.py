"""Configurations of gitleaks: what of them counts in a scan, and that nothing else goes unsaid."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scanner import rulebook
from scanner.errors import RuleError
from scanner.model import Confidence, Finding, Fingerprinter, Severity
from scanner.pipeline import Scanner, scanner_of
from scanner.rulebook import RuleBook
from tests.support.rules import KEY, blob, findings
from tests.support.tokens import text

RNG = random.Random(31)
VALUE = text(RNG, 32, "0123456789abcdefghijklmnopqrstuvwxyz").encode()
OTHER = text(RNG, 32, "0123456789abcdefghijklmnopqrstuvwxyz").encode()
RULE = """
[[rules]]
id = "acme-token"
regex = '''acme=([0-9a-z]{32})'''
"""
LINE = b"acme=" + VALUE


def write(folder: Path, content: str, name: str = "gitleaks.toml") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def scanner(path: Path) -> Scanner:
    """A scanner of a configuration that went through a cache."""
    return scanner_of(RuleBook.restore(rulebook.load([path]).dump()), Fingerprinter(KEY))


def notes(path: Path) -> list[str]:
    (reading,) = rulebook.gather([path]).foreign
    return [str(note) for note in reading.notes]


def found(path: Path, data: bytes, name: str = "app.conf") -> list[tuple[str, bytes]]:
    return [(each.kind.id, each.secret.reveal()) for each in findings(scanner(path), data, name)]


def test_a_rule_becomes_a_kind(tmp_path: Path) -> None:
    path = write(tmp_path, RULE + 'description = "A token of\\n  Acme"\ntags = ["x"]\n')
    (finding,) = findings(scanner(path), LINE)
    assert (finding.kind.name, finding.kind.provider) == ("A token of Acme", "custom")
    assert (finding.kind.severity, finding.confidence) == (Severity.HIGH, Confidence.HIGH)
    assert finding.secret.reveal() == VALUE
    assert notes(path) == ["rule acme-token: tags: findings here have none; they are ignored"]


@pytest.mark.parametrize(("group", "secret"), [(0, b"zen"), (1, b"zen"), (2, VALUE)])
def test_the_secret_is_the_group_that_is_named_or_the_first(tmp_path: Path, group: int, secret: bytes) -> None:
    path = write(tmp_path, f"[[rules]]\nid = 'z'\nregex = '''(zen)=(\\w{{32}})'''\nsecretGroup = {group}\n")
    assert found(path, b"zen=" + VALUE) == [("z", secret)]


def test_a_keyword_must_stand_anywhere_in_the_text(tmp_path: Path) -> None:
    path = write(tmp_path, RULE + 'keywords = ["Zenith", "nadir"]\n')
    assert found(path, LINE) == []
    assert found(path, LINE + b"\n" * 500 + b"ZENITH") == [("acme-token", VALUE)]


def test_entropy_must_be_above_the_threshold(tmp_path: Path) -> None:
    dull = b"acme=" + b"ab12cd" * 5 + b"zz"
    assert found(write(tmp_path, RULE), dull)
    path = write(tmp_path, RULE + "entropy = 3.5\n")
    assert found(path, dull) == []
    assert found(path, LINE)


def test_a_path_narrows_a_rule(tmp_path: Path) -> None:
    path = write(tmp_path, RULE + "path = '''(?i)\\.conf$'''\n")
    assert found(path, LINE, "a/APP.CONF")
    assert found(path, LINE, "a/app.confx") == []
    assert found(path, LINE, "a\\app.conf")


def test_a_path_alone_finds_the_file_whatever_is_in_it(tmp_path: Path) -> None:
    path = write(tmp_path, RULE + "[[rules]]\nid = 'p12'\npath = '''\\.p12$'''\n")
    hits = found(path, b"EXAMPLE\n" + LINE, "keys/my.p12")
    assert hits == [("p12", b"EXAMPLE\n" + LINE), ("acme-token", VALUE)]
    assert found(path, b"EXAMPLE", "keys/my.p12.txt") == []
    assert found(path, b"", "keys/my.p12") == []
    (again,) = scanner(path).scan(blob(b"\x00\x01\x02 more", "my.p12"))
    assert isinstance(again, Finding)
    assert list(scanner(path).scan(blob(b"later in it", "my.p12", offset=512))) == []


ALLOWED = [
    ("regexes = ['''^%s$''']", "app.conf"),
    ("regexTarget = 'match'\nregexes = ['''^acme=''']", "app.conf"),
    ("regexTarget = 'line'\nregexes = ['''known$''']", "app.conf"),
    ("stopwords = ['%s']", "app.conf"),
    ("paths = ['''^docs/''']", "docs/app.conf"),
    ("condition = 'AND'\npaths = ['''^docs/''']\nstopwords = ['%s']", "docs/app.conf"),
]
COUNTS = [
    ("regexes = ['''^acme=''']", "app.conf"),
    ("regexTarget = 'match'\nregexes = ['''known''']", "app.conf"),
    ("regexTarget = 'line'\nregexes = ['''^known''']", "app.conf"),
    ("stopwords = ['acme']", "app.conf"),
    ("paths = ['''^docs/''']", "src/docs/app.conf"),
    ("condition = 'AND'\npaths = ['''^docs/''']\nstopwords = ['nothing']", "docs/app.conf"),
]


@pytest.mark.parametrize("head", ["[[rules.allowlists]]", "[rules.allowlist]", "[[allowlists]]", "[allowlist]"])
@pytest.mark.parametrize(("allow", "name", "wanted"), [(*a, False) for a in ALLOWED] + [(*c, True) for c in COUNTS])
def test_allowlists(tmp_path: Path, head: str, allow: str, name: str, wanted: bool) -> None:
    path = write(tmp_path, f"{RULE}{head}\n{allow.replace('%s', VALUE.decode())}\n")
    assert bool(found(path, LINE + b" # known\n", name)) is wanted
    assert notes(path) == []


def test_an_allowlist_of_the_file_may_be_for_some_rules(tmp_path: Path) -> None:
    zen = "[[rules]]\nid = 'zen'\nregex = '''zen=([0-9a-z]{32})'''\n"
    both = LINE + b"\nzen=" + OTHER
    allow = "[[allowlists]]\ntargetRules = ['zen']\nregexTarget = 'match'\nregexes = ['''=''']\n"
    assert found(write(tmp_path, RULE + zen + allow), both) == [("acme-token", VALUE)]
    with pytest.raises(RuleError, match="there is no rule 'zen'"):
        rulebook.load([write(tmp_path, RULE + allow)])


@pytest.mark.parametrize(
    ("allow", "kept"),
    [
        ("commits = ['abc']\npaths = ['''^docs/''']", True),
        ("commits = ['abc']\ncondition = 'AND'\npaths = ['''^docs/''']", False),
        ("commits = ['abc']", False),
    ],
)
def test_commits_are_not_carried_over(tmp_path: Path, allow: str, kept: bool) -> None:
    path = write(tmp_path, f"{RULE}[[rules.allowlists]]\n{allow}\n")
    assert bool(found(path, LINE, "docs/a")) is not kept
    (note,) = notes(path)
    assert "allowlist: commits" in note
    assert ("the rest of the allowlist counts" in note) is kept


def test_a_required_rule_must_match_near(tmp_path: Path) -> None:
    parts = "[[rules.required]]\nid = 'zen-id'\nwithinLines = 2\n"
    zen = "[[rules]]\nid = 'zen-id'\nregex = '''zen=([0-9a-z]{32})'''\nskipReport = true\n"
    path = write(tmp_path, RULE + parts + zen)
    assert found(path, LINE) == []
    assert found(path, b"zen=" + OTHER + b"\n\n" + LINE) == [("acme-token", VALUE)]
    assert found(path, b"zen=" + OTHER + b"\n\n\n" + LINE) == []
    assert found(path, b"zen=" + OTHER) == []
    (finding,) = findings(scanner(path), b"zen=" + OTHER + b"\n" + LINE)
    assert finding.parts["zen-id"].reveal() == OTHER


def test_a_required_rule_may_be_bound_by_columns_or_by_nothing(tmp_path: Path) -> None:
    zen = "[[rules]]\nid = 'zen-id'\nregex = '''zen=([0-9a-z]{32})'''\nskipReport = true\n"
    columns = write(tmp_path, f"{RULE}[[rules.required]]\nid = 'zen-id'\nwithinColumns = 10\n{zen}")
    assert found(columns, b"zen=" + OTHER + b"\n" + LINE)
    assert found(columns, b"zen=" + OTHER + b" " + LINE) == []
    path = write(tmp_path, f"{RULE}[[rules.required]]\nid = 'zen-id'\n{zen}")
    assert found(path, b"zen=" + OTHER + b"\n" * 300 + LINE)


def test_a_required_rule_counts_although_another_match_takes_its_place(tmp_path: Path) -> None:
    whole = "[[rules]]\nid = 'line'\nregex = '''(acme=\\w{32}) of bobby'''\n"
    user = "[[rules.required]]\nid = 'user'\n[[rules]]\nid = 'user'\nregex = '''acme=(\\w{5})'''\nskipReport = true\n"
    assert found(write(tmp_path, whole + user), LINE + b" of bobby") == [("line", LINE)]


def test_extends_a_file_field_by_field(tmp_path: Path) -> None:
    base = RULE + "keywords = ['zenith']\n[[rules]]\nid = 'gone'\nregex = '''gone=(\\w{32})'''\n"
    base += "[allowlist]\npaths = ['''^vendor/''']\n"
    write(tmp_path, base, "base.toml")
    own = "[extend]\npath = 'base.toml'\ndisabledRules = ['gone']\n[[rules]]\nid = 'acme-token'\nkeywords = ['nadir']\n"
    path = write(tmp_path, own + f"[[rules.allowlists]]\nstopwords = ['{OTHER.decode()}']\n")
    assert found(path, LINE) == []
    assert found(path, LINE + b" zenith")
    assert found(path, LINE + b" nadir")
    assert found(path, LINE + b" nadir", "vendor/x") == []
    assert found(path, b"nadir acme=" + OTHER) == []
    assert found(path, b"gone=" + OTHER) == []


def test_a_change_of_the_extended_file_changes_the_stamp(tmp_path: Path) -> None:
    base = write(tmp_path, RULE, "base.toml")
    path = write(tmp_path, "[extend]\npath = 'base.toml'\n")
    before = rulebook.stamp([path])
    assert rulebook.stamp([path]) == before
    base.write_text(RULE + "entropy = 3\n")
    assert rulebook.stamp([path]) != before


def test_circles_and_missing_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "[extend]\npath = 'two.toml'\n", "one.toml")
    path = write(tmp_path, "[extend]\npath = 'one.toml'\n", "two.toml")
    with pytest.raises(RuleError, match="in a circle"):
        rulebook.load([path])
    assert rulebook.stamp([path])
    with pytest.raises(RuleError, match="cannot be read"):
        rulebook.load([write(tmp_path, "[extend]\npath = 'none.toml'\n")])


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipped book of two kinds that belong together."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    kind = "[[kind]]\nid = '{0}'\nname = '{0}'\nseverity = 'high'\nlayout = '{0}_ + base62{{24}}'\n"
    pair = "pairs = [{ name = 'b', rule = 'bbbb-key' }]\n"
    content = "provider = 'acme'\ntitle = 'Acme'\n" + kind.format("aaaa-key") + pair + kind.format("bbbb-key")
    (folder / "acme.toml").write_text(content)
    monkeypatch.setattr(rulebook, "FOLDER", str(folder))


A_KEY = b"aaaa-key_" + text(RNG, 24).encode()
B_KEY = b"bbbb-key_" + text(RNG, 24).encode()


@pytest.mark.usefixtures("shipped")
def test_use_default_brings_the_shipped_rules(tmp_path: Path) -> None:
    default = "[extend]\nuseDefault = true\n"
    both = A_KEY + b" " + B_KEY
    assert [name for name, _ in found(write(tmp_path, default), both)] == ["aaaa-key", "bbbb-key"]
    everywhere = write(tmp_path, default + "[allowlist]\npaths = ['''^docs/''']\n")
    assert found(everywhere, both, "docs/x") == []
    disabled = write(tmp_path, "[extend]\nuseDefault = true\ndisabledRules = ['bbbb-key', 'cccc-key']\n")
    assert [name for name, _ in found(disabled, both)] == ["aaaa-key"]
    assert any("disabledRules 'cccc-key'" in note for note in notes(disabled))
    amended = write(
        tmp_path, f"{default}[[rules]]\nid = 'aaaa-key'\npath = '''\\.py$'''\n[[rules]]\nid = 'x'\nentropy=3\n"
    )
    assert [name for name, _ in found(amended, both)] == ["bbbb-key"]
    assert [name for name, _ in found(amended, both, "a.py")] == ["aaaa-key", "bbbb-key"]
    assert any("rule x: a rule without regex and path: no shipped rule" in note for note in notes(amended))
    replaced = write(tmp_path, default + RULE.replace("acme-token", "aaaa-key"))
    assert [name for name, _ in found(replaced, both + b" " + LINE)] == ["bbbb-key", "aaaa-key"]


@pytest.mark.usefixtures("shipped")
def test_without_use_default_the_file_says_nothing_of_other_rules(tmp_path: Path) -> None:
    path = write(tmp_path, RULE + "[allowlist]\npaths = ['''docs''']\n")
    book = rulebook.load([tmp_path / "shipped", path])
    names = [each.kind.id for each in findings(scanner_of(book, Fingerprinter(KEY)), A_KEY + b" " + LINE, "docs/x")]
    assert names == ["aaaa-key"]
    only = write(tmp_path, "[allowlist]\npaths = ['''docs''']\n")
    assert "it is not used" in notes(only)[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[[rules]]\nregex = 'a'", "without an id"),
        (RULE + RULE, "two rules have the id"),
        ("[[rules]]\nid = 'x'", "neither a regex nor a path"),
        ("[[rules]]\nid = 'x'\nregex = '(a'", "regex: a bracket that is not closed"),
        ("[[rules]]\nid = 'x'\nregex = 'abcd(e)'\nsecretGroup = 2", "secretGroup 2, but regex has 1 groups"),
        ("[[rules]]\nid = 'x'\nregex = 'abcd'\nentropy = 'much'", "entropy must be a number"),
        ("[[rules]]\nid = 'x'\nregex = 'abcd'\nkeywords = 'x'", "keywords must be a list"),
        ("[[rules]]\nid = 'x_y'\nregex = 'abcd'\n[[rules]]\nid = 'x-y'\nregex = 'abcd'", "its id is x-y here"),
        ("[[rules]]\nid = 'x'\npath = '['", "path '\\['"),
        (RULE + "[[rules.required]]\nid = 'none'", "required: there is no rule 'none'"),
        (RULE + "[[allowlists]]\ndescription = 'x'", "nothing in it"),
        (RULE + "[[allowlists]]\npaths = ['x']\ncondition = 'XOR'", "neither OR nor AND"),
        (RULE + "[[allowlists]]\nregexes = ['x']\nregexTarget = 'file'", "none of secret, match, line"),
        (RULE + "[allowlist]\npaths = ['x']\n[[allowlists]]\npaths = ['x']", "it takes one of them"),
        ("[extend]\nuseDefault = true\npath = 'x'", "it takes one of them"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(RuleError, match=why):
        rulebook.load([write(tmp_path, content)])


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("minVersion = '8'\n" + RULE, "minVersion"),
        (RULE + "shade = 1", "rule acme-token: shade: no such field"),
        (RULE + "[colours]\na = 1", "colours: no such section"),
        (RULE.replace("acme-token", "Acme_Token"), "it is acme-token"),
        ("[[rules]]\nid='x'\nregex='''acme=\\w+'''", "at most 4,096 times"),
        ("[[rules]]\nid='x'\nregex='''acme=(?:\\w+,?)+'''", "listed as skipped"),
        ("[[rules]]\nid='x'\nregex='''[0-9a-f]{32}'''", "rules check --cost"),
        ("[[rules]]\nid='x'\nregex='''acme=(x)?(\\w{9})'''", "group 2 is"),
        ("[[rules]]\nid='x'\nregex='''acme=(x)?'''", "all of it counts"),
        ("[[rules]]\nid='x'\nregex='''acme=\\pL{9}'''", "beyond ASCII"),
        ("[extend]\nurl = 'https://acme.example/x'\n" + RULE, "not fetched"),
        (RULE + "[[rules.allowlists]]\npaths = ['x']\nauthors = ['x']", "allowlist: authors"),
    ],
)
def test_what_is_read_otherwise_is_said(tmp_path: Path, content: str, note: str) -> None:
    path = write(tmp_path, content)
    assert any(note in each for each in notes(path))
    assert rulebook.load([path]).unused == ()


def test_a_rule_that_cannot_be_used_is_named_and_so_is_what_requires_it(tmp_path: Path) -> None:
    path = write(tmp_path, RULE + "[[rules.required]]\nid = 'w'\n[[rules]]\nid = 'w'\nregex = '''\\w+'''\n")
    book = RuleBook.restore(rulebook.load([path]).dump())
    assert [line.split(": ")[1] for line in book.unused] == ["rule acme-token", "rule w"]
    assert book.ids() == ()


def test_the_hash_knows_allowlists(tmp_path: Path) -> None:
    plain = rulebook.load([write(tmp_path, RULE)])
    assert rulebook.load([write(tmp_path, RULE + "[allowlist]\npaths = ['x']\n")]).hash != plain.hash
